"""Design-based estimators for a stratified random sample of cells, with regions as domains.

Totals: Cochran (1977, sections 5.3, 5A.14); difference estimator: Särndal, Swensson and Wretman (1992, section 6.3),
for land-cover areas Stehman (2009, doi:10.1016/j.rse.2009.07.006); ratios: Stehman (2014,
doi:10.1080/01431161.2014.930207), which for strata that are the map's classes are those of Olofsson et al. (2014,
doi:10.1016/j.rse.2014.02.015). All variances carry the finite population correction.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_UNSEEN = 0.04
"""Errors granted to a stratum in which none, or nothing else, was seen.

Chosen by redraws over simulated landscapes in which 0 to 10 % of the change was omitted and 1,500 points were drawn:
95 % intervals of the whole area covered 91 to 99 % with it, 88 to 94 % without, 99.8 to 100 % with half an error
(Jeffreys) at twice the width. Points in doubtful strata do more: with them it is 95 to 99 %.
"""


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
    ) -> Estimate:
        """The total of `reference` (n,) over a domain: its mapped cells, corrected by the sample.

        `mapped` (n,) is the map's value at the points and `mapped_cells` its known total over the domain: the part
        of the truth that the map already tells is taken from the map, so a small region's estimate does not hang on
        how many points fell into it. Unbiased whatever the map's quality, unlike a synthetic estimate; without a map
        (zeros) it is the plain stratified estimate.

        The standard error is the larger of two: that of the errors seen inside the domain, and what the errors of
        the whole sample give if spread evenly over regions, where a stratum without any is granted a small part of
        one. A region, or a large stratum, without an error among its points is not free of error: see _UNSEEN.
        """
        errors = reference - mapped
        direct = self.total(errors * inside)
        share, mean = self.means(inside.astype(float)), self.means(errors)
        spread = self.means(errors**2) - mean**2
        is_uniform = np.isclose(spread, 0)
        spread = np.where(is_uniform, _UNSEEN / (self.points + 1), spread)
        even = self._standard_error(share * spread + share * (1 - share) * mean**2)
        return Estimate(mapped_cells + direct.value, max(direct.standard_error, even))

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
