"""A real Sentinel-2 band from a bucket to the grid, against gdalwarp."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from containers.base import storage
from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.scene import Scene
from containers.base.grid import bounds_in
from containers.gdal.align import run
from containers.gdal.contract.align import AlignParams, AlignResult
from tests.reference import exact_source_positions, near_pixel_edge

pytestmark = pytest.mark.real
PRODUCT = "S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911"
NODATA = -32768


@pytest.fixture
def real_band(sample_data: Path) -> Path:
    found = sorted((sample_data / "eodag").rglob("T31TDH_20180101T105441_B01.jp2"))
    if not found:
        pytest.skip("the eodag samples lack the B01 band")
    return found[0]


@pytest.fixture
def band_in_bucket(real_band: Path, s3_server: Any) -> File:
    key = f"Sentinel-2/MSI/L1C/2018/01/01/{PRODUCT}.SAFE/GRANULE/{real_band.name}"
    storage.client().put_object(Bucket=s3_server.bucket, Key=key, Body=real_band.read_bytes())
    return storage.stat(f"s3://{s3_server.bucket}/{key}")


def scene_of(band: File) -> Scene:
    when = datetime(2018, 1, 1, 10, 54, 41, tzinfo=UTC)
    return Scene(
        id=PRODUCT,
        platform="S2A",
        level="L1C",
        tile="31TDH",
        datetime=when,
        datatake=when,
        orbit=51,
        baseline="02.06",
        processed=when,
        footprint="POLYGON EMPTY",
        bands={"coastal": band},
        offsets_dn={"coastal": 0.0},
    )


def gdalwarp(source: Path, result: AlignResult, out: Path) -> np.ndarray:
    cell = str(result.grid.resolution_m)
    options = ["-q", "-et", "0", "-srcnodata", "0", "-dstnodata", "0", "-t_srs", "EPSG:3035", "-tr", cell, cell]
    subprocess.run(["gdalwarp", *options, "-te", *map(str, result.grid.bounds), source, out], check=True)
    with rasterio.open(out) as dataset:
        warped = dataset.read(1).astype(np.int32)
    return np.where(warped == 0, NODATA, warped)


@pytest.mark.parametrize("resolution_m", [60, 20])
def test_real_band_equals_gdalwarp_except_at_pixel_edges(
    resolution_m, real_band, band_in_bucket, tmp_path, record_property
) -> None:
    with rasterio.open(real_band) as dataset:
        bounds = bounds_in(dataset, 3035)
        crs, transform = dataset.crs, dataset.transform
    if resolution_m == 20:
        middle = (bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2
        bounds = Bounds(middle[0] - 9_000, middle[1] - 9_000, middle[0] + 9_000, middle[1] + 9_000)
    grid = Grid.covering(bounds, epsg=3035, resolution_m=resolution_m, block_px=256)
    result = run(AlignParams(parts=(scene_of(band_in_bucket),), bands=("coastal",), grid=grid), tmp_path)
    with rasterio.open(tmp_path / result.bands["coastal"].href) as dataset:
        aligned = dataset.read(1).astype(np.int32)
    expected = gdalwarp(real_band, result, tmp_path / "gdalwarp.tif")
    positions = exact_source_positions(result.grid, crs, transform)
    differ = aligned != expected
    share = float(differ.sum() / (expected != NODATA).sum())
    record_property("share_of_different_cells", share)
    print(f"{resolution_m} m: {share:.2e} of the valid cells differ from gdalwarp -et 0")
    assert (expected != NODATA).mean() > 0.3
    assert not (differ & ~near_pixel_edge(positions)).any()
    assert share < 1e-3
