"""What a killed attempt of a step has left unfinished, such as parts of a download or checkpoints of a training.

It lies in scratch, one folder per key, which only the holder of the key's lease uses; the next attempt goes on with it.
A finished step's folder goes at once, an abandoned one with garbage collection.
"""

import shutil
from pathlib import Path

from containers.base.contract.step import StepParams
from tasks.settings import Settings

FOLDER = "partials"


def folder_of(settings: Settings, params: StepParams, key: str) -> Path | None:
    """The key's folder, made where it is not there; None for a step that keeps nothing."""
    if not params.keeps_partials:
        return None
    folder = settings.scratch.resolve() / FOLDER / params.step / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove(folder: Path | None) -> None:
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
