"""The decision trees against cells computed by hand: every rule, and every comparison at its boundary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.gdal.hollstein import TREES, agreed, classified, needed_bands, parsed, require_bands, trees

NODATA = -32768
BANDS = sorted(frozenset().union(*(needed_bands(tree) for tree in trees().values())))
DARK = dict.fromkeys(BANDS, 0.1)
"""A surface that no tree calls cloudy, in reflectance; the cirrus band is set apart."""
CLEAR = DARK | {"cirrus": 0.001, "nir08": 0.3}

RULES = {
    ("tree1", "cirrus", 0): {"green": 0.2, "nir08": 0.1, "cirrus": 0.02},
    ("tree1", "cirrus", 1): {"green": 0.4, "swir16": 0.2, "red": 0.6},
    ("tree1", "opaque", 0): {"green": 0.4, "swir16": 0.3, "rededge078": 0.5},
    ("tree2", "cirrus", 0): {"nir08": 0.2, "green": 0.2, "cirrus": 0.02, "blue": 0.2},
    ("tree2", "opaque", 0): {"nir08": 0.2, "green": 0.4, "rededge075": 0.5, "swir16": 0.3},
    ("tree3", "cirrus", 0): {"nir08": 0.1, "swir22": 0.05, "cirrus": 0.02},
    ("tree3", "cirrus", 1): {"nir08": 0.2, "coastal": 0.2, "cirrus": 0.02},
    ("tree3", "cirrus", 2): {"nir08": 0.2, "coastal": 0.4, "swir16": 0.2, "blue": 0.5},
    ("tree3", "opaque", 0): {"nir08": 0.2, "coastal": 0.2, "cirrus": 0.01, "blue": 0.3},
    ("tree3", "opaque", 1): {"nir08": 0.2, "coastal": 0.4, "swir16": 0.3, "rededge071": 0.5},
}
"""For each rule, reflectance that fulfils it and no other rule of its tree."""
EXPECTED = {"cirrus": Sky.CIRRUS, "opaque": Sky.CLOUD}


def cell(reflectance: dict[str, float]) -> dict[str, np.ndarray]:
    return {band: np.array([[round(value * 10_000)]], np.int16) for band, value in reflectance.items()}


def of_cell(tree: str, reflectance: dict[str, float]) -> int:
    return int(classified(cell(reflectance), trees()[tree]).item())


def test_hand_cases_cover_every_rule() -> None:
    written = {
        (name, kind, i) for name, tree in trees().items() for kind, rules in tree.items() for i in range(len(rules))
    }
    assert written == set(RULES)
    assert tuple(trees()) == TREES


@pytest.mark.parametrize(("tree", "kind", "number"), list(RULES))
def test_each_rule_by_hand_and_strictly(tree, kind, number) -> None:
    """Inside the rule its class; with any one comparison exactly at its threshold, not that rule."""
    inside = CLEAR | RULES[tree, kind, number]
    assert of_cell(tree, inside) == EXPECTED[kind]
    alone = {tree: {"cirrus": (), "opaque": ()} | {kind: (trees()[tree][kind][number],)}}
    assert classified(cell(inside), alone[tree]).item() == EXPECTED[kind]
    for comparison in trees()[tree][kind][number]:
        divisor = inside[comparison.divisor] if comparison.divisor else 1.0
        step = 1e-4 if comparison.operator == ">" else -1e-4
        edge = comparison.threshold * divisor
        at, beyond = inside | {comparison.band: edge}, inside | {comparison.band: edge + step}
        assert classified(cell(at), alone[tree]).item() == Sky.CLEAR, f"{comparison} must be strict"
        assert classified(cell(beyond), alone[tree]).item() == EXPECTED[kind], f"{comparison} is too narrow"


@pytest.mark.parametrize("tree", TREES)
def test_dark_clear_ground_is_clear_and_missing_data_is_nodata(tree) -> None:
    assert of_cell(tree, CLEAR) == Sky.CLEAR
    for band in needed_bands(trees()[tree]):
        bands = cell(CLEAR)
        bands[band][:] = NODATA
        assert classified(bands, trees()[tree]).item() == Sky.NODATA


@pytest.mark.parametrize("blue", [0.0, -0.02])
def test_no_ratio_to_zero_or_negative_reflectance(blue) -> None:
    assert of_cell("tree2", CLEAR | {"nir08": 0.2, "green": 0.2, "cirrus": 0.02, "blue": blue}) == Sky.CLEAR


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({band: st.integers(-500, 20_000) for band in BANDS}))
def test_classes_exclude_each_other(values) -> None:
    """The trees branch, so no cell fulfils a cirrus and an opaque rule."""
    bands = {band: np.array([[value]], np.int16) for band, value in values.items()}
    for tree in trees().values():
        only = [classified(bands, {"cirrus": (), "opaque": (), kind: tree[kind]}).item() for kind in EXPECTED]
        assert Sky.CLEAR in only


def test_agreement_by_hand() -> None:
    nodata, clear, cloud, cirrus = Sky.NODATA, Sky.CLEAR, Sky.CLOUD, Sky.CIRRUS
    second = np.array([clear, clear, cirrus, cirrus, cloud, cloud, nodata], np.uint8)
    third = np.array([clear, cirrus, clear, cloud, clear, nodata, cloud], np.uint8)
    opinions = {"tree1": np.full(7, cloud, np.uint8), "tree2": second, "tree3": third}
    assert agreed(opinions).tolist() == [clear, cirrus, cirrus, cloud, cloud, nodata, nodata]


def test_missing_cirrus_band_says_what_would_work() -> None:
    require_bands(BANDS)
    with pytest.raises(StepError, match=r"cirrus.*scl.*omnicloudmask") as caught:
        require_bands(set(BANDS) - {"cirrus"})
    assert caught.value.code == "unknown_band"


@pytest.mark.parametrize("text", ["blue >= 0.1", "blue 0.1", "", "blue/ > 0.1"])
def test_what_is_no_comparison(text) -> None:
    with pytest.raises(ValueError, match="no comparison"):
        parsed(text)
