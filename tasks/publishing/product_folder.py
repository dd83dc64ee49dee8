"""The folder that users see: whole or not there, and never written twice for the same content.

`<output>/<name>` is a link to `<output>/.versions/<name>/<version>`. A new version is written beside the old ones
and the link is switched in one step, so that a reader never meets half a product. Earlier versions stay until
somebody removes them; rasters are hard links into the store where the file system allows it, so they cost little.
"""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from containers.base.contract.step import StepError
from tasks import checkout

MANIFEST: Final = "publication.json"
_VERSION_CHARACTERS: Final = 16
_NO_LINK: Final = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP}


class PublishedFolder(NamedTuple):
    """Where a product is."""

    path: Path
    is_new: bool
    """False where the same content had been published before."""


def output_folder(output: str) -> Path:
    """Where products go; where nothing is given, the checkout's products."""
    return Path(output) if output else checkout.STATE / "products"


def publish_folder(output: Path, name: str, content_id: str, write: Callable[[Path], None]) -> PublishedFolder:
    """Let `write` fill a draft folder, unless this content is there already, and make it the current version.

    Raises `bad_parameters` where something else lies under the product's name.
    """
    current = output / name
    if current.exists() and not current.is_symlink():
        raise StepError(
            "bad_parameters", f"{current} is no published product.", "Move it away, or choose another name or output."
        )
    version = output / ".versions" / name / content_id.removeprefix("sha256:")[:_VERSION_CHARACTERS]
    is_new = not is_whole(version)
    if is_new:
        _write_version(version, content_id, write)
    if not current.is_symlink() or current.resolve() != version.resolve():
        _switch(current, version)
    return PublishedFolder(current, is_new)


def is_whole(folder: Path) -> bool:
    """Whether every file that the manifest names is there with its size."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return False
    files: dict[str, int] = json.loads(manifest.read_text())["files"]
    return all((folder / name).is_file() and (folder / name).stat().st_size == size for name, size in files.items())


def link_or_copy(source: Path, target: Path) -> None:
    """The same bytes under a second name: a hard link, or a copy where the file system does not link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(source, target)


def _write_version(version: Path, content_id: str, write: Callable[[Path], None]) -> None:
    draft = version.with_name(f".{version.name}.{uuid.uuid4().hex}.part")
    draft.mkdir(parents=True)
    try:
        write(draft)
        _write_manifest(draft, content_id)
        if version.is_dir() and not is_whole(version):
            shutil.rmtree(version)
        draft.rename(version)
    except OSError as error:
        # Somebody else published the same content meanwhile: theirs is as good.
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or not is_whole(version):
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_manifest(folder: Path, content_id: str) -> None:
    files = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    published = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"content_id": content_id, "published": published, "files": files}
    (folder / MANIFEST).write_text(json.dumps(document, indent=1))


def _switch(current: Path, version: Path) -> None:
    link = current.with_name(f".{current.name}.{uuid.uuid4().hex}")
    link.symlink_to(version.relative_to(current.parent))
    link.replace(current)
