import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.backends import get_backend

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.base.storage import Endpoint, client, fetch, stat
from containers.eodata.load import load
from containers.eodata.serve import Application, is_ready, start

Items = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def eodata_url(archive_folder: Path) -> Iterator[str]:
    get_backend("s3").reset()  # moto's servers in one process share their objects
    server = start(archive_folder, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def archive_variables(eodata_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_S3_ENDPOINT": eodata_url, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


def asset_file(item: dict[str, Any], key: str) -> File:
    asset = item["assets"][key]
    checksum = asset["file:checksum"].removeprefix("1220")
    return File(href=asset["href"], content_id=f"sha256:{checksum}", size=asset["file:size"])


@pytest.mark.usefixtures("archive_variables")
def test_objects_come_through_the_variables_used_on_creodias(archive_items: Items, tmp_path: Path) -> None:
    item = next(item for item in archive_items.values() if item["properties"]["processing:version"] == "02.12")
    file = asset_file(item, "B11_20m")
    fetched = fetch(file, tmp_path)
    assert fetched.stat().st_size == file.size
    assert stat(file.href).size == file.size


@pytest.mark.usefixtures("archive_variables")
def test_a_ghost_is_missing_and_a_wrong_size_shows(archive_items: Items, archive_traps: dict[str, list[str]]) -> None:
    with pytest.raises(StepError, match="missing_file"):
        stat(asset_file(archive_items[archive_traps["ghost"][0]], "B04_20m").href)
    short = asset_file(archive_items[archive_traps["wrong_size"][0]], "B04_20m")
    assert stat(short.href).size < short.size


def test_ready_is_told_from_filling(eodata_url: str) -> None:
    host, port = eodata_url.split(":")
    assert is_ready(host, int(port))
    assert not is_ready(host, 1)
    answers: list[str] = []
    filling = Application()
    filling({"PATH_INFO": "/ready"}, lambda status, _: answers.append(status))
    filling.ready.set()
    filling({"PATH_INFO": "/ready"}, lambda status, _: answers.append(status))
    assert [answer[:3] for answer in answers] == ["503", "200"]


def test_nothing_is_missing_while_the_bucket_fills() -> None:
    """A run that goes on after the server was killed must wait, not take scenes for ghosts."""
    filling, answers = Application(), []
    asked = {"PATH_INFO": "/eodata/B04.jp2", "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=embedded/20200101/"}
    filling(asked, lambda status, _: answers.append(status))
    assert answers == ["503 Service Unavailable"]


def test_a_second_load_copies_what_has_changed_and_prunes_what_is_foreign(
    eodata_url: str, archive_folder: Path
) -> None:
    s3 = client(Endpoint(url=f"http://{eodata_url}", access_key_id="any", secret_access_key="any"))
    objects = sum(path.is_file() for path in (archive_folder / "eodata").rglob("*"))
    assert load(archive_folder, s3) == (0, objects, 0)
    victim = next((archive_folder / "eodata").rglob("MTD_TL.xml")).relative_to(archive_folder / "eodata").as_posix()
    body = s3.get_object(Bucket="eodata", Key=victim)["Body"].read()
    s3.put_object(Bucket="eodata", Key=victim, Body=bytes(len(body)))
    s3.put_object(Bucket="eodata", Key="foreign", Body=b"x")
    assert load(archive_folder, s3, prune=True) == (1, objects - 1, 1)
    assert s3.get_object(Bucket="eodata", Key=victim)["Body"].read() == body


def test_many_requests_at_once_are_answered(eodata_url: str) -> None:
    answers: list[int] = []

    def ask() -> None:
        with urllib.request.urlopen(f"http://{eodata_url}/ready", timeout=20) as answer:
            answers.append(answer.status)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 16
