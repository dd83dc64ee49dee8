"""Indices that burning changes, of two dates, and their differences; reflectance × 1e-4 in, float32 with NaN out.

- `ndvi`, `evi`, `msavi` (its self-adjusting form, MSAVI2): see `containers/gdal/indices.py`
- `bai` = 1 / ((0.1 − red)² + (0.06 − nir)²), the reciprocal of the squared distance from charcoal: Martín 1998;
  Chuvieco, Martín and Palacios 2002, doi:10.1080/01431160210153129
- `nbr` = (nir08 − swir22) / (nir08 + swir22): López García and Caselles 1991; Key and Benson 2006, RMRS-GTR-164-CD
- `d<index>` = before − after; `dnbr` is not multiplied by 1000, and no offset of unburned ground is taken off
- `rbr` = dnbr / (nbr before + 1.001): Parks, Dillon and Miller 2014, doi:10.3390/rs6031827
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SATURATED, REFLECTANCE_SCALE
from containers.gdal.contract.burn import BURN_BANDS, BurnIndex
from containers.gdal.indices import Rows, evi, msavi2, ndvi, normalised_difference

_CHARCOAL_RED, _CHARCOAL_NIR = np.float32(0.1), np.float32(0.06)
_LEAST_SQUARE: Final = np.float32((REFLECTANCE_SCALE / 2) ** 2)
"""Charcoal itself counts as half a step of the stored reflectance away, instead of infinitely burned."""
_RBR_OFFSET: Final = np.float32(1.001)


def reflectance(stored: NDArray[np.int16]) -> Rows:
    """Stored reflectance as float32; NaN where it is nodata or saturated."""
    usable = (stored != REFLECTANCE_NODATA) & (stored != REFLECTANCE_SATURATED)
    return np.where(usable, stored * np.float32(REFLECTANCE_SCALE), np.float32(np.nan))


def nbr(nir08: Rows, swir22: Rows) -> Rows:
    """In [−1, 1]; NaN without light."""
    return normalised_difference(nir08, swir22)


def bai(red: Rows, nir: Rows) -> Rows:
    """Above 0 and at most 4e8. Slightly negative reflectance over dark ground counts as none."""
    red, nir = np.maximum(red, 0), np.maximum(nir, 0)
    distance = (_CHARCOAL_RED - red) ** 2 + (_CHARCOAL_NIR - nir) ** 2
    return (1 / np.maximum(distance, _LEAST_SQUARE)).astype(np.float32)


def rbr(nbr_before: Rows, nbr_after: Rows) -> Rows:
    """The relativised difference; its divisor is at least 0.001."""
    index: Rows = (nbr_before - nbr_after) / (nbr_before + _RBR_OFFSET)
    return index


_FORMULAS: Final[dict[BurnIndex, Callable[..., Rows]]] = {
    "ndvi": ndvi,
    "evi": evi,
    "msavi": msavi2,
    "bai": bai,
    "nbr": nbr,
}


def indices_of(names: Iterable[BurnIndex], bands: Mapping[str, Rows]) -> dict[BurnIndex, Rows]:
    """The named indices from reflectance by band; NaN where a band that one needs is, or where it has no value."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: _FORMULAS[name](*(bands[band] for band in BURN_BANDS[name])) for name in names}


def differences(before: Mapping[BurnIndex, Rows], after: Mapping[BurnIndex, Rows]) -> dict[str, Rows]:
    """`d<index>` of every index, and `rbr` with `nbr`."""
    found: dict[str, Rows] = {f"d{name}": before[name] - after[name] for name in before}
    if "nbr" in before:
        found["rbr"] = rbr(before["nbr"], after["nbr"])
    return found
