"""A user's raster on the grid: by hand, in another zone, and what is refused."""

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import fit_image
from containers.gdal.contract.fit_image import FitImageParams
from containers.gdal.fit_image import run
from tests.reference import exact_source_positions

GRID = Grid(epsg=32633, resolution_m=10, west_m=300_000, north_m=5_400_000, width=3, height=2)
VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
ONE_MORE_WEST = Affine(10, 0, 299_990, 0, -10, 5_400_010)


def described(
    raster_store, values=VALUES, *, epsg=32633, names=("red", "swir22"), nodata=-32768, transform=ONE_MORE_WEST
) -> File:
    path = raster_store.folder("user") / "truth.tif"
    count, height, width = values.shape
    profile = {"driver": "GTiff", "width": width, "height": height, "count": count, "dtype": values.dtype}
    with rasterio.open(path, "w", **profile, crs=epsg, nodata=nodata, transform=transform) as dataset:
        dataset.write(values)
        for index, name in enumerate(names, start=1):
            dataset.set_band_description(index, name)
    return raster_store.file(path)


def test_bands_by_name_by_hand(raster_store, tmp_path) -> None:
    result = run(FitImageParams(image=described(raster_store), bands=("swir22", "red"), grid=GRID), tmp_path)
    assert raster_store.read(result.bands["swir22"], tmp_path).tolist() == [[17, 18, 19], [21, 22, 23]]
    assert raster_store.read(result.bands["red"], tmp_path).tolist() == [[5, 6, 7], [9, 10, 11]]
    with rasterio.open(tmp_path / "red.tif") as dataset:
        assert (dataset.dtypes[0], dataset.nodata, dataset.descriptions) == ("int16", -32768, ("red",))


def test_what_it_does_not_reach_is_nodata(raster_store, tmp_path) -> None:
    image = described(raster_store, transform=Affine(10, 0, 300_020, 0, -10, 5_399_990))
    result = run(FitImageParams(image=image, bands=("red",), grid=GRID), tmp_path)
    assert raster_store.read(result.bands["red"], tmp_path).tolist() == [[-32768] * 3, [-32768, -32768, 0]]


@pytest.mark.parametrize("block_px", [16, 1024])
def test_another_zone_in_any_blocks(block_px, raster_store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(fit_image, "_BLOCK_PX", block_px)
    transform = Affine(10, 0, 741_000, 0, -10, 5_401_900)
    codes = np.random.default_rng(0).integers(1, 9, (1, 150, 150)).astype(np.uint8)
    image = described(raster_store, codes, epsg=32632, names=(), nodata=0, transform=transform)
    grid = GRID.model_copy(update={"width": 40, "height": 50})
    result = run(FitImageParams(image=image, bands=("burned",), grid=grid), tmp_path)
    found = raster_store.read(result.bands["burned"], tmp_path)
    rows, cols = exact_source_positions(grid, CRS.from_epsg(32632), transform)
    away = (np.abs(rows - np.rint(rows)) > 0.13) & (np.abs(cols - np.rint(cols)) > 0.13)
    expected = codes[0][np.floor(rows).astype(int), np.floor(cols).astype(int)]
    assert away.mean() > 0.4
    assert (found == expected)[away].all()


def test_refusals(raster_store, tmp_path) -> None:
    def refused(code: str, says: str, **options) -> None:
        with pytest.raises(StepError, match=says) as caught:
            run(FitImageParams(image=described(raster_store, **options), bands=("red", "nir08"), grid=GRID), tmp_path)
        assert caught.value.code == code

    refused("missing_file", "nir08; it has red, swir22")
    refused("missing_file", "no descriptions", names=())
    refused("bad_grid", "no nodata", nodata=None)
    refused("bad_aoi", "no data in the grid", names=("red", "nir08"), transform=Affine(10, 0, 0, 0, -10, 10))
