"""Files that a step leaves for people beside its result, such as a training log.

They decide nothing and have no checksum. They stay on the machine that made them, also when the step is killed, until
garbage collection finds them old.
"""

import shlex
import shutil
import time
from pathlib import Path
from typing import Final

from containers.base.contract.step import StepParams
from tasks.leases import is_leased
from tasks.settings import Settings
from tasks.shelf import Shelf
from tasks.store_upkeep import Tally

FOLDER: Final = "side"
"""Below scratch."""
_DAY_S: Final = 86_400.0


def new_folder(settings: Settings, params: StepParams, key: str, attempt: str) -> Path | None:
    """An empty folder beside those of the key's other attempts; None for a step that leaves no such files."""
    if not params.side_files:
        return None
    folder = _folder_of(settings, params, key) / attempt
    folder.mkdir(parents=True)
    return folder


def how_to_open(settings: Settings, params: StepParams, key: str) -> str:
    """The command that shows a key's files; empty where this machine has none."""
    folder = _folder_of(settings, params, key)
    return params.side_files.format(folder=shlex.quote(str(folder))) if folder.is_dir() else ""


def remove_old(root: Path, shelf: Shelf, *, keep_days: float, dry_run: bool) -> Tally:
    """Remove folders `<step>/<key>` below the root in which nothing was written for `keep_days`, leased ones excepted.

    Returns what goes.
    """
    oldest_s = time.time() - keep_days * _DAY_S
    going: list[Path] = []
    for folder in sorted(root.glob("*/*")):
        if is_leased(shelf, str(folder.relative_to(root))):
            continue
        if max(path.stat().st_mtime for path in (folder, *folder.rglob("*"))) <= oldest_s:
            going.append(folder)
    sizes = [path.stat().st_size for folder in going for path in folder.rglob("*") if path.is_file()]
    for folder in () if dry_run else going:
        shutil.rmtree(folder, ignore_errors=True)
    return Tally(artifacts=len(going), files=len(sizes), bytes=sum(sizes))


def _folder_of(settings: Settings, params: StepParams, key: str) -> Path:
    return settings.scratch.resolve() / FOLDER / params.step / key
