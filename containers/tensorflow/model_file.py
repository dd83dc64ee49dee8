"""Keras files whose bytes depend on the network alone."""

import json
import zipfile
from pathlib import Path
from typing import Any, Final

import keras

from containers.base.step import scratch_dir

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP archive can name."""


def save_model(model: keras.Model, path: Path) -> None:
    """Write a .keras file without times and addresses in it, so that equal networks have equal content ids."""
    draft = scratch_dir() / f"draft-{path.name}"
    model.save(draft)
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as sink:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name.endswith(".json"):
                content = json.dumps(_settled(json.loads(content), {})).encode()
            sink.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    draft.unlink()


def _settled(value: Any, numbers: dict[int, int]) -> Any:
    """A configuration without its date, and with shared objects numbered as they occur instead of by address."""
    if isinstance(value, list):
        return [_settled(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    settled = {key: _settled(item, numbers) for key, item in value.items() if key != "date_saved"}
    if isinstance(address := settled.get("shared_object_id"), int):
        settled["shared_object_id"] = numbers.setdefault(address, len(numbers))
    return settled
