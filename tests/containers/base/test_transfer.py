"""Whole products from the archive: every byte asked for once, whatever the server or a kill does."""

import errno
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from containers.base import storage, transfer
from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.base.transfer import fetch_all
from tests.conftest import S3Server
from tests.fault_proxy import Fault, FaultProxy, fault_proxy

PART = 1 << 16
SIZES = {"measurement/vv.tiff": 5 * PART + 1234, "annotation/vv.xml": 2 * PART, "manifest.safe": 17, "empty.xml": 0}
CONTENT = {name: os.urandom(size) for name, size in SIZES.items()}


@pytest.fixture
def product(s3_server: S3Server) -> dict[str, File]:
    """A product of small and large objects, as a catalogue would describe it."""
    files = {}
    for name, body in CONTENT.items():
        storage.client().put_object(Bucket="eodata", Key=f"A.SAFE/{name}", Body=body)
        files[name] = storage.stat(f"s3://eodata/A.SAFE/{name}")
    return files


@pytest.fixture
def proxy(
    product: dict[str, File],
    s3_server: S3Server,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FaultProxy]:
    """The archive behind a proxy with faults, and a client that is quick to give up where the server stalls."""
    read_timeout_s = 2.0 if "stalled" in request.node.name else 20.0  # a busy machine must not look like a stall
    for name, value in {"ATTEMPTS": 3, "FIRST_DELAY_S": 0.01, "READ_TIMEOUT_S": read_timeout_s}.items():
        monkeypatch.setattr(storage, name, value)
    storage._client.cache_clear()
    with fault_proxy(s3_server.host) as running:
        monkeypatch.setenv("AWS_S3_ENDPOINT", running.host)
        yield running
    storage._client.cache_clear()


def fetched(files: dict[str, File], folder: Path, connections: int = 4, part_bytes: int = PART) -> dict[str, bytes]:
    paths = fetch_all(files, folder, part_bytes=part_bytes, connections=connections)
    return {name: path.read_bytes() for name, path in paths}


def code_of(files: dict[str, File], folder: Path) -> str:
    with pytest.raises(StepError) as caught:
        list(fetch_all(files, folder, part_bytes=PART, connections=2))
    return caught.value.code


def asked(proxy: FaultProxy) -> int:
    """Bytes that all requests for objects have asked for."""
    spans = [each.removeprefix("bytes=").split("-") for each in proxy.ranges if each]
    return sum(int(last) - int(first) + 1 for first, last in spans)


def test_every_byte_is_asked_for_once(proxy: FaultProxy, product: dict[str, File], tmp_path: Path) -> None:
    assert fetched(product, tmp_path) == CONTENT
    assert asked(proxy) == sum(SIZES.values())
    assert len(proxy.ranges) == 6 + 2 + 1
    assert fetched(product, tmp_path) == CONTENT
    assert len(proxy.ranges) == 9
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"whole"}


@pytest.mark.parametrize("fault", ["internal_error", "slow_down", "truncated", "stalled"])
def test_passing_faults_are_survived(fault: Fault, proxy: FaultProxy, product: dict[str, File], tmp_path: Path) -> None:
    proxy.plan.extend([fault, fault])
    assert fetched(product, tmp_path, connections=1) == CONTENT
    assert len(proxy.ranges) == 9 + 2


def test_a_part_goes_on_where_the_line_was_lost(proxy: FaultProxy, product: dict[str, File], tmp_path: Path) -> None:
    proxy.plan.extend(["truncated", "truncated"])
    one = {"annotation/vv.xml": product["annotation/vv.xml"]}
    assert fetched(one, tmp_path, connections=1) == {name: CONTENT[name] for name in one}
    assert proxy.ranges == [
        f"bytes=0-{PART - 1}",
        f"bytes={PART // 2}-{PART - 1}",
        f"bytes={PART * 3 // 4}-{PART - 1}",
        f"bytes={PART}-{2 * PART - 1}",
    ]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("internal_error", "storage_error"),
        ("slow_down", "throttled"),
        ("truncated", "short_read"),
        ("stalled", "storage_timeout"),
        ("forbidden", "access_denied"),
    ],
)
def test_a_lasting_fault_has_its_code_and_what_came_is_kept(
    fault: Fault, code: str, proxy: FaultProxy, product: dict[str, File], tmp_path: Path
) -> None:
    paths = {"measurement/vv.tiff": product["measurement/vv.tiff"]}
    proxy.plan.extend([None, None, *[fault] * 20])
    with pytest.raises(StepError) as caught:
        list(fetch_all(paths, tmp_path, part_bytes=PART, connections=1))
    assert caught.value.code == code
    proxy.plan.clear()
    proxy.ranges.clear()
    assert fetched(paths, tmp_path) == {name: CONTENT[name] for name in paths}
    assert len(proxy.ranges) == 4
    assert asked(proxy) == SIZES["measurement/vv.tiff"] - 2 * PART


def test_the_others_stop_where_one_fails(proxy: FaultProxy, product: dict[str, File], tmp_path: Path) -> None:
    proxy.plan.extend(["forbidden"])
    assert code_of(product, tmp_path) == "access_denied"
    assert len(proxy.ranges) < 9


def test_as_many_connections_as_granted(
    product: dict[str, File], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, lock, real = 0, 0, threading.Lock(), transfer._copy
    together = threading.Barrier(3, timeout=30)  # breaks where fewer than three come at once

    def counted(*args: object) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            together.wait()
            real(*args)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(transfer, "_copy", counted)
    assert fetched(product, tmp_path, connections=3) == CONTENT  # nine parts, three by three
    assert most == 3


def test_progress_counts_what_was_there(product: dict[str, File], tmp_path: Path) -> None:
    total = sum(SIZES.values())
    told: list[tuple[int, int]] = []
    for _ in range(2):
        list(fetch_all(product, tmp_path, part_bytes=PART, connections=2, progress=lambda *seen: told.append(seen)))
    assert told[0] == (0, total)
    assert told[-2:] == [(total, total), (total, total)]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_checksums_are_compared(algorithm: str, product: dict[str, File], tmp_path: Path) -> None:
    name = "measurement/vv.tiff"
    digest = hashlib.new(algorithm, CONTENT[name]).hexdigest()
    right = {name: product[name].model_copy(update={"content_id": f"{algorithm}:{digest}"})}
    assert fetched(right, tmp_path / "right") == {name: CONTENT[name]}
    wrong = {name: product[name].model_copy(update={"content_id": f"{algorithm}:{digest[::-1]}"})}
    assert code_of(wrong, tmp_path / "wrong") == "corrupt_file"
    assert not [path for path in (tmp_path / "wrong").rglob("*") if path.is_file()]


def test_an_absent_object(product: dict[str, File], tmp_path: Path) -> None:
    for content_id in ("etag:0", "md5:0"):
        ghost = File(href="s3://eodata/none", content_id=content_id, size=9)
        assert code_of({"x": ghost}, tmp_path) == "missing_file"


@pytest.mark.parametrize("size", [0, 5 * PART, SIZES["measurement/vv.tiff"] + 1])
@pytest.mark.parametrize("content_id", ["own", "multihash:1620"])
def test_an_object_of_another_size(product: dict[str, File], tmp_path: Path, size: int, content_id: str) -> None:
    file = product["measurement/vv.tiff"]
    content_id = file.content_id if content_id == "own" else content_id
    changed = file.model_copy(update={"size": size, "content_id": content_id})
    assert code_of({"x": changed}, tmp_path) == "missing_file"


def test_an_object_replaced_while_it_is_fetched(
    proxy: FaultProxy, product: dict[str, File], s3_server: S3Server, tmp_path: Path
) -> None:
    name = "measurement/vv.tiff"
    for content_id in (product[name].content_id, "multihash:1620"):
        file = {name: product[name].model_copy(update={"content_id": content_id})}
        proxy.plan.extend([None, None, *["internal_error"] * 20])
        assert code_of(file, tmp_path) == "storage_error"
        proxy.plan.clear()
    upstream = storage.client(storage.Endpoint(s3_server.url))  # the proxy only reads
    upstream.put_object(Bucket="eodata", Key=f"A.SAFE/{name}", Body=CONTENT[name][::-1])
    assert code_of({name: product[name]}, tmp_path) == "missing_file"
    # Without an ETag of the catalogue's the new version is whole, and none of the old one is in it.
    assert fetched(file, tmp_path) == {name: CONTENT[name][::-1]}


def test_what_a_crash_of_the_machine_lost_is_fetched_again(
    proxy: FaultProxy, product: dict[str, File], tmp_path: Path
) -> None:
    one = {"measurement/vv.tiff": product["measurement/vv.tiff"]}
    proxy.plan.extend([None, None, None, *["internal_error"] * 20])
    with pytest.raises(StepError):
        list(fetch_all(one, tmp_path, part_bytes=PART, connections=1))
    (data,) = tmp_path.rglob("data")
    (journal,) = tmp_path.rglob("parts")
    with data.open("r+b") as stream:  # the second part never reached the disk
        stream.seek(PART)
        stream.write(bytes(PART))
    with journal.open("a") as stream:  # and the journal's last line is cut
        stream.write("[3, 12")
    proxy.plan.clear()
    proxy.ranges.clear()
    assert fetched(one, tmp_path, connections=1) == {name: CONTENT[name] for name in one}
    assert proxy.ranges[0] == f"bytes={PART}-{2 * PART - 1}"
    assert len(proxy.ranges) == 4


@pytest.mark.parametrize("text", ["", "{}\n", '{"etag": "0", "part_bytes": 65536}\n[0, 1]\n', "{broken"])
def test_a_journal_that_does_not_fit_is_begun_anew(product: dict[str, File], tmp_path: Path, text: str) -> None:
    for file in product.values():
        folder = transfer._folder_of(file, tmp_path)
        folder.mkdir()
        (folder / "parts").write_text(text)
        (folder / "data").write_bytes(b"something else, longer than the object" * 20_000)
    assert fetched(product, tmp_path) == CONTENT


def test_another_size_of_parts_begins_anew(proxy: FaultProxy, product: dict[str, File], tmp_path: Path) -> None:
    one = {"measurement/vv.tiff": product["measurement/vv.tiff"]}
    proxy.plan.extend([None, *["internal_error"] * 20])
    with pytest.raises(StepError):
        list(fetch_all(one, tmp_path, part_bytes=PART, connections=1))
    proxy.plan.clear()
    assert fetched(one, tmp_path, part_bytes=PART // 2) == {name: CONTENT[name] for name in one}


def test_one_object_under_two_names_is_fetched_once(
    proxy: FaultProxy, product: dict[str, File], tmp_path: Path
) -> None:
    file = product["manifest.safe"]
    assert set(fetched({"a": file, "b": file}, tmp_path).values()) == {CONTENT["manifest.safe"]}
    assert len(proxy.ranges) == 1


def test_a_full_disk(product: dict[str, File], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer, "_copy", no_space)
    assert code_of(product, tmp_path) == "disk_full"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 5000),
    part_bytes=st.integers(1, 2000),
    connections=st.integers(1, 4),
    arrived=st.sets(st.integers(0, 20)),
)
def test_any_parts_of_any_size(
    product: dict[str, File], tmp_path_factory, size: int, part_bytes: int, connections: int, arrived: set[int]
) -> None:
    """Whatever parts an earlier call has left, the copy is whole."""
    part_bytes = max(part_bytes, size // 20 + 1)
    folder, body = tmp_path_factory.mktemp("any"), bytes(i % 251 for i in range(size))
    storage.client().put_object(Bucket="eodata", Key="any", Body=body)
    file = storage.stat("s3://eodata/any")
    own = transfer._folder_of(file, folder)
    own.mkdir()
    kept = transfer._Object(file, file.content_id.removeprefix("etag:"), part_bytes, own, set())
    (own / "data").write_bytes(body)
    parts = [part for part in arrived if part * part_bytes < size]
    rows = [json.dumps([part, transfer._checksum(kept, part)]) for part in parts]
    header = json.dumps({"etag": kept.etag, "part_bytes": part_bytes})
    (own / "parts").write_text("\n".join([header, *rows, ""]))
    for part in set(range(21)) - set(parts):
        with (own / "data").open("r+b") as stream:
            first, end = kept.span(part)
            stream.seek(first)
            stream.write(b"\xff" * max(end - first, 0))
    assert fetched({"any": file}, folder, connections, part_bytes) == {"any": body}


def test_an_object_is_handed_over_while_others_arrive(
    proxy: FaultProxy, product: dict[str, File], tmp_path: Path
) -> None:
    arriving = fetch_all(product, tmp_path, part_bytes=PART, connections=1)
    names = [next(arriving)[0], next(arriving)[0]]
    assert names == ["empty.xml", "measurement/vv.tiff"]
    assert {name for name, _ in arriving} == {"annotation/vv.xml", "manifest.safe"}
