"""Many archive objects side by side, large ones in parts: each byte is asked for once, even where a kill interrupts.

An object under way is two files in a folder that survives the process: `data`, written at any place, and `parts`, a
journal of the parts that are in it, with the checksum of each, because a crash of the machine may lose what the
journal says is there. Whoever comes next checks those parts and fetches the others.
"""

import hashlib
import json
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.base import storage
from containers.base.contract.files import File
from containers.base.contract.step import StepError


@dataclass
class _Object:
    """An object under way."""

    file: File
    etag: str
    """All parts are bound to it, so that they are of one version of the object."""
    part_bytes: int
    folder: Path
    missing: set[int]
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.folder / "parts"

    @property
    def whole(self) -> Path:
        return self.folder / "whole"

    def span(self, part: int) -> tuple[int, int]:
        """First byte of a part, and the first one behind it."""
        return part * self.part_bytes, min((part + 1) * self.part_bytes, self.file.size)


def fetch_all(
    files: Mapping[str, File],
    folder: Path,
    *,
    part_bytes: int,
    connections: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[str, Path]]:
    """Copy archive objects below `folder`, a disk that survives a kill; each name with its whole copy once it is there.

    The others go on arriving meanwhile. What an earlier call has left there is used. Sizes and `sha256:` and `md5:`
    content ids are compared with the bytes; every part is bound to the object's ETag, `etag:` content ids to theirs.
    `progress` is told bytes done and in all. Raises what `storage.fetch` does; then what has arrived stays for the
    next call.
    """
    names: dict[Path, list[str]] = {}
    for name, file in files.items():
        names.setdefault(_whole(file, folder), []).append(name)
    unique = list({_whole(file, folder): file for file in files.values()}.values())
    with ThreadPoolExecutor(connections) as pool:
        begun = [each for each in pool.map(lambda file: _begin(file, folder, part_bytes), unique) if each]
    total = sum(file.size for file in unique)
    done = total - sum(end - first for each in begun for first, end in map(each.span, each.missing))
    progress(done, total)
    for path in names.keys() - {each.whole for each in begun}:
        yield from ((name, path) for name in names[path])
    for each, arrived, is_whole in _fetch_parts(begun, connections):
        done += arrived
        progress(done, total)
        if is_whole:
            yield from ((name, each.whole) for name in names[each.whole])


def _whole(file: File, folder: Path) -> Path:
    """Where the finished copy of an object lies."""
    return _folder_of(file, folder) / "whole"


def _folder_of(file: File, folder: Path) -> Path:
    return folder / hashlib.sha256(f"{file.href} {file.content_id}".encode()).hexdigest()[:20]


def _begin(file: File, folder: Path, part_bytes: int) -> _Object | None:
    """The object with the parts that it lacks, asked about once; None where its copy is finished."""
    own, whole = _folder_of(file, folder), _whole(file, folder)
    if whole.is_file() and whole.stat().st_size == file.size:
        return None
    own.mkdir(parents=True, exist_ok=True)
    etag = file.content_id.removeprefix("etag:")
    if etag == file.content_id or not file.size:
        found = storage.stat(file.href)
        if found.size != file.size:
            raise storage.other_size(file, found.size)
        etag = found.content_id.removeprefix("etag:")
    each = _Object(file, etag, part_bytes, own, set(range(-(-file.size // part_bytes))))
    each.missing -= _parts_there(each)
    if not each.missing:  # killed between the last part and the end, or nothing to fetch
        _finish(each)
        return None
    return each


def _parts_there(each: _Object) -> set[int]:
    """Parts that an earlier call has left, their checksums compared; the journal then names no others."""
    header = json.dumps({"etag": each.etag, "part_bytes": each.part_bytes})
    lines = each.journal.read_text().splitlines() if each.journal.is_file() else []
    is_same = lines[:1] == [header] and each.data.is_file()
    # A kill may have cut the last line.
    noted = dict(json.loads(line) for line in lines[1:] if line.endswith("]")) if is_same else {}
    there = {part: checksum for part, checksum in noted.items() if _checksum(each, part) == checksum}
    each.data.touch()
    os.truncate(each.data, each.file.size)
    each.journal.write_text("".join(f"{line}\n" for line in (header, *(json.dumps(row) for row in there.items()))))
    return set(there)


def _checksum(each: _Object, part: int) -> int:
    position, end = each.span(part)
    checksum = 0
    with each.data.open("rb") as stream:
        stream.seek(position)
        while chunk := stream.read(min(storage.CHUNK_BYTES, end - stream.tell())):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _fetch_parts(begun: list[_Object], connections: int) -> Iterator[tuple[_Object, int, bool]]:
    """Fetch what is missing, the largest objects first; each part's object, size, and whether that makes it whole."""
    stop = threading.Event()
    ordered = sorted(begun, key=lambda each: -each.file.size)
    with ThreadPoolExecutor(connections) as pool:
        waiting = [pool.submit(_fetch_part, each, part, stop) for each in ordered for part in sorted(each.missing)]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


class _GivenUpError(Exception):
    """Another part has failed: this one is given up."""


def _fetch_part(each: _Object, part: int, stop: threading.Event) -> tuple[_Object, int, bool]:
    """Fetch one part, going on where a lost line stopped; whoever fetches the last one finishes the object."""
    first, end = each.span(part)
    place = _Place(first, end)

    def attempt() -> None:
        with storage.coded_errors(each.file.href), each.data.open("r+b") as sink:
            _copy(_open(each, place), sink.fileno(), place, stop)
        if place.position != end:
            raise StepError("short_read", f"{each.file.href} ended at byte {place.position} of {end}.", storage.LATER)

    storage.persist(attempt)
    with storage.coded_errors(each.file.href), each.lock:
        with each.journal.open("a") as journal:
            journal.write(json.dumps([part, place.checksum]) + "\n")
        each.missing.discard(part)
        is_last = not each.missing
    if is_last:
        _finish(each)
    return each, end - first, is_last


@dataclass
class _Place:
    """How far a part has come."""

    position: int
    end: int
    checksum: int = 0


def _open(each: _Object, place: _Place) -> Any:
    """The stream of what is missing of a part."""
    bucket, key = storage.split_s3_href(each.file.href)
    answer = storage.client(attempts=1).get_object(
        Bucket=bucket, Key=key, IfMatch=f'"{each.etag}"', Range=f"bytes={place.position}-{place.end - 1}"
    )
    size = int(answer["ContentRange"].rpartition("/")[2]) if "ContentRange" in answer else answer["ContentLength"]
    if size != each.file.size:
        raise storage.other_size(each.file, size)
    if answer["ContentLength"] != place.end - place.position:
        raise StepError("storage_error", f"{each.file.href}: the server ignores ranges.", storage.LATER)
    return answer["Body"]


def _copy(body: Any, sink: int, place: _Place, stop: threading.Event) -> None:
    while chunk := body.read(storage.CHUNK_BYTES):
        if stop.is_set():
            raise _GivenUpError
        written = 0
        while written < len(chunk):
            written += os.pwrite(sink, chunk[written:] if written else chunk, place.position + written)
        place.checksum = zlib.crc32(chunk, place.checksum)
        place.position += len(chunk)


def _finish(each: _Object) -> None:
    """Compare the checksum and give the copy its final name; a wrong one is fetched anew by the next call."""
    try:
        storage.compare_checksum(each.file, each.data)
    except StepError:
        each.journal.unlink()
        raise
    each.data.replace(each.whole)
    each.journal.unlink()
