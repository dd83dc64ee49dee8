"""Design-based estimators for a stratified random sample of cells, with regions as domains.

Totals: Cochran (1977, sections 5.3, 5A.14); difference estimator: Särndal, Swensson and Wretman (1992, section 6.3),
for land-cover areas Stehman (2009, doi:10.1016/j.rse.2009.07.006); ratios: Stehman (2014,
doi:10.1080/01431161.2014.930207), which for strata that are the map's classes are those of Olofsson et al. (2014,
doi:10.1016/j.rse.2014.02.015). All variances carry the finite population correction.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.gamma_interval import mid_p_interval

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A value and its standard error, in the same unit."""

    value: float
    standard_error: float

    def interval(self, confidence: float, low: float = 0.0, high: float = np.inf) -> tuple[float, float]:
        """The normal confidence interval, cut to what is possible.

        >>> low, high = Estimate(1.0, 1.0).interval(0.95)
        >>> low, round(high, 6)
        (0.0, 2.959964)
        """
        margin = NormalDist().inv_cdf(0.5 + confidence / 2) * self.standard_error
        return max(low, self.value - margin), min(high, self.value + margin)


class Corrected(NamedTuple):
    """A mapped total with its errors taken off by a sample, all in the same unit."""

    mapped: float
    omitted: Estimate
    committed: Estimate
    standard_error: float
    omission_weight: float
    """What an omission stands for that no point has met: cells that an unmapped point stands for besides itself."""
    commission_weight: float
    """Likewise of mapped points."""

    @property
    def value(self) -> float:
        return self.mapped + self.omitted.value - self.committed.value

    def interval(self, confidence: float, low: float = -np.inf, high: float = np.inf) -> tuple[float, float]:
        """The confidence interval, cut to what is possible.

        Omission and commission have a mid-p gamma interval each. Their difference is joined from these by the method of
        variance estimates recovery (Zou & Donner 2008, Stat. Med. 27, 1693–1702, doi:10.1002/sim.3095).
        """
        missed, wrong = self.omitted, self.committed
        missed_low, missed_high = mid_p_interval(*_moments(missed), self.omission_weight, confidence)
        wrong_low, wrong_high = mid_p_interval(*_moments(wrong), self.commission_weight, confidence)
        below = math.hypot(missed.value - missed_low, wrong_high - wrong.value)
        above = math.hypot(missed_high - missed.value, wrong.value - wrong_low)
        return min(max(low, self.value - below), high), max(min(high, self.value + above), low)


def _moments(estimate: Estimate) -> tuple[float, float]:
    return estimate.value, estimate.standard_error**2


@dataclass(frozen=True)
class Design:
    """A stratified random sample: `cells` (H,) per stratum, and the stratum (n,) of each point, 0 to H - 1."""

    cells: Floats
    stratum: NDArray[np.intp]

    @property
    def points(self) -> Floats:
        """Points per stratum, (H,)."""
        return np.bincount(self.stratum, minlength=len(self.cells)).astype(float)

    def means(self, values: Floats) -> Floats:
        """Sample mean per stratum, (H,)."""
        return np.bincount(self.stratum, values, minlength=len(self.cells)) / self.points

    def total(self, values: Floats) -> Estimate:
        """The population total of `values` (n,), in cells where they are 0 or 1."""
        variances = self.means(values**2) - self.means(values) ** 2
        return Estimate(float(self.cells @ self.means(values)), self._standard_error(variances))

    def domain_total(
        self, reference: Floats, mapped: Floats, mapped_cells: float, inside: NDArray[np.bool_]
    ) -> Corrected:
        """The total of `reference` (n,) over a domain: its mapped cells, corrected by the sample. Both are 0 or 1.

        `mapped` (n,) is the map's value at the points and `mapped_cells` its known total over the domain: the part
        of the truth that the map already tells is taken from the map, so a small region's estimate does not hang on
        how many points fell into it. Unbiased whatever the map's quality, unlike a synthetic estimate; without a map
        (zeros) it is the plain stratified estimate.
        """
        errors = (reference - mapped) * inside
        unseen = (self.cells / self.points - 1)[self.stratum]
        return Corrected(
            mapped=mapped_cells,
            omitted=self.total(np.maximum(errors, 0)),
            committed=self.total(np.maximum(-errors, 0)),
            standard_error=self.total(errors).standard_error,
            omission_weight=_mean(unseen, mapped == 0, inside),
            commission_weight=_mean(unseen, mapped == 1, inside),
        )

    def ratio(self, numerator: Floats, denominator: Floats) -> Estimate:
        """The ratio of two totals, such as an accuracy; not a number where the denominator is 0."""
        below = self.total(denominator).value
        if below == 0:
            return Estimate(float("nan"), float("nan"))
        ratio = self.total(numerator).value / below
        residual = self.total(numerator - ratio * denominator)
        return Estimate(ratio, residual.standard_error / below)

    def _standard_error(self, variances: Floats) -> float:
        """Of a total, from the uncorrected variance per stratum, (H,). A stratum seen whole adds nothing."""
        sampled = self.points < self.cells
        cells, points = self.cells[sampled], self.points[sampled]
        unbiased = np.maximum(variances[sampled], 0) / (points - 1)
        return float(np.sqrt(np.sum(cells**2 * (1 - points / cells) * unbiased)))


def _mean(values: Floats, which: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    """Over those inside, or over all where none of them lies inside; 0 where there are none."""
    chosen = values[which & inside] if (which & inside).any() else values[which]
    return float(chosen.mean()) if chosen.size else 0.0
