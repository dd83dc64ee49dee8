"""Smooth the yearly class probabilities of every cell into one history."""

import math
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES, PROBABILITY_NODATA, PROBABILITY_SCALE, LandCover
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, require_grid
from containers.base.raster import BLOCK_PX, create_cog, grown, open_raster, tile_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.consistency import ConsistencyParams, ConsistencyResult
from containers.gdal.emission import Emission, emission_of, moments, together
from containers.gdal.hidden_markov import model_of
from containers.gdal.history import REACH_PX, UNKNOWN_CHANGE, decoded

_TILE_BYTES = 256 << 20
_BYTES_PER_CELL_AND_PERIOD = 10 * len(CLASSES) * 4
"""About ten float32 arrays (period, class, cell) at a time."""


def least_cells(min_mapping_unit_ha: float, cell_area_ha: float) -> int:
    """Cells of the smallest patch that is mapped."""
    return max(1, math.ceil(min_mapping_unit_ha / cell_area_ha - 1e-9))


def tile_px(n_periods: int) -> int:
    """Edge of the tiles in cells, a multiple of the rasters' blocks, that keeps the memory bounded."""
    cells = _TILE_BYTES / (_BYTES_PER_CELL_AND_PERIOD * n_periods)
    return max(1, int(math.sqrt(cells) / BLOCK_PX)) * BLOCK_PX


def run(params: ConsistencyParams, out: Path) -> ConsistencyResult:
    periods = tuple(params.probabilities)
    with ExitStack() as stack:
        sources = [stack.enter_context(open_raster(local_path(file))) for file in params.probabilities.values()]
        grid = grid_of(sources[0])
        for source in sources:
            _require_probabilities(source, grid)
        paths = _paths(periods, out)
        sinks = {name: stack.enter_context(_create(path, grid, params)) for name, path in paths.items()}
        _write(sources, sinks, grid, params)
    files = {name: output_file(path) for name, path in paths.items()}
    return ConsistencyResult(
        classes={period: files[f"classes_{period}"] for period in periods},
        confidence={period: files[f"confidence_{period}"] for period in periods},
        change_period=files["change_period"],
        change_probability=files["change_probability"],
        periods=periods,
    )


def _measured(sources: list[Any], grid: Grid, noise: float) -> Emission:
    """What the classes look like, from all cells; `noise` is a factor on the variance measured between periods."""
    tiles = list(tile_windows(grid.shape, tile_px(len(sources))))
    found = []
    for done, tile in enumerate(tiles, start=1):
        found.append(moments(_probabilities(sources, tile).reshape(len(sources), len(CLASSES), -1)))
        progress(done, 2 * len(tiles), f"measured tile {done} of {len(tiles)}")
    emission = emission_of(together(found))
    return emission._replace(noise=noise * emission.noise)


def _write(sources: list[Any], sinks: dict[str, Any], grid: Grid, params: ConsistencyParams) -> None:
    """Tile by tile with a margin that makes the result the same as that of the whole."""
    least = least_cells(params.min_mapping_unit_ha, grid.cell_area_ha)
    model = model_of(params.transitions.matrix, _measured(sources, grid, params.noise), params.max_changes)
    tiles = list(tile_windows(grid.shape, tile_px(len(sources))))
    for done, tile in enumerate(tiles, start=1):
        # A patch that meets the tile and is too small ends within `least` − 2 cells of it, which takes one more cell
        # to see, and what its cells' neighbours have to say.
        window, inner = grown(tile, least - 1 + REACH_PX, grid.shape)
        result = decoded(
            _probabilities(sources, window), model, spatial_weight=params.spatial_weight, least_cells=least
        )
        for index, period in enumerate(params.probabilities):
            _put(sinks[f"classes_{period}"], result.classes[index][inner], tile)
            _put(sinks[f"confidence_{period}"], result.confidence[index][inner], tile)
        _put(sinks["change_period"], result.change_period[inner], tile)
        _put(sinks["change_probability"], result.change_probability[inner], tile)
        progress(len(tiles) + done, 2 * len(tiles), f"tile {done} of {len(tiles)}")


def _probabilities(sources: list[Any], window: Window) -> NDArray[np.uint8]:
    """(period, class, y, x)"""
    return np.stack([source.read(window=window) for source in sources])


def _put(sink: Any, layer: NDArray[np.uint8], tile: Window) -> None:
    sink.write(layer, 1, window=tile)


def _paths(periods: tuple[str, ...], out: Path) -> dict[str, Path]:
    names = [f"{layer}_{period}" for period in periods for layer in ("classes", "confidence")]
    return {name: out / f"{name}.tif" for name in (*names, "change_period", "change_probability")}


def _create(path: Path, grid: Grid, params: ConsistencyParams) -> AbstractContextManager[Any]:
    """Overviews keep a class a class and average probabilities."""
    threads = params.execution.threads
    if path.stem.startswith("classes"):
        return create_cog(path, grid, dtype="uint8", nodata=LandCover.UNKNOWN, overviews="mode", threads=threads)
    if path.stem == "change_period":
        return create_cog(path, grid, dtype="uint8", nodata=UNKNOWN_CHANGE, overviews="mode", threads=threads)
    return create_cog(
        path,
        grid,
        dtype="uint8",
        nodata=PROBABILITY_NODATA,
        scale=PROBABILITY_SCALE,
        overviews="average",
        threads=threads,
    )


def _require_probabilities(source: Any, grid: Grid) -> None:
    require_grid(source, grid)
    if (source.count, source.dtypes[0], source.nodata) != (len(CLASSES), "uint8", PROBABILITY_NODATA):
        raise StepError(
            "corrupt_file",
            f"{source.name} has {source.count} bands of {source.dtypes[0]} with nodata {source.nodata}; probabilities "
            f"are {len(CLASSES)} bands of uint8 with nodata {PROBABILITY_NODATA}.",
            "Give the probability rasters that predict wrote.",
        )


if __name__ == "__main__":
    main(ConsistencyParams, run)
