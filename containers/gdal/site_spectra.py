"""The cell of every site in every slice of one tile: time × site × band, and what the product's masks say of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SCALE
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import require_grid
from containers.base.raster import open_raster
from containers.base.sentinel2 import BANDS
from containers.base.step import local_path, main, progress
from containers.gdal.contract.cut import LAYER_UNKNOWN, LAYERS, Slice
from containers.gdal.contract.sites import SiteSpectraParams, SiteSpectraResult
from containers.gdal.pipeline import in_order
from containers.gdal.site_file import NOT_KNOWN, Header, Spectra, create_site_file
from containers.gdal.survey_sites import read_sites, told

Places = NDArray[np.int64]


class Cells(NamedTuple):
    """Where sites lie in a grid, (site,)."""

    row: Places
    col: Places
    inside: NDArray[np.bool_]
    """False outside the grid: rows and columns there are no indices."""


def cells_of(x_m: NDArray[np.float64], y_m: NDArray[np.float64], grid: Grid) -> Cells:
    """The cell that holds each site: edges belong to the cell east and south of them, as in GDAL.

    >>> grid = Grid(epsg=32631, resolution_m=10, west_m=0, north_m=100, width=10, height=10)
    >>> cells_of(np.array([0.0, 99.9, 100.0, -0.1]), np.array([100.0, 0.1, 50.0, 50.0]), grid).inside.tolist()
    [True, True, False, False]
    """
    col = np.floor((x_m - grid.west_m) / grid.resolution_m)
    row = np.floor((grid.north_m - y_m) / grid.resolution_m)
    inside = (row >= 0) & (row < grid.height) & (col >= 0) & (col < grid.width)
    return Cells(np.where(inside, row, 0).astype(np.int64), np.where(inside, col, 0).astype(np.int64), inside)


def sampled(source: Any, bands: list[int], cells: Cells, fill: int) -> NDArray[Any]:
    """Values of an open raster at cells, (site, band) in its dtype; `fill` outside.

    Only blocks with a site are decoded, each once.
    """
    values = np.full((len(cells.row), len(bands)), fill, dtype=source.dtypes[0])
    height, width = source.block_shapes[0]
    for sites, window in _blocks(cells, height, width, source.shape):
        block = source.read(bands, window=window)
        values[sites] = block[:, cells.row[sites] - window.row_off, cells.col[sites] - window.col_off].T
    return values


def reflectance_of(stored: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 × 1e-4 to reflectance, NaN for nodata."""
    scaled = (stored * REFLECTANCE_SCALE).astype(np.float32)
    return np.where(stored == REFLECTANCE_NODATA, np.float32(np.nan), scaled)


def run(params: SiteSpectraParams, out: Path) -> SiteSpectraResult:
    """Write `spectra.nc`.

    Raises `bad_sample`, `no_common_tile`, `grid_mismatch`, `unknown_band`, `missing_file`, `corrupt_file`,
    `disk_full`.
    """
    slices = sorted(params.slices, key=lambda each: (each.acquired, each.product_ids))
    sites = read_sites(local_path(params.sites), slices[0].tile)
    _require_zone(sites, slices)
    places = sites["x_m"].to_numpy(), sites["y_m"].to_numpy()
    cells = {item.grid: cells_of(*places, item.grid) for item in slices}
    bands = _common_bands(slices)
    read = partial(_read, bands=bands, cells=cells)
    header = Header(sites, pd.DataFrame([_facts(item) for item in slices]), bands)
    seen = np.zeros(len(sites), bool)
    path = out / "spectra.nc"
    with ThreadPoolExecutor(params.execution.threads) as pool, create_site_file(path, header) as sink:
        for number, spectra in enumerate(in_order(pool, read, slices, waiting=params.execution.threads + 1)):
            sink.write(number, spectra, spectra.mask_share)
            seen |= np.isfinite(spectra.reflectance).any(axis=1)
            progress(number + 1, len(slices), f"{slices[number].acquired:%Y-%m-%d}")
    inside = np.any([each.inside for each in cells.values()], axis=0)
    return SiteSpectraResult(
        dataset=output_file(path),
        sites=len(sites),
        slices=len(slices),
        warnings=tuple(_unseen(sites["site_id"], slices[0].tile, inside, seen)),
    )


def _blocks(cells: Cells, height: int, width: int, shape: tuple[int, int]) -> Iterator[tuple[NDArray[np.intp], Window]]:
    """Blocks that hold sites: which ones, and the block's window."""
    columns = -(-shape[1] // width)
    places = np.flatnonzero(cells.inside)
    block = (cells.row[places] // height) * columns + cells.col[places] // width
    order = np.argsort(block, kind="stable")
    numbers, starts = np.unique(block[order], return_index=True)
    for number, sites in zip(numbers.tolist(), np.split(places[order], starts)[1:], strict=True):
        top, left = number // columns * height, number % columns * width
        yield sites, Window(left, top, min(width, shape[1] - left), min(height, shape[0] - top))


def _read(item: Slice, bands: tuple[str, ...], cells: dict[Grid, Cells]) -> Spectra:
    """What one slice shows of all sites."""
    own = cells[item.grid]
    with open_raster(local_path(item.bands)) as source:
        require_grid(source, item.grid)
        stored = sampled(source, _indexes(source, bands), own, REFLECTANCE_NODATA)
    with open_raster(local_path(item.layers)) as source:
        require_grid(source, item.grid)
        layers = sampled(source, _indexes(source, LAYERS), own, LAYER_UNKNOWN)
    return Spectra(reflectance_of(stored), np.where(layers == LAYER_UNKNOWN, NOT_KNOWN, layers).astype(np.int8).T)


def _common_bands(slices: list[Slice]) -> tuple[str, ...]:
    """The bands of the first slice in the order of the instrument: all others must have them."""
    with open_raster(local_path(slices[0].bands)) as source:
        names = set(source.descriptions)
    if unknown := names - {band.name for band in BANDS}:
        raise StepError(
            "unknown_band",
            f"{slices[0].bands.href} has bands described as {sorted(map(str, unknown))}.",
            "Make the slices with gdal.cut, which describes each band by its name.",
        )
    return tuple(band.name for band in BANDS if band.name in names)


def _indexes(source: Any, names: tuple[str, ...]) -> list[int]:
    """Numbers of the bands with these descriptions. Raises `unknown_band`."""
    if set(source.descriptions) != set(names) or source.count != len(names):
        raise StepError(
            "unknown_band",
            f"{source.name} has the bands {source.descriptions}; those of the other slices are {names}.",
            "Cut all slices of a tile with the same bands.",
        )
    return [source.descriptions.index(name) + 1 for name in names]


def _facts(item: Slice) -> dict[str, Any]:
    """The columns of a slice in a dataset, but for the share that only its values tell."""
    return {
        "time": int(item.acquired.timestamp()),
        "product_id": " ".join(item.product_ids),
        "tile": item.tile,
        "platform": item.platform,
        "level": item.level,
        "orbit": item.orbit or 0,
        "baseline": item.baseline,
        "source": item.source,
        "simulated": int(item.simulated),
        "mask_share": np.nan,
        "unmasked": " ".join(item.unmasked),
    }


def _require_zone(sites: pd.DataFrame, slices: list[Slice]) -> None:
    zones = set(sites["epsg"]) | {item.grid.epsg for item in slices}
    if len(zones) > 1:
        raise StepError(
            "grid_mismatch",
            f"Sites and slices of the tile {slices[0].tile} are in EPSG:{' and EPSG:'.join(map(str, sorted(zones)))}.",
            "Take the sites from gdal.survey with the tiles that the slices were cut from.",
        )


def _unseen(
    names: "pd.Series[str]", tile: str, inside: NDArray[np.bool_], seen: NDArray[np.bool_]
) -> Iterator[StepWarning]:
    if not inside.all():
        yield StepWarning(
            code="sites_outside",
            reason=f"Outside every slice of {tile} lie {told(names[~inside])}.",
            hint="Cut with stencils that hold the sites.",
        )
    if (blank := inside & ~seen).any():
        yield StepWarning(
            code="sites_without_data",
            reason=f"No slice of {tile} has a value at {told(names[blank])}.",
            hint="They lie off the stencils, or at the edge of the products; add products of other orbits.",
        )


if __name__ == "__main__":
    main(SiteSpectraParams, run)
