"""Features of every cell of one pasture in one year."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.grid import part_of, transform_of
from containers.base.raster import raise_if_full, tile_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.type_features import PastureFeaturesParams, PastureFeaturesResult
from containers.gdal.pasture_views import pasture_cells
from containers.gdal.terrain_places import terrain_at
from containers.gdal.tile_cube import TileCube, clearest_per_day, open_tile_cube, require_one_cube
from containers.gdal.type_features import features_of, masked

_CHUNK_PX: Final = 64
_BLOCK_PX: Final = 2 * _CHUNK_PX
"""Edge of the blocks that are computed at once: 16 384 cells of 70 slices are 46 MB of spectra."""
_DEFLATE_LEVEL: Final = 4


class Block(NamedTuple):
    """What one block has come to."""

    window: Window
    values: NDArray[np.float32]
    """(feature, y, x), NaN outside and where seen too little."""
    names: tuple[str, ...]


def run(params: PastureFeaturesParams, out: Path) -> PastureFeaturesResult:
    """Write `features.h5`, block by block.

    Raises `bad_dataset`, `bad_regions`, `no_valid_pixels`, `grid_mismatch`, `unknown_band`, `corrupt_file`,
    `disk_full`.
    """
    require_one_cube(params.slices)
    inside = pasture_cells(local_path(params.outline), params.pasture_id, params.grid)
    path, known = out / "features.h5", 0
    names: tuple[str, ...] = ()
    with open_tile_cube(clearest_per_day(params.slices), params.grid) as cube, _file(path, params, inside) as file:
        for block in _blocks(cube, inside, params):
            if not names:
                names = block.names
                _create_values(file, names, params.grid.shape)
            rows, cols = block.window.toslices()
            file["values"][:, rows, cols] = block.values
            known += int(np.isfinite(block.values).all(axis=0).sum())
            progress(block.window.row_off + block.window.height, params.grid.height, f"{known} cells with features")
    return PastureFeaturesResult(
        features=output_file(path), grid=params.grid, names=names, cells=int(inside.sum()), known=known
    )


def _blocks(cube: TileCube, inside: NDArray[np.bool_], params: PastureFeaturesParams) -> Iterator[Block]:
    """Blocks that hold cells of the pasture."""
    for window in tile_windows(inside.shape, _BLOCK_PX):
        cells = inside[window.toslices()]
        if not cells.any():
            continue
        spectra = masked(*cube.read(window, cells), params.recipe)
        terrain = _terrain(params, window, cells)
        features, names = features_of(spectra, cube.days, params.year, params.recipe, terrain)
        values = np.full((len(names), *cells.shape), np.nan, np.float32)
        values[:, cells] = features.T
        yield Block(window, values, names)


def _terrain(params: PastureFeaturesParams, window: Window, cells: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    if params.terrain is None:
        return None
    grid = part_of(params.grid, window)
    row, column = np.nonzero(cells)
    x_m, y_m = grid.west_m + (column + 0.5) * grid.resolution_m, grid.north_m - (row + 0.5) * grid.resolution_m
    return terrain_at(params.terrain, x_m, y_m, grid.epsg)


@contextmanager
def _file(path: Path, params: PastureFeaturesParams, inside: NDArray[np.bool_]) -> Iterator[Any]:
    """The file with all that is known before the features, renamed into place on leaving. Raises `disk_full`."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with h5py.File(draft, "w") as file:
            file.attrs.update(_facts(params, params.grid))
            file.create_dataset("inside", data=inside.astype(np.uint8), compression="gzip")
            yield file
        draft.replace(path)
    except OSError as error:
        raise_if_full(path.parent, cause=error)
        raise
    finally:
        draft.unlink(missing_ok=True)


def _facts(params: PastureFeaturesParams, grid: Grid) -> dict[str, Any]:
    first = params.slices[0]
    return {
        "clearground_features": 1,
        "pasture_id": params.pasture_id,
        "year": params.year,
        "source": first.source,
        "simulated": int(any(each.simulated for each in params.slices)),
        "recipe": params.recipe.model_dump_json(),
        "epsg": grid.epsg,
        "resolution_m": grid.resolution_m,
        "transform": transform_of(grid).to_gdal(),
    }


def _create_values(file: Any, names: tuple[str, ...], shape: tuple[int, int]) -> None:
    """The features of whole chunks of cells lie together: who maps types reads them block by block."""
    file["feature"] = np.array(names, dtype=h5py.string_dtype())
    file.create_dataset(
        "values",
        shape=(len(names), *shape),
        dtype="float32",
        chunks=(len(names), *(min(_CHUNK_PX, length) for length in shape)),
        compression="gzip",
        compression_opts=_DEFLATE_LEVEL,
        shuffle=True,
        fillvalue=np.float32(np.nan),
    )


if __name__ == "__main__":
    main(PastureFeaturesParams, run)
