"""Errors of methods summed by block, and how much better one is than the others, with intervals.

Neighbouring cells err alike, so blocks are drawn, not cells, and methods are compared on the same draws.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.image_quality import REFLECTANCE_RANGE, psnr_db, sam_map_deg, ssim_map

Image = NDArray[np.float32]
Array = NDArray[np.float64]
QUANTITIES: Final = ("cells", "values", "absolute", "squared", "windows", "similarity", "spectra", "angle_deg")
"""What is summed: counts, and what is divided by the count before it."""
METRICS: Final = ("mae", "psnr_db")
"""What gains are of."""
DRAWS: Final = 2_000
_AT_ONCE = 200
_QUANTILES: Final = (0.025, 0.975)


class Score(NamedTuple):
    """A row of scores.csv; in reflectance where not said otherwise."""

    cells: int
    mae: float
    rmse: float
    psnr_db: float
    ssim: float
    sam_deg: float
    windows: int


class Gain(NamedTuple):
    """A row of gains.csv: positive where the model is better."""

    baseline: str
    where: str
    metric: str
    gain: float
    lower: float
    upper: float
    blocks: int


class Interval(NamedTuple):
    """A method's figure, with its 95 % interval."""

    value: float
    lower: float
    upper: float


def summed(found: Image, truth: Image, counted: NDArray[np.bool_]) -> Array:
    """QUANTITIES of one block: images (band, y, x) in reflectance with NaN, and which cells count, bool (y, x).

    SSIM windows are those around counted cells that lie in the block and hold data in every cell and band.
    """
    error = np.subtract(found, truth, dtype=np.float64)[:, counted]
    similarity = ssim_map(found, truth, REFLECTANCE_RANGE).mean(axis=0)[counted]
    angle = sam_map_deg(found, truth, axis=0)[counted]
    return np.array(
        [
            counted.sum(),
            error.size,
            np.abs(error).sum(),
            (error**2).sum(),
            np.isfinite(similarity).sum(),
            np.nansum(similarity),
            np.isfinite(angle).sum(),
            np.nansum(angle),
        ]
    )


def score(sums: Array) -> Score:
    """Of sums over one block or over many; NaN where nothing counts. PSNR is of the mean of all squared errors."""
    cells, values, absolute, squared, windows, similarity, spectra, angle = sums
    mse = _ratio(squared, values)
    return Score(
        int(cells),
        _ratio(absolute, values),
        float(np.sqrt(mse)),
        float(psnr_db(mse, REFLECTANCE_RANGE)),
        _ratio(similarity, windows),
        _ratio(angle, spectra),
        int(windows),
    )


class Comparison:
    """Methods on the same blocks: `sums` holds for each method an array (block, quantity)."""

    def __init__(self, where: str, sums: Mapping[str, Array], seed: int) -> None:
        self.where, self._names = where, list(sums)
        stacked = np.stack(list(sums.values()))
        self._sums = stacked[:, stacked[0, :, 0] > 0]
        self.blocks = self._sums.shape[1]
        self._replicates = _metrics(self._drawn(seed))
        self._value = _metrics(self._sums.sum(axis=1)[np.newaxis])[0]

    def gains(self) -> Iterator[Gain]:
        """Of the first method over each of the others."""
        for number, metric in enumerate(METRICS):
            sign = -1 if metric == "mae" else 1
            for other, name in enumerate(self._names[1:], start=1):
                gain = sign * (self._value[0, number] - self._value[other, number])
                replicates = sign * (self._replicates[:, 0, number] - self._replicates[:, other, number])
                yield Gain(name, self.where, metric, float(gain), *_interval(replicates), self.blocks)

    def intervals(self, metric: str) -> dict[str, Interval]:
        """Every method's figure."""
        number = METRICS.index(metric)
        return {
            name: Interval(float(self._value[index, number]), *_interval(self._replicates[:, index, number]))
            for index, name in enumerate(self._names)
        }

    def _drawn(self, seed: int) -> Array:
        """Sums of blocks drawn with replacement: (draw, method, quantity). None with fewer than two blocks."""
        rng = np.random.default_rng(seed)
        if self.blocks < 2:
            return np.empty((0, *self._sums.shape[::2]))
        parts = []
        for _ in range(DRAWS // _AT_ONCE):
            times = rng.multinomial(self.blocks, np.full(self.blocks, 1 / self.blocks), size=_AT_ONCE)
            parts.append(np.einsum("db,mbq->dmq", times, self._sums, optimize=True))
        return np.concatenate(parts)


def blocks_of(window_shape: tuple[int, int], size: int) -> Iterator[tuple[tuple[int, int], tuple[slice, slice]]]:
    """Number and place of every block in a window that starts on a block."""
    height, width = window_shape
    for row in range(-(-height // size)):
        for col in range(-(-width // size)):
            rows = slice(row * size, min((row + 1) * size, height))
            yield (row, col), (rows, slice(col * size, min((col + 1) * size, width)))


def _metrics(sums: Array) -> Array:
    """(…, quantity) to (…, metric)."""
    values, absolute, squared = (sums[..., QUANTITIES.index(name)] for name in ("values", "absolute", "squared"))
    return np.stack([absolute / values, psnr_db(squared / values, REFLECTANCE_RANGE)], axis=-1)


def _interval(replicates: Array) -> tuple[float, float]:
    if not len(replicates) or not np.isfinite(replicates).all():
        return np.nan, np.nan
    lower, upper = np.quantile(replicates, _QUANTILES)
    return float(lower), float(upper)


def _ratio(total: float, count: float) -> float:
    return float(total / count) if count else float("nan")
