"""COGs appear whole or not at all, and a failed read is never taken for data."""

import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import (
    create_cog,
    create_sparse,
    grown,
    open_raster,
    raise_if_full,
    read_band,
    row_windows,
    tile_windows,
    write_cog,
)

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=700, height=600)
NODATA = -32768


def ramp() -> np.ndarray:
    array = np.arange(700 * 600, dtype=np.int32).reshape(600, 700) % 3000
    array[:60] = NODATA
    return array.astype(np.int16)


def test_a_cog_carries_values_grid_nodata_scale_statistics_and_overviews(tmp_path: Path) -> None:
    path = write_cog(
        tmp_path / "red.tif", ramp(), GRID, nodata=NODATA, bands=("red",), scale=1e-4, tags={"PERIOD": "2018"}
    )
    with rasterio.open(path) as dataset:
        assert (dataset.read(1) == ramp()).all()
        assert dataset.crs.to_epsg() == 3035
        assert dataset.transform[:6] == (20, 0, 4_000_000, 0, -20, 3_000_000)
        assert (dataset.nodata, dataset.scales, dataset.descriptions) == (NODATA, (1e-4,), ("red",))
        assert dataset.tags()["PERIOD"] == "2018"
        statistics = dataset.tags(1)
        assert (float(statistics["STATISTICS_MINIMUM"]), float(statistics["STATISTICS_MAXIMUM"])) == (0, 2999)
        assert float(statistics["STATISTICS_VALID_PERCENT"]) == 90
        assert dataset.overviews(1) == [2, 4]
        assert dataset.compression.value == "ZSTD"
        assert dataset.block_shapes == [(256, 256)]


def test_the_layout_is_that_of_a_cog(tmp_path: Path) -> None:
    validator = pytest.importorskip("rio_cogeo.cogeo", reason="images carry no COG validator")
    path = write_cog(tmp_path / "red.tif", ramp(), GRID, nodata=NODATA)
    assert validator.cog_validate(path, strict=True) == (True, [], [])


def test_equal_arrays_give_equal_bytes_whatever_the_threads(tmp_path: Path) -> None:
    one, two = (
        write_cog(tmp_path / f"{threads}.tif", ramp(), GRID, nodata=NODATA, threads=threads) for threads in (1, 2)
    )
    assert one.read_bytes() == two.read_bytes()


def test_windows_and_whole_array_give_the_same_file(tmp_path: Path) -> None:
    whole = write_cog(tmp_path / "whole.tif", ramp(), GRID, nodata=NODATA)
    with create_cog(tmp_path / "blocks.tif", GRID, dtype="int16", nodata=NODATA) as sink:
        for window in row_windows(GRID.shape):
            sink.write(ramp()[window.row_off : window.row_off + window.height], 1, window=window)
    assert (tmp_path / "blocks.tif").read_bytes() == whole.read_bytes()


def test_bands_keep_their_order_and_names(tmp_path: Path) -> None:
    layers = np.stack([ramp(), ramp() + 1])
    path = write_cog(tmp_path / "two.tif", layers, GRID, nodata=None, bands=("a", "b"))
    with rasterio.open(path) as dataset:
        assert (dataset.descriptions, dataset.nodata) == (("a", "b"), None)
        assert (dataset.read() == layers).all()


def interrupted_write(path: Path) -> None:
    with create_cog(path, GRID, dtype="int16", nodata=NODATA) as sink:
        sink.write(ramp() * 0, 1)
        raise RuntimeError("stop")


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match="stop"):
        interrupted_write(tmp_path / "red.tif")
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = write_cog(tmp_path / "red.tif", ramp(), GRID, nodata=NODATA)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="stop"):
        interrupted_write(path)
    assert path.read_bytes() == before


def write_sparse(path: Path, corners: list[tuple[int, int]]) -> Path:
    """Blocks of two bands at these corners; the others are never written."""
    with create_sparse(path, GRID, dtype="int16", nodata=NODATA, bands=("red", "nir"), scale=1e-4, filled=0.5) as sink:
        for number in (1, 2):
            for col, row in corners:
                window = Window(col, row, min(256, GRID.width - col), min(256, GRID.height - row))
                block = np.full((window.height, window.width), number * 1000 + col, dtype=np.int16)
                sink.write(block, number, window=window)
    return path


def test_blocks_never_written_are_nodata_and_take_no_room(tmp_path: Path) -> None:
    path = write_sparse(tmp_path / "cut.tif", [(256, 0)])
    with rasterio.open(path) as dataset:
        assert dataset.descriptions == ("red", "nir")
        assert (dataset.nodata, dataset.scales, dataset.block_shapes[0]) == (NODATA, (1e-4, 1e-4), (256, 256))
        expected = np.full(GRID.shape, NODATA, dtype=np.int16)
        expected[:256, 256:512] = 2256
        np.testing.assert_array_equal(dataset.read(2), expected)
        assert dataset.get_tag_item("BLOCK_OFFSET_1_0", "TIFF", bidx=2) is not None
        assert dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=2) is None


def test_a_sparse_raster_is_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    corners = [(0, 0), (512, 0), (256, 512)]
    one, other = write_sparse(tmp_path / "1.tif", corners), write_sparse(tmp_path / "2.tif", corners[::-1])
    assert one.read_bytes() == other.read_bytes()


def test_a_full_disk_is_said_before_anything_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(1 << 30, 1 << 30, 700 * 600)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StepError, match=r"0\.4 MiB left") as caught:
        write_cog(tmp_path / "red.tif", ramp(), GRID, nodata=NODATA)
    assert caught.value.code == "disk_full"


def test_a_failed_write_on_a_full_disk_is_told_from_other_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_if_full(tmp_path, OSError("some other reason"))
    usage = namedtuple("usage", "total used free")(1 << 30, 1 << 30, 1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StepError, match=r"1\.0 MiB left: write failed") as caught:
        raise_if_full(tmp_path, OSError("write failed"))
    assert caught.value.code == "disk_full"


@pytest.mark.parametrize("driver", ["JP2OpenJPEG", "GTiff"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.4, 0.9, 0.999])
def test_a_truncated_file_is_named_and_never_read_as_zeros(driver: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / "band"
    array = np.random.default_rng(0).integers(1, 4000, (600, 700)).astype(np.uint16)
    options = {"QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": 128, "BLOCKYSIZE": 128} if driver != "GTiff" else {}
    with rasterio.open(
        path, "w", driver=driver, width=700, height=600, count=1, dtype="uint16", crs="EPSG:32633",
        transform=rasterio.transform.from_origin(0, 0, 20, 20), **options,
    ) as sink:  # fmt: skip
        sink.write(array, 1)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(StepError, match=str(path)) as caught:
        read_band(path)
    assert caught.value.code == "corrupt_file"


def test_a_missing_vrt_member_is_no_nodata(tmp_path: Path) -> None:
    member = write_cog(tmp_path / "member.tif", ramp(), GRID, nodata=NODATA)
    with rasterio.open(member) as dataset:
        rasterio.shutil.copy(dataset, tmp_path / "mosaic.vrt", driver="VRT")
    assert (read_band(tmp_path / "mosaic.vrt") == ramp()).all()
    member.unlink()
    with pytest.raises(StepError) as caught:
        read_band(tmp_path / "mosaic.vrt")
    assert caught.value.code == "corrupt_file"


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"nowhere\.tif") as caught, open_raster(tmp_path / "nowhere.tif"):
        pass
    assert caught.value.code == "corrupt_file"


SIZES = st.integers(1, 40)


@given(SIZES, SIZES, SIZES)
def test_windows_cover_every_cell_once(height: int, width: int, size: int) -> None:
    for windows in (row_windows((height, width), size), tile_windows((height, width), size)):
        count = np.zeros((height, width), dtype=int)
        for window in windows:
            count[window.toslices()] += 1
        assert (count == 1).all()


@given(SIZES, SIZES, SIZES, st.integers(0, 10))
def test_a_grown_window_holds_the_original(height: int, width: int, size: int, margin: int) -> None:
    cells = np.arange(height * width).reshape(height, width)
    for window in tile_windows((height, width), size):
        outer, inner = grown(window, margin, (height, width))
        assert (cells[outer.toslices()][inner] == cells[window.toslices()]).all()
        assert outer.height <= window.height + 2 * margin
        assert outer.width <= window.width + 2 * margin
