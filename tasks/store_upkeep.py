"""Housekeeping of the artifact store: what is in it, whether it is still right, and what may go."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from containers.base.contract.files import STORE_SCHEME
from containers.base.contract.model import Contract
from tasks.leases import is_leased
from tasks.records import SCENES_FOLDER, USER_FOLDER, Record, entry_of
from tasks.shelf import Entry, Shelf

_NOT_ARTIFACTS: Final = {"published", "runs", SCENES_FOLDER}
_DAY_S: Final = 86_400.0


class Fault(Contract):
    """A file that is not what its record says."""

    path: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.code}, {self.reason}"


class Tally(Contract):
    """How many artifacts, and how much they take."""

    artifacts: int = 0
    files: int = 0
    bytes: int = 0


class Status(Contract):
    """Tallies by step; `user` stands for imported files, `unfinished` for attempts without a record, `side` for what
    steps have left on this machine beside their results, `partials` for what killed ones have left to go on with."""

    steps: dict[str, Tally]

    @property
    def bytes(self) -> int:
        return sum(tally.bytes for tally in self.steps.values())

    def __str__(self) -> str:
        lines = [
            f"{step:<28} {tally.artifacts:>7} artifacts {tally.files:>8} files {tally.bytes / 1e6:>12.1f} MB"
            for step, tally in sorted(self.steps.items())
        ]
        return "\n".join(lines) or "empty"


def artifacts(shelf: Shelf) -> Iterator[tuple[str, list[Entry]]]:
    """Every `<step>/<key>` or `user/<sha256>` with its files, one at a time."""
    for folder, entries in groupby(shelf.entries(), key=lambda entry: entry_of(entry.path)):
        if folder.split("/")[0] not in _NOT_ARTIFACTS:
            yield folder, list(entries)


def count(shelf: Shelf) -> Status:
    return _tallied(artifacts(shelf))


def _tallied(found: Iterator[tuple[str, list[Entry]]]) -> Status:
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for folder, entries in found:
        step = folder.split("/")[0]
        is_whole = step == USER_FOLDER or any(entry.path == f"{folder}/result.json" for entry in entries)
        total = totals[step if is_whole else "unfinished"]
        total[0] += 1
        total[1] += len(entries)
        total[2] += sum(entry.size for entry in entries)
    return Status(
        steps={step: Tally(artifacts=n, files=files, bytes=size) for step, (n, files, size) in totals.items()}
    )


def find_faults(shelf: Shelf) -> Iterator[Fault]:
    """Compare size and SHA-256 of every file with its record, and of a user's file with its address."""
    for folder, entries in artifacts(shelf):
        if folder.startswith(f"{USER_FOLDER}/"):
            expected = {entry.path: (entry.size, folder.split("/")[1]) for entry in entries}
        else:
            record = _record(shelf, folder)
            expected = {file.path: (file.size, file.sha256) for file in record.files} if record else {}
        for path, (size, sha256) in expected.items():
            if fault := _fault(shelf, path, size, sha256):
                yield fault


def _fault(shelf: Shelf, path: str, size: int, sha256: str) -> Fault | None:
    found = shelf.size(path)
    if found is None:
        return Fault(path=path, code="missing_file", reason=f"{size} bytes expected")
    if found != size:
        return Fault(path=path, code="corrupt_file", reason=f"{found} bytes instead of {size}")
    if (digest := shelf.sha256(path)) != sha256:
        return Fault(path=path, code="corrupt_file", reason=f"its SHA-256 is {digest} instead of {sha256}")
    return None


def _record(shelf: Shelf, folder: str) -> Record | None:
    document = shelf.read(f"{folder}/result.json")
    return Record.model_validate_json(document.text) if document else None


def ancestry(shelf: Shelf) -> set[str]:
    """Every artifact folder that a published product descends from, its own included."""
    waiting = set()
    for entry in shelf.entries("published"):
        document = shelf.read(entry.path)
        hrefs = json.loads(document.text)["hrefs"] if document else []
        waiting |= {entry_of(href.removeprefix(STORE_SCHEME)) for href in hrefs}
    kept: set[str] = set()
    while waiting:
        folder = waiting.pop()
        kept.add(folder)
        record = _record(shelf, folder)
        if record is not None:
            waiting |= {*record.parents, *map(entry_of, record.members)} - kept
    return kept


def collect_garbage(shelf: Shelf, *, keep_days: float, dry_run: bool) -> Status:
    """Remove artifacts without published descendants whose newest file is older than `keep_days`, leased ones excepted.

    Also removes, from artifacts that stay, the attempts that their record does not name.
    """
    kept, oldest_s = ancestry(shelf), time.time() - keep_days * _DAY_S
    return _tallied(_removed(shelf, kept, oldest_s, dry_run))


def _removed(shelf: Shelf, kept: set[str], oldest_s: float, dry_run: bool) -> Iterator[tuple[str, list[Entry]]]:
    for folder, entries in artifacts(shelf):
        going = _losers(shelf, folder, entries) if folder in kept else entries
        if not going or max(entry.modified_s for entry in going) > oldest_s or is_leased(shelf, folder):
            continue
        if not dry_run:
            for entry in sorted(going, key=lambda entry: not entry.path.endswith("/result.json")):
                shelf.delete(entry.path)
        yield folder, going


def _losers(shelf: Shelf, folder: str, entries: list[Entry]) -> list[Entry]:
    """Files of attempts that were never finished or lost the race."""
    record = _record(shelf, folder)
    if record is None:
        return []
    own = f"{folder}/{record.attempt}/"
    return [entry for entry in entries if not entry.path.startswith(own) and entry.path != f"{folder}/result.json"]
