"""How often the intervals hold what they promise: the reference sample drawn again and again from the truth."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.areas import LAND_COVER
from containers.gdal.estimators import Design
from containers.gdal.indicators import shown

Cells = NDArray[np.int64]
CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
INDICATORS = ("new_impervious", "new_green")


@dataclass(frozen=True)
class Population:
    """Every cell of the sampling frame: what it truly is, what the map says, its stratum and its regions."""

    truth: dict[str, Cells]
    mapped: dict[str, Cells]
    stratum: NDArray[np.intp]
    """0 to H - 1, (cells,)."""
    points: NDArray[np.intp]
    """Points drawn per stratum, (H,)."""
    domains: dict[str, NDArray[np.bool_]]
    """The whole area and its regions, (cells,)."""

    def __post_init__(self) -> None:
        if not (self.points >= 2).all():
            raise ValueError(f"a stratum has fewer than two points: {self.points}")


class Coverage(NamedTuple):
    """What the redraws have shown of one domain, indicator and period. Cells of the frame."""

    domain: str
    indicator: str
    period: str
    true_cells: int
    mapped_cells: int
    change_points: float
    """Mean number of points whose reference shows the indicator."""
    coverage: float
    half_width: float
    """Median half of the interval, before it is cut to what is possible, relative to the true area."""
    to_random: float
    """The same, relative to that of a simple random sample of as many points over the whole area."""
    bias: float
    """Mean estimate relative to the true area, less one."""


def redraw(population: Population, draws: int, seed: int) -> list[Coverage]:
    """Draw the sample `draws` times and estimate every domain, indicator and period with the step's own estimators."""
    targets = list(_targets(population))
    estimates = np.empty((draws, len(targets), 4))
    rng = np.random.default_rng(seed)
    by_stratum = [np.flatnonzero(population.stratum == index) for index in range(len(population.points))]
    sizes = np.array([len(cells) for cells in by_stratum], float)
    design = Design(sizes, np.repeat(np.arange(len(sizes)), population.points))
    for draw in range(draws):
        drawn = [
            rng.choice(cells, n, replace=False, shuffle=False)
            for cells, n in zip(by_stratum, population.points, strict=True)
        ]
        cells = np.concatenate(drawn)
        for index, target in enumerate(targets):
            reference, mapped = target.reference[cells], target.mapped[cells]
            inside = population.domains[target.domain][cells]
            estimate = design.domain_total(reference, mapped, target.mapped_cells, inside)
            low, high = estimate.interval(CONFIDENCE)
            is_held = low <= target.true_cells <= high
            estimates[draw, index] = estimate.value, (high - low) / 2, is_held, reference[inside].sum()
    random = _SimpleRandomSample(int(sizes.sum()), int(population.points.sum()))
    return [_coverage(target, estimates[:, index], random) for index, target in enumerate(targets)]


class _Target(NamedTuple):
    domain: str
    indicator: str
    period: str
    reference: NDArray[np.float64]
    mapped: NDArray[np.float64]
    cells: int
    true_cells: int
    mapped_cells: int


def _targets(population: Population) -> Iterator[_Target]:
    for (_, period), indicator in ((pair, name) for pair in pairwise(population.truth) for name in INDICATORS):
        reference = shown(indicator, period, population.truth, LAND_COVER)
        mapped = shown(indicator, period, population.mapped, LAND_COVER)
        for name, inside in population.domains.items():
            totals = inside.sum(), reference[inside].sum(), mapped[inside].sum()
            yield _Target(name, indicator, period, reference, mapped, *(int(total) for total in totals))


class _SimpleRandomSample(NamedTuple):
    cells: int
    points: int

    def standard_error(self, true_cells: int) -> float:
        """Of the number of cells that show an indicator."""
        share = true_cells / self.cells
        variance = (1 - self.points / self.cells) * share * (1 - share) / (self.points - 1)
        return self.cells * math.sqrt(variance)


def _coverage(target: _Target, estimates: NDArray[np.float64], random: _SimpleRandomSample) -> Coverage:
    value, half_widths, is_held, change_points = estimates.T
    true, half_width = target.true_cells, float(np.median(half_widths))
    return Coverage(
        domain=target.domain,
        indicator=target.indicator,
        period=target.period,
        true_cells=true,
        mapped_cells=target.mapped_cells,
        change_points=float(change_points.mean()),
        coverage=float(is_held.mean()),
        half_width=half_width / true if true else math.nan,
        to_random=half_width / (_Z * random.standard_error(true)) if true else math.nan,
        bias=float(value.mean()) / true - 1 if true else math.nan,
    )
