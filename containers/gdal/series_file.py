"""The HDF5 file of a series and of a filled series: days along the first axis, cells of one grid along the others.

Datasets, all with shuffle and deflate, so that any HDF5 reader opens them:

- `values` (time, y, x) int16: index × 1e-4, nodata −32768. Off land, and where nothing was seen, nodata.
- `days` (time) int32: days since 1970-01-01 in UTC, strictly ascending.
- `land` (y, x) uint8: 1 on land, 0 elsewhere.
- `quality` (time, y, x) int8 and `uncertainty` (time, y, x) int16 × 1e-4, nodata −32768: in filled series only.
- `x`, `y`: centres of the cells in metres.

Attributes of the file: `clearground_series` (layout version), `index`, `scale`, `nodata`, `epsg`, `transform` (GDAL's
six numbers), `resolution_m`. docs/gap_filling.md shows how to read one without this module.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.legend import INDEX_NODATA, INDEX_SCALE
from containers.base.contract.step import StepError
from containers.base.grid import transform_of
from containers.base.raster import raise_if_full
from containers.gdal.chunks import DEFLATE_LEVEL, pack

LAYOUT_VERSION = 1
CHUNK_PX = 64
_CHUNK_DATES = 64
EPOCH = date(1970, 1, 1)
_HDF5 = Lock()
"""One thread at a time: the library is not thread-safe, and h5py guards reads but not chunks written directly."""

LayerName = Literal["values", "quality", "uncertainty", "land"]
_DTYPES: dict[LayerName, str] = {"values": "int16", "quality": "int8", "uncertainty": "int16", "land": "uint8"}
_FILLS: dict[LayerName, int] = {"values": INDEX_NODATA, "quality": 0, "uncertainty": INDEX_NODATA, "land": 0}


@dataclass(frozen=True)
class Header:
    """What a file is about."""

    grid: Grid
    index: str
    days: NDArray[np.int32]
    """Days since 1970-01-01, strictly ascending."""

    @property
    def dates(self) -> tuple[date, ...]:
        return tuple(EPOCH + timedelta(days=int(day)) for day in self.days)


class Packed(NamedTuple):
    """One chunk, ready to be written."""

    layer: LayerName
    place: tuple[int, ...]
    data: bytes


class Series:
    """An open file. Reads are int16 × `INDEX_SCALE` unless the layer says otherwise (`_DTYPES`)."""

    def __init__(self, file: Any, header: Header) -> None:
        self._file, self.header = file, header

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(name for name in _DTYPES if name in self._file)

    def read(self, layer: LayerName, window: Window) -> NDArray[Any]:
        """(time, rows, columns) of a layer, or (rows, columns) of `land`. Raises `corrupt_file`."""
        rows, cols = window.toslices()
        place = (rows, cols) if layer == "land" else (slice(None), rows, cols)
        try:
            with _HDF5:
                array: NDArray[Any] = self._file[layer][place]
        except (OSError, KeyError) as error:
            raise _corrupt(self._file.filename, f"layer {layer} cannot be read: {error}") from error
        return array


class Writer:
    """A file in the making. `packed` is for threads, `write` for one of them."""

    def __init__(self, file: Any, header: Header) -> None:
        self._file, self._header = file, header

    def packed(self, layer: LayerName, window: Window, array: NDArray[Any]) -> list[Packed]:
        """The chunks of (time, rows, columns), or (rows, columns) of `land`, packed.

        The window starts on multiples of `CHUNK_PX` and ends on such, or at the edge of the grid.
        """
        if window.row_off % CHUNK_PX or window.col_off % CHUNK_PX:
            raise ValueError(f"{window} starts off the chunks of {CHUNK_PX} cells")
        size = chunk_shape(layer, self._header)
        start = (0,) * (array.ndim - 2) + (int(window.row_off), int(window.col_off))
        steps = [range(0, length, step) for length, step in zip(array.shape, size, strict=True)]
        chunks = []
        for offset in np.ndindex(*(len(step) for step in steps)):
            at = tuple(step[number] for step, number in zip(steps, offset, strict=True))
            part = array[tuple(slice(first, first + step) for first, step in zip(at, size, strict=True))]
            chunk = np.full(size, _FILLS[layer], dtype=_DTYPES[layer])
            chunk[tuple(map(slice, part.shape))] = part
            place = tuple(first + shift for first, shift in zip(at, start, strict=True))
            chunks.append(Packed(layer, place, pack(chunk)))
        return chunks

    def write(self, chunks: list[Packed]) -> None:
        with _HDF5:
            for chunk in chunks:
                self._file[chunk.layer].id.write_direct_chunk(chunk.place, chunk.data)


def chunk_shape(layer: LayerName, header: Header) -> tuple[int, ...]:
    """Chunks of at most 64 dates, equally many in each, and 64 × 64 cells."""
    cells = tuple(min(CHUNK_PX, length) for length in header.grid.shape)
    n_dates = len(header.days)
    return cells if layer == "land" else (-(-n_dates // -(-n_dates // _CHUNK_DATES)), *cells)


def chunk_windows(grid: Grid, rows: int, cols: int) -> Iterator[Window]:
    """Windows of at most so many cells, row by row; both are multiples of `CHUNK_PX`."""
    for row in range(0, grid.height, rows):
        for col in range(0, grid.width, cols):
            yield Window(col, row, min(cols, grid.width - col), min(rows, grid.height - row))


@contextmanager
def create_series(path: Path, header: Header, layers: tuple[LayerName, ...]) -> Iterator[Writer]:
    """A file to write window by window, renamed into place on leaving. Raises `disk_full`."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with h5py.File(draft, "w") as file:
            _describe(file, header)
            for layer in layers:
                _create_layer(file, layer, header)
            yield Writer(file, header)
        draft.replace(path)
    except OSError as error:
        raise_if_full(path.parent, cause=error)
        raise
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def open_series(path: Path) -> Iterator[Series]:
    """A file to read. Raises `corrupt_file` where it is no series, or its days do not ascend."""
    try:
        file = h5py.File(path)
    except OSError as error:
        raise _corrupt(path, str(error)) from error
    with file:
        yield Series(file, _header(path, file))


def _describe(file: Any, header: Header) -> None:
    grid = header.grid
    file.attrs.update(
        {
            "clearground_series": LAYOUT_VERSION,
            "index": header.index,
            "scale": INDEX_SCALE,
            "nodata": INDEX_NODATA,
            "epsg": grid.epsg,
            "transform": transform_of(grid).to_gdal(),
            "resolution_m": grid.resolution_m,
        }
    )
    file["days"] = header.days.astype(np.int32)
    file["days"].attrs["units"] = "days since 1970-01-01"
    file["x"] = grid.west_m + (np.arange(grid.width) + 0.5) * grid.resolution_m
    file["y"] = grid.north_m - (np.arange(grid.height) + 0.5) * grid.resolution_m
    for axis in ("x", "y"):
        file[axis].attrs["units"] = "m"
    for axis in ("days", "y", "x"):
        file[axis].make_scale(axis)


def _create_layer(file: Any, layer: LayerName, header: Header) -> None:
    axes = ("y", "x") if layer == "land" else ("days", "y", "x")
    dataset = file.create_dataset(
        layer,
        shape=tuple(len(file[axis]) for axis in axes),
        dtype=_DTYPES[layer],
        chunks=chunk_shape(layer, header),
        compression="gzip",
        compression_opts=DEFLATE_LEVEL,
        shuffle=True,
        fillvalue=_FILLS[layer],
    )
    for number, axis in enumerate(axes):
        dataset.dims[number].attach_scale(file[axis])
    if _FILLS[layer] == INDEX_NODATA:
        dataset.attrs.update({"scale_factor": INDEX_SCALE, "_FillValue": np.int16(INDEX_NODATA)})


def _header(path: Path, file: Any) -> Header:
    try:
        values, transform = file["values"], file.attrs["transform"]
        days = np.asarray(file["days"][:])
        grid = Grid(
            epsg=int(file.attrs["epsg"]),
            resolution_m=float(transform[1]),
            west_m=float(transform[0]),
            north_m=float(transform[3]),
            width=values.shape[2],
            height=values.shape[1],
        )
        header = Header(grid, str(file.attrs["index"]), days)
        kind = (str(values.dtype), float(file.attrs["scale"]), int(file.attrs["nodata"]))
    except (KeyError, ValueError, IndexError, OSError, zlib.error) as error:
        raise _corrupt(path, f"it is no series: {error}") from error
    if kind != ("int16", INDEX_SCALE, INDEX_NODATA):
        raise _corrupt(path, f"dtype, scale and nodata are {kind}, not ('int16', {INDEX_SCALE}, {INDEX_NODATA})")
    if days.shape != values.shape[:1] or not len(days):
        raise _corrupt(path, f"{days.size} days do not fit {values.shape[0]} layers of values")
    if (backwards := np.flatnonzero(np.diff(days) <= 0)).size:
        first, second = header.dates[backwards[0]], header.dates[backwards[0] + 1]
        raise _corrupt(path, f"{second} follows {first}: days must ascend, each once")
    return header


def _corrupt(path: object, reason: str) -> StepError:
    return StepError("corrupt_file", f"{path}: {reason}.", "Make the series again with gdal.series.")
