"""What a store needs of the place that holds its bytes; a folder and a bucket give it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """One stored file: its path below the root, size in bytes, and age."""

    path: str
    size: int
    modified_s: float
    """Seconds since the epoch."""


class Document(NamedTuple):
    """A small file and the mark by which a change of it is noticed."""

    text: str
    version: str


class Shelf(Protocol):
    """Small documents with atomic creation, and files that steps read and write below `local_root`."""

    local_root: Path

    def read(self, path: str) -> Document | None: ...

    def create(self, path: str, text: str) -> bool:
        """Write a document that must not exist yet. False where another writer was first."""

    def replace(self, path: str, text: str, version: str) -> bool:
        """Overwrite a document that has not changed since it was read. False where it has."""

    def overwrite(self, path: str, text: str) -> None: ...

    def delete(self, path: str) -> None:
        """Remove a file or document; absent ones are no error."""

    def size(self, path: str) -> int | None:
        """Bytes of a file; None where it is absent."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Every file below a folder, in the order of their paths, never all in memory."""

    def fetch(self, path: str, size: int) -> Path:
        """The file on this machine, below `local_root`."""

    def keep(self, path: str) -> None:
        """Make a file that was written below `local_root` durable."""

    def forget_copies(self, older_than_s: float) -> int:
        """Remove local copies of stored files that were not used for so long; how many bytes that freed."""

    def sha256(self, path: str) -> str:
        """The checksum of the stored bytes, read in bounded memory."""
