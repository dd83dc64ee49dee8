"""Masks of single classes joined to one, and grown: what hides the ground, by precedence."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import Sky
from containers.gdal.clear import dilated

PRECEDENCE: Final = (Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW, Sky.SNOW)
"""Of a cell in several classes, the first counts; nodata before all of them, clear after."""


def grown_sky(sky: NDArray[np.uint8], dilate_m: Mapping[str, float], resolution_m: float) -> NDArray[np.uint8]:
    """Each class grown over clear cells within its distance in metres, in the order of precedence; (y, x).

    A class never grows over another one, and nothing grows over nodata.
    """
    grown, clear = sky.copy(), sky == Sky.CLEAR
    for code in PRECEDENCE:
        if reach_m := dilate_m.get(code.name.lower(), 0.0):
            ring = dilated(sky == code, reach_m / resolution_m) & clear
            grown[ring] = code
            clear &= ~ring
    return grown


def opened(mask: NDArray[np.bool_], neutral: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    """A mask without what is narrower than a disk, (y, x); neutral cells and the edge take nothing away."""
    core = ~dilated(~(mask | neutral), radius_px)
    return mask & dilated(core, radius_px)


def shares(sky: NDArray[np.uint8]) -> dict[str, float]:
    """Class to its share of the cells with data; all 0 without any."""
    counts = np.bincount(sky.ravel(), minlength=len(Sky))
    seen = int(counts[Sky.CLEAR :].sum())
    return {code.name.lower(): float(counts[code] / seen) if seen else 0.0 for code in Sky if code != Sky.NODATA}
