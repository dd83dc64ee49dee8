"""Speckle filters pixel by pixel, as the papers say it."""

import numpy as np
from numpy.typing import NDArray

from containers.sarsen.sigma_range import SigmaRange

Image = NDArray[np.float64]


def around(power: Image, row: int, col: int, half: int) -> Image:
    """The pixels of a window that are there and hold data."""
    window = power[max(0, row - half) : row + half + 1, max(0, col - half) : col + half + 1].ravel()
    return window[~np.isnan(window)]


def estimate(centre: float, pixels: Image, variation: float) -> float:
    mean = pixels.mean()
    variance = pixels.var(ddof=1) if len(pixels) > 1 else 0.0
    if variance == 0:
        return float(mean)
    signal = max(0.0, (variance - mean**2 * variation**2) / (1 + variation**2))
    return float(mean + signal / variance * (centre - mean))


def slow_lee_sigma(power: Image, window: int, target: int, looks: float, taken: SigmaRange, bright: float) -> Image:
    result = np.full(power.shape, np.nan)
    kept = set()
    for row, col in np.ndindex(power.shape):
        near = [
            (r, c)
            for r in range(max(0, row - 1), min(power.shape[0], row + 2))
            for c in range(max(0, col - 1), min(power.shape[1], col + 2))
            if power[r, c] > bright
        ]
        if (row, col) in near and len(near) >= 5:
            kept.update(near)
    for row, col in np.argwhere(~np.isnan(power)):
        centre = power[row, col]
        first = estimate(centre, around(power, row, col, target // 2), looks**-0.5)
        pixels = around(power, row, col, window // 2)
        pixels = pixels[(pixels >= taken.low * first) & (pixels <= taken.high * first)]
        keep = (row, col) in kept or not len(pixels)
        result[row, col] = centre if keep else estimate(centre, pixels, taken.variation)
    return result


HALVES = (
    lambda y, x: x <= 0,
    lambda y, x: x >= y,
    lambda y, x: y <= 0,
    lambda y, x: x + y <= 0,
    lambda y, x: x >= 0,
    lambda y, x: x <= y,
    lambda y, x: y >= 0,
    lambda y, x: x + y >= 0,
)
"""Which pixels of the 7 × 7 window, counted down and right from its centre, lie on each side of an edge."""


def slow_refined_lee(power: Image, looks: float) -> Image:
    """Of an image without gaps, its outer five pixels left alone."""
    result = power.copy()
    for row in range(5, power.shape[0] - 5):
        for col in range(5, power.shape[1] - 5):
            pixels = power[row - 3 : row + 4, col - 3 : col + 4]
            chosen = pixels.ravel()
            if chosen.var(ddof=1) * looks > 1.5 * chosen.mean() ** 2:
                places = [(r, c) for r in (-2, 0, 2) for c in (-2, 0, 2)]
                means = np.array(
                    [power[row + r - 1 : row + r + 2, col + c - 1 : col + c + 2].mean() for r, c in places]
                ).reshape(3, 3)
                pairs = ((means[1, 0], means[1, 2]), (means[0, 2], means[2, 0]), (means[0, 1], means[2, 1]),
                         (means[0, 0], means[2, 2]))  # fmt: skip
                best = max(range(4), key=lambda number: abs(pairs[number][0] - pairs[number][1]))
                first, second = (abs(mean - means[1, 1]) for mean in pairs[best])
                side = HALVES[best if first < second else best + 4]
                chosen = np.array([pixels[y + 3, x + 3] for y in range(-3, 4) for x in range(-3, 4) if side(y, x)])
            result[row, col] = estimate(power[row, col], chosen, looks**-0.5)
    return result
