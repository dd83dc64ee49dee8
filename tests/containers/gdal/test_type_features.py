"""Features of vegetation types against numbers made by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from containers.gdal.contract.cut import LAYERS, TEN_BANDS
from containers.gdal.contract.type_features import FeatureRecipe
from containers.gdal.type_features import axis_days, axis_names, features_of, masked
from containers.gdal.type_season import SEASON, season_of
from containers.gdal.type_terrain import TERRAIN, exposure, terrain_of

EPOCH = date(1970, 1, 1)
RED, NIR, GREEN, SWIR = (TEN_BANDS.index(band) for band in ("red", "nir", "green", "swir16"))
SHORT = {"first": "06-01", "last": "06-21", "every_days": 10, "min_observations": 2}


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def spectra(*ndvi: float) -> np.ndarray:
    """One place: red and near infrared add up to 0.4, all else is 0.1."""
    found = np.full((1, len(ndvi), 10), 0.1, np.float32)
    found[0, :, RED] = 0.2 * (1 - np.array(ndvi))
    found[0, :, NIR] = 0.2 * (1 + np.array(ndvi))
    return found


def named(recipe: FeatureRecipe, *args, **more) -> dict[str, float]:
    values, names = features_of(*args, recipe, **more)
    return dict(zip(names, values[0].tolist(), strict=True))


def test_the_axis_has_the_same_names_in_every_year_and_the_days_of_its_own() -> None:
    recipe = FeatureRecipe(first="02-19", last="03-11", every_days=10)
    assert axis_names(recipe) == ("02-19", "03-01", "03-11")
    for year in (2019, 2020):
        assert axis_days(recipe, year).tolist() == [day(f"{year}-{name}") for name in axis_names(recipe)]


def test_a_curve_lies_on_straight_lines_between_what_was_seen() -> None:
    recipe = FeatureRecipe(sets=("curves",), indices=("ndvi",), **SHORT)
    days = np.array([day("2020-06-01"), day("2020-06-05"), day("2020-06-21")], np.int32)
    found = named(recipe, spectra(0.2, 0.4, 0.8), days, 2020)
    assert found == pytest.approx({"ndvi 06-01": 0.2, "ndvi 06-11": 0.4 + 0.4 * 6 / 16, "ndvi 06-21": 0.8}, abs=1e-5)


def test_medians_are_of_their_period_and_an_empty_one_lies_between_its_neighbours() -> None:
    recipe = FeatureRecipe(sets=("medians",), indices=("ndvi",), periods=3, **SHORT)
    days = np.array([day(f"2020-06-{number:02}") for number in (1, 3, 7, 20, 21)], np.int32)
    found = named(recipe, spectra(0.1, 0.2, 0.6, 0.7, 0.9), days, 2020)
    assert [found[f"ndvi median {number}"] for number in (1, 2, 3)] == pytest.approx([0.2, 0.5, 0.8], abs=1e-5)
    assert found["swir22 median 2"] == pytest.approx(0.1)


def test_a_season_of_straight_lines() -> None:
    """Up from 0.2 on day 10 to 0.8 on day 30, down to 0.4 on day 50."""
    days = np.array([10, 20, 30, 40, 50], np.int32)
    found = dict(zip(SEASON, season_of(days, np.array([[0.2, 0.5, 0.8, 0.6, 0.4]], np.float32))[:, 0], strict=True))
    assert found["start_day"] == pytest.approx(20)
    assert found["end_day"] == pytest.approx(40)
    assert found["length_days"] == pytest.approx(20)
    assert found["peak"] == pytest.approx(0.8)
    assert found["base"] == pytest.approx(0.3)
    assert found["integral"] == pytest.approx(10 * (0.35 + 0.65 + 0.7 + 0.5))
    assert found["peak_day"] == pytest.approx(31, abs=1.1)


@pytest.mark.parametrize(
    ("curve", "start", "end"), [((0.8, 0.6, 0.4), 1, 21), ((0.4, 0.6, 0.8), 11, 21), ((0.5,) * 3, 1, 21)]
)
def test_a_curve_that_only_falls_starts_with_the_axis(curve, start, end) -> None:
    found = season_of(np.array([1, 11, 21], np.int32), np.array([curve], np.float32))[:, 0]
    ends = {(0.8, 0.6, 0.4): 11}.get(curve, end)
    assert found[SEASON.index("start_day")] == pytest.approx(start)
    assert found[SEASON.index("end_day")] == pytest.approx(ends)


@pytest.mark.parametrize(("layer", "hides"), [("cloud", True), ("shadow", True), ("snow", False)])
def test_layers_hide_by_rule_and_what_is_not_known_hides_nothing(layer, hides) -> None:
    layers = np.full((1, 2, 3), -1, np.int8)
    layers[0, 1] = 0
    layers[0, 0, LAYERS.index(layer)] = 1
    ground = spectra(0.5, 0.5)
    assert np.isnan(masked(ground, layers, FeatureRecipe())[0, 0]).all() == hides
    assert np.isnan(masked(ground, layers, FeatureRecipe(mask_snow=True))[0, 0]).all()
    assert (masked(ground, layers, FeatureRecipe())[0, 1] == ground[0, 1]).all()


@pytest.mark.parametrize("value", [np.nan, 0.0, -0.1, 1.01])
def test_a_spectrum_with_one_impossible_band_is_left_out_whole(value) -> None:
    ground = spectra(0.5, 0.5)
    ground[0, 1, SWIR] = value
    found = masked(ground, np.zeros((1, 2, 3), np.int8), FeatureRecipe())
    assert np.isnan(found[0, 1]).all()
    assert np.isfinite(found[0, 0]).all()


def test_snow_that_no_layer_tells_is_found_by_its_index() -> None:
    ground = spectra(0.0)
    ground[0, 0, GREEN], ground[0, 0, SWIR] = 0.9, 0.1
    none = np.full((1, 1, 3), -1, np.int8)
    assert np.isfinite(masked(ground, none, FeatureRecipe())).all()
    assert np.isnan(masked(ground, none, FeatureRecipe(mask_snow=True))).all()


def test_places_seen_too_seldom_have_no_features() -> None:
    recipe = FeatureRecipe(sets=("curves", "bands", "medians", "season"), **SHORT)
    days = np.array([day("2020-05-25"), day("2020-06-05"), day("2020-06-15")], np.int32)
    both = np.concatenate([spectra(0.2, 0.4, 0.8)] * 2)
    both[1, 1] = np.nan  # what is seen before the axis does not count
    values, _ = features_of(both, days, 2020, recipe)
    assert np.isfinite(values[0]).all()
    assert np.isnan(values[1]).all()
    none, names = features_of(np.full_like(both, np.nan), days, 2020, recipe)
    assert np.isnan(none).all()
    assert none.shape == (2, len(names))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_features_of_a_place_depend_on_nothing_but_its_own_year(seed) -> None:
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(np.arange(day("2020-03-01"), day("2020-11-30")), 12, replace=False)).astype(np.int32)
    ground = rng.uniform(0.01, 0.6, (5, 12, 10)).astype(np.float32)
    ground[rng.random((5, 12)) < 0.4] = np.nan
    recipe = FeatureRecipe(min_observations=1)
    values, names = features_of(ground, days, 2020, recipe)
    alone, _ = features_of(ground[3:4], days, 2020, recipe)
    np.testing.assert_allclose(alone[0], values[3], rtol=1e-5, equal_nan=True)
    older = np.concatenate([rng.uniform(0.01, 0.6, (5, 1, 10)).astype(np.float32), ground], axis=1)
    again, _ = features_of(older, np.r_[day("2019-07-01"), days].astype(np.int32), 2020, recipe)
    np.testing.assert_allclose(again, values, rtol=1e-5, equal_nan=True)
    assert len(set(names)) == len(names) == values.shape[1]


def test_terrain_is_asked_for_and_turned_into_what_plants_feel() -> None:
    recipe = FeatureRecipe(sets=("terrain",), indices=("ndvi",), **SHORT)
    days = np.array([day("2020-06-01"), day("2020-06-21")], np.int32)
    with pytest.raises(ValueError, match="terrain"):
        features_of(spectra(0.2, 0.4), days, 2020, recipe)
    found = named(recipe, spectra(0.2, 0.4), days, 2020, terrain=np.array([[1850, 20, 90]], np.float32))
    assert tuple(found) == TERRAIN
    assert (found["height_m"], found["slope_deg"]) == (1850, 20)
    assert (found["northness"], found["eastness"]) == pytest.approx((0, 1), abs=1e-6)
    flat = terrain_of(np.array([[0, 0, -1]], np.float32))[:, 0]
    assert flat[2:4].tolist() == [0, 0]


def test_exposure_is_the_published_equation() -> None:
    """McCune and Keon 2002, equation 3, on level ground at 45°: 0.339 + 0.808 cos 45°."""
    level, south, north = exposure(np.array([0, 30, 30], np.float32), np.array([180, 180, 0], np.float32))
    assert level == pytest.approx(0.339 + 0.808 * 0.70711, abs=1e-4)
    assert north < level < south


@pytest.mark.parametrize("wrong", [{"first": "10-31", "last": "04-01"}, {"first": "02-29"}, {"last": "13-01"}])
def test_recipes_with_impossible_days_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        FeatureRecipe(**wrong)
