from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.step import StepError
from containers.tensorflow.cube_reader import Cube


def test_describes_itself(cube_store: Any) -> None:
    cube_store.write_cube("cube.h5", labels=cube_store.true_codes())
    with Cube(cube_store.root / "cube.h5") as cube:
        assert (cube.bands, cube.periods, cube.labelled) == (("red", "swir16", "swir22"), ("2017", "2018"), ("2017",))
        assert cube.simulated
        assert (cube.grid.epsg, cube.grid.resolution_m, cube.grid.shape) == (3035, 20, (256, 256))
        assert tuple(cube.grid.bounds) == (4_000_000, 2_994_880, 4_005_120, 3_000_000)
        np.testing.assert_array_equal(
            cube.labels("2017", slice(8, 40), slice(100, 200)), cube_store.true_codes()[8:40, 100:200]
        )


def test_bands_in_the_order_asked_for_and_nodata_in_all(cube_store: Any) -> None:
    cube_store.write_cube("cube.h5")
    with h5py.File(cube_store.root / "cube.h5") as file:
        stored = file["reflectance/2018"][:]
    rows, cols = slice(190, 210), slice(5, 50)
    with Cube(cube_store.root / "cube.h5") as cube:
        values = cube.reflectance("2018", ("swir22", "red"), rows, cols)
    assert values.dtype == np.int16
    empty = np.zeros(values.shape[1:], bool)
    empty[10:13] = True
    assert (values[:, empty] == REFLECTANCE_NODATA).all(), "the store's cubes lack red alone there"
    np.testing.assert_array_equal(values[:, ~empty], stored[[2, 0], rows, cols][:, ~empty])


def test_names_may_be_bytes(cube_store: Any) -> None:
    cube_store.write_cube("cube.h5")
    with h5py.File(cube_store.root / "cube.h5", "r+") as file:
        file.attrs["bands"] = np.array([b"red", b"swir16", b"swir22"])
    with Cube(cube_store.root / "cube.h5") as cube:
        assert cube.bands == ("red", "swir16", "swir22")


def test_contradicting_resolution_is_refused(cube_store: Any) -> None:
    cube_store.write_cube("cube.h5")
    with h5py.File(cube_store.root / "cube.h5", "r+") as file:
        file.attrs["resolution_m"] = 10.0
    with pytest.raises(StepError) as caught:
        Cube(cube_store.root / "cube.h5")
    assert caught.value.code == "corrupt_file"


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError) as caught:
        Cube(tmp_path / "cube.h5")
    assert caught.value.code == "corrupt_file"
