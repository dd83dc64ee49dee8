"""The archive as it behaves: transfers end whole or with a code, whatever the server does."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from containers.base import storage
from containers.base.contract.files import File
from containers.base.contract.step import StepError
from tests.conftest import S3Server
from tests.fault_proxy import Fault, FaultProxy, fault_proxy

CONTENT = bytes(range(256)) * 1024  # 256 KiB in which every position can be told from its neighbours
HREF = "s3://eodata/Sentinel-2/B04.jp2"


@pytest.fixture
def band(s3_server: S3Server) -> File:
    """An object of the archive, as the catalogue would describe it."""
    storage.client().put_object(Bucket="eodata", Key="Sentinel-2/B04.jp2", Body=CONTENT)
    return storage.stat(HREF)


@pytest.fixture
def proxy(band: File, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """The archive behind a proxy with faults, and a client that is quick to give up."""
    for name, value in {"ATTEMPTS": 3, "FIRST_DELAY_S": 0.01, "READ_TIMEOUT_S": 0.4}.items():
        monkeypatch.setattr(storage, name, value)
    storage._client.cache_clear()
    with fault_proxy(s3_server.host) as running:
        monkeypatch.setenv("AWS_S3_ENDPOINT", running.host)
        yield running
    storage._client.cache_clear()


def code_of(file: File, folder: Path) -> str:
    with pytest.raises(StepError) as caught:
        storage.fetch(file, folder)
    assert not [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]
    return caught.value.code


def test_href_is_split() -> None:
    assert storage.split_s3_href("s3://eodata/Sentinel-2/a b.jp2") == ("eodata", "Sentinel-2/a b.jp2")


@pytest.mark.parametrize("href", ["eodata/x", "s3://eodata", "s3:///x", "https://eodata/x"])
def test_other_addresses_are_refused(href: str) -> None:
    with pytest.raises(StepError, match="missing_file"):
        storage.split_s3_href(href)


def test_stat_knows_size_and_etag(band: File) -> None:
    assert band == File(href=HREF, content_id=f"etag:{hashlib.md5(CONTENT).hexdigest()}", size=len(CONTENT))


def test_fetched_whole_and_once(proxy: FaultProxy, band: File, tmp_path: Path) -> None:
    path = storage.fetch(band, tmp_path)
    assert path.read_bytes() == CONTENT
    assert path.name == "B04.jp2"
    assert storage.fetch(band, tmp_path) == path
    assert len(proxy.ranges) == 1


def test_equal_names_do_not_collide(band: File, tmp_path: Path) -> None:
    storage.client().put_object(Bucket="eodata", Key="other/B04.jp2", Body=b"the other half of the datatake")
    other = storage.stat("s3://eodata/other/B04.jp2")
    assert storage.fetch(band, tmp_path).read_bytes() == CONTENT
    assert storage.fetch(other, tmp_path).read_bytes() == b"the other half of the datatake"


@pytest.mark.parametrize("fault", ["internal_error", "slow_down", "truncated", "stalled"])
def test_passing_fault_is_survived(fault: Fault, proxy: FaultProxy, band: File, tmp_path: Path) -> None:
    proxy.plan.extend([fault, fault])
    assert storage.fetch(band, tmp_path).read_bytes() == CONTENT
    assert len(proxy.ranges) == 3


def test_transfer_goes_on_where_it_stopped(proxy: FaultProxy, band: File, tmp_path: Path) -> None:
    proxy.plan.extend(["truncated", "truncated"])
    storage.fetch(band, tmp_path)
    assert proxy.ranges == [None, f"bytes={len(CONTENT) // 2}-", f"bytes={len(CONTENT) * 3 // 4}-"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("internal_error", "storage_error"),
        ("slow_down", "throttled"),
        ("truncated", "short_read"),
        ("stalled", "storage_timeout"),
    ],
)
def test_lasting_fault_is_transient_and_bounded(
    fault: Fault, code: str, proxy: FaultProxy, band: File, tmp_path: Path
) -> None:
    proxy.plan.extend([fault] * 20)
    with pytest.raises(StepError) as caught:
        storage.fetch(band, tmp_path)
    assert (caught.value.code, caught.value.transient) == (code, True)
    assert len(proxy.ranges) == 3


def test_wrong_key_is_denied_at_once(proxy: FaultProxy, band: File, tmp_path: Path) -> None:
    proxy.plan.append("forbidden")
    assert code_of(band, tmp_path) == "access_denied"
    assert len(proxy.ranges) == 1


def test_absent_object(s3_server: S3Server, tmp_path: Path) -> None:
    assert code_of(File(href="s3://eodata/none", content_id="etag:0", size=1), tmp_path) == "missing_file"
    with pytest.raises(StepError, match="missing_file"):
        storage.stat("s3://eodata/none")


def test_ghost_of_another_size(band: File, tmp_path: Path) -> None:
    assert code_of(band.model_copy(update={"size": len(CONTENT) + 1}), tmp_path) == "missing_file"


def test_changed_object(band: File, tmp_path: Path) -> None:
    storage.client().put_object(Bucket="eodata", Key="Sentinel-2/B04.jp2", Body=CONTENT[::-1])
    assert code_of(band, tmp_path) == "missing_file"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_checksum_is_compared(algorithm: str, band: File, tmp_path: Path) -> None:
    right = hashlib.new(algorithm, CONTENT).hexdigest()
    file = band.model_copy(update={"content_id": f"{algorithm}:{right}"})
    assert storage.fetch(file, tmp_path / "right").read_bytes() == CONTENT
    wrong = band.model_copy(update={"content_id": f"{algorithm}:{right[::-1]}"})
    assert code_of(wrong, tmp_path / "wrong") == "corrupt_file"


def test_nobody_answers(band: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "FIRST_DELAY_S", 0.0)
    monkeypatch.setenv("AWS_S3_ENDPOINT", "127.0.0.1:1")
    assert code_of(band, tmp_path) == "storage_error"


def test_full_disk(band: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "_copy", no_space)
    assert code_of(band, tmp_path) == "disk_full"


def test_credentials_file_holds_the_keys() -> None:
    endpoint = storage.Endpoint(access_key_id="id", secret_access_key="secret")
    text = storage.credentials_text(endpoint)
    assert text == "[default]\naws_access_key_id = id\naws_secret_access_key = secret\n"
    assert "secret" not in repr(endpoint).replace("secret_access_key", "")


def test_gdal_reads_the_same_archive(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rasterio = pytest.importorskip("rasterio")
    values = np.arange(64, dtype="uint16").reshape(1, 8, 8)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", width=8, height=8, count=1, dtype="uint16") as sink:
        sink.write(values)
    storage.client().upload_file(str(tmp_path / "a.tif"), "eodata", "a.tif")
    credentials = tmp_path / "credentials"
    credentials.write_text(storage.credentials_text(storage.Endpoint.archive()))
    monkeypatch.setenv("CPL_AWS_CREDENTIALS_FILE", str(credentials))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with rasterio.Env(**storage.gdal_environment()), rasterio.open("/vsis3/eodata/a.tif") as source:
        np.testing.assert_array_equal(source.read(), values)
