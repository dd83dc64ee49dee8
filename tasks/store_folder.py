"""The artifact store's bytes in a folder, local or shared by several machines."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from containers.base.contract.files import sha256_of
from containers.base.contract.step import StepError
from tasks.shelf import Document, Entry


class FolderShelf:
    """Documents are written beside their place and linked or renamed into it, so that no reader sees half of one."""

    def __init__(self, root: Path) -> None:
        self.local_root = root.resolve()
        self.local_root.mkdir(parents=True, exist_ok=True)

    def read(self, path: str) -> Document | None:
        try:
            text = (self.local_root / path).read_text()
        except FileNotFoundError:
            return None
        return Document(text, hashlib.sha256(text.encode()).hexdigest())

    def create(self, path: str, text: str) -> bool:
        partial = self._partial(path, text)
        try:
            os.link(partial, self.local_root / path)
        except FileExistsError:
            return False
        finally:
            partial.unlink()
        return True

    def replace(self, path: str, text: str, version: str) -> bool:
        """Not atomic against a second replacer between read and rename; both then name files that exist."""
        current = self.read(path)
        if current is None or current.version != version:
            return False
        self.overwrite(path, text)
        return True

    def overwrite(self, path: str, text: str) -> None:
        self._partial(path, text).replace(self.local_root / path)

    def _partial(self, path: str, text: str) -> Path:
        target = self.local_root / path
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            with _opened(partial) as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:  # such as a full disk
            partial.unlink(missing_ok=True)
            raise
        return partial

    def delete(self, path: str) -> None:
        target = self.local_root / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == self.local_root:
                return
            try:
                folder.rmdir()
            except OSError:
                return  # another file is still in it

    def size(self, path: str) -> int | None:
        try:
            return (self.local_root / path).stat().st_size
        except FileNotFoundError:
            return None

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        yield from self._walk(self.local_root / prefix)

    def _walk(self, folder: Path) -> Iterator[Entry]:
        try:
            items = sorted(os.scandir(folder), key=lambda item: item.name)
        except FileNotFoundError:
            return
        for item in items:
            if item.is_dir(follow_symlinks=False):
                yield from self._walk(Path(item.path))
            elif item.is_file(follow_symlinks=False):
                try:
                    status = item.stat()
                except FileNotFoundError:
                    continue  # gone since the folder was listed, such as a draft that has been renamed
                yield Entry(os.path.relpath(item.path, self.local_root), status.st_size, status.st_mtime)

    def fetch(self, path: str, size: int) -> Path:
        local = self.local_root / path
        if self.size(path) != size:
            raise StepError(
                "missing_file",
                f"{local} is absent or has not its {size} bytes.",
                "Run the flow again: the step that makes it is repeated.",
            )
        return local

    def keep(self, path: str) -> None:
        """The step wrote it where it belongs; from now on it only is read, also through hard links of a product."""
        (self.local_root / path).chmod(0o444)

    def forget_copies(self, older_than_s: float) -> int:
        """There are none: steps read the files where they lie."""
        return 0

    def sha256(self, path: str) -> str:
        return sha256_of(self.local_root / path).removeprefix("sha256:")


def _opened(path: Path) -> TextIO:
    """A new file in a folder that another process may be pruning at this moment."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return path.open("w")
