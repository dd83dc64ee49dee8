"""What a fire leaves of reflectance and canopy, and how it comes back."""

from typing import Final

import numpy as np
import numpy.typing as npt

from containers.eodata.colours import ALL_BANDS
from containers.eodata.cover import Cover
from containers.eodata.noise import FloatArray

_CHAR: Final = dict(
    zip(
        ALL_BANDS,
        (0.036, 0.042, 0.052, 0.062, 0.070, 0.077, 0.083, 0.089, 0.094, 0.098, 0.135, 0.158, 0.166),
        strict=True,
    )
)
"""Char and ash on soil: a wood of NBR 0.65 falls to −0.28, so that dNBR reaches 0.9 and the classes of Key & Benson
(2006) begin at severities of about 0.1, 0.28, 0.46 and 0.7."""
_REGROWN: Final = {
    Cover.CONIFER: 0.08, Cover.BROADLEAF: 0.16, Cover.TREES: 0.16, Cover.MOOR: 0.25, Cover.PEATBOG: 0.3,
    Cover.GRASSLAND: 0.6, Cover.MARSH: 0.5, Cover.FALLOW: 0.45,
}  # fmt: skip
"""Share of the loss that is made good in the first months; 0.3 elsewhere."""
_REGROWN_OF: Final = np.array([_REGROWN.get(kind, 0.3) for kind in Cover], dtype=np.float32)
_REGROWTH_DAYS: Final = 35.0


def char_share(severity: FloatArray, cover: npt.NDArray[np.uint8], days: int) -> FloatArray:
    """Share of a cell that looks burned, `days` after the fire."""
    share: FloatArray = severity * (1 - _REGROWN_OF[cover] * np.float32(1 - np.exp(-days / _REGROWTH_DAYS)))
    return share


def burned(reflectance: FloatArray, char: FloatArray, band: str) -> FloatArray:
    """Ground of which a share is charred."""
    mixed: FloatArray = reflectance + char * (np.float32(_CHAR[band]) - reflectance)
    return mixed
