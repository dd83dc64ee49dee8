"""Classes of slope and aspect: bounds are data."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.intervals import interval_codes

FLAT: Final = "flat"
_RULES = Path(__file__).with_name("rules") / "terrain_classes.toml"
_CIRCLE = 360.0


class _Class(NamedTuple):
    name: str
    low: float
    high: float


@lru_cache(maxsize=1)
def _tables() -> dict[str, tuple[_Class, ...]]:
    tables = tomllib.loads(_RULES.read_text())
    return {kind: tuple(_Class(**row) for row in rows) for kind, rows in tables.items()}


def slope_names() -> dict[int, str]:
    """Code to name, from 1."""
    return {code: one.name for code, one in enumerate(_tables()["slope"], start=1)}


def slope_codes(slope_deg: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The class of every slope in degrees; 0 where it is NaN or impossible."""
    classes = _tables()["slope"]
    return interval_codes(slope_deg, [classes[0].low, *(one.high for one in classes)])


def aspect_names() -> dict[int, str]:
    """Code to name: the sectors from 1, clockwise, then flat."""
    names = [*(one.name for one in _tables()["aspect"]), FLAT]
    return dict(enumerate(names, start=1))


def aspect_codes(aspect_deg: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The sector of every bearing in degrees clockwise from north, or flat where it is −1; 0 where it is NaN.

    Bearings are turned so that the first sector, which lies across north, begins at 0.
    """
    sectors = _tables()["aspect"]
    first = sectors[0].low
    turned = (aspect_deg.astype(np.float64) - first) % _CIRCLE
    codes = interval_codes(turned, [0.0, *((one.high - first) % _CIRCLE for one in sectors[:-1]), _CIRCLE])
    codes[aspect_deg == -1] = len(sectors) + 1
    return codes
