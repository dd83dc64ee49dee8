"""Strata equal an obvious cell-by-cell rule; the sample is random, reproducible and read at the right cells."""

import csv
from collections import Counter

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal.contract.areas import SampleParams
from containers.gdal.frame import ordinals
from containers.gdal.sample import run
from containers.gdal.strata import Stratification, allocation, with_doubt

SAMPLE_GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=120, height=600)
PERIODS = ("2018", "2019", "2020")


def slow_stratum(history, periods):
    """The stratum of one cell, in words."""
    if 0 in history:
        return "unknown"
    changes = [n for n in range(1, len(history)) if history[n] != history[n - 1]]
    if not changes:
        return {1: "stable_impervious", 2: "stable_green", 3: "stable_other"}[history[0]]
    kind = {1: "new_impervious", 2: "new_green"}.get(history[changes[0]])
    return f"{kind}_{periods[changes[0]]}" if len(changes) == 1 and kind else "other_change"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=20))
def test_every_history_falls_into_the_stratum_of_the_rule_in_words(histories):
    stratification = Stratification(PERIODS)
    codes = stratification.codes(np.array(histories, "uint8").T[:, :, np.newaxis]).ravel()
    assert [stratification.names[code] for code in codes] == [slow_stratum(history, PERIODS) for history in histories]


def test_pooled_strata_join_the_pairs():
    history = np.array([[2, 2, 1, 1], [1, 2, 2, 1], [1, 1, 2, 2]], "uint8")[:, :, np.newaxis]
    stratification = Stratification(PERIODS, pooled=True)
    names = [stratification.names[code] for code in stratification.codes(history).ravel()]
    assert names == ["new_impervious", "new_impervious", "new_green", "new_green"]


def test_doubt_sets_stable_cells_apart_by_distance_and_by_probability():
    codes = np.array([[7, 2, 2, 2, 0, 2, 1]], "uint8")
    probability = np.array([[1, 0, 0, 0, np.nan, 0.3, 0.05]], "float32")
    doubtful = with_doubt(codes, probability, doubt=0.1, buffer_px=2)
    assert doubtful.tolist() == [[7, 5, 5, 2, 0, 4, 1]]
    assert with_doubt(codes, None, doubt=0.1, buffer_px=0).tolist() == codes.tolist()


sizes = st.dictionaries(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8]), st.integers(1, 10_000), min_size=1)


@settings(max_examples=100, deadline=None)
@given(sizes, st.integers(16, 2000), st.integers(2, 50))
def test_allocation_gives_every_point_once_and_no_stratum_more_than_it_has(cells, points, minimum):
    minimum = min(minimum, points // len(cells))
    given_points = allocation(cells, points, minimum)
    assert sum(given_points.values()) == min(points, sum(cells.values()))
    for code, n in given_points.items():
        assert min(minimum, cells[code]) <= n <= cells[code]


def test_ordinals_are_distinct_in_range_and_uniform():
    drawn = [ordinals(20, 5, (seed, 1)) for seed in range(2000)]
    assert all(len(set(draw)) == 5 and draw.min() >= 0 and draw.max() < 20 for draw in drawn)
    share = np.bincount(np.concatenate(drawn), minlength=20) / len(drawn)
    assert np.abs(share - 5 / 20).max() < 4 * np.sqrt(0.25 * 0.75 / 2000)


@pytest.fixture(scope="module")
def mapped_history():
    """Mostly green, some sealed in either year, a strip that is unknown in 2019."""
    rng = np.random.default_rng(7)
    history = np.repeat(rng.choice([1, 2, 3], p=[0.2, 0.6, 0.2], size=(1, *SAMPLE_GRID.shape)), 3, axis=0)
    history[1:, 100:108, 10:40] = 1
    history[2, 250:262, 50:90] = 1
    history[2, 500:505, 5:60] = 2
    history[1, :, 110:] = 0
    return history.astype("uint8")


@pytest.fixture
def sample_params(mapped_history, tmp_path, monkeypatch):
    store = tmp_path / "store"
    store.mkdir()
    monkeypatch.setenv("CLEARGROUND_STORE", str(store))

    def stored(path):
        return output_file(path).model_copy(update={"href": f"store:{path.name}"})

    truth = np.where(mapped_history == 0, 2, mapped_history)
    classes, reference = {}, {}
    for n, period in enumerate(PERIODS):
        classes[period] = stored(write_cog(store / f"{period}.tif", mapped_history[n], SAMPLE_GRID, nodata=0))
        reference[period] = stored(write_cog(store / f"truth_{period}.tif", truth[n], SAMPLE_GRID, nodata=0))
    west, south, east, north = SAMPLE_GRID.bounds
    halves = [shapely.box(west, south, east, north), shapely.box(west, south, west + 1195, north)]
    path = store / "regions.gpkg"
    gpd.GeoDataFrame({"region_id": ["XX", "XX1"]}, geometry=halves, crs=3035).to_file(path, driver="GPKG")
    return SampleParams(classes=classes, reference=reference, regions=stored(path), points=900, min_per_stratum=50)


def read_rows(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def drawn_in(params, out):
    out.mkdir(exist_ok=True)
    return run(params, out), read_rows(out / "sample.csv"), read_rows(out / "strata.csv")


def test_points_lie_at_cell_centres_of_their_stratum_and_carry_map_reference_and_regions(
    sample_params, mapped_history, tmp_path
):
    result, points, strata = drawn_in(sample_params, tmp_path / "out")
    names = Stratification(PERIODS).names
    with rasterio.open(tmp_path / "out" / result.stratum_map.href) as raster:
        codes = raster.read(1)
        assert raster.tags()["STRATUM_7"] == "new_impervious_2019"
    sizes = {row["stratum"]: (int(row["cells"]), int(row["points"])) for row in strata}
    assert Counter(point["stratum"] for point in points) == {n: k for n, (_, k) in sizes.items() if k}
    for point in points:
        row, column = (3_000_000 - float(point["y_m"])) / 20 - 0.5, (float(point["x_m"]) - 4_000_000) / 20 - 0.5
        assert row.is_integer()
        cell = int(row), int(column)
        cells, n_points = sizes[point["stratum"]]
        assert names[codes[cell]] == point["stratum"]
        assert float(point["inclusion_probability"]) == pytest.approx(n_points / cells)
        assert [int(point[f"map_{period}"]) for period in PERIODS] == mapped_history[(slice(None), *cell)].tolist()
        assert [point[period] for period in PERIODS] == [point[f"map_{period}"] for period in PERIODS]
        assert point["region_id"] == ("XX;XX1" if float(point["x_m"]) < 4_001_195 else "XX")


def test_strata_cover_the_grid_unknown_is_counted_but_never_drawn_and_said(sample_params, mapped_history, tmp_path):
    result, points, strata = drawn_in(sample_params, tmp_path / "out")
    cells = {row["stratum"]: int(row["cells"]) for row in strata}
    assert sum(cells.values()) == SAMPLE_GRID.width * SAMPLE_GRID.height
    assert cells["unknown"] == 600 * 10
    assert cells["new_impervious_2020"] == np.count_nonzero(mapped_history[1, 250:262, 50:90] != 1)
    assert float(next(r for r in strata if r["stratum"] == "unknown")["area_ha"]) == pytest.approx(240)
    assert len(points) == 900
    assert [warning.code for warning in result.warnings] == ["unknown_outside_frame"]
    assert "8.3%" in result.warnings[0].reason


def test_near_change_reaches_across_blocks(sample_params, mapped_history, tmp_path):
    result, _, _ = drawn_in(sample_params, tmp_path / "out")
    with rasterio.open(tmp_path / "out" / result.stratum_map.href) as raster:
        codes = raster.read(1)
    known = (mapped_history != 0).all(axis=0)
    changed = known & (np.diff(mapped_history.astype(int), axis=0) != 0).any(axis=0)
    rows, columns = np.nonzero(changed)
    near = np.zeros(codes.shape, bool)
    for row, column in zip(rows, columns, strict=True):
        for down in range(-3, 4):
            for right in range(-3, 4):
                if down**2 + right**2 <= 9 and 0 <= row + down < 600 and 0 <= column + right < 120:
                    near[row + down, column + right] = True
    np.testing.assert_array_equal(codes == 5, near & ~changed & known)


def test_the_seed_decides_the_draw(sample_params, tmp_path):
    first, again = (drawn_in(sample_params, tmp_path / name)[0].sample.content_id for name in ("one", "two"))
    assert first == again
    other = sample_params.model_copy(update={"seed": 1})
    assert drawn_in(other, tmp_path / "three")[0].sample.content_id != first


def test_few_points_pool_the_pairs_and_too_few_are_refused(sample_params, tmp_path):
    _, _, strata = drawn_in(sample_params.model_copy(update={"points": 200}), tmp_path / "out")
    assert {"new_impervious", "new_green"} < {row["stratum"] for row in strata}
    with pytest.raises(StepError) as raised:
        drawn_in(sample_params.model_copy(update={"points": 10}), tmp_path / "out")
    assert raised.value.code == "bad_parameters"
    assert "10 points do not give two to each of" in raised.value.reason


def test_reference_in_another_crs_is_read_at_the_same_place_and_gaps_are_said(sample_params, tmp_path):
    coarse = Grid(epsg=32632, resolution_m=1000, west_m=290_000, north_m=5_800_000, width=60, height=800)
    columns = np.broadcast_to(np.arange(60) % 3 + 1, coarse.shape).astype("uint8").copy()
    path = tmp_path / "store" / "utm.tif"
    write_cog(path, columns, coarse, nodata=0)
    utm = output_file(path).model_copy(update={"href": "store:utm.tif"})
    params = sample_params.model_copy(update={"reference": {"2018": utm}})
    result, points, _ = drawn_in(params, tmp_path / "out")
    assert {point["2019"] for point in points} == {""}
    frame = gpd.GeoSeries.from_xy(*([float(p[axis]) for p in points] for axis in ("x_m", "y_m")), crs=3035).to_crs(
        32632
    )
    column = ((frame.x - coarse.west_m) // 1000).astype(int)
    row = ((coarse.north_m - frame.y) // 1000).astype(int)
    inside = (column >= 0) & (column < 60) & (row >= 0) & (row < 800)
    expected = ["" if not ok else str(c % 3 + 1) for c, ok in zip(column, inside, strict=True)]
    assert [point["2018"] for point in points] == expected
    assert ("reference_missing" in {w.code for w in result.warnings}) == (not inside.all())


def test_a_map_without_a_known_cell_cannot_be_sampled(sample_params, tmp_path):
    path = write_cog(tmp_path / "store" / "empty.tif", np.zeros(SAMPLE_GRID.shape, "uint8"), SAMPLE_GRID, nodata=0)
    empty = output_file(path).model_copy(update={"href": "store:empty.tif"})
    with pytest.raises(StepError) as raised:
        drawn_in(sample_params.model_copy(update={"classes": {"1": empty, "2": empty}}), tmp_path / "out")
    assert raised.value.code == "no_valid_pixels"
