"""What is known of one region so far, from any number of blocks: sums and histograms, never cells."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.gdal.contract.productivity import METRICS, NODATA

_LOW, _HIGH, _BINS = -1.0, 1.0, 500
"""Histograms of index values: bins of 0.004, within which a percentile is interpolated."""
BIN: Final = (_HIGH - _LOW) / _BINS
PERCENTILES: Final = (0.1, 0.9)
_QUALITY: Final = METRICS.index("quality")

Weights = NDArray[np.float64]


def _bins() -> NDArray[np.intp]:
    """Number of the bin of every stored integer, by its bits; one more than there are for nodata."""
    stored = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
    bins = np.clip((stored * INDEX_SCALE - _LOW) / BIN + 1e-9, 0, _BINS - 1).astype(np.intp)
    return np.where(stored == INDEX_NODATA, _BINS, bins)


_BIN_OF: Final = _bins()


class CurvePoint(NamedTuple):
    """A region on one date; None where no cell has a value."""

    mean: float | None
    p10: float | None
    p90: float | None
    cells: float
    """Area of the cells with a value, in cells."""
    observed_share: float | None
    """Part of that area that was seen clear nearer to this date than to any other."""


class SeasonFigure(NamedTuple):
    """A metric of a region and year; None where no cell has a season."""

    mean: float | None
    deviation: float | None
    valid_share: float
    quality: float | None


class RegionSums:
    """Sums over cells, each weighted by the part of it that the region covers."""

    def __init__(self, n_dates: int, years: tuple[int, ...]) -> None:
        self.cells = 0.0
        """Covered area in cells, whatever they hold."""
        self._weight, self._sum, self._observed = (np.zeros(n_dates) for _ in range(3))
        self._histogram = np.zeros((n_dates, _BINS))
        # Of each year and metric: weight, sum and sum of squares.
        self._metrics = {year: np.zeros((3, len(METRICS))) for year in years}

    def add_curves(self, step: int, values: NDArray[np.int16], seen: NDArray[np.bool_], shares: Weights) -> None:
        """Take in cells on one date: index values as series hold them, and whether they were seen."""
        bins = _BIN_OF[values.view(np.uint16)]
        histogram = np.bincount(bins, shares, _BINS + 1)
        missing = histogram[_BINS]
        self._histogram[step] += histogram[:_BINS]
        self._weight[step] += histogram[:_BINS].sum()
        self._sum[step] += (shares @ values - missing * INDEX_NODATA) * INDEX_SCALE
        self._observed[step] += shares @ (seen & (bins < _BINS))

    def add_metrics(self, year: int, metrics: NDArray[np.float32], shares: NDArray[np.float64]) -> None:
        """Take in cells: metrics (METRICS, cell), −9999 where missing."""
        known = metrics != NODATA
        values = np.where(known, metrics, 0).astype(np.float64)
        self._metrics[year] += np.stack([known @ shares, values @ shares, values**2 @ shares])

    def curve(self) -> list[CurvePoint]:
        """One point per date."""
        return [self._point(step) for step in range(len(self._weight))]

    def season(self, year: int) -> dict[str, SeasonFigure]:
        """Metric to its figure."""
        weight, total, squares = self._metrics[year]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = total / weight
            deviations = np.sqrt(np.maximum(squares / weight - means**2, 0))
        quality = _or_none(means[_QUALITY])
        shares = weight / self.cells if self.cells else np.zeros_like(weight)
        return {
            name: SeasonFigure(_or_none(mean), _or_none(deviation), min(1.0, float(share)), quality)
            for name, mean, deviation, share in zip(METRICS, means, deviations, shares, strict=True)
        }

    def _point(self, step: int) -> CurvePoint:
        weight = float(self._weight[step])
        if not weight:
            return CurvePoint(None, None, None, 0.0, None)
        low, high = (weighted_percentile(self._histogram[step], share) for share in PERCENTILES)
        return CurvePoint(self._sum[step] / weight, low, high, weight, self._observed[step] / weight)


def weighted_percentile(histogram: Weights, share: float) -> float:
    """The index value below which a share of the histogram's weight lies, evenly spread within a bin."""
    until = np.cumsum(histogram)
    wanted = share * until[-1]
    number = int(np.searchsorted(until, wanted))
    inside = (wanted - (until[number] - histogram[number])) / histogram[number]
    return float(_LOW + (number + inside) * BIN)


def _or_none(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
