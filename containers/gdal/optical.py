"""One date over the whole grid: tiles and their masks mosaicked, each cell from one tile in every layer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import HIDING, REFLECTANCE_NODATA, REFLECTANCE_SCALE, Sky
from containers.base.contract.pair import OpticalImage
from containers.base.contract.step import StepError
from containers.base.grid import offset_in, part_of, require_grid
from containers.base.raster import create_cog, open_raster, read_band, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.acquisitions import tile_of
from containers.gdal.contract.optical import OpticalParams, OpticalResult
from containers.gdal.contract.series import Seen
from containers.gdal.pipeline import in_order
from containers.gdal.series import overlap
from containers.gdal.sky_lookup import SkyLookup

_DATATAKE: Final = timedelta(minutes=30)
"""A datatake is shorter, and the next one over the same ground is a day away at least."""


class Layers(NamedTuple):
    """Some rows of the grid."""

    bands: NDArray[np.int16]
    """(band, y, x), nodata −32768."""
    sky: NDArray[np.uint8]
    """(y, x), nodata 0."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Cells with data in every band and in the mask."""
        known: NDArray[np.bool_] = np.all(self.bands != REFLECTANCE_NODATA, axis=0) & (self.sky != Sky.NODATA)
        return known


def put(image: Layers, place: tuple[slice, slice], tile: Layers) -> None:
    """Fill what is still empty in one part of the image with what the tile knows, all layers of a cell together."""
    fills = tile.known & (image.sky[place] == Sky.NODATA)
    np.copyto(image.bands[:, *place], tile.bands, where=fills)
    np.copyto(image.sky[place], tile.sky, where=fills)


def run(params: OpticalParams, out: Path) -> OpticalResult:
    """Write a COG per band and `sky.tif`. Raises `bad_dates`, `unknown_band`, `grid_mismatch`, `no_valid_pixels`."""
    bands = _require_one_date(params)
    windows = list(row_windows(params.grid.shape))
    known = hidden = 0
    with ThreadPoolExecutor(params.execution.threads) as pool, ExitStack() as files:
        read = partial(_read_rows, params.grid, _by_data(params, bands, pool), bands)
        sinks = [files.enter_context(_create(out, band, params)) for band in (*bands, "sky")]
        rows = zip(windows, in_order(pool, read, windows, waiting=params.execution.threads + 1), strict=True)
        for done, (window, image) in enumerate(rows, start=1):
            for sink, layer in zip(sinks, (*image.bands, image.sky), strict=True):
                sink.write(layer, 1, window=window)
            known += int((image.sky != Sky.NODATA).sum())
            hidden += int(np.isin(image.sky, HIDING).sum())
            progress(done, len(windows), f"{params.seen[0].acquired:%Y-%m-%d}")
        if not known:
            reason = f"No cell of {params.grid!r} has data in {', '.join(item.scene_id for item in params.seen)}."
            raise StepError("no_valid_pixels", reason, "Choose scenes that cover the area.")
    image_file = {name: output_file(out / f"{name}.tif") for name in (*bands, "sky")}
    return OpticalResult(
        image=OpticalImage(
            scene_ids=tuple(sorted(item.scene_id for item in params.seen)),
            acquired=min(item.acquired for item in params.seen),
            grid=params.grid,
            bands={band: image_file[band] for band in bands},
            sky=image_file["sky"],
        ),
        valid_share=known / (params.grid.width * params.grid.height),
        hidden_share=hidden / known,
    )


def _create(out: Path, name: str, params: OpticalParams) -> Any:
    path, threads = out / f"{name}.tif", params.execution.threads
    if name == "sky":
        options: Any = {"dtype": "uint8", "nodata": Sky.NODATA, "overviews": "mode"}
    else:
        options = {"dtype": "int16", "nodata": REFLECTANCE_NODATA, "scale": REFLECTANCE_SCALE}
    return create_cog(path, params.grid, bands=(name,), threads=threads, **options)


def _by_data(params: OpticalParams, bands: Sequence[str], pool: ThreadPoolExecutor) -> list[Seen]:
    """The tiles in the order in which they fill the grid."""
    if len(params.seen) == 1:
        return list(params.seen)

    def cells(item: Seen) -> int:
        windows = row_windows(params.grid.shape)
        return sum(int((_read_rows(params.grid, [item], bands, window).sky != Sky.NODATA).sum()) for window in windows)

    counts = list(pool.map(cells, params.seen))
    order = sorted(zip(counts, params.seen, strict=True), key=lambda pair: (-pair[0], pair[1].scene_id))
    return [item for _, item in order]


def _read_rows(grid: Grid, tiles: Sequence[Seen], bands: Sequence[str], block: Window) -> Layers:
    shape = int(block.height), int(block.width)
    image = Layers(
        np.full((len(bands), *shape), REFLECTANCE_NODATA, np.int16), np.full(shape, Sky.NODATA, dtype=np.uint8)
    )
    sky = SkyLookup(part_of(grid, block))
    for item in tiles:
        if found := overlap(grid, block, item):
            window, place = found
            values = np.stack([read_band(local_path(item.bands[band]), window) for band in bands])
            put(image, place, Layers(values, sky.classes(item.mask, place)))
    return image


def _require_one_date(params: OpticalParams) -> tuple[str, ...]:
    """The bands that every tile has, in the order of the first."""
    bands = tuple(params.seen[0].bands)
    times = sorted(item.acquired for item in params.seen)
    if times[-1] - times[0] > _DATATAKE:
        raise _bad_dates(f"tiles are of {times[0]} and {times[-1]}", "Give the tiles of one datatake.")
    tiles = [tile_of(item.scene_id) for item in params.seen]
    if twice := sorted({tile for tile in tiles if tiles.count(tile) > 1}):
        raise _bad_dates(f"tile {', '.join(twice)} is given more than once", "Give each tile's newest processing.")
    for item in params.seen:
        if set(item.bands) != set(bands):
            reason = f"{item.scene_id} has the bands {sorted(item.bands)}, {params.seen[0].scene_id} {sorted(bands)}."
            raise StepError("unknown_band", reason, "Observe all tiles with the same bands.")
        offset_in(params.grid, item.grid)
        for file in item.bands.values():
            with open_raster(local_path(file)) as source:
                require_grid(source, item.grid)
    return bands


def _bad_dates(reason: str, hint: str) -> StepError:
    return StepError("bad_dates", f"{reason[0].upper()}{reason[1:]}.", hint)


if __name__ == "__main__":
    main(OpticalParams, run)
