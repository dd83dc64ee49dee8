"""Every damage to a cube is found, and named."""

import csv
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from containers.base.contract.step import StepError
from containers.gdal.check_cube import run
from containers.gdal.contract.cube import CheckCubeParams, CheckCubeResult

NODATA = -32768


def check(small_cube: Any, path: Path, out: Path, **options: Any) -> CheckCubeResult:
    return run(CheckCubeParams(cube=small_cube.store.file(path), **options), out)


def test_a_good_cube_passes_and_its_shares_are_reported(small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    result = check(small_cube, path, tmp_path)
    assert result.nodata_share == {
        f"{period}/{band}": pytest.approx((small_cube.values(period, band) == NODATA).mean())
        for period in ("2018", "2019")
        for band in small_cube.bands
    }
    with (tmp_path / result.report.href).open() as stream:
        rows = {(row["dataset"], row["band"]): row for row in csv.DictReader(stream)}
    assert len(rows) == 4 + 2 + 2 + 1
    red = rows["/reflectance/2018", "red"]
    valid = small_cube.values("2018", "red")[small_cube.seen("2018")]
    assert (red["shape"], red["dtype"]) == ("2x70x90", "int16")
    assert (int(red["minimum"]), int(red["maximum"])) == (valid.min(), valid.max())


@pytest.mark.parametrize("dataset", ["reflectance/2019", "observations/2018", "labels/2018"])
def test_a_flipped_byte_is_found_and_its_chunk_is_named(dataset, small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    with h5py.File(path) as file:
        info = file[dataset].id.get_chunk_info(4)
    damaged = bytearray(path.read_bytes())
    damaged[info.byte_offset + info.size // 2] ^= 0x01
    path.write_bytes(damaged)
    with pytest.raises(StepError) as caught:
        check(small_cube, path, tmp_path)
    assert caught.value.code == "corrupt_file"
    assert f"chunk {info.chunk_offset} of /{dataset}" in caught.value.reason


def test_a_chunk_that_was_never_written_is_found(small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    with h5py.File(path, "a") as file:
        old = file["observations/2019"]
        del file["observations/2019"]
        new = file.create_dataset("observations/2019", old.shape, old.dtype, chunks=old.chunks, compression="gzip")
        new.attrs["sha256"] = "0"
    with pytest.raises(StepError, match=r"chunk \(0, 0\) of /observations/2019 was never written") as caught:
        check(small_cube, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_a_chunk_replaced_by_a_valid_other_one_is_found(small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    with h5py.File(path, "a") as file:
        file["labels/2018"][0, 0] = 3 - file["labels/2018"][0, 0]
    with pytest.raises(StepError, match=r"/labels/2018 has the checksum") as caught:
        check(small_cube, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_values_out_of_range(small_cube, tmp_path) -> None:
    codes = np.full(small_cube.grid.shape, 62, np.uint8)
    file = small_cube.store.cog(codes, small_cube.grid, nodata=0)
    _, path = small_cube.write(labels={"2018": file})
    with pytest.raises(StepError, match=r"/labels/2018 holds 62 to 62; 1 to 3") as caught:
        check(small_cube, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_too_much_nodata(small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    with pytest.raises(StepError, match=r"2018/swir16 \(\d+\.\d%\)") as caught:
        check(small_cube, path, tmp_path, max_nodata_share=0.01)
    assert caught.value.code == "no_valid_pixels"


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_truncated_cube(size, small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StepError, match="cannot be read") as caught:
        check(small_cube, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_another_hdf5_file(small_cube, tmp_path) -> None:
    path = small_cube.store.folder() / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(StepError, match="layout is None") as caught:
        check(small_cube, path, tmp_path)
    assert caught.value.code == "corrupt_file"


def test_a_missing_period(small_cube, tmp_path) -> None:
    _, path = small_cube.write()
    with h5py.File(path, "a") as file:
        del file["reflectance/2019"]
    with pytest.raises(StepError, match="reflectance/2019 is missing"):
        check(small_cube, path, tmp_path)
