"""What the names of features say: which layer and which set they are of."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BANDS: Final = (
    "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "swir16", "swir22",
)  # fmt: skip
DATED: Final = re.compile(r"^(?P<layer>\w+) \d\d-\d\d$")
_MEDIAN: Final = re.compile(r"^(\w+) median \d+$")


def blocks_of(names: Sequence[str]) -> dict[str, NDArray[np.intp]]:
    """Name to the features that are permuted together: a set, then a layer along time, or a feature on its own."""
    blocks: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        for block in dict.fromkeys(_blocks_of(name)):
            blocks.setdefault(block, []).append(number)
    return {name: np.array(numbers, dtype=np.intp) for name, numbers in sorted(blocks.items())}


def _blocks_of(name: str) -> tuple[str, str]:
    """The set and the layer of a feature."""
    if match := DATED.match(name):
        kind = "bands" if match[1] in _BANDS else "curves"
        return f"set {kind}", f"{kind} {match[1]}"
    if match := _MEDIAN.match(name):
        return "set medians", f"medians {match[1]}"
    return ("set season" if name.startswith("season ") else "set terrain"), name
