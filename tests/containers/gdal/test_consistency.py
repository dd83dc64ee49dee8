from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import consistency
from containers.gdal.consistency import least_cells, run, tile_px
from containers.gdal.contract.consistency import ConsistencyParams, Transitions
from containers.gdal.emission import emission_of, moments
from containers.gdal.hidden_markov import model_of
from containers.gdal.history import decoded

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=90, height=70)
PERIODS = ("2017", "2018", "2019")


def clumped_probabilities(seed: int = 0) -> np.ndarray:
    """uint8 (period, class, y, x): patches of doubtful classes, and holes without data."""
    rng = np.random.default_rng(seed)
    coarse = rng.dirichlet((0.3, 0.3, 0.3), (len(PERIODS), GRID.height // 2, GRID.width // 2))
    probabilities = np.rint(np.kron(coarse, np.ones((1, 2, 2, 1))) * 250).astype(np.uint8)
    probabilities[rng.random(probabilities.shape[:3]) < 0.1] = 255
    return np.ascontiguousarray(probabilities.transpose(0, 3, 1, 2))


def params_for(raster_store: Any, probabilities: np.ndarray, **options: Any) -> ConsistencyParams:
    files = {
        period: raster_store.cog(layer, GRID, nodata=255, name=f"probabilities_{period}")
        for period, layer in zip(PERIODS, probabilities, strict=True)
    }
    return ConsistencyParams(probabilities=files, **options)


def test_tiles_equal_the_whole(raster_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "tile_px", lambda n_periods: 16)
    probabilities = clumped_probabilities()
    params = params_for(raster_store, probabilities, spatial_weight=0.5, min_mapping_unit_ha=0.3, noise=0.5)
    result = run(params, tmp_path)
    emission = emission_of(moments(probabilities.reshape(len(PERIODS), 3, -1)))
    model = model_of(params.transitions.matrix, emission._replace(noise=0.5 * emission.noise), params.max_changes)
    whole, untouched = (decoded(probabilities, model, spatial_weight=0.5, least_cells=least) for least in (8, 1))
    assert (whole.classes != untouched.classes).any(), "the case holds patches below the mapping unit"
    assert (whole.change_period % 255 > 0).any(), "and patches above it"
    for index, period in enumerate(PERIODS):
        np.testing.assert_array_equal(raster_store.read(result.classes[period], tmp_path), whole.classes[index])
        np.testing.assert_array_equal(raster_store.read(result.confidence[period], tmp_path), whole.confidence[index])
    np.testing.assert_array_equal(raster_store.read(result.change_period, tmp_path), whole.change_period)
    np.testing.assert_array_equal(raster_store.read(result.change_probability, tmp_path), whole.change_probability)


def test_products_declare_what_they_hold(raster_store: Any, tmp_path: Path) -> None:
    result = run(params_for(raster_store, clumped_probabilities()), tmp_path)
    assert result.periods == PERIODS == tuple(result.classes) == tuple(result.confidence)
    expected = {
        result.classes["2018"].href: (0, 1),
        result.confidence["2018"].href: (255, 1 / 250),
        result.change_period.href: (255, 1),
        result.change_probability.href: (255, 1 / 250),
    }
    for name, (nodata, scale) in expected.items():
        with rasterio.open(tmp_path / name) as source:
            assert (source.nodata, source.scales[0], source.dtypes, source.crs.to_epsg()) == (
                nodata, scale, ("uint8",), 3035,
            )  # fmt: skip
            assert source.shape == GRID.shape


def test_a_single_wrong_year_disappears(raster_store: Any, tmp_path: Path) -> None:
    """Stable green land of which a tenth is called impervious in each year, in patches."""
    rng = np.random.default_rng(4)
    wrong = np.kron(rng.random((len(PERIODS), 35, 45)) < 0.1, np.ones((2, 2), bool))
    probabilities = np.where(wrong[:, None], *(np.array(p).reshape(1, 3, 1, 1) for p in ((200, 45, 5), (20, 225, 5))))
    result = run(params_for(raster_store, probabilities.astype(np.uint8)), tmp_path)
    raw_change = (wrong[1:] != wrong[:-1]).any(axis=0).mean()
    smoothed_change = (raster_store.read(result.change_period, tmp_path) > 0).mean()
    assert raw_change > 0.25
    assert smoothed_change < raw_change / 5


def test_rasters_of_different_grids_are_refused(raster_store: Any, tmp_path: Path) -> None:
    params = params_for(raster_store, clumped_probabilities())
    shifted = GRID.model_copy(update={"west_m": GRID.west_m + 20})
    other = raster_store.cog(clumped_probabilities()[0], shifted, nodata=255, name="probabilities")
    with pytest.raises(StepError) as caught:
        run(params.model_copy(update={"probabilities": params.probabilities | {"2019": other}}), tmp_path)
    assert caught.value.code == "grid_mismatch"


def test_raster_that_holds_no_probabilities_is_refused(raster_store: Any, tmp_path: Path) -> None:
    params = params_for(raster_store, clumped_probabilities())
    classes = raster_store.cog(np.ones(GRID.shape, np.uint8), GRID, nodata=0, name="classes")
    with pytest.raises(StepError, match="1 bands of uint8 with nodata 0") as caught:
        run(params.model_copy(update={"probabilities": params.probabilities | {"2019": classes}}), tmp_path)
    assert caught.value.code == "corrupt_file"


@pytest.mark.parametrize("row", [(0.9, 0.2, 0.0), (1.1, -0.1, 0.0)])
def test_transition_rows_are_probabilities(row: tuple[float, float, float]) -> None:
    with pytest.raises(ValidationError, match="not a set of probabilities"):
        Transitions(matrix=(row, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


@pytest.mark.parametrize(("unit_ha", "cells"), [(0, 1), (0.04, 1), (0.05, 2), (0.2, 5), (0.21, 6)])
def test_mapping_unit_in_cells_of_20_m(unit_ha: float, cells: int) -> None:
    assert least_cells(unit_ha, GRID.cell_area_ha) == cells


def test_more_periods_make_smaller_tiles() -> None:
    assert [tile_px(n) for n in (2, 7, 84)] == [1024, 512, 256]
    assert tile_px(10_000) == 256
