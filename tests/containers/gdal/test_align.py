"""From digital numbers somewhere to reflectance on the grid."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.align import run
from containers.gdal.contract.align import AlignParams, AlignResult
from tests.reference import exact_source_positions, near_pixel_edge, nearest_warp

NODATA = -32768
UTM = Affine(20, 0, 400_000, 0, -20, 5_600_000)
UTM_GRID = Grid(epsg=32633, resolution_m=20, west_m=399_360, north_m=5_601_280, width=192, height=192)
EUROPE = Grid(epsg=3035, resolution_m=20, west_m=4_574_000, north_m=3_056_000, width=256, height=256)


def align(
    scenes: Any, out: Path, grid: Grid = UTM_GRID, bands: tuple[str, ...] = ("red",), **options: Any
) -> AlignResult:
    parts = scenes if isinstance(scenes, tuple) else (scenes,)
    return run(AlignParams(parts=parts, bands=bands, grid=grid, block_px=16, **options), out)


def numbers(seed: int = 0, shape: tuple[int, int] = (150, 140)) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return np.random.default_rng(seed).integers(900, 9000, shape).astype(np.uint16)


def test_same_grid_is_a_copy_with_offset_and_nodata_settled(raster_store, make_scene, tmp_path) -> None:
    dn = np.array([[0, 1], [1000, 3000]], dtype=np.uint16).repeat(32, 0).repeat(32, 1)
    file = raster_store.source(dn, epsg=32633, transform=UTM)
    result = align(make_scene({"red": file}, offsets_dn={"red": -1000.0}), tmp_path)
    red = raster_store.read(result.bands["red"], tmp_path)
    row, col = round((result.grid.north_m - 5_600_000) / 20), round((400_000 - result.grid.west_m) / 20)
    inside = red[row : row + 64, col : col + 64]
    assert (inside == np.array([[NODATA, -999], [0, 2000]]).repeat(32, 0).repeat(32, 1)).all()
    red[row : row + 64, col : col + 64] = NODATA
    assert (red == NODATA).all(), "outside the source there is no data"
    assert result.valid_share == pytest.approx(0.75)


@pytest.mark.parametrize("suffix", [".jp2", ".tif"])
def test_nearest_equals_the_exact_warp_except_at_pixel_edges(suffix, raster_store, make_scene, tmp_path) -> None:
    dn = numbers()
    file = raster_store.source(dn, epsg=32633, transform=UTM, name=f"B04{suffix}")
    result = align(make_scene({"red": file}), tmp_path, EUROPE)
    positions = exact_source_positions(result.grid, rasterio.crs.CRS.from_epsg(32633), UTM)
    expected = nearest_warp(dn.astype(np.int16), positions, NODATA)
    red = raster_store.read(result.bands["red"], tmp_path)
    differ = red != expected
    assert (expected != NODATA).sum() > 15_000
    assert not (differ & ~near_pixel_edge(positions)).any()
    assert differ.mean() < 0.001


def test_nearest_equals_gdalwarp(raster_store, make_scene, tmp_path) -> None:
    dn = numbers()
    file = raster_store.source(dn, epsg=32633, transform=UTM)
    result = align(make_scene({"red": file}), tmp_path, EUROPE)
    bounds = map(
        str, (result.grid.bounds.west, result.grid.bounds.south, result.grid.bounds.east, result.grid.bounds.north)
    )
    source, warped = raster_store.root / file.store_path, tmp_path / "gdalwarp.tif"
    options = ["-q", "-et", "0", "-srcnodata", "0", "-dstnodata", "0", "-t_srs", "EPSG:3035", "-tr", "20", "20"]
    subprocess.run(["gdalwarp", *options, "-te", *bounds, source, warped], check=True)
    with rasterio.open(warped) as dataset:
        expected = dataset.read(1).astype(int)
    red = raster_store.read(result.bands["red"], tmp_path)
    assert (np.where(expected == 0, NODATA, expected) != red).mean() < 0.001


@pytest.mark.parametrize("method", ["bilinear", "cubic"])
def test_smooth_resampling_keeps_a_plane_and_never_mixes_nodata(method, raster_store, make_scene, tmp_path) -> None:
    """A ramp of 10 DN per pixel stays the ramp at the interpolated position; zeros leave no dark fringe."""
    rows, cols = np.mgrid[:150, :140]
    dn = (1000 + 10 * rows + 20 * cols).astype(np.uint16)
    dn[60:80, 50:90] = 0
    file = raster_store.source(dn, epsg=32633, transform=UTM)
    result = align(make_scene({"red": file}), tmp_path, EUROPE, resampling=method)
    red = raster_store.read(result.bands["red"], tmp_path)
    at_row, at_col = exact_source_positions(result.grid, rasterio.crs.CRS.from_epsg(32633), UTM)
    hole = (at_row > 54) & (at_row < 86) & (at_col > 44) & (at_col < 96)
    interior = (at_row > 6) & (at_row < 144) & (at_col > 6) & (at_col < 134) & ~hole
    expected = 1000 + 10 * (at_row - 0.5) + 20 * (at_col - 0.5)
    assert interior.sum() > 10_000
    assert np.abs(red - expected)[interior].max() <= 5, "0.125 px of a gradient of 30 per pixel, and rounding"
    assert red[red != NODATA].min() >= 1000, "zeros were mixed into their neighbours"


def test_ten_metre_bands_and_scl_share_the_window(raster_store, make_scene, tmp_path) -> None:
    fine = raster_store.source(numbers(1, (200, 200)), epsg=32633, transform=Affine(10, 0, 400_000, 0, -10, 5_600_000))
    coarse = raster_store.source(numbers(2, (100, 100)), epsg=32633, transform=UTM, name="B11.jp2")
    classes = np.random.default_rng(3).integers(1, 12, (100, 100)).astype(np.uint8)
    scl = raster_store.source(classes, epsg=32633, transform=UTM, name="SCL.jp2")
    scene = make_scene({"red": fine, "swir16": coarse}, scl=scl)
    result = align(scene, tmp_path, bands=("red", "swir16"), resampling="cubic")
    with rasterio.open(tmp_path / "scl.tif") as dataset:
        assert (dataset.nodata, dataset.dtypes[0], dataset.shape) == (0, "uint8", result.grid.shape)
        row, col = round((result.grid.north_m - 5_600_000) / 20), round((400_000 - result.grid.west_m) / 20)
        assert (dataset.read(1)[row : row + 100, col : col + 100] == classes).all()
    with rasterio.open(tmp_path / "red.tif") as dataset:
        assert (dataset.nodata, dataset.dtypes[0], dataset.shape) == (NODATA, "int16", result.grid.shape)
        assert dataset.scales == (1e-4,)


def test_halves_of_a_datatake_join_and_the_first_wins(raster_store, make_scene, tmp_path) -> None:
    first, second = np.zeros((64, 64), np.uint16), np.zeros((64, 64), np.uint16)
    first[:40], second[32:] = 1500, 2700
    halves = tuple(
        make_scene({"red": raster_store.source(dn, epsg=32633, transform=UTM)}, id=name, offsets_dn={"red": offset})
        for dn, name, offset in ((first, "first", 0.0), (second, "second", -1000.0))
    )
    result = align(halves, tmp_path)
    red = raster_store.read(result.bands["red"], tmp_path)
    row, col = round((result.grid.north_m - 5_600_000) / 20), round((400_000 - result.grid.west_m) / 20)
    inside = red[row : row + 64, col : col + 64]
    assert (inside[:40] == 1500).all()
    assert (inside[40:] == 1700).all()
    assert result.valid_share == 1


def test_halves_on_different_grids_are_refused(raster_store, make_scene, tmp_path) -> None:
    elsewhere = Affine(20, 0, 400_010, 0, -20, 5_600_000)
    halves = tuple(
        make_scene({"red": raster_store.source(numbers(), epsg=32633, transform=transform)})
        for transform in (UTM, elsewhere)
    )
    with pytest.raises(StepError, match="400010") as caught:
        align(halves, tmp_path)
    assert caught.value.code == "grid_mismatch"


def test_truncated_jp2_is_named_and_nothing_is_written(raster_store, make_scene, tmp_path) -> None:
    file = raster_store.source(numbers(), epsg=32633, transform=UTM, name="T33UUP_B04.jp2")
    path = raster_store.root / file.store_path
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(StepError, match=r"T33UUP_B04\.jp2") as caught:
        align(make_scene({"red": file}), tmp_path)
    assert caught.value.code == "corrupt_file"
    assert not list(tmp_path.glob("*.tif"))


def test_no_crs(raster_store, make_scene, tmp_path) -> None:
    file = raster_store.source(numbers(), epsg=None, transform=UTM, name="B04.tif")
    with pytest.raises(StepError, match="no coordinate reference system") as caught:
        align(make_scene({"red": file}), tmp_path)
    assert caught.value.code == "corrupt_file"


@pytest.mark.parametrize(
    "transform",
    [Affine(20, 0, 400_000, 0, -20, 5_700_000), Affine(20, 0, 9e7, 0, -20, 5_700_000)],
    ids=["beside the grid", "off the earth"],
)
def test_no_overlap(transform, raster_store, make_scene, tmp_path) -> None:
    file = raster_store.source(numbers(), epsg=32633, transform=transform)
    with pytest.raises(StepError) as caught:
        align(make_scene({"red": file}), tmp_path, EUROPE)
    assert caught.value.code == "no_valid_pixels"


def test_all_nodata(raster_store, make_scene, tmp_path) -> None:
    file = raster_store.source(np.zeros((64, 64), np.uint16), epsg=32633, transform=UTM)
    with pytest.raises(StepError, match="nodata") as caught:
        align(make_scene({"red": file}), tmp_path)
    assert caught.value.code == "no_valid_pixels"


def test_missing_offset_is_never_taken_for_zero(raster_store, make_scene, tmp_path) -> None:
    file = raster_store.source(numbers(), epsg=32633, transform=UTM)
    with pytest.raises(StepError, match="no offset for red") as caught:
        align(make_scene({"red": file}, offsets_dn={}), tmp_path)
    assert caught.value.code == "bad_parameters"


@pytest.mark.parametrize(
    ("darkest", "offset_dn", "codes"), [(1020, 0.0, ["offset_suspected"]), (600, 0.0, []), (2100, -1000.0, [])]
)
def test_offset_that_nobody_removed_is_suspected(darkest, offset_dn, codes, raster_store, make_scene, tmp_path) -> None:
    dn = np.clip(numbers(), darkest, None)
    dn[0, :5] = 400
    scene = make_scene({"red": raster_store.source(dn, epsg=32633, transform=UTM)}, offsets_dn={"red": offset_dn})
    assert [warning.code for warning in align(scene, tmp_path).warnings] == codes


def test_as_a_process(raster_store, make_scene, tmp_path) -> None:
    file = raster_store.source(numbers(), epsg=32633, transform=UTM)
    params = AlignParams(parts=(make_scene({"red": file}),), bands=("red",), grid=UTM_GRID, block_px=16)
    (tmp_path / "params.json").write_text(params.model_dump_json())
    command = [sys.executable, "-m", "containers.gdal.align", tmp_path / "params.json", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    result = AlignResult.model_validate_json((tmp_path / "result.json").read_text())
    assert result.acquired == datetime(2020, 5, 17, 10, 10, 31, tzinfo=UTC)
    assert result.bands["red"].size == (tmp_path / "red.tif").stat().st_size
    assert json.loads(done.stdout.splitlines()[-1])["done"] == 1
