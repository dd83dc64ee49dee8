"""Keras files whose bytes depend on the network alone."""

import json
import zipfile
from pathlib import Path
from typing import Final

import keras

from containers.base.step import scratch_dir

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP archive can name."""


def save_model(model: keras.Model, path: Path) -> None:
    """Write a .keras file without the time of writing in it, so that equal networks have equal content ids."""
    draft = scratch_dir() / f"draft-{path.name}"
    model.save(draft)
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as sink:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                about = json.loads(content)
                content = json.dumps({key: about[key] for key in sorted(about) if key != "date_saved"}).encode()
            sink.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    draft.unlink()
