"""The artifact store: a finished step is found by its key, whatever machine or container did it.

Layout below the root: `<image>.<step>/<key>/<attempt>/files…` and `<key>/result.json`, written once and last;
`user/<sha256>/<name>` for a user's files; `published/<name>.json` for what garbage collection must keep;
`runs/<run>/…` for ledgers, `scenes/<flow>/…` for what is known of scenes from run to run.
"""

import re
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import Field

from containers.base.contract.files import STORE_SCHEME, File, sha256_of
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError, StepParams
from containers.base.storage import SCHEME, fetch, stat
from tasks import partials, records, side_files
from tasks.leases import lease
from tasks.records import Record
from tasks.settings import Settings
from tasks.shelf import Shelf
from tasks.store_bucket import BucketShelf
from tasks.store_folder import FolderShelf
from tasks.store_upkeep import Fault, Status, collect_garbage, count, find_faults

_MANY_PARTS: Final = {".shp", ".dbf", ".shx", ".mif", ".mid", ".tab", ".gdb", ".vrt", ".img", ".hdr"}
_ORPHANED_LEASE_S: Final = 120.0


class Publication(Contract):
    """A named product: a root from which garbage collection follows the parents."""

    name: str
    published: datetime
    hrefs: tuple[str, ...] = Field(description="Store hrefs of its files")


def open_store(settings: Settings) -> "Store":
    """The store that the settings name, in a folder or in a bucket."""
    shelf: Shelf
    if settings.store_is_bucket:
        shelf = BucketShelf(settings.store, settings.store_endpoint, settings.scratch / "staged")
    else:
        shelf = FolderShelf(Path(settings.store))
    return Store(shelf, settings.scratch)


class Store:
    """Keys, records and files. Safe for any number of threads, processes and machines at once."""

    def __init__(self, shelf: Shelf, scratch: Path) -> None:
        self.shelf = shelf
        self.scratch = scratch

    @property
    def local_root(self) -> Path:
        """Where steps find store files on this machine."""
        return self.shelf.local_root

    def key_of(self, params: StepParams, code_id: str) -> str:
        """SHA-256 of what decides the result; see `tasks.records.key_of`."""
        return records.key_of(params, code_id)

    def find(self, step: str, key: str) -> Record | None:
        """The finished step, if its record is there **and** every file it names, with its size."""
        document = self.shelf.read(f"{step}/{key}/result.json")
        if document is None:
            return None
        record = Record.model_validate_json(document.text)
        named = {**{file.path: file.size for file in record.files}, **record.members}
        return record if all(self.shelf.size(path) == size for path, size in named.items()) else None

    def lease(self, step: str, key: str, limit_s: float) -> AbstractContextManager[Record | None]:
        """Hold the right to make this key; yields a record where another run has made it meanwhile."""
        return lease(self.shelf, f"{step}/{key}", lambda: self.find(step, key), limit_s=limit_s + _ORPHANED_LEASE_S)

    def new_attempt(self, step: str, key: str) -> Path:
        """An empty folder for the step's output, already where it will stay; nobody looks there before the commit."""
        folder = self.local_root / step / key / uuid.uuid4().hex[:12]
        folder.mkdir(parents=True)
        return folder

    def discard(self, attempt: Path) -> None:
        """Remove an attempt that came to nothing."""
        shutil.rmtree(attempt, ignore_errors=True)

    def commit(self, record: Record) -> Record:
        """Make an attempt the answer to its key, files first. The first of several writers wins; the others adopt."""
        folder = f"{record.step}/{record.key}"
        named = {file.path for file in record.files}
        attempt = self.local_root / folder / record.attempt
        for path in sorted(item for item in attempt.rglob("*") if item.is_file()):
            if str(path.relative_to(self.local_root)) not in named:
                path.unlink()  # what the result does not name is no part of it
        for file in record.files:
            self.shelf.keep(file.path)
        marker, text = f"{folder}/result.json", record.model_dump_json(indent=1)
        while not self.shelf.create(marker, text):
            existing = self.shelf.read(marker)
            if (winner := self.find(record.step, record.key)) is not None:
                self._drop_attempt(record)
                return winner
            if existing is not None and self.shelf.replace(marker, text, existing.version):
                break
        return record

    def _drop_attempt(self, record: Record) -> None:
        for file in record.files:
            self.shelf.delete(file.path)
        self.discard(self.local_root / record.step / record.key / record.attempt)

    def import_file(self, path: str | Path) -> File:
        """Take a user's file into the store under the checksum of its bytes; importing it again costs a read.

        Raises missing_file, and bad_parameters for formats whose content is spread over several files.
        """
        if str(path).startswith(SCHEME):
            with _temporary_folder(self.scratch) as folder:
                return self.import_file(fetch(stat(str(path)), folder))
        source = Path(path)
        _check_single(source)
        content_id = sha256_of(source)
        stored = f"{records.USER_FOLDER}/{content_id.removeprefix('sha256:')}/{source.name}"
        size = source.stat().st_size
        if self.shelf.size(stored) != size:
            _copy_into_place(source, self.local_root / stored)
            self.shelf.keep(stored)
        return File(href=f"{STORE_SCHEME}{stored}", content_id=content_id, size=size)

    def path_of(self, file: File) -> Path:
        """The file on this machine; from a bucket it is staged, with the members that it refers to."""
        for member in file.members:
            if member.in_store:
                self.path_of(member)
        return self.shelf.fetch(file.store_path, file.size)

    def publish(self, name: str, files: Iterable[File]) -> Publication:
        """Register a product, so that it and all it descends from are kept. A product of that name is superseded."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise StepError("bad_parameters", f"{name!r} names no product.", "Use letters, digits, '_', '.' and '-'.")
        hrefs = tuple(sorted({file.href for file in files if file.in_store}))
        publication = Publication(name=name, published=datetime.now(UTC), hrefs=hrefs)
        self.shelf.overwrite(f"published/{name}.json", publication.model_dump_json(indent=1))
        return publication

    def unpublish(self, name: str) -> None:
        """Forget a product; the next garbage collection may remove what only it needed."""
        self.shelf.delete(f"published/{name}.json")

    def verify(self) -> Iterator[Fault]:
        """Read every file of every record again; yields those that are absent or changed."""
        return find_faults(self.shelf)

    def gc(self, keep_days: float, *, dry_run: bool = False) -> Status:
        """Remove what no published product descends from and what is older than `keep_days`. Returns what goes.

        Of this machine's side files, such as training logs, and unfinished work everything of that age goes.
        """
        collected = collect_garbage(self.shelf, keep_days=keep_days, dry_run=dry_run)
        beside = {
            name: side_files.remove_old(self.scratch / name, self.shelf, keep_days=keep_days, dry_run=dry_run)
            for name in (side_files.FOLDER, partials.FOLDER)
        }
        return Status(steps=collected.steps | {name: tally for name, tally in beside.items() if tally.artifacts})

    def status(self) -> Status:
        """Artifacts and bytes per step."""
        return count(self.shelf)


def _check_single(source: Path) -> None:
    if source.suffix.lower() in _MANY_PARTS or source.is_dir():
        raise StepError(
            "bad_parameters",
            f"{source} may be only one part of its data set: formats with sidecar files are not taken.",
            f"Convert it to a GeoPackage (ogr2ogr {source.stem}.gpkg {source.name}), a raster to GeoTIFF.",
        )
    if not source.is_file():
        raise StepError(
            "missing_file", f"there is no file {source}.", "Correct the path; it is read where the flow runs."
        )


@contextmanager
def _temporary_folder(scratch: Path) -> Iterator[Path]:
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        yield Path(folder)


def _copy_into_place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
