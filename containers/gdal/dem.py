"""Heights around the grid above the ellipsoid, joined from DEM tiles, and slope and aspect on the grid."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import bounds_in, crs_of, part_of, transform_of
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.step import main, progress
from containers.gdal.contract.dem import DemParams, DemResult
from containers.gdal.dem_tiles import Posts, open_elevation, posts_around, resampled
from containers.gdal.relief import slope_and_aspect

_EPSG: Final = 4326
_BLOCK_ROWS: Final = 512


def run(params: DemParams, out: Path) -> DemResult:
    if params.heights == "geoid" and params.geoid is None:
        raise StepError(
            "bad_parameters",
            "heights=geoid, but no geoid is given: heights above the ellipsoid cannot be told.",
            "Give the geoid's undulation (EGM2008 for the Copernicus DEM), or say heights=ellipsoid.",
        )
    with ExitStack() as files:
        tiles = [files.enter_context(open_elevation(tile)) for tile in params.tiles]
        geoid = files.enter_context(open_elevation(params.geoid)) if params.geoid else None
        posts = posts_around(params.grid, params.margin_m, tiles)
        require_some(tiles, params.grid)
        if geoid is not None:
            require_geoid(geoid, posts)
        filled = _write_dem(posts, tiles, geoid, params.heights, out / "dem.tif")
    _write_relief(params, out)
    return DemResult(
        dem=output_file(out / "dem.tif"),
        slope=output_file(out / "slope.tif"),
        aspect=output_file(out / "aspect.tif"),
        warnings=_sea(filled, params),
    )


class Heights(NamedTuple):
    """Posts in some rows; (y, x), float32."""

    above_ellipsoid_m: NDArray[np.float32]
    filled: int
    """Posts without a tile, or with nodata in it, taken for sea."""


def joined(posts: Posts, tiles: list[Any], geoid: Any | None, above: str) -> Heights:
    """Heights above the ellipsoid: the first tile that has a value counts, and sea level where none has.

    Sea level is 0 above the geoid; without one, 0 above the ellipsoid.
    """
    heights = np.full(posts.shape, np.nan, dtype=np.float32)
    for tile in tiles:
        if Bounds(*bounds_in(tile, _EPSG)).intersects(posts.bounds) and np.isnan(heights).any():
            np.copyto(heights, resampled(tile, posts), where=np.isnan(heights))
    undulation = resampled(geoid, posts) if geoid is not None else np.float32(0)
    sea = np.isnan(heights)
    if above == "geoid":
        heights += undulation
    return Heights(np.where(sea, undulation, heights).astype(np.float32), int(sea.sum()))


def require_some(tiles: list[Any], grid: Grid) -> None:
    """Raises `missing_file` where no tile touches the grid."""
    found = [bounds_in(tile, grid.epsg) for tile in tiles]
    if not any(bounds.intersects(grid.bounds) for bounds in found):
        raise StepError(
            "missing_file",
            f"None of {len(tiles)} DEM tiles touches the grid {tuple(grid.bounds)}: they cover "
            f"{[tuple(round(value) for value in bounds) for bounds in found]} in its system.",
            "Name the tiles of this area.",
        )


def require_geoid(geoid: Any, posts: Posts) -> None:
    """Raises `missing_file` where the geoid ends within the posts."""
    held, needed = Bounds(*bounds_in(geoid, _EPSG)), posts.bounds
    half = max(geoid.res) / 2
    if not (
        held.west - half <= needed.west
        and held.south - half <= needed.south
        and held.east + half >= needed.east
        and held.north + half >= needed.north
    ):
        raise StepError(
            "missing_file",
            f"The geoid covers {tuple(held)}, heights are needed for {tuple(needed)} (degrees).",
            "Give a geoid of the whole area, such as EGM2008 of the globe.",
        )


def _write_dem(posts: Posts, tiles: list[Any], geoid: Any | None, above: str, path: Path) -> float:
    """The share of posts taken for sea."""
    profile = {
        "driver": "GTiff", "width": posts.width, "height": posts.height, "count": 1, "dtype": "float32",
        "crs": f"EPSG:{_EPSG}", "transform": posts.transform, "tiled": True, "blockxsize": 256, "blockysize": 256,
        "compress": "zstd", "predictor": 3, "bigtiff": "if_safer",
    }  # fmt: skip
    windows, filled = list(row_windows(posts.shape, _BLOCK_ROWS)), 0
    with rasterio.open(path, "w", **profile) as sink:
        for done, window in enumerate(windows, start=1):
            heights = joined(posts.rows(window), tiles, geoid, above)
            sink.write(heights.above_ellipsoid_m, 1, window=window)
            filled += heights.filled
            progress(done, 2 * len(windows), "heights")
    return filled / (posts.width * posts.height)


def _write_relief(params: DemParams, out: Path) -> None:
    """Slope and aspect from heights that are bilinear between the posts."""
    grid, threads = params.grid, params.execution.threads
    layers = {"slope": "slope in degrees", "aspect": "bearing that the slope faces in degrees"}
    with ExitStack() as files:
        dem = files.enter_context(open_raster(out / "dem.tif"))
        sinks = [
            files.enter_context(
                create_cog(out / f"{name}.tif", grid, dtype="float32", nodata=np.nan, bands=(what,), threads=threads)
            )
            for name, what in layers.items()
        ]
        windows = list(row_windows(grid.shape, _BLOCK_ROWS))
        for done, window in enumerate(windows, start=1):
            part = part_of(grid, window)
            # One cell more on each side: slopes lean on their neighbours.
            step = grid.resolution_m
            around = part.model_copy(
                update={
                    "west_m": part.west_m - step,
                    "north_m": part.north_m + step,
                    "width": part.width + 2,
                    "height": part.height + 2,
                }
            )
            heights = resampled(dem, Posts(transform_of(around), around.width, around.height, crs_of(around)))
            for sink, layer in zip(sinks, slope_and_aspect(heights, step), strict=True):
                sink.write(layer, 1, window=window)
            progress(len(windows) + done, 2 * len(windows), "slope")


def _sea(share: float, params: DemParams) -> tuple[StepWarning, ...]:
    if not share:
        return ()
    level = "geoid" if params.geoid is not None else "ellipsoid"
    return (
        StepWarning(
            code="taken_for_sea",
            reason=f"{share:.2%} of the heights are in none of {len(params.tiles)} tiles: 0 above the {level} stands "
            "there.",
            hint="Right over the sea, for which there are no tiles; on land, name the missing ones.",
        ),
    )


if __name__ == "__main__":
    main(DemParams, run)
