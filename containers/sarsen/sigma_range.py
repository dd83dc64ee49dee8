"""The range of fully developed speckle that a sigma filter averages: a share of it whose mean is that of all."""

from functools import lru_cache
from typing import NamedTuple

from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv


class SigmaRange(NamedTuple):
    """Bounds as multiples of the mean, and the coefficient of variation of the intensities between them."""

    low: float
    high: float
    variation: float


@lru_cache
def sigma_range(looks: float, share: float) -> SigmaRange:
    """Solves equations 8 to 10 of Lee et al. (2009), doi:10.1109/TGRS.2008.2002881, for any number of looks.

    Multilook intensity of mean 1 is gamma distributed with shape `looks`. The range holds `share` of it, and the mean
    inside is 1, so that averaging inside it has no bias; the paper's tables give the same values for whole looks.
    """

    def upper(low: float) -> float:
        return float(gammaincinv(looks, min(float(gammainc(looks, looks * low)) + share, 1 - 1e-15)) / looks)

    def moment(order: int, low: float) -> float:
        """Mean of the `order`th power inside, over the mean that the whole distribution would have."""
        high = upper(low)
        inside = gammainc(looks + order, looks * high) - gammainc(looks + order, looks * low)
        return float(inside) / share

    largest = float(gammaincinv(looks, 1 - share) / looks)
    low = float(brentq(lambda value: moment(1, value) - 1, 0.0, largest * (1 - 1e-9), xtol=1e-12))
    second = moment(2, low) * (looks + 1) / looks
    return SigmaRange(low, upper(low), (second - 1) ** 0.5)
