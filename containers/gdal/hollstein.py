"""Clouds by decision trees (Hollstein et al. 2016, Remote Sensing 8(8), 666), whose rules are data.

The trees need the cirrus band, so L1C: `rules/hollstein.toml` holds thresholds and citation.
"""

import operator
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SCALE, Sky
from containers.base.contract.step import StepError

TREES: Final = ("tree1", "tree2", "tree3")
_RULES = Path(__file__).with_name("rules") / "hollstein.toml"
_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {"<": operator.lt, ">": operator.gt}
_COMPARISON = re.compile(r"^(?P<band>\w+)(?:/(?P<divisor>\w+))? (?P<operator>[<>]) (?P<threshold>[\d.]+)$")
_CLASSES: Final = {"cirrus": Sky.CIRRUS, "opaque": Sky.CLOUD}
"""Of a cell in both, the last counts."""

Bands = Mapping[str, NDArray[np.int16]]
"""Reflectance × 10 000 by band name, (y, x), nodata −32768."""


class Comparison(NamedTuple):
    """A band, or the ratio of two, against a threshold in reflectance; strict."""

    band: str
    divisor: str | None
    operator: str
    threshold: float

    def holds(self, bands: Bands) -> NDArray[np.bool_]:
        """Compared in scaled integers, so that a value at the threshold is at it; no ratio to what is not positive."""
        compare, values = _OPERATORS[self.operator], bands[self.band]
        result: NDArray[np.bool_]
        if self.divisor is None:
            # Rounded, because 0.333 / 1e-4 is a little less than 3330.
            result = compare(values, round(self.threshold / REFLECTANCE_SCALE, 6))
        else:
            divisor = bands[self.divisor].astype(np.float64)
            result = compare(values, np.round(self.threshold * divisor, 6)) & (divisor > 0)
        return result


Rule = tuple[Comparison, ...]
Tree = Mapping[str, tuple[Rule, ...]]
"""Class (`cirrus`, `opaque`) to its rules, of which one suffices."""


def parsed(text: str) -> Comparison:
    """A comparison as the rules write it.

    >>> parsed("cirrus/blue > 0.065")
    Comparison(band='cirrus', divisor='blue', operator='>', threshold=0.065)
    """
    match = _COMPARISON.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no comparison such as 'cirrus/blue > 0.065'")
    return Comparison(match["band"], match["divisor"], match["operator"], float(match["threshold"]))


@lru_cache(maxsize=1)
def trees() -> Mapping[str, Tree]:
    """All trees by name."""
    written = tomllib.loads(_RULES.read_text())
    return {
        name: {kind: tuple(tuple(parsed(text) for text in rule) for rule in rules) for kind, rules in tree.items()}
        for name, tree in written.items()
    }


def needed_bands(tree: Tree) -> frozenset[str]:
    """The bands that a tree compares."""
    comparisons = [comparison for rules in tree.values() for rule in rules for comparison in rule]
    return frozenset(
        name for comparison in comparisons for name in (comparison.band, comparison.divisor) if name is not None
    )


def require_bands(available: Iterable[str]) -> None:
    """Raises `unknown_band` where a tree cannot be evaluated, such as all of them over L2A."""
    have = set(available)
    if missing := sorted(frozenset().union(*(needed_bands(tree) for tree in trees().values())) - have):
        raise StepError(
            "unknown_band",
            f"The decision trees need the bands {', '.join(missing)}; there are {', '.join(sorted(have))}.",
            "L2A products carry no cirrus band (B10): take L1C, or the engine scl (L2A) or omnicloudmask (both).",
        )


def classified(bands: Bands, tree: Tree) -> NDArray[np.uint8]:
    """What a tree says of each cell: CLEAR, CIRRUS or CLOUD, and NODATA where a band that it needs has none; (y, x)."""
    needed = needed_bands(tree)
    sky = np.full(bands[next(iter(needed))].shape, Sky.CLEAR, dtype=np.uint8)
    for kind, code in _CLASSES.items():
        for rule in tree[kind]:
            sky[np.logical_and.reduce([comparison.holds(bands) for comparison in rule])] = code
    sky[np.logical_or.reduce([bands[name] == REFLECTANCE_NODATA for name in needed])] = Sky.NODATA
    return sky


def agreed(opinions: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Cloud or cirrus where tree 2 or tree 3 says so, cloud where one says cloud; (y, x).

    Of the published labels, cells that only one of the two calls cloudy are 2.7 times as frequent among the cloudy as
    among the clear ones, whichever it is at least 2.0 times; tree 1 is the weakest (docs/cloud_mask.md).
    """
    second, third = opinions["tree2"], opinions["tree3"]
    sky = np.full(second.shape, Sky.CLEAR, dtype=np.uint8)
    for code in _CLASSES.values():
        sky[(second == code) | (third == code)] = code
    sky[(second == Sky.NODATA) | (third == Sky.NODATA)] = Sky.NODATA
    return sky
