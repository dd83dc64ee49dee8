"""Masks of other programs: what comes in, and what does not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.gdal import import_mask
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.mask_exchange import BinaryValue, ImportMaskParams
from containers.gdal.export_masks import binary_mask
from containers.gdal.import_mask import sky_classes

GRID = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_400_000, width=10, height=10)


def imported(store: Any, array: Any, out: Path, grid: Grid = GRID, cloud_value: BinaryValue = 1) -> MaskResult:
    source = store.cog(array, grid, nodata=None, name="mask")
    facts = {
        "scene_id": "a",
        "tile": "33UUP",
        "acquired": datetime(2018, 7, 3, tzinfo=UTC),
        "footprint": "POLYGON EMPTY",
    }
    return import_mask.run(ImportMaskParams(source=source, grid=GRID, cloud_value=cloud_value, **facts), out)


@given(arrays(np.uint8, (4, 5), elements=st.sampled_from([Sky.NODATA, Sky.CLEAR, Sky.CLOUD])), st.sampled_from([0, 1]))
def test_what_was_exported_comes_in_again(sky: Any, cloud_value: BinaryValue) -> None:
    assert (sky_classes(binary_mask(sky, (Sky.CLOUD,), cloud_value), cloud_value) == sky).all()


def test_shares_are_of_the_cells_with_data(raster_store: Any, tmp_path: Path) -> None:
    binary = np.full(GRID.shape, 255, np.uint8)
    binary[0, :8], binary[1, :2] = 0, 1
    result = imported(raster_store, binary, tmp_path)
    assert result.shares == {"clear": 0.8, "cloud": 0.2}
    assert result.engine == "imported"
    sky = raster_store.read(result.mask, tmp_path)
    assert [(sky == value).sum() for value in (Sky.NODATA, Sky.CLEAR, Sky.CLOUD)] == [binary.size - 10, 8, 2]


@pytest.mark.parametrize(
    ("array", "grid", "code", "reason"),
    [
        (np.full(GRID.shape, 2, np.uint8), GRID, "bad_masks", r"values \[2\]"),
        (np.zeros(GRID.shape, np.int16), GRID, "bad_masks", "1 bands of int16"),
        (np.zeros((2, *GRID.shape), np.uint8), GRID, "bad_masks", "2 bands"),
        (np.zeros(GRID.shape, np.uint8), GRID.model_copy(update={"west_m": 300_060.0}), "grid_mismatch", "300060"),
        (np.zeros(GRID.shape, np.uint8), GRID.model_copy(update={"epsg": 32632}), "grid_mismatch", "32632"),
        (np.zeros((9, 10), np.uint8), GRID.model_copy(update={"height": 9}), "grid_mismatch", "height=9"),
    ],
)
def test_unfit_masks_are_refused(
    array: Any, grid: Grid, code: str, reason: str, raster_store: Any, tmp_path: Path
) -> None:
    with pytest.raises(StepError, match=reason) as caught:
        imported(raster_store, array, tmp_path, grid)
    assert caught.value.code == code
