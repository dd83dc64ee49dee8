"""Colours of the pictures: told apart with any of the three kinds of colour blindness, and by lightness in grey."""

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from containers.base.contract.legend import LandCover

Rgb = NDArray[np.uint8]

UNKNOWN: Final = "#DDDDDD"
UNCHANGED: Final = "#F6F3EC"
CHANGED: Final = "#B1290E"
CLASS_COLOURS: Final = {
    LandCover.UNKNOWN: UNKNOWN,
    LandCover.IMPERVIOUS: "#A6173A",
    LandCover.GREEN: "#6CC04A",
    LandCover.OTHER: "#3F6FB5",
}
RAMP: Final = "cividis"
DAYS_RAMP, CYCLE, DIVERGING = "viridis", "twilight", "BrBG"
"""Of days within half a year; of days of the whole year, whose end meets its start; of differences."""
UNKNOWN_BY_WHITE: Final = "#8A8A8A"
"""Instead of the pale grey where the middle of the colours is nearly white."""
_TIME_RAMP, _TIME_RAMP_END = "viridis", 0.85
"""Its last part is as pale as the unchanged ground."""


def class_colours(values: Sequence[int]) -> dict[int, str]:
    """The legend's colour of every class; codes of other legends take colours from a ramp."""
    foreign = [value for value in values if value not in CLASS_COLOURS]
    known = {value: CLASS_COLOURS[LandCover(value)] for value in values if value in CLASS_COLOURS}
    return known | _ramp_colours(foreign, "tab20", 1.0)


def change_colours(values: Sequence[int]) -> dict[int, str]:
    """0 is unchanged ground; one kind of change is red, several are times in order, from dark to light."""
    changes = sorted(value for value in values if value)
    colours = {changes[0]: CHANGED} if len(changes) == 1 else _ramp_colours(changes, _TIME_RAMP, _TIME_RAMP_END)
    return colours | ({0: UNCHANGED} if 0 in values else {})


def paint(
    values: NDArray[np.integer], valid: NDArray[np.bool_], colours: Mapping[int, str], unknown: str = UNKNOWN
) -> Rgb:
    """Colour codes, (y, x) to (y, x, 3); cells that are not valid or have no colour look unknown."""
    picture = np.broadcast_to(_rgb(unknown), (*values.shape, 3)).copy()
    for value, colour in colours.items():
        picture[valid & (values == value)] = _rgb(colour)
    return picture


def shade(
    values: NDArray[np.floating],
    valid: NDArray[np.bool_],
    limits: tuple[float, float],
    ramp: str = RAMP,
    unknown: str = UNKNOWN,
) -> Rgb:
    """Colour quantities by a ramp between two limits, (y, x) to (y, x, 3)."""
    picture: Rgb = mpl.colormaps[ramp](_stretched(values, limits), bytes=True)[..., :3]
    return np.where(valid[..., np.newaxis], picture, _rgb(unknown))


def compose(bands: NDArray[np.floating], valid: NDArray[np.bool_], limits: tuple[float, float] | None = None) -> Rgb:
    """Three bands, (3, y, x), as red, green and blue, to (y, x, 3): each between its 2nd and 98th percentile, or all
    between the same limits."""
    layers = [
        np.rint(_stretched(band, limits or percentile_limits(band, valid)) * 255).astype(np.uint8) for band in bands
    ]
    return np.where(valid[..., np.newaxis], np.stack(layers, axis=-1), _rgb(UNKNOWN))


def percentile_limits(values: NDArray[np.floating], valid: NDArray[np.bool_]) -> tuple[float, float]:
    """The 2nd and 98th percentile of the valid cells; (0, 1) where there are none."""
    if not valid.any():
        return 0.0, 1.0
    low, high = np.percentile(values[valid], (2, 98))
    return float(low), float(high)


def symmetric_limits(values: NDArray[np.floating], valid: NDArray[np.bool_]) -> tuple[float, float]:
    """Zero in the middle; 98 % of the valid cells are between; (−1, 1) where there are none, or all are zero."""
    most = float(np.percentile(np.abs(values[valid]), 98)) if valid.any() else 0.0
    return (-most, most) if most else (-1.0, 1.0)


def _stretched(values: NDArray[np.floating], limits: tuple[float, float]) -> NDArray[np.float64]:
    low, high = limits
    # A constant raster has no spread to stretch; it becomes the ramp's start.
    spread = high - low or 1.0
    return np.clip((values.astype(np.float64) - low) / spread, 0, 1)


def _ramp_colours(values: Sequence[int], ramp: str, end: float) -> dict[int, str]:
    places = np.linspace(0, end, len(values))
    return {value: mpl.colors.to_hex(mpl.colormaps[ramp](place)) for value, place in zip(values, places, strict=True)}


def _rgb(colour: str) -> Rgb:
    colour_rgb: Rgb = np.rint(np.array(to_rgb(colour)) * 255).astype(np.uint8)
    return colour_rgb
