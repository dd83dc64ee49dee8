"""The composite of a few acquisitions against one cell at a time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import composite
from containers.gdal.clear import clear_cells
from containers.gdal.composite import days_since_1970, rows_per_block, run
from containers.gdal.contract.align import AlignResult
from containers.gdal.contract.composite import CompositeParams, MaskRule
from containers.gdal.reduction import best, first_per_date, median
from tests.reference import composite_of_cell

NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=40, height=70)
START = datetime(2018, 5, 3, 10, tzinfo=UTC)
RULE = MaskRule(dilate_m={9: 60.0})


@pytest.fixture
def make_acquisition(raster_store):
    def make(day: int, bands: dict[str, Any], scl: Any = None, grid: Grid = GRID, **fields: Any) -> AlignResult:
        facts: dict[str, Any] = {
            "tile": "33UUP",
            "acquired": START + timedelta(days=day),
            "grid": grid,
            "bands": {name: raster_store.cog(array, grid, nodata=NODATA, name=name) for name, array in bands.items()},
            "scl": None if scl is None else raster_store.cog(scl, grid, nodata=0, name="scl"),
            "valid_share": float(np.all([array != NODATA for array in bands.values()], axis=0).mean()),
        }
        return AlignResult(**(facts | fields))

    return make


def random_scene(seed: int) -> tuple[dict[str, Any], Any]:
    rng = np.random.default_rng(seed)
    bands = {name: rng.integers(-200, 9000, GRID.shape).astype(np.int16) for name in ("red", "swir16")}
    bands["red"][rng.random(GRID.shape) < 0.1] = NODATA
    scl = rng.choice(np.array([4, 5, 6, 9, 3], np.uint8), GRID.shape, p=[0.5, 0.3, 0.1, 0.02, 0.08])
    return bands, scl


def composed(acquisitions: list[AlignResult], out: Path, **options: Any) -> Any:
    params = CompositeParams(tile="33UUP", period="2018", acquisitions=tuple(acquisitions), mask=RULE, **options)
    return params, run(params, out)


@pytest.mark.parametrize("method", ["best", "median"])
@pytest.mark.parametrize("rows", [8, 256])
def test_composite_equals_one_cell_at_a_time(
    method, rows, raster_store, make_acquisition, tmp_path, monkeypatch
) -> None:
    """Also across block edges: the dilation looks beyond its row block."""
    monkeypatch.setattr(composite, "rows_per_block", lambda params: rows)
    days = (4, 0, 9, 9)
    scenes = [random_scene(seed) for seed in range(len(days))]
    acquisitions = [make_acquisition(day, *scene) for day, scene in zip(days, scenes, strict=True)]
    _, result = composed(acquisitions, tmp_path, method=method)
    clear = [
        clear_cells(scl, RULE, 20.0) & (bands["red"] != NODATA) & (bands["swir16"] != NODATA) for bands, scl in scenes
    ]
    dates = [days_since_1970(item.acquired) for item in acquisitions]
    outputs = [*result.bands.values(), result.observations, result.source_date]
    red, swir16, observations, source_date = (raster_store.read(file, tmp_path) for file in outputs)
    for cell in np.ndindex(GRID.shape):
        seen = [
            (dates[i], [int(scenes[i][0][name][cell]) for name in ("red", "swir16")])
            for i in range(len(days))
            if clear[i][cell]
        ]
        values, count, date = composite_of_cell(method, seen)
        assert (observations[cell], source_date[cell]) == (count, date)
        assert [red[cell], swir16[cell]] == (values or [NODATA, NODATA])
    assert result.clear_share == pytest.approx((observations > 0).mean())


def test_outputs_declare_type_nodata_and_scale(make_acquisition, tmp_path) -> None:
    composed([make_acquisition(0, *random_scene(0))], tmp_path)
    facts = {}
    for path in tmp_path.glob("*.tif"):
        with rasterio.open(path) as dataset:
            facts[path.stem] = (dataset.dtypes[0], dataset.nodata, dataset.scales[0])
    assert facts == {
        "red": ("int16", NODATA, 1e-4),
        "swir16": ("int16", NODATA, 1e-4),
        "observations": ("uint8", None, 1.0),
        "source_date": ("int32", 0, 1.0),
    }


def test_median_by_hand() -> None:
    stack = np.array([100, 300, 900, 7], np.int16).reshape(4, 1, 1, 1)
    days = np.array([10, 20, 30, 40], np.int32)
    clear = np.array([1, 1, 1, 0], bool).reshape(4, 1, 1)
    assert [item.item() for item in median(stack, clear, days)] == [300, 3, 20]
    clear[2] = False
    assert [item.item() for item in median(stack, clear, days)] == [200, 2, 10]
    assert [item.item() for item in median(stack, clear & False, days)] == [NODATA, 0, 0]


def test_saturated_cells_survive_the_median() -> None:
    stack = np.full((3, 1, 1, 1), 32_767, np.int16)
    assert median(stack, np.ones((3, 1, 1), bool), np.arange(1, 4, dtype=np.int32)).bands.item() == 32_767


def test_best_takes_the_first_clear_one() -> None:
    stack = np.array([100, 300], np.int16).reshape(2, 1, 1, 1)
    clear = np.array([0, 1], bool).reshape(2, 1, 1)
    assert [item.item() for item in best(stack, clear, np.array([10, 20], np.int32))] == [300, 1, 20]


def test_two_files_of_one_date_count_once() -> None:
    clear = np.array([[1, 0, 1], [1, 1, 0], [1, 1, 1]], bool).reshape(3, 1, 3)
    kept = first_per_date(clear, np.array([5, 5, 6], np.int32))
    assert kept.reshape(3, 3).astype(int).tolist() == [[1, 0, 1], [0, 1, 0], [1, 1, 1]]


def test_without_scene_classification_only_nodata_is_masked_and_that_is_said(
    raster_store, make_acquisition, tmp_path
) -> None:
    bands, _ = random_scene(0)
    _, result = composed([make_acquisition(0, bands)], tmp_path)
    assert [warning.code for warning in result.warnings] == ["no_scene_classification"]
    assert ((raster_store.read(result.observations, tmp_path) == 1) == (bands["red"] != NODATA)).all()


def test_clear_share_counts_the_whole_tile(make_acquisition, tmp_path) -> None:
    """The tile covers half of its window; of that half, a quarter has data and all of it is clear."""
    red = np.full(GRID.shape, NODATA, np.int16)
    red[: GRID.height // 8 + 1] = 500
    valid_share = float((red != NODATA).sum() / (0.5 * red.size))
    _, result = composed([make_acquisition(0, {"red": red}, valid_share=valid_share)], tmp_path)
    assert result.clear_share == pytest.approx(valid_share)


def test_nothing_clear(make_acquisition, tmp_path) -> None:
    bands, scl = random_scene(0)
    with pytest.raises(StepError, match="2018") as caught:
        composed([make_acquisition(0, bands, np.full_like(scl, 9))], tmp_path)
    assert caught.value.code == "no_valid_pixels"


def test_another_window_is_refused_with_both(make_acquisition, tmp_path) -> None:
    bands, scl = random_scene(0)
    shifted = GRID.model_copy(update={"west_m": 4_000_020.0})
    acquisitions = [make_acquisition(0, bands, scl), make_acquisition(3, bands, scl, grid=shifted)]
    with pytest.raises(StepError, match=r"4000000.*4000020") as caught:
        composed(acquisitions, tmp_path)
    assert caught.value.code == "grid_mismatch"


def test_memory_does_not_grow_with_the_number_of_acquisitions(make_acquisition) -> None:
    item = make_acquisition(0, *random_scene(0)).model_copy(
        update={"grid": GRID.model_copy(update={"width": 6000, "height": 6000})}
    )
    rows = [
        rows_per_block(CompositeParams(tile="33UUP", period="2018", acquisitions=(item,) * count))
        for count in (1, 20, 200)
    ]
    assert rows == [256, 128, 16]
