"""A whole product into the store: laid out, verified, and after kill −9 gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pydantic import ValidationError

from containers.base import storage
from containers.base.contract.files import File, sha256_of
from containers.base.contract.step import StepError
from containers.gdal.contract.download import DownloadParams, DownloadResult
from containers.gdal.download import inside, run
from tests.conftest import ROOT, S3Server
from tests.fault_proxy import fault_proxy

NAME = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255"
MIB = 1 << 20
PATHS = {
    "manifest.safe": b"<manifest/>",
    "annotation/calibration/noise-vv.xml": b"<noise/>",
    "measurement/vv.tiff": b"II*",
}


@pytest.fixture(autouse=True)
def partials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "partials"
    folder.mkdir()
    monkeypatch.setenv("CLEARGROUND_PARTIALS", str(folder))
    return folder


@pytest.fixture
def archived(s3_server: S3Server) -> Callable[[dict[str, bytes]], dict[str, File]]:
    """Puts objects into the archive, and describes them as the catalogue would."""

    def put(objects: dict[str, bytes]) -> dict[str, File]:
        for name, body in objects.items():
            storage.client().put_object(Bucket="eodata", Key=f"{NAME}.SAFE/{name}", Body=body)
        return {name: storage.stat(f"s3://eodata/{NAME}.SAFE/{name}") for name in objects}

    return put


def zipped(objects: dict[str, bytes], folder: str = f"{NAME}.SAFE/") -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in objects.items():
            archive.writestr(folder + name, body)
    return stream.getvalue()


def test_every_object_lies_where_the_product_has_it(archived, tmp_path: Path, capsys) -> None:
    result = run(DownloadParams(product_id=NAME, files=archived(PATHS)), tmp_path / "out")
    assert result.folder.id == NAME
    assert {name: (tmp_path / "out" / name).read_bytes() for name in result.folder.files} == PATHS
    for name, file in result.folder.files.items():
        assert (file.href, file.content_id) == (name, sha256_of(tmp_path / "out" / name))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[-1]["done"] == told[-1]["total"] == sum(map(len, PATHS.values()))


def test_the_same_product_gives_the_same_result(archived, tmp_path: Path) -> None:
    files = archived(PATHS)
    turned = dict(reversed(files.items()))
    first, second = (
        run(DownloadParams(product_id=NAME, files=each), tmp_path / f"out{i}") for i, each in enumerate((files, turned))
    )
    assert first.model_dump_json() == second.model_dump_json()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "", ".", "a\\..\\x", "measurement/../../vv.tiff"])
def test_a_path_that_leaves_the_folder_is_refused_before_anything_is_read(name: str, tmp_path: Path) -> None:
    file = File(href="s3://eodata/none", content_id="etag:0", size=1)
    with pytest.raises(StepError) as caught:
        run(DownloadParams(product_id=NAME, files={name: file}), tmp_path / "out")
    assert caught.value.code == "bad_parameters"


def test_other_paths_are_not(tmp_path: Path) -> None:
    assert inside(tmp_path, "annotation/s1a..vv.xml") == tmp_path / "annotation" / "s1a..vv.xml"


def test_no_files_are_refused() -> None:
    with pytest.raises(ValidationError):
        DownloadParams(product_id=NAME, files={})


def test_an_absent_object_has_its_code(archived, tmp_path: Path) -> None:
    files = archived(PATHS) | {"measurement/vh.tiff": File(href="s3://eodata/none", content_id="etag:0", size=1)}
    with pytest.raises(StepError) as caught:
        run(DownloadParams(product_id=NAME, files=files), tmp_path / "out")
    assert caught.value.code == "missing_file"


def test_without_links_files_are_copied(archived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_disk(*_: object) -> None:
        raise OSError("Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    result = run(DownloadParams(product_id=NAME, files=archived(PATHS)), tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in result.folder.files} == PATHS


def test_a_zip_is_unpacked(archived, tmp_path: Path) -> None:
    files = archived({f"{NAME}.zip": zipped(PATHS | {"preview/": b""})})
    result = run(DownloadParams(product_id=NAME, files=files), tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in result.folder.files} == PATHS


def damaged(body: bytes) -> bytes:
    middle = body.index(b"II*" * 3) + 9
    return body[:middle] + b"XXX" + body[middle + 3 :]


@pytest.mark.parametrize(
    "body",
    [
        zipped(PATHS)[:-40],
        zipped(PATHS)[: len(zipped(PATHS)) // 2],
        b"",
        b"<html>Session limit exceeded</html>",
        zipped(PATHS, folder="something/"),
        zipped({"measurement/vv.tiff": b"II*"}),
        zipped(PATHS | {"../../out.txt": b"x"}),
    ],
    ids=["cut", "half", "empty", "no zip", "no SAFE", "no manifest", "leads out"],
)
def test_a_broken_zip_is_corrupt(archived, tmp_path: Path, body: bytes) -> None:
    with pytest.raises(StepError) as caught:
        run(DownloadParams(product_id=NAME, files=archived({f"{NAME}.zip": body})), tmp_path / "out")
    assert caught.value.code == "corrupt_file"
    assert not (tmp_path / "out.txt").exists()


def test_damage_inside_a_zip_is_found_by_its_checksum(archived, tmp_path: Path) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{NAME}.SAFE/manifest.safe", b"<manifest/>")
        archive.writestr(f"{NAME}.SAFE/measurement/vv.tiff", b"II*" * 99)
    files = archived({f"{NAME}.zip": damaged(stream.getvalue())})
    with pytest.raises(StepError, match="corrupt_file"):
        run(DownloadParams(product_id=NAME, files=files), tmp_path / "out")


@pytest.mark.real
def test_a_real_product_as_one_zip(archived, sample_data: Path, tmp_path: Path) -> None:
    body = (sample_data / "pyrosar" / "tests" / "data" / f"{NAME}.zip").read_bytes()
    result = run(DownloadParams(product_id=NAME, files=archived({f"{NAME}.zip": body})), tmp_path / "out")
    assert "manifest.safe" in result.folder.files
    assert len([name for name in result.folder.files if name.startswith("annotation/calibration/")]) == 4
    assert sum(file.size for file in result.folder.files.values()) == 6_868_560
    with pytest.raises(StepError, match="corrupt_file"):
        run(
            DownloadParams(product_id=NAME, files=archived({"cut.zip": body[: len(body) * 2 // 3]})),
            tmp_path / "other",
        )


def test_a_killed_download_goes_on_where_it_stopped(
    archived, s3_server: S3Server, partials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill −9 of the real program in the middle: the parts that were there are not asked for again."""
    body = os.urandom(41 * MIB + 7)
    params = DownloadParams(product_id=NAME, files=archived({**PATHS, "measurement/vv.tiff": body}), part_mb=8)
    (tmp_path / "params.json").write_text(params.model_dump_json())

    def start(out: str) -> "subprocess.Popen[bytes]":
        (tmp_path / out).mkdir()
        command = [sys.executable, "-m", "containers.gdal.download", str(tmp_path / "params.json"), str(tmp_path / out)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    with fault_proxy(s3_server.host) as proxy:
        monkeypatch.setenv("AWS_S3_ENDPOINT", proxy.host)
        proxy.plan.extend([None, None, *["stalled"] * 20])
        child = start("killed")
        deadline = time.monotonic() + 60
        while noted(partials) < 2 or len(proxy.ranges) < 6:
            assert child.poll() is None
            assert time.monotonic() < deadline, (noted(partials), proxy.ranges)
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not list((tmp_path / "killed").rglob("*.tiff"))
        proxy.released.set()
        proxy.plan.clear()
        proxy.ranges.clear()
        assert start("resumed").wait(60) == 0
        asked = list(proxy.ranges)

    result = DownloadResult.model_validate_json((tmp_path / "resumed" / "result.json").read_text())
    assert (tmp_path / "resumed" / "measurement" / "vv.tiff").read_bytes() == body
    assert set(result.folder.files) == set(PATHS)
    # Six parts and two small objects; two of the parts were there.
    assert len(asked) == 6
    spans = [each.removeprefix("bytes=").split("-") for each in asked if each]
    assert (
        sum(int(last) - int(first) + 1 for first, last in spans)
        == sum(file.size for file in params.files.values()) - 2 * 8 * MIB
    )


def noted(partials: Path) -> int:
    """Parts in the journal of the large object."""
    return max((len(path.read_text().splitlines()) - 1 for path in partials.rglob("parts")), default=0)
