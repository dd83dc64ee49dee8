"""The interval of a weighted sum of rare counts, as the area of overlooked change is.

Such sums are skewed: a sample that happened to meet few of the rare cells gives a low estimate and a small variance at
once, and a normal interval around it misses the truth on one side. The mid-p gamma interval (Fay & Kim 2017, Biom. J.
59, 549–561, doi:10.1002/bimj.201600111) lies between the gamma distribution that fits what was seen and the one that
fits one count more; that count has the average weight (Tiwari, Clegg & Zou 2006, Stat. Methods Med. Res. 15, 547–569,
doi:10.1177/0962280206070621). Where nothing was seen the
upper end is the rule of three.
"""

from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv

_FAR = 1e4
"""Times its standard deviation: a mean so far from zero has a gamma distribution that cannot be told from a point."""


def mid_p_interval(total: float, variance: float, weight: float, confidence: float) -> tuple[float, float]:
    """Lower and upper end for a sum with this value and variance, whose counts weigh `weight` on average, in one unit.

    >>> low, high = mid_p_interval(0.0, 0.0, weight=100.0, confidence=0.95)
    >>> low, round(high)
    (0.0, 300)
    """
    tail = (1 - confidence) / 2
    return _quantile(total, variance, weight, tail), _quantile(total, variance, weight, 1 - tail)


def _quantile(total: float, variance: float, weight: float, probability: float) -> float:
    """Of the even mixture of the two gamma distributions."""
    if weight <= 0:
        return total if variance <= 0 else _gamma_quantile(total, variance, probability)
    more, spread = total + weight, variance + weight**2
    if total <= 0 or total**2 > _FAR**2 * variance:
        # What was seen is certain, and half of the mixture: there may be more than that, but not less.
        return total if probability < 0.5 else max(total, _gamma_quantile(more, spread, 2 * probability - 1))

    def excess(value: float) -> float:
        seen, one_more = _gamma_share(value, total, variance), _gamma_share(value, more, spread)
        return (seen + one_more) / 2 - probability

    ends = _gamma_quantile(total, variance, probability), _gamma_quantile(more, spread, probability)
    quantile: float = brentq(excess, min(ends), max(ends)) if ends[0] != ends[1] else ends[0]
    return quantile


def _gamma_share(value: float, mean: float, variance: float) -> float:
    return float(gammainc(mean**2 / variance, value * mean / variance))


def _gamma_quantile(mean: float, variance: float, probability: float) -> float:
    return float(gammaincinv(mean**2 / variance, probability)) * variance / mean
