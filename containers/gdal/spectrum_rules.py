"""What makes a usable spectrum suspicious: rules over one slice, and over the NDVI of neighbouring dates."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.gdal.snow import GREEN, INDEX, NIR

Values = NDArray[np.float32]
Bands = dict[str, Values]
"""Band name to reflectance, (site,)."""


class Rule(NamedTuple):
    """Broken where the value is beyond the limit."""

    name: str
    reason: str
    value: Callable[[Bands], Values]
    """(site,); NaN where the rule does not apply."""
    limit: float
    is_highest: bool


class Suspicion(NamedTuple):
    """A rule broken by the spectra of some sites in one slice."""

    rule: str
    reason: str
    sites: NDArray[np.intp]
    values: Values
    limit: float


def _ndsi(bands: Bands) -> Values:
    bright = (bands["nir"] > NIR) & (bands["green"] > GREEN)
    return np.where(bright, normalised(bands["green"], bands["swir16"]), np.float32(np.nan))


def _nir_ratio(bands: Bands) -> Values:
    dense = normalised(bands["nir"], bands["red"]) > 0.5
    return np.where(dense, bands["nir08"] / np.where(dense, bands["nir"], 1), np.float32(np.nan))


def _spread(bands: Bands) -> Values:
    stack = np.stack(list(bands.values()))
    return np.asarray(stack.max(axis=0) - stack.min(axis=0))


RULES: Final = (
    Rule("bright_blue", "blue is above 0.3 as in clouds and snow, and no mask says so", lambda b: b["blue"], 0.3, True),
    Rule("missed_snow", "the index of snow is above 0.4 (Hall et al. 1995), and no mask says so", _ndsi, INDEX, True),
    Rule("above_one", "a band is above 1", lambda b: np.max(list(b.values()), axis=0), 1.0, True),
    Rule("negative", "a band is below −0.05", lambda b: np.min(list(b.values()), axis=0), -0.05, False),
    Rule("band_order", "nir08 (B8A) is below 0.8 of nir (B8) on vegetation", _nir_ratio, 0.8, False),
    Rule("flat", "all bands are within 0.02", _spread, 0.02, False),
)
IDENTICAL: Final = "identical"
MISSED_CLOUD: Final = "missed_cloud"
MISSED_CLOUD_DROP: Final = 0.2
_NEAR_DAYS: Final = 30


def normalised(one: Values, other: Values) -> Values:
    """(one − other) / (one + other); NaN where the sum is not positive."""
    total = one + other
    positive = total > 0
    return np.where(positive, (one - other) / np.where(positive, total, 1), np.float32(np.nan))


def suspicions(
    reflectance: Values, usable: NDArray[np.bool_], bands: tuple[str, ...], cells: NDArray[np.int64]
) -> Iterator[Suspicion]:
    """Rules that spectra (site, band) of one slice break, of usable ones.

    `cells` (site, 2) are the 10 m cells that sites lie in: spectra of one cell are the same by nature.
    """
    sites = np.flatnonzero(usable)
    spectra = reflectance[sites]
    named = dict(zip(bands, spectra.T, strict=True))
    for rule in RULES if len(sites) else ():
        values = rule.value(named)
        broken = values > rule.limit if rule.is_highest else values < rule.limit
        if broken.any():
            yield Suspicion(rule.name, rule.reason, sites[broken], values[broken], rule.limit)
    if (counts := alike(spectra, cells[sites])).any():
        reason = "so many sites in other cells have the very same spectrum"
        yield Suspicion(IDENTICAL, reason, sites[counts > 0], counts[counts > 0].astype(np.float32), 0)


def alike(spectra: Values, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many spectra of other cells equal each one, (site,)."""
    rows = np.unique(spectra, axis=0, return_inverse=True)[1].ravel()
    places = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
    pairs, own = np.unique(np.stack([rows, places], axis=1), axis=0, return_inverse=True)
    of_row, of_pair = np.bincount(rows), np.bincount(own.ravel())
    counts: NDArray[np.int64] = of_row[rows] - of_pair[own.ravel()] if len(pairs) else np.zeros(0, np.int64)
    return counts


def drops(ndvi: Values, usable: NDArray[np.bool_], seconds: NDArray[np.int64]) -> Values:
    """How far NDVI (time, site) lies below the lower of its usable neighbours in time; NaN without both in 30 days."""
    numbers = np.arange(len(seconds))[:, np.newaxis]
    before = np.maximum.accumulate(np.where(usable, numbers, -1), axis=0)
    after = np.minimum.accumulate(np.where(usable, numbers, len(seconds))[::-1], axis=0)[::-1]
    edge = np.ones((1, usable.shape[1]), int)
    before = np.concatenate([-edge, before[:-1]])
    after = np.concatenate([after[1:], len(seconds) * edge])
    has_both = usable & (before >= 0) & (after < len(seconds))
    before, after = np.where(has_both, before, 0), np.where(has_both, after, 0)
    days = np.maximum(seconds[numbers] - seconds[before], seconds[after] - seconds[numbers]) / 86_400
    lower = np.minimum(np.take_along_axis(ndvi, before, axis=0), np.take_along_axis(ndvi, after, axis=0))
    return np.where(has_both & (days <= _NEAR_DAYS), lower - ndvi, np.float32(np.nan))
