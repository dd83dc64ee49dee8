"""Whether the two near-infrared bands bear each other's names."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.step import StepWarning

_VEGETATION: Final = 0.5
"""NDVI of dense vegetation."""
_LOWEST: Final = 0.98
_ENOUGH: Final = 30


class BandOrder(NamedTuple):
    """Spectra of vegetation, and those among them in which nir08 (B8A) is clearly below nir (B8).

    Reflectance of vegetation rises from 842 to 865 nm: measured ratios of B8A to B8 are about 1.06. A file in which B8
    sorts before B8A, and is named by its place, has them the other way round.
    """

    vegetation: int = 0
    reversed: int = 0

    def with_spectra(self, reflectance: NDArray[np.float32], bands: tuple[str, ...]) -> "BandOrder":
        """With those of (site, band)."""
        red, nir, nir08 = (reflectance[:, bands.index(name)] for name in ("red", "nir", "nir08"))
        vegetation = (nir - red > _VEGETATION * (nir + red)) & np.isfinite(nir08)
        low = vegetation & (nir08 < _LOWEST * nir)
        return BandOrder(self.vegetation + int(vegetation.sum()), self.reversed + int(low.sum()))

    def warnings(self) -> tuple[StepWarning, ...]:
        if self.vegetation < _ENOUGH or 2 * self.reversed <= self.vegetation:
            return ()
        return (
            StepWarning(
                code="band_order",
                reason=f"In {self.reversed:,} of {self.vegetation:,} spectra of vegetation nir08 (B8A) is below "
                f"{_LOWEST} of nir (B8), though it should be above: their names seem to be swapped.",
                hint="Look how the file was made; rename its variables B08 and B08A, and import it again.",
            ),
        )
