"""The cube: everything that went in comes out with stock readers."""

import hashlib
import json

import h5py
import numpy as np
import pytest
import rasterio

from containers.base.contract.step import StepError
from containers.gdal import cube
from containers.gdal.contract.mosaic import PeriodLayers

NODATA = -32768


def test_every_value_comes_out_with_stock_h5py(small_cube) -> None:
    result, path = small_cube.write()
    bands = small_cube.bands
    with h5py.File(path) as file:
        for period in ("2018", "2019"):
            stack = file[f"reflectance/{period}"]
            assert (stack[:] == np.stack([small_cube.values(period, band) for band in bands])).all()
            assert (stack.dtype, stack.chunks, stack.fillvalue) == (np.int16, (1, 32, 32), NODATA)
            assert (stack.compression, stack.compression_opts, stack.shuffle) == ("gzip", 4, True)
            assert list(stack.attrs["bands"]) == list(bands)
            assert (stack.attrs["scale_factor"], stack.attrs["_FillValue"], stack.attrs["units"]) == (1e-4, NODATA, "1")
            seen = small_cube.seen(period)
            assert (file[f"observations/{period}"][:] == 3 * seen).all()
            assert (file[f"source_date/{period}"][:] == (17_000 + int(period)) * seen).all()
        assert (file["labels/2018"][:] == small_cube.codes).all()
        assert "labels/2019" not in file
    assert (result.periods, result.bands, result.grid) == (("2018", "2019"), bands, small_cube.grid)


def test_the_file_describes_itself(small_cube) -> None:
    _, path = small_cube.write(simulated=True)
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
        assert attributes["epsg"] == 3035
        assert rasterio.crs.CRS.from_wkt(attributes["crs_wkt"]).to_epsg() == 3035
        assert attributes["transform"].tolist() == [4_000_000, 20, 0, 3_000_000, 0, -20]
        assert attributes["resolution_m"] == 20
        assert (list(attributes["periods"]), list(attributes["bands"])) == (["2018", "2019"], list(small_cube.bands))
        assert (attributes["simulated"], attributes["clearground_cube"]) == (1, 1)
        inputs = json.loads(attributes["provenance"])["inputs"]
        layers = small_cube.periods[1].layers
        assert inputs["reflectance/2019"] == [layers[band].content_id for band in small_cube.bands]
        assert file["x"][[0, -1]].tolist() == [4_000_010, 4_001_790]
        assert file["y"][[0, -1]].tolist() == [2_999_990, 2_998_610]


def test_the_checksum_is_that_of_the_padded_chunks_in_order(small_cube) -> None:
    _, path = small_cube.write()
    with h5py.File(path) as file:
        stack = file["reflectance/2018"]
        padded = np.full((2, 96, 96), NODATA, np.int16)
        padded[:, :70, :90] = stack[:]
        digest = hashlib.sha256()
        for band in padded:
            for row in range(0, 96, 32):
                for col in range(0, 96, 32):
                    digest.update(band[row : row + 32, col : col + 32].tobytes())
        assert stack.attrs["sha256"] == digest.hexdigest()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_gdal_reads_it(small_cube) -> None:
    _, path = small_cube.write()
    with rasterio.open(f'HDF5:"{path}"://reflectance/2018') as dataset:
        assert (dataset.read(2) == small_cube.values("2018", "red")).all()


def test_equal_bytes_whatever_the_threads_and_strips(small_cube, monkeypatch) -> None:
    first, _ = small_cube.write(execution={"threads": 1})
    monkeypatch.setattr(cube, "_STRIP_CHUNKS", 1)
    second, _ = small_cube.write(execution={"threads": 3})
    assert first.cube.content_id == second.cube.content_id


def test_a_period_without_a_band(small_cube) -> None:
    with pytest.raises(StepError, match=r"2018 lacks the layers \['nir'\]") as caught:
        small_cube.write(bands=("nir", "red"))
    assert caught.value.code == "unknown_band"


def test_a_layer_on_another_grid(small_cube) -> None:
    grid = small_cube.grid.model_copy(update={"height": 69})
    file = small_cube.store.cog(np.zeros(grid.shape, np.int16), grid, nodata=NODATA)
    bad = PeriodLayers(period="2020", layers=small_cube.periods[0].layers | {"red": file})
    with pytest.raises(StepError, match=r"height=69.*height=70") as caught:
        small_cube.write(periods=(*small_cube.periods, bad))
    assert caught.value.code == "grid_mismatch"


def test_a_layer_of_another_type(small_cube) -> None:
    file = small_cube.store.cog(np.zeros(small_cube.grid.shape, np.uint16), small_cube.grid, nodata=0)
    bad = PeriodLayers(period="2020", layers=small_cube.periods[0].layers | {"red": file})
    with pytest.raises(StepError, match=r"uint16 with nodata 0.*int16 with nodata -32768") as caught:
        small_cube.write(periods=(*small_cube.periods, bad))
    assert caught.value.code == "grid_mismatch"


def test_a_failed_cube_leaves_nothing(small_cube) -> None:
    damaged = small_cube.store.root / small_cube.periods[1].layers["red"].store_path
    damaged.write_bytes(damaged.read_bytes()[:-3000])
    with pytest.raises(StepError) as caught:
        small_cube.write()
    assert caught.value.code == "corrupt_file"
    assert not list(small_cube.store.root.glob("gdal.cube/*/*/*"))
