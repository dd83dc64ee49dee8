"""One layer of an acquisition in its original geometry: halves joined, digital numbers settled, decoded in threads."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.grid import bounds_in, grid_of
from containers.base.raster import BLOCK_PX, open_raster
from containers.base.sentinel2 import NODATA_DN
from containers.base.step import local_path, scratch_dir
from containers.base.storage import fetch
from containers.gdal.control_grid import Geometry
from containers.gdal.reflectance import by_table, class_table, reflectance_table

SCL = "scl"


class Source(NamedTuple):
    """A band or the scene classification, one file per part of the acquisition."""

    name: str
    paths: tuple[Path, ...]
    tables: tuple[NDArray[Any], ...]
    """Per part: from digital number to int16 reflectance, or to the scene class itself."""
    geometry: Geometry
    block_rows: int
    nodata: int

    def read(self, window: Window) -> NDArray[Any]:
        """Settled values (y, x) of a window; where parts overlap, the first with data wins."""
        joined: NDArray[Any] | None = None
        for path, table in zip(self.paths, self.tables, strict=True):
            with open_raster(path) as part:
                values = by_table(part.read(1, window=window), table)
            joined = values if joined is None else np.where(joined == self.nodata, values, joined)
        assert joined is not None  # noqa: S101 - a scene has at least one part
        return joined

    def bounds(self, epsg: int) -> Bounds:
        with open_raster(self.paths[0]) as part:
            return bounds_in(part, epsg)

    def grid(self) -> Grid:
        """The source's own grid. Raises `corrupt_file` or `grid_mismatch` where it is no snapped one."""
        with open_raster(self.paths[0]) as part:
            return grid_of(part)


def fetched(file: File) -> Path:
    """A local copy: archive objects are read whole, because a windowed JP2 costs over a hundred requests."""
    return local_path(file) if file.in_store else fetch(file, scratch_dir())


def open_source(name: str, paths: tuple[Path, ...], parts: tuple[Scene, ...]) -> Source:
    """Read the headers. Raises `corrupt_file` without a CRS, `grid_mismatch` where the parts lie on different grids."""
    geometries, tables, block_rows = [], [], 1
    for path, scene in zip(paths, parts, strict=True):
        with open_raster(path) as dataset:
            geometries.append(_geometry(dataset))
            tables.append(_table(name, scene, dataset))
            block_rows = dataset.block_shapes[0][0]
    for path, geometry in zip(paths, geometries, strict=True):
        if geometry != geometries[0]:
            raise StepError(
                "grid_mismatch",
                f"The parts of one acquisition lie on different grids: {paths[0].name} on {geometries[0]}, "
                f"{path.name} on {geometry}.",
                "Give only the halves of one datatake over one tile as parts.",
            )
    nodata = NODATA_DN if name == SCL else REFLECTANCE_NODATA
    return Source(name, paths, tuple(tables), geometries[0], block_rows, nodata)


def decode(source: Source, window: Window, pool: Executor) -> tuple[NDArray[Any], list[Future[None]]]:
    """Start to read a window; flattened, with one nodata value behind the last pixel, complete when all futures are.

    Rows of blocks are read side by side, each by one thread, so that every decoding error is raised.
    """
    height, width = int(window.height), int(window.width)
    flat = np.empty(height * width + 1, dtype=source.tables[0].dtype)
    flat[-1] = source.nodata
    pixels = flat[:-1].reshape(height, width)

    def read(rows: Window) -> None:
        first = rows.row_off - window.row_off
        pixels[first : first + rows.height] = source.read(rows)

    return flat, [pool.submit(read, rows) for rows in _block_rows(window, source.block_rows)]


def _block_rows(window: Window, block_rows: int) -> Iterator[Window]:
    """The window in slices whose edges lie on the file's own blocks, so that no block is decoded twice."""
    step = block_rows * -(-BLOCK_PX // block_rows)
    row, end = int(window.row_off), int(window.row_off + window.height)
    while row < end:
        below = min(end, (row // step + 1) * step)
        yield Window(window.col_off, row, window.width, below - row)
        row = below


def _geometry(dataset: Any) -> Geometry:
    if not dataset.crs:
        raise StepError(
            "corrupt_file",
            f"{dataset.name} has no coordinate reference system.",
            "Fetch the product again; a Sentinel-2 JP2 carries its own.",
        )
    return Geometry(dataset.crs, dataset.transform, dataset.shape)


def _table(name: str, scene: Scene, dataset: Any) -> NDArray[Any]:
    if name == SCL:
        return class_table()
    if name not in scene.offsets_dn:
        raise StepError(
            "bad_parameters",
            f"Scene {scene.id} gives no offset for {name}; it has {scene.offsets_dn}.",
            "Take offsets from the product's metadata; 0 must be said, too.",
        )
    return reflectance_table(
        scene.offsets_dn[name],
        scene.quantification,
        dtype=dataset.dtypes[0],
        declared_nodata=dataset.nodata,
    )
