"""Files: a place, and an identity that does not depend on it."""

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from containers.base.contract.files import File, output_file, sha256_of


def artifact(name: str = "a.tif", content_id: str = "sha256:1") -> File:
    return File(href=f"store:gdal.align/k/1/{name}", content_id=content_id, size=1)


def test_name_and_place() -> None:
    assert (artifact().name, artifact().store_path, artifact().in_store) == ("a.tif", "gdal.align/k/1/a.tif", True)
    remote = File(href="s3://eodata/x/B04.jp2", content_id="etag:1", size=1)
    assert (remote.name, remote.in_store) == ("B04.jp2", False)
    with pytest.raises(ValueError, match="not in the store"):
        _ = remote.store_path


def test_checksum_of_a_large_file(tmp_path: Path) -> None:
    content = b"0123456789" * 300_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_output_is_described_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"pixels")
    expected = f"sha256:{hashlib.sha256(b'pixels').hexdigest()}"
    assert output_file(tmp_path / "a.tif") == File(href="a.tif", content_id=expected, size=6)


def test_virtual_raster_is_described_by_its_members(tmp_path: Path) -> None:
    def described(text: str, *members: File) -> str:
        (tmp_path / "a.vrt").write_text(text)
        return output_file(tmp_path / "a.vrt", members=members).content_id

    one, other = artifact("1.tif", "sha256:1"), artifact("2.tif", "sha256:2")
    assert described("attempt 1", one, other) == described("attempt 2", one, other)
    assert described("attempt 1", one, other) != described("attempt 1", other, one)
    assert described("attempt 1", one) != described("attempt 1", one, other)


def test_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        artifact().size = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        File.model_validate({"href": "a", "content_id": "sha256:1", "size": 1, "place": "x"})


@pytest.mark.parametrize("content_id", ["", "sha256", "sha256:", "SHA:1"])
def test_malformed_identity(content_id: str) -> None:
    with pytest.raises(ValidationError, match="content_id"):
        File(href="a", content_id=content_id, size=1)
