"""The file of site spectra as other programs see it, and what is refused."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from containers.base.contract.step import StepError
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.site_file import SITE_COLUMNS, SLICE_COLUMNS, open_site_file
from tests.containers.gdal.small_sites import made_dataset


@pytest.fixture
def values():
    array = np.random.default_rng(3).uniform(-0.05, 1, (5, 3, 10)).astype(np.float32)
    array[1, 2] = np.nan
    return array


@pytest.fixture
def path(raster_store, values) -> Path:
    sites = {"class_code": ["NA", "", "Éboulis"]}
    return raster_store.root / made_dataset(raster_store, values, sites=sites).store_path


def test_what_is_written_is_read(path, values) -> None:
    with open_site_file(path) as file:
        whole, one, part = file.read(), file.read(3), file.read(slice(1, 3), slice(0, 2))
        header = file.header
    assert np.array_equal(whole.reflectance, values, equal_nan=True)
    assert np.array_equal(one.reflectance, values[3])
    assert np.array_equal(part.reflectance, values[1:3, :2])
    assert (whole.layers.shape, one.layers.shape, part.layers.shape) == ((3, 5, 3), (3, 3), (3, 2, 2))
    assert list(header.sites) == list(SITE_COLUMNS)
    assert list(header.slices) == list(SLICE_COLUMNS)
    assert header.sites["class_code"].tolist() == ["NA", "", "Éboulis"]
    assert header.slices["mask_share"].tolist() == pytest.approx([0, 1 / 3, 0, 0, 0])
    assert whole.usable.sum() == whole.shown.sum() == 14


def test_xarray_opens_it_with_dates_bands_and_sites(path, values) -> None:
    xarray = pytest.importorskip("xarray", reason="the image has no xarray")
    pytest.importorskip("h5netcdf", reason="xarray needs it for NetCDF-4")
    with xarray.open_dataset(path, engine="h5netcdf") as dataset:
        assert dict(dataset.sizes) == {"time": 5, "site": 3, "band": 10}
        assert set(dataset.coords) == {"time", "band", "site_id", "lon", "lat"}
        assert str(dataset.time.values[1]).startswith("2020-05-11T10:30:00")
        nir = dataset.reflectance.sel(band="nir").values
        assert np.array_equal(nir, values[:, :, TEN_BANDS.index("nir")], equal_nan=True)
        assert dataset.class_code.values.tolist() == ["NA", "", "Éboulis"]
        assert dataset.cloud.dtype == np.int8
        assert dataset.cloud.attrs["flag_meanings"] == "not_known no yes"
        assert "site" not in dataset.variables


def test_every_variable_says_what_it_is(path) -> None:
    """CF asks for a name of every variable and for units of every quantity."""
    with h5py.File(path) as file:
        assert file.attrs["Conventions"] == "CF-1.11"
        for name in set(file) - {"site"}:
            assert {"long_name", "standard_name"} & set(file[name].attrs), name
        for name in ("reflectance", "time", "x_m", "lon", "mask_share"):
            assert file[name].attrs["units"]
        assert np.isnan(file["reflectance"].attrs["_FillValue"])


def test_the_same_content_gives_the_same_bytes(raster_store, values) -> None:
    one, two = (raster_store.root / made_dataset(raster_store, values).store_path for _ in range(2))
    assert one.read_bytes() == two.read_bytes()


def damaged(path: Path) -> StepError:
    with pytest.raises(StepError) as caught, open_site_file(path) as file:
        file.read()
    assert caught.value.code == "bad_dataset"
    return caught.value


def test_another_version_of_the_layout_is_refused(path) -> None:
    with h5py.File(path, "a") as file:
        file.attrs["clearground_sites"] = 2
    assert "clearground_sites is 2, not 1" in damaged(path).reason


@pytest.mark.parametrize("name", ["class_code", "mask_share", "snow"])
def test_a_missing_variable_is_named(name, path) -> None:
    with h5py.File(path, "a") as file:
        del file[name]
    assert name in damaged(path).reason


def test_names_and_times_that_do_not_ascend_are_refused(path) -> None:
    with h5py.File(path, "a") as file:
        file["site_id"][1] = "s0"
    assert "site_id does not ascend" in damaged(path).reason
    with h5py.File(path, "a") as file:
        file["site_id"][1] = "s1"
        file["time"][0] = 2_000_000_000
    assert "time does not ascend" in damaged(path).reason


def test_a_damaged_chunk_is_an_error_and_no_value(path) -> None:
    with h5py.File(path) as file:
        chunk = file["reflectance"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\x55" * chunk.size
    path.write_bytes(content)
    assert "cannot be read" in damaged(path).reason
