"""A tile cube: the slices of one tile in the order of time, read window by window on the grid of one pasture."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import require_grid, window_of
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.contract.cut import LAYERS, TEN_BANDS, Slice
from containers.gdal.site_spectra import reflectance_of

_EPOCH: Final = date(1970, 1, 1)


class Spectra(NamedTuple):
    """What all slices show of some cells."""

    reflectance: NDArray[np.float32]
    """(cell, time, band) in the order of `TEN_BANDS`, NaN where there is none."""
    layers: NDArray[np.int8]
    """(cell, time, layer) in the order of `LAYERS`: 1 yes, 0 no, −1 not known."""


class TileCube:
    """Opened slices of one tile."""

    def __init__(self, slices: Sequence[Slice], bands: Sequence[Any], layers: Sequence[Any], grid: Grid) -> None:
        self.days = np.array([(each.acquired.date() - _EPOCH).days for each in slices], np.int32)
        self._bands = [(raster, _numbers(raster, TEN_BANDS)) for raster in bands]
        self._layers = [(raster, _numbers(raster, LAYERS)) for raster in layers]
        self._windows = [window_of(each.grid, grid) for each in slices]

    def read(self, window: Window, cells: NDArray[np.bool_]) -> Spectra:
        """The chosen cells (y, x) of a window of the pasture's grid, row by row."""
        shape = int(cells.sum()), len(self.days)
        stored, layers = np.empty((*shape, len(TEN_BANDS)), np.int16), np.empty((*shape, len(LAYERS)), np.uint8)
        for number, own in enumerate(self._windows):
            place = Window(own.col_off + window.col_off, own.row_off + window.row_off, window.width, window.height)
            for target, (raster, numbers) in ((stored, self._bands[number]), (layers, self._layers[number])):
                target[:, number] = raster.read(numbers, window=place)[:, cells].T
        return Spectra(reflectance_of(stored), layers.view(np.int8))


@contextmanager
def open_tile_cube(slices: Sequence[Slice], grid: Grid) -> Iterator[TileCube]:
    """The slices over a window of their tile's grid.

    Raises `grid_mismatch` where a slice does not hold the window, `unknown_band` where one lacks a band.
    """
    with ExitStack() as stack:
        rasters: dict[str, list[Any]] = {"bands": [], "layers": []}
        for each in slices:
            for kind, opened in rasters.items():
                raster = stack.enter_context(open_raster(local_path(getattr(each, kind))))
                require_grid(raster, each.grid)
                opened.append(raster)
        yield TileCube(slices, rasters["bands"], rasters["layers"], grid)


def clearest_per_day(slices: Sequence[Slice]) -> list[Slice]:
    """In the order of time; of several slices of one day the one whose masks hide least, as in the site dataset."""
    chosen: dict[date, Slice] = {}
    for each in sorted(slices, key=lambda each: (each.acquired, each.product_ids)):
        day = each.acquired.date()
        if day not in chosen or _hidden(each) < _hidden(chosen[day]):
            chosen[day] = each
    return [chosen[day] for day in sorted(chosen)]


def require_one_cube(slices: Sequence[Slice]) -> None:
    """Raises `bad_dataset` where slices are of several tiles, or their reflectance was made by several processors."""
    for name in ("tile", "source"):
        if len(found := sorted({getattr(each, name) for each in slices})) > 1:
            raise StepError(
                "bad_dataset",
                f"The slices are of more than one {name}: {', '.join(found)}.",
                "Make features of the slices of one tile, and of one processor: reflectance of ESA and MAJA differ.",
            )


def _hidden(each: Slice) -> float:
    return 1 - each.shares.get("valid", 0.0) + sum(each.shares.get(layer, 0.0) for layer in LAYERS)


def _numbers(raster: Any, names: Sequence[str]) -> list[int]:
    """Numbers of the bands by their descriptions."""
    if missing := [name for name in names if name not in raster.descriptions]:
        raise StepError(
            "unknown_band",
            f"{raster.name} has the bands {raster.descriptions}: no {', '.join(missing)}.",
            "Cut the slices with all ten bands.",
        )
    return [raster.descriptions.index(name) + 1 for name in names]
