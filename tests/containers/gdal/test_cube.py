"""The cube: everything that went in comes out with stock readers, and every damage is found."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import rasterio

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import check_cube, cube
from containers.gdal.contract.cube import CheckCubeParams, CheckCubeResult, CubeParams, CubeResult
from containers.gdal.contract.mosaic import PeriodLayers

NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=90, height=70)
BANDS = ("swir16", "red")


def values(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    array = rng.integers(-300, 9000, GRID.shape).astype(np.int16)
    array[rng.random(GRID.shape) < 0.1] = NODATA
    return array


@pytest.fixture
def periods(raster_store) -> tuple[PeriodLayers, ...]:
    def layers(year: int) -> dict[str, File]:
        red, swir16 = values(year), values(-year % 1000)
        seen = (red != NODATA).astype(np.uint8) * 3
        date = np.where(seen, 17_000 + year, 0).astype(np.int32)
        return {
            "red": raster_store.cog(red, GRID, nodata=NODATA, name="red"),
            "swir16": raster_store.cog(swir16, GRID, nodata=NODATA, name="swir16"),
            "observations": raster_store.cog(seen, GRID, nodata=None, name="observations"),
            "source_date": raster_store.cog(date, GRID, nodata=0, name="source_date"),
        }

    return tuple(PeriodLayers(period=str(year), layers=layers(year)) for year in (2018, 2019))


@pytest.fixture
def label_file(raster_store) -> File:
    codes = np.random.default_rng(5).integers(0, 4, GRID.shape).astype(np.uint8)
    return raster_store.cog(codes, GRID, nodata=0, name="labels")


@pytest.fixture
def make_cube(raster_store, periods, label_file):
    def make(**options: Any) -> tuple[CubeResult, Path]:
        out = raster_store.folder("gdal.cube")
        facts: dict[str, Any] = {"periods": periods, "bands": BANDS, "labels": {"2018": label_file}, "chunk_px": 32}
        return cube.run(CubeParams(grid=GRID, **(facts | options)), out), out

    return make


def check(store: Any, cube_path: Path, out: Path, **options: Any) -> CheckCubeResult:
    return check_cube.run(CheckCubeParams(cube=store.file(cube_path), **options), out)


def test_every_value_comes_out_with_stock_h5py(make_cube, label_file, raster_store) -> None:
    result, out = make_cube()
    with h5py.File(out / "cube.h5") as file:
        for year in (2018, 2019):
            stack = file[f"reflectance/{year}"]
            assert (stack[:] == np.stack([values(-year % 1000), values(year)])).all()
            assert (stack.dtype, stack.chunks, stack.fillvalue) == (np.int16, (1, 32, 32), NODATA)
            assert (stack.compression, stack.compression_opts, stack.shuffle) == ("gzip", 4, True)
            assert list(stack.attrs["bands"]) == list(BANDS)
            assert (stack.attrs["scale_factor"], stack.attrs["_FillValue"], stack.attrs["units"]) == (1e-4, NODATA, "1")
            seen = values(year) != NODATA
            assert (file[f"observations/{year}"][:] == 3 * seen).all()
            assert (file[f"source_date/{year}"][:] == (17_000 + year) * seen).all()
        with rasterio.open(raster_store.root / label_file.store_path) as labels:
            assert (file["labels/2018"][:] == labels.read(1)).all()
        assert "labels/2019" not in file
    assert (result.periods, result.bands, result.grid) == (("2018", "2019"), BANDS, GRID)


def test_the_file_describes_itself(make_cube, periods) -> None:
    _, out = make_cube(simulated=True)
    with h5py.File(out / "cube.h5") as file:
        attributes = dict(file.attrs)
        assert attributes["epsg"] == 3035
        assert rasterio.crs.CRS.from_wkt(attributes["crs_wkt"]).to_epsg() == 3035
        assert attributes["transform"].tolist() == [4_000_000, 20, 0, 3_000_000, 0, -20]
        assert attributes["resolution_m"] == 20
        assert (list(attributes["periods"]), list(attributes["bands"])) == (["2018", "2019"], list(BANDS))
        assert (attributes["simulated"], attributes["clearground_cube"]) == (1, 1)
        inputs = json.loads(attributes["provenance"])["inputs"]
        assert inputs["reflectance/2019"] == [periods[1].layers[band].content_id for band in BANDS]
        assert file["x"][[0, -1]].tolist() == [4_000_010, 4_001_790]
        assert file["y"][[0, -1]].tolist() == [2_999_990, 2_998_610]


def test_the_checksum_is_that_of_the_padded_chunks_in_order(make_cube) -> None:
    _, out = make_cube()
    with h5py.File(out / "cube.h5") as file:
        stack = file["reflectance/2018"]
        padded = np.full((2, 96, 96), NODATA, np.int16)
        padded[:, :70, :90] = stack[:]
        digest = hashlib.sha256()
        for band in padded:
            for row in range(0, 96, 32):
                for col in range(0, 96, 32):
                    digest.update(band[row : row + 32, col : col + 32].tobytes())
        assert stack.attrs["sha256"] == digest.hexdigest()


def test_gdal_reads_it(make_cube) -> None:
    _, out = make_cube()
    with rasterio.open(f'HDF5:"{out / "cube.h5"}"://reflectance/2018') as dataset:
        assert (dataset.read() == np.stack([values(-2018 % 1000), values(2018)])).all()


def test_equal_bytes_whatever_the_threads_and_strips(make_cube, monkeypatch) -> None:
    first, _ = make_cube(execution={"threads": 1})
    monkeypatch.setattr(cube, "_STRIP_CHUNKS", 1)
    second, _ = make_cube(execution={"threads": 3})
    assert first.cube.content_id == second.cube.content_id


def test_a_period_without_a_band(make_cube, periods) -> None:
    with pytest.raises(StepError, match=r"2018 lacks the layers \['nir'\]") as caught:
        make_cube(bands=("nir", "red"))
    assert caught.value.code == "unknown_band"


@pytest.mark.parametrize(
    ("array", "grid", "said"),
    [
        (np.zeros((69, 90), np.int16), GRID.model_copy(update={"height": 69}), "height=69"),
        (np.zeros(GRID.shape, np.uint16), GRID, "uint16 with nodata"),
    ],
)
def test_a_layer_that_does_not_fit(array, grid, said, make_cube, periods, raster_store) -> None:
    file = raster_store.cog(array, grid, nodata=NODATA if array.dtype == np.int16 else 0)
    bad = PeriodLayers(period="2020", layers=periods[0].layers | {"red": file})
    with pytest.raises(StepError, match=said) as caught:
        make_cube(periods=(*periods, bad))
    assert caught.value.code == "grid_mismatch"


def test_a_failed_cube_leaves_nothing(make_cube, periods, raster_store) -> None:
    path = raster_store.root / periods[1].layers["red"].store_path
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(StepError) as caught:
        make_cube()
    assert caught.value.code == "corrupt_file"
    assert not list(raster_store.root.glob("gdal.cube/*/*/*"))


def test_a_good_cube_passes_and_its_shares_are_reported(make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    result = check(raster_store, out / "cube.h5", tmp_path)
    assert result.nodata_share == {
        f"{year}/{band}": pytest.approx((values(seed) == NODATA).mean())
        for year in (2018, 2019)
        for band, seed in (("swir16", -year % 1000), ("red", year))
    }
    with (tmp_path / result.report.href).open() as stream:
        rows = {(row["dataset"], row["band"]): row for row in csv.DictReader(stream)}
    assert len(rows) == 4 + 2 + 2 + 1
    red = rows["/reflectance/2018", "red"]
    valid = values(2018)[values(2018) != NODATA]
    assert (red["shape"], red["dtype"]) == ("2x70x90", "int16")
    assert (int(red["minimum"]), int(red["maximum"])) == (valid.min(), valid.max())


@pytest.mark.parametrize("dataset", ["reflectance/2019", "observations/2018", "labels/2018"])
def test_a_flipped_byte_is_found_and_its_chunk_is_named(dataset, make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    path = out / "cube.h5"
    with h5py.File(path) as file:
        info = file[dataset].id.get_chunk_info(4)
    damaged = bytearray(path.read_bytes())
    damaged[info.byte_offset + info.size // 2] ^= 0x01
    path.write_bytes(damaged)
    with pytest.raises(StepError) as caught:
        check(raster_store, path, tmp_path)
    assert caught.value.code == "corrupt_file"
    assert f"chunk {info.chunk_offset} of /{dataset}" in caught.value.reason


def test_a_chunk_that_was_never_written_is_found(make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    with h5py.File(out / "cube.h5", "a") as file:
        old = file["observations/2019"]
        del file["observations/2019"]
        new = file.create_dataset("observations/2019", old.shape, old.dtype, chunks=old.chunks, compression="gzip")
        new.attrs["sha256"] = "0"
    with pytest.raises(StepError, match=r"chunk \(0, 0\) of /observations/2019 was never written") as caught:
        check(raster_store, out / "cube.h5", tmp_path)
    assert caught.value.code == "corrupt_file"


def test_a_chunk_replaced_by_a_valid_other_one_is_found(make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    with h5py.File(out / "cube.h5", "a") as file:
        file["labels/2018"][0, 0] = 3 - file["labels/2018"][0, 0]
    with pytest.raises(StepError, match=r"/labels/2018 has the checksum") as caught:
        check(raster_store, out / "cube.h5", tmp_path)
    assert caught.value.code == "corrupt_file"


def test_values_out_of_range(make_cube, raster_store, tmp_path) -> None:
    codes = np.full(GRID.shape, 62, np.uint8)
    _, out = make_cube(labels={"2018": raster_store.cog(codes, GRID, nodata=0)})
    with pytest.raises(StepError, match=r"/labels/2018 holds 62 to 62; 1 to 3") as caught:
        check(raster_store, out / "cube.h5", tmp_path)
    assert caught.value.code == "corrupt_file"


def test_too_much_nodata(make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    with pytest.raises(StepError, match=r"2018/swir16 \(\d+\.\d%\)") as caught:
        check(raster_store, out / "cube.h5", tmp_path, max_nodata_share=0.01)
    assert caught.value.code == "no_valid_pixels"


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_truncated_cube(size, make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    path = out / "cube.h5"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StepError, match="cannot be read") as caught:
        check(raster_store, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_another_hdf5_file(raster_store, tmp_path) -> None:
    path = raster_store.folder() / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(StepError, match="layout is None") as caught:
        check(raster_store, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_a_missing_period(make_cube, raster_store, tmp_path) -> None:
    _, out = make_cube()
    with h5py.File(out / "cube.h5", "a") as file:
        del file["reflectance/2019"]
    with pytest.raises(StepError, match="reflectance/2019 is missing"):
        check(raster_store, out / "cube.h5", tmp_path)
