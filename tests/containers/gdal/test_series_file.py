"""The file of a series: what goes in comes out, with stock h5py too, and what is broken is refused."""

from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.series_file import Header, chunk_shape, chunk_windows, create_series, open_series

NODATA = -32768
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=150, height=70)


def header(n_dates: int) -> Header:
    return Header(GRID, "ndvi", np.arange(n_dates, dtype=np.int32) * 7 + 17_000)


def write(path, about: Header):
    rng = np.random.default_rng(2)
    shape = (len(about.days), *about.grid.shape)
    layers = {
        "values": rng.integers(-9999, 9999, shape).astype(np.int16),
        "quality": rng.choice(np.array([-1, 0, 20], np.int8), shape),
        "uncertainty": rng.integers(0, 999, shape).astype(np.int16),
        "land": rng.integers(0, 2, about.grid.shape).astype(np.uint8),
    }
    with create_series(path, about, tuple(layers)) as sink:
        for window in chunk_windows(about.grid, 64, 128):
            part = window.toslices()
            for layer, array in layers.items():
                sink.write(sink.packed(layer, window, array[(..., *part)]))
    return layers


@pytest.mark.parametrize("n_dates", [1, 64, 65, 146])
def test_what_goes_in_comes_out(tmp_path, n_dates) -> None:
    """Also where dates need several chunks, of which the last is not full."""
    layers = write(tmp_path / "series.h5", header(n_dates))
    with h5py.File(tmp_path / "series.h5") as file:
        for layer, array in layers.items():
            assert (file[layer][:] == array).all()
            assert (file[layer].dtype, file[layer].compression, file[layer].shuffle) == (array.dtype, "gzip", True)
        assert file["values"].fillvalue == NODATA
        assert [axis.label or axis[0].name for axis in file["values"].dims] == ["/days", "/y", "/x"]
        assert file["x"][[0, -1]].tolist() == [4_000_010, 4_002_990]
    window = Window(37, 11, 80, 55)
    with open_series(tmp_path / "series.h5") as series:
        assert (series.header.grid, series.header.index) == (GRID, "ndvi")
        assert series.header.days.tolist() == header(n_dates).days.tolist()
        for layer, array in layers.items():
            assert (series.read(layer, window) == array[..., 11:66, 37:117]).all()


def test_chunks_hold_equally_many_dates() -> None:
    assert [chunk_shape("values", header(count)) for count in (5, 64, 70)] == [(5, 64, 64), (64, 64, 64), (35, 64, 64)]


def test_windows_must_start_on_chunks(tmp_path) -> None:
    cells = np.zeros((3, 10, 10), np.int16)
    with create_series(tmp_path / "series.h5", header(3), ("values",)) as sink, pytest.raises(ValueError, match="64"):
        sink.packed("values", Window(32, 0, 10, 10), cells)


def spoil_days(file: h5py.File) -> None:
    file["days"][:] = file["days"][:][::-1]


def repeat_a_day(file: h5py.File) -> None:
    file["days"][1] = file["days"][0]


def drop_values(file: h5py.File) -> None:
    del file["values"]


def drop_index(file: h5py.File) -> None:
    del file.attrs["index"]


def rescale(file: h5py.File) -> None:
    file.attrs["scale"] = 1e-3


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_days, "2016-07-25 follows 2016-08-01"),
        (repeat_a_day, "2016-07-18 follows 2016-07-18"),
        (drop_values, "values"),
        (drop_index, "index"),
        (rescale, "0.001"),
    ],
)
def test_broken_files_are_refused(tmp_path, spoil, reason) -> None:
    path = tmp_path / "series.h5"
    write(path, header(3))
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(StepError, match=reason) as caught, open_series(path):
        pass
    assert caught.value.code == "corrupt_file"


def test_no_hdf5_and_a_damaged_chunk_are_refused(tmp_path) -> None:
    path = tmp_path / "series.h5"
    path.write_bytes(b"II*\0" * 100)
    with pytest.raises(StepError, match=r"series\.h5") as caught, open_series(path):
        pass
    assert caught.value.code == "corrupt_file"
    write(path, header(3))
    with h5py.File(path) as file:
        place = file["values"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 50 : place + 500] = bytes(450)
    path.write_bytes(content)
    with open_series(path) as series, pytest.raises(StepError) as caught:
        series.read("values", Window(0, 0, 64, 64))
    assert caught.value.code == "corrupt_file"


def test_threads_read_one_file_while_another_is_written(tmp_path) -> None:
    """HDF5 loses its caches where two threads are in the library at once."""
    layers = write(tmp_path / "series.h5", header(65))
    windows = list(chunk_windows(GRID, 64, 64)) * 20
    with (
        open_series(tmp_path / "series.h5") as source,
        create_series(tmp_path / "copy.h5", header(65), ("values",)) as sink,
        ThreadPoolExecutor(4) as pool,
    ):
        for chunks in pool.map(lambda window: sink.packed("values", window, source.read("values", window)), windows):
            sink.write(chunks)
    with h5py.File(tmp_path / "copy.h5") as file:
        assert (file["values"][:] == layers["values"]).all()
