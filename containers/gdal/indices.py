"""Vegetation indices by name, from reflectance.

- `ndvi` = (nir − red) / (nir + red): Tucker 1979, doi:10.1016/0034-4257(79)90013-0
- `evi` = 2.5 (nir − red) / (nir + 6 red − 7.5 blue + 1): Huete et al. 2002, doi:10.1016/S0034-4257(02)00096-2
- `ndmi` = (nir − swir16) / (nir + swir16): Gao 1996, doi:10.1016/S0034-4257(96)00067-3
- `msavi2` = (2 nir + 1 − √((2 nir + 1)² − 8 (nir − red))) / 2: Qi et al. 1994, doi:10.1016/0034-4257(94)90134-1
- `kndvi` = tanh(ndvi²): Camps-Valls et al. 2021, doi:10.1126/sciadv.abc7447
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import (
    INDEX_NODATA,
    INDEX_SCALE,
    REFLECTANCE_NODATA,
    REFLECTANCE_SATURATED,
    REFLECTANCE_SCALE,
)
from containers.gdal.contract.series import INDEX_BANDS, IndexName

Rows = NDArray[np.float32]


def normalised_difference(first: Rows, second: Rows) -> Rows:
    """In [−1, 1]; NaN without light. Slightly negative reflectance over dark ground counts as none."""
    first, second = np.maximum(first, 0), np.maximum(second, 0)
    difference: Rows = (first - second) / (first + second)
    return difference


def ndvi(red: Rows, nir: Rows) -> Rows:
    """In [−1, 1], NaN without light."""
    return normalised_difference(nir, red)


def evi(blue: Rows, red: Rows, nir: Rows) -> Rows:
    """NaN where the denominator nears zero or the index leaves [−1, 1], as over bright or bluish targets."""
    below = nir + 6 * red - np.float32(7.5) * blue + 1
    index = np.float32(2.5) * (nir - red) / below
    return np.where((below > _LEAST_DENOMINATOR) & (np.abs(index) <= 1), index, np.float32(np.nan))


def _ndmi(nir: Rows, swir16: Rows) -> Rows:
    return normalised_difference(nir, swir16)


def msavi2(red: Rows, nir: Rows) -> Rows:
    """NaN where the index leaves [−1, 1]."""
    above = np.float32(2) * nir + np.float32(1)
    index = (above - np.sqrt(above**2 - np.float32(8) * (nir - red))) / np.float32(2)
    return np.where(np.abs(index) <= 1, index, np.float32(np.nan))


def _kndvi(red: Rows, nir: Rows) -> Rows:
    index: Rows = np.tanh(ndvi(red, nir) ** 2)
    return index


_LEAST_DENOMINATOR = 0.1
_FORMULAS: Final[dict[IndexName, Callable[..., Rows]]] = {
    "ndvi": ndvi,
    "evi": evi,
    "ndmi": _ndmi,
    "msavi2": msavi2,
    "kndvi": _kndvi,
}


def index_of(name: IndexName, bands: Mapping[str, NDArray[np.int16]]) -> NDArray[np.int16]:
    """The index × 1e4, nodata −32768, from reflectance × 1e4 by band name.

    Nodata where a band is nodata or saturated, and where the formula has no finite value in [−1, 1].
    """
    needed = [bands[band] for band in INDEX_BANDS[name]]
    usable = np.logical_and.reduce([(band != REFLECTANCE_NODATA) & (band != REFLECTANCE_SATURATED) for band in needed])
    with np.errstate(divide="ignore", invalid="ignore"):
        index = _FORMULAS[name](*(band * np.float32(REFLECTANCE_SCALE) for band in needed))
    usable &= np.isfinite(index)
    scaled = np.rint(np.where(usable, index, 0) / np.float32(INDEX_SCALE)).astype(np.int16)
    return np.where(usable, scaled, np.int16(INDEX_NODATA))
