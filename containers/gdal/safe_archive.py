"""A product that an archive keeps as one zip: unpacked, every file compared with its checksum."""

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from containers.base.contract.step import StepError

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises for files that are cut, damaged, encrypted or of an unknown compression."""


def is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def unpack(archive: Path, out: Path) -> list[str]:
    """Unpack what lies in the archive's only .SAFE folder below `out`; the paths below that folder, sorted.

    Raises `corrupt_file` where the archive is cut or damaged, or holds no SAFE folder.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            members = _members(source)
            for name, member in members.items():
                target = out / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with source.open(member) as stream, target.open("wb") as sink:
                    shutil.copyfileobj(stream, sink, 1 << 20)  # compares the checksum at the end
    except _BROKEN as error:
        raise _corrupt(f"{error!r}") from error
    if "manifest.safe" not in members:
        raise _corrupt(f"it holds {len(members)} files of a SAFE folder and no manifest.safe")
    return sorted(members)


def _members(source: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    found = {}
    for member in source.infolist():
        head, safe, below = member.filename.partition(".SAFE/")
        if safe and below and "/" not in head and not member.is_dir():
            if ".." in PurePosixPath(below).parts or below.startswith("/") or "\\" in below:
                raise _corrupt(f"it names a file outside of its folder: {member.filename!r}")
            found[below] = member
    return found


def _corrupt(why: str) -> StepError:
    return StepError(
        "corrupt_file",
        f"the product's archive cannot be unpacked: {why}.",
        "The object is incomplete or damaged: report it to the archive, or leave the product out.",
    )
