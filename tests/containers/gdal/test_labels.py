"""Label maps on the grid: majority by hand, polygons by cell centre, and what is refused."""

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from shapely import Polygon, box

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import labels
from containers.gdal.contract.labels import LabelsParams, LabelsResult
from containers.gdal.labels import run
from tests.reference import exact_source_positions, majority_codes

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_574_000, north_m=3_056_000, width=3, height=2)
TEN_METRES = Affine(10, 0, 4_574_000, 0, -10, 3_056_000)


def on_grid(source: File, out: Path, grid: Grid = GRID, **options: Any) -> LabelsResult:
    return run(LabelsParams(source=source, grid=grid, **options), out)


def test_majority_by_hand(raster_store, tmp_path) -> None:
    codes = np.array(
        [
            [62, 62, 73, 73, 0, 0],
            [62, 82, 82, 73, 0, 62],
            [255, 255, 82, 0, 102, 102],
            [255, 255, 255, 0, 102, 73],
        ],
        dtype=np.uint8,
    )
    source = raster_store.source(codes, epsg=3035, transform=TEN_METRES, name="s2glc.tif")
    result = on_grid(source, tmp_path)
    assert raster_store.read(result.codes, tmp_path).tolist() == [[62, 73, 62], [0, 82, 102]]
    assert result.counts == {62: 2, 73: 1, 82: 1, 102: 1}
    with rasterio.open(tmp_path / "labels.tif") as dataset:
        assert (dataset.dtypes[0], dataset.nodata) == ("uint8", 0)


@pytest.mark.parametrize("block_px", [16, 1024])
def test_majority_in_another_crs_is_that_of_the_centres_inside(block_px, raster_store, tmp_path, monkeypatch) -> None:
    """Except for cells without a clear majority, where cells on the edge decide; and the same in any blocks."""
    monkeypatch.setattr(labels, "_BLOCK_PX", block_px)
    transform = Affine(5, 0, 399_000, 0, -5, 5_601_000)
    codes = np.kron(np.random.default_rng(0).integers(1, 5, (40, 40)), np.ones((16, 16))).astype(np.uint8)
    source = raster_store.source(codes, epsg=32633, transform=transform, name="codes.tif")
    grid = GRID.model_copy(update={"width": 60, "height": 50, "north_m": 3_055_000.0})
    result = on_grid(source, tmp_path, grid)
    found = raster_store.read(result.codes, tmp_path)
    expected, lead = majority_codes(codes, transform, 32633, grid)
    clear = lead >= 6
    assert clear.mean() > 0.6
    assert (found == expected)[clear].all()


def test_coarser_labels_are_taken_at_the_cell_centre(raster_store, tmp_path) -> None:
    transform = Affine(100, 0, 4_573_940, 0, -100, 3_056_000)
    source = raster_store.source(np.array([[7, 9]], np.uint8), epsg=3035, transform=transform, name="coarse.tif")
    assert raster_store.read(on_grid(source, tmp_path).codes, tmp_path).tolist() == [[7, 7, 9], [7, 7, 9]]


def test_degrees(raster_store, tmp_path) -> None:
    """WorldCover comes in geographic coordinates."""
    transform = Affine(1 / 12_000, 0, 13, 0, -1 / 12_000, 51)
    source = raster_store.source(np.full((9000, 9000), 50, np.uint8), epsg=4326, transform=transform, name="world.tif")
    grid = GRID.model_copy(update={"north_m": 3_055_000.0})
    assert on_grid(source, tmp_path, grid).counts == {50: 6}


@pytest.mark.parametrize(("codes", "said"), [([[0, 300]], "300"), ([[-3, 5]], "-3"), ([[5, 255]], "255")])
def test_codes_that_do_not_fit(codes, said, raster_store, tmp_path) -> None:
    array = np.array(codes, np.int16).repeat(4, 0).repeat(4, 1)
    source = raster_store.source(array, epsg=3035, transform=TEN_METRES, name="codes.tif")
    with pytest.raises(StepError, match=rf"codes {said};") as caught:
        on_grid(source, tmp_path, nodata_codes=(0,))
    assert caught.value.code == "bad_labels"


@pytest.mark.parametrize(
    ("epsg", "transform", "said"),
    [
        (3035, Affine(10, 0, 4_600_000, 0, -10, 3_056_000), "elsewhere"),
        (32633, Affine(10, 0, 500_000, 0, -10, 5_000_000), "elsewhere"),
        (None, TEN_METRES, "no coordinate reference system"),
    ],
)
def test_rasters_elsewhere(epsg, transform, said, raster_store, tmp_path) -> None:
    source = raster_store.source(np.full((4, 6), 62, np.uint8), epsg=epsg, transform=transform, name="codes.tif")
    with pytest.raises(StepError, match=said) as caught:
        on_grid(source, tmp_path)
    assert caught.value.code == "bad_labels"


def test_a_map_without_any_label_here(raster_store, tmp_path) -> None:
    source = raster_store.source(np.zeros((4, 6), np.uint8), epsg=3035, transform=TEN_METRES, name="codes.tif")
    with pytest.raises(StepError, match="labels no cell") as caught:
        on_grid(source, tmp_path)
    assert caught.value.code == "bad_labels"


def polygon_file(store: Any, geometries: list[Any], codes: list[Any], *, epsg: int | None = 3035, field="code") -> File:
    path = store.folder("user.file") / "labels.gpkg"
    geopandas.GeoDataFrame({field: codes}, geometry=geometries, crs=epsg).to_file(path)
    return store.file(path)


def cells(west: float, south: float, east: float, north: float) -> Polygon:
    """A box in cells, counted from the grid's upper left corner."""
    return box(4_574_000 + 20 * west, 3_056_000 - 20 * south, 4_574_000 + 20 * east, 3_056_000 - 20 * north)


def test_polygons_are_burned_where_they_hold_the_centre(raster_store, tmp_path) -> None:
    source = polygon_file(raster_store, [cells(0, 2, 1.4, 0), cells(1.6, 1.6, 3, 0), cells(0, 2, 1, 1.7)], [5, 9, 7])
    result = on_grid(source, tmp_path)
    assert raster_store.read(result.codes, tmp_path).tolist() == [[5, 0, 9], [5, 0, 9]]
    assert result.counts == {5: 2, 9: 2}


def test_polygons_in_another_crs_and_nodata_codes(raster_store, tmp_path) -> None:
    frame = geopandas.GeoSeries([cells(-1, 1, 4, -1), cells(-1, 3, 4, 1)], crs=3035).to_crs(4326)
    source = polygon_file(raster_store, list(frame), [255, 8], epsg=4326)
    assert raster_store.read(on_grid(source, tmp_path).codes, tmp_path).tolist() == [[0, 0, 0], [8, 8, 8]]


BOW_TIE = Polygon([(4_574_000, 3_056_000), (4_574_060, 3_055_960), (4_574_060, 3_056_000), (4_574_000, 3_055_960)])


@pytest.mark.parametrize(
    ("geometry", "code", "options", "said"),
    [
        (cells(0, 2, 3, 0), 5, {"field": "class"}, r"no attribute 'code'.*class"),
        (cells(0, 2, 3, 0), 5, {"epsg": None}, "no coordinate reference system"),
        (BOW_TIE, 5, {}, "not valid"),
        (cells(0, 2, 3, 0), "forest", {}, "not a number"),
        (cells(0, 2, 3, 0), 3.5, {}, r"codes 3\.5;"),
        (cells(900, 902, 903, 900), 5, {}, "elsewhere"),
    ],
)
def test_polygons_that_cannot_be_used(geometry, code, options, said, raster_store, tmp_path) -> None:
    source = polygon_file(raster_store, [geometry], [code], **options)
    with pytest.raises(StepError, match=said) as caught:
        on_grid(source, tmp_path)
    assert caught.value.code == "bad_labels"


def test_reference_agrees_with_itself_on_an_aligned_grid() -> None:
    rows, _ = exact_source_positions(GRID, rasterio.crs.CRS.from_epsg(3035), TEN_METRES)
    assert rows[:, 0].tolist() == [1, 3]
