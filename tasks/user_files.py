"""Files that a user names in a form, taken into the store."""

from pathlib import Path
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from tasks.store import Store

MODEL_WEIGHTS: Final = "model.keras"
MODEL_CARD: Final = "card.json"
"""The files of a trained network in the folder that `model_href` names."""


def take_file(store: Store, path: str) -> File:
    """A user's file in the store. Raises `missing_file`."""
    source = Path(path)
    if not source.is_file():
        raise StepError(
            "missing_file", f"{path!r} is no file where the flow runs.", "Correct the path in the parameters."
        )
    return store.import_file(source)


def take_optional_file(store: Store, path: str) -> File | None:
    return take_file(store, path) if path else None
