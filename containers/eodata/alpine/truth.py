"""The truth about the pastures: types, snow-melt, and what each year was like."""

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.alpine.ground import AlpineDay
from containers.eodata.alpine.habitat import Alps
from containers.eodata.camera import MARGIN
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.growing_season import METRICS, NO_SEASON, season_metrics
from containers.eodata.noise import FloatArray
from containers.eodata.place import tile_grid
from containers.eodata.scenario_truth import write_bands
from containers.eodata.world import World

CALENDAR: Final = (
    "pasture_id", "name", "year", "cells", "snow_free", "greening", "peak", "drying", "peak_ndvi",
)  # fmt: skip
NDVI: Final = ("pasture_id", "date", "ndvi", "snow_share")
_MEAN_MOISTURE: Final = 0.4
_THINNED: Final = 5
"""Every so many cells of the pastures are looked at day by day."""


class PastureYear(NamedTuple):
    """One year of all pastures, in the order of their outlines."""

    year: int
    snow_free: FloatArray
    """Day on which half of the cells are free of winter snow, (pasture)."""
    ndvi: FloatArray
    """Mean NDVI of the cells' ground, under snow as it will be when that has melted: (day, pasture)."""
    snow: FloatArray
    """Share of cells under snow, (day, pasture)."""
    cells: npt.NDArray[np.int64]


def write_types(world: World, params: ArchiveParams, folder: Path) -> dict[str, Path]:
    """Tile to the type of each cell of its 10 m grid, 0 where there is none."""
    paths = {}
    for tile in params.tiles:
        grid = tile_grid(params, tile)
        kinds = world.meadow_under(grid, params.years[0], 0, grid.height).kind[MARGIN:-MARGIN, MARGIN:-MARGIN]
        paths[tile.id] = folder / f"types_{tile.id}.tif"
        write_bands(paths[tile.id], grid, {"type": kinds}, nodata=255)
    return paths


def write_snow_free(world: World, params: ArchiveParams, folder: Path) -> dict[str, Path]:
    """`31TGK_2022` to the day of the year from which half of a cell is free of winter snow."""
    paths = {}
    for tile in params.tiles:
        grid = tile_grid(params, tile)
        for year in params.years:
            melt = world.meadow_under(grid, year, 0, grid.height).melt[MARGIN:-MARGIN, MARGIN:-MARGIN]
            key = f"{tile.id}_{year}"
            paths[key] = folder / f"snow_free_{key}.tif"
            write_bands(paths[key], grid, {"day": melt}, nodata=NO_SEASON)
    return paths


def pasture_year(world: World, seed: int, count: int, year: int) -> PastureYear:
    """Every day of a year on every pasture: soil is as moist as on average, nothing hides the ground.

    Plants wait under snow, so the ground below it is as it is seen on the day when the cell is free.
    """
    pastures = np.asarray(world.layer("pasture")).reshape(-1)
    at = np.flatnonzero((pastures > 0) & (np.asarray(world.layer("kind")).reshape(-1) > 0))
    cells = np.bincount(pastures[at] - 1, minlength=count)
    meadow = world.meadow(year, at[::_THINNED])
    owner = meadow.pasture.astype(np.int64) - 1
    looked_at = np.maximum(np.bincount(owner, minlength=count), 1)
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    ndvi, snow = (np.empty((days, count), dtype=np.float32) for _ in range(2))
    for index in range(days):
        today = AlpineDay.on(seed, date(year, 1, 1) + timedelta(days=index))
        bare, _ = today.reflectance(meadow, _MEAN_MOISTURE, ("B04", "B08"))
        values = (bare["B08"] - bare["B04"]) / (bare["B08"] + bare["B04"])
        ndvi[index] = np.bincount(owner, weights=values, minlength=count) / looked_at
        snow[index] = np.bincount(owner, weights=today.snow(meadow) >= 0.5, minlength=count) / looked_at
    melt = [float(np.median(meadow.melt[owner == row])) for row in range(count)]
    return PastureYear(year, np.array(melt, np.float32), ndvi, snow, cells)


def write_calendar(alps: Alps, years: list[PastureYear], folder: Path) -> list[Path]:
    """`pasture_calendar.csv`, days of the year by the definitions of docs/productivity.md, and `pasture_ndvi.csv`."""
    outlines = list(alps.pastures.itertuples())
    events, curves = [], []
    for each in years:
        metrics = dict(zip(METRICS, season_metrics(each.ndvi[:, :, None])[:, :, 0], strict=True))
        for row, outline in enumerate(outlines):
            told = [metrics[name][row] for name in ("start_day", "peak_day", "end_day")]
            days = [f"{day:.1f}" if day != NO_SEASON else "" for day in (each.snow_free[row], *told)]
            peak = f"{metrics['peak'][row]:.4f}"
            events.append([outline.pasture_id, outline.name, each.year, each.cells[row], *days, peak])
            for index in range(len(each.ndvi)):
                day = date(each.year, 1, 1) + timedelta(days=index)
                curves.append([outline.pasture_id, day, f"{each.ndvi[index, row]:.4f}", f"{each.snow[index, row]:.3f}"])
    paths = [folder / "pasture_calendar.csv", folder / "pasture_ndvi.csv"]
    _write_table(paths[0], CALENDAR, events)
    _write_table(paths[1], NDVI, curves)
    return paths


def _write_table(path: Path, header: tuple[str, ...], rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
