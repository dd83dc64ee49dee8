"""What the masks of products say of cloud, shadow and snow: the mappings are data."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.cut import LAYER_UNKNOWN, LayerName

YES, NO = 1, 0
Tables = Mapping[LayerName, NDArray[np.uint8]]
"""Layer to its values by mask code: 1, 0 or 255, uint8, (65536,)."""
_RULES = Path(__file__).with_name("rules")
_CODES = np.arange(1 << 16)


@lru_cache(maxsize=8)
def rules_of(name: str) -> dict[str, Any]:
    """The mapping file `rules/<name>_layers.toml`."""
    return tomllib.loads((_RULES / f"{name}_layers.toml").read_text())


def tables_of(rules: Mapping[Any, Mapping[str, Any]]) -> Tables:
    """Tables of one mask: a rule of codes names yes and no, a rule of bits what makes yes and not known."""
    return {layer: code_table(rule) if "no" in rule else bit_table(rule) for layer, rule in rules.items()}


def code_table(rule: Mapping[str, Any]) -> NDArray[np.uint8]:
    """By codes of classes: what is neither yes nor no is not known.

    >>> code_table({"yes": [3], "no": [4, 5]})[:6].tolist()
    [255, 255, 255, 1, 0, 0]
    """
    table = np.full(_CODES.size, LAYER_UNKNOWN, dtype=np.uint8)
    table[rule["no"]] = NO
    table[rule["yes"]] = YES
    return table


def bit_table(rule: Mapping[str, Any]) -> NDArray[np.uint8]:
    """By bits of a byte: yes, else not known, else no; what is no byte is not known.

    >>> bit_table({"yes": [{"any": [0], "none": [1]}], "unknown": [{"any": [2]}]})[:6].tolist()
    [0, 1, 0, 0, 255, 1]
    """
    table = np.full(_CODES.size, NO, dtype=np.uint8)
    for value, conditions in ((LAYER_UNKNOWN, rule.get("unknown", ())), (YES, rule["yes"])):
        for condition in conditions:
            table[_has(condition["any"]) & ~_has(condition.get("none", ()))] = value
    table[256:] = LAYER_UNKNOWN
    return table


def combined(layers: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """One layer of several: yes where one says so, else not known where one does not know, else no."""
    stack = np.stack(layers)
    unknown = np.where((stack == LAYER_UNKNOWN).any(axis=0), LAYER_UNKNOWN, NO)
    return np.where((stack == YES).any(axis=0), YES, unknown).astype(np.uint8)


def _has(bits: list[int] | tuple[int, ...]) -> NDArray[np.bool_]:
    has: NDArray[np.bool_] = np.bitwise_and(_CODES, sum(1 << bit for bit in bits)) != 0
    return has
