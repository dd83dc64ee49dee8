"""Indices that tell vegetation types apart, by name, from reflectance; float32, NaN where there is no value.

All lie in [−1, 1] over ground: what fills their gaps asks for that.

- `ndvi`, `evi`, `msavi2`, `ndmi` (Gao 1996), `nbr` (Key and Benson 2006): see `indices.py` and `burn_indices.py`
- `ndre` = (nir − rededge071) / (nir + rededge071): Gitelson and Merzlyak 1994, doi:10.1016/S0176-1617(11)81633-0
- `ndsi` = (green − swir16) / (green + swir16), snow: Hall et al. 1995, doi:10.1016/0034-4257(95)00137-P
- `ndti` = (swir16 − swir22) / (swir16 + swir22), dry matter: van Deventer et al. 1997, PE&RS 63, 87–93
- `psri` = (red − blue) / rededge075, senescence: Merzlyak et al. 1999, doi:10.1034/j.1399-3054.1999.106119.x
- `tcb`, `tcg`, `tcw`, tasselled cap brightness, greenness and wetness with the coefficients of Landsat's reflectance,
  whose six bands Sentinel-2 has: Crist 1985, doi:10.1016/0034-4257(85)90102-6
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.scene import BandName
from containers.gdal.contract.type_features import TypeIndex
from containers.gdal.indices import evi, msavi2, ndvi, normalised_difference

Values = NDArray[np.float32]
_CAP_BANDS: Final[tuple[BandName, ...]] = ("blue", "green", "red", "nir", "swir16", "swir22")
_BRIGHTNESS = (0.2043, 0.4158, 0.5524, 0.5741, 0.3124, 0.2303)
_GREENNESS = (-0.1603, -0.2819, -0.4934, 0.7940, -0.0002, -0.1446)
_WETNESS = (0.0315, 0.2021, 0.3102, 0.1594, -0.6806, -0.6109)


def _weighted(*weights: float) -> Callable[..., Values]:
    def index(*bands: Values) -> Values:
        return np.tensordot(np.array(weights, np.float32), np.stack(bands), axes=1)

    return index


def _psri(blue: Values, red: Values, rededge075: Values) -> Values:
    return (red - blue) / _lit(rededge075)


def _lit(band: Values) -> Values:
    """A divisor that is not positive has no quotient."""
    return np.where(band > 0, band, np.float32(np.nan))


FORMULAS: Final[dict[TypeIndex, tuple[tuple[BandName, ...], Callable[..., Values]]]] = {
    "ndvi": (("red", "nir"), ndvi),
    "evi": (("blue", "red", "nir"), evi),
    "msavi2": (("red", "nir"), msavi2),
    "ndmi": (("nir", "swir16"), normalised_difference),
    "nbr": (("nir08", "swir22"), normalised_difference),
    "ndre": (("nir", "rededge071"), normalised_difference),
    "ndsi": (("green", "swir16"), normalised_difference),
    "ndti": (("swir16", "swir22"), normalised_difference),
    "psri": (("blue", "red", "rededge075"), _psri),
    "tcb": (_CAP_BANDS, _weighted(*_BRIGHTNESS)),
    "tcg": (_CAP_BANDS, _weighted(*_GREENNESS)),
    "tcw": (_CAP_BANDS, _weighted(*_WETNESS)),
}
"""Name to its bands and its formula of them."""


def type_index(name: TypeIndex, bands: Mapping[str, Values]) -> Values:
    """One index from reflectance by band name, of any shape; NaN where a band is, or where it has no finite value."""
    needed, formula = FORMULAS[name]
    with np.errstate(divide="ignore", invalid="ignore"):
        index = formula(*(bands[band] for band in needed))
    return np.where(np.isfinite(index), index, np.float32(np.nan)).astype(np.float32)
