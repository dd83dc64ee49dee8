"""The grid cut into tiles: unfit ones refused by name, the others dealt to training, validation and test."""

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.legend import HIDING, REFLECTANCE_NODATA, Sky
from containers.base.contract.pair import OpticalImage, Pair
from containers.base.contract.radar import BackscatterResult
from containers.base.contract.step import StepError
from containers.base.decibel import has_power
from containers.base.raster import read_band
from containers.base.step import local_path, main, progress
from containers.gdal.contract.dataset import PARTS, TilesParams, TilesResult, Tiling
from containers.gdal.pair_files import require_pair
from containers.gdal.tile_deal import Place, block_of, deal
from containers.gdal.tile_table import REFUSED, Tile, write_outlines, write_tiles

IMAGES = ("radar_t0", "radar_t1", "optical_t0", "optical_t1")


class Refusal(NamedTuple):
    """One rule that a tile breaks: a row of refused.csv."""

    id: str
    pair: str
    code: str
    value: float
    limit: float


class Measured(NamedTuple):
    """What is known of one tile of one pair."""

    place: Place
    shares: Mapping[str, float]
    """Share of cells with data by image, and hidden shares of those at t0 and t1; none of an incomplete tile."""
    size_px: int
    """Its shorter edge on the grid."""


def count_places(length: int, tiling: Tiling) -> int:
    """How many tiles along an axis it takes to reach its end; the last may reach beyond."""
    return max(1, math.ceil((length - tiling.overlap_px) / (tiling.size_px - tiling.overlap_px)))


def broken_rules(tile: Measured, pair: str, tiling: Tiling) -> Iterator[Refusal]:
    """Why a tile may not be used."""
    if tile.size_px < tiling.size_px:
        yield Refusal(tile.place.id, pair, "incomplete", tile.size_px, tiling.size_px)
        return
    for image in IMAGES:
        if tile.shares[image] < tiling.min_valid_share:
            yield Refusal(tile.place.id, pair, f"few_data_{image}", tile.shares[image], tiling.min_valid_share)
    for name, limit in (("hidden_t0", tiling.max_hidden_t0), ("hidden_t1", tiling.max_hidden_t1)):
        if tile.shares[name] > limit:
            yield Refusal(tile.place.id, pair, name, tile.shares[name], limit)


def run(params: TilesParams, out: Path) -> TilesResult:
    """Write `tiles.json`, `refused.csv` and `tiles.gpkg`. Raises `bad_dataset`, `grid_mismatch`, `unknown_band`."""
    for pair in params.pairs:
        require_pair(pair, params.grid)
    measured = {pair.label: list(_measured(pair, params)) for pair in params.pairs}
    if len(measured) < len(params.pairs):
        raise StepError("bad_parameters", "two pairs have the same label.", "Give each pair once.")
    refused = [row for label, tiles in measured.items() for tile in tiles for row in broken_rules(tile, label, params)]
    unfit = {(row.pair, row.id) for row in refused}
    fit = {tile.place for label, tiles in measured.items() for tile in tiles if (label, tile.place.id) not in unfit}
    if not fit:
        raise _empty(refused)
    part_of = deal(fit, params)
    rows = [
        _row(tile, label, params, REFUSED if (label, tile.place.id) in unfit else part_of[tile.place])
        for label, tiles in measured.items()
        for tile in tiles
    ]
    refused += [Refusal(row.id, row.pair, row.part, 0, 0) for row in rows if row.part not in (*PARTS, REFUSED)]
    kept = [row for row in rows if row.part in PARTS]
    shown = [row if row.part in PARTS else row.model_copy(update={"part": REFUSED}) for row in rows]
    return TilesResult(
        tiles=output_file(write_tiles(out / "tiles.json", kept)),
        refused=output_file(_write_refused(out / "refused.csv", refused)),
        outlines=output_file(write_outlines(out / "tiles.gpkg", shown, params.grid, params.size_px)),
        counts={part: sum(row.part == part for row in kept) for part in PARTS},
    )


def _measured(pair: Pair, params: TilesParams) -> Iterator[Measured]:
    n_rows, n_cols = (count_places(length, params) for length in params.grid.shape)
    stride, width = params.size_px - params.overlap_px, params.grid.width
    for row in range(n_rows):
        height = min(params.size_px, params.grid.height - row * stride)
        strip = Window(0, row * stride, width, height)
        shares = _shares(pair, strip, params) if height == params.size_px else {}
        for col in range(n_cols):
            size = min(height, width - col * stride)
            own = {name: float(values[col]) for name, values in shares.items()} if size == params.size_px else {}
            yield Measured(Place(row, col), own, size)
        progress(row + 1, n_rows, pair.label)


def _shares(pair: Pair, strip: Window, tiling: Tiling) -> dict[str, NDArray[np.float64]]:
    """Shares of every whole tile in one row of them."""
    shares = {}
    for image in IMAGES[:2]:
        radar: BackscatterResult = getattr(pair, image)
        known = np.logical_and.reduce([has_power(read_band(local_path(file), strip)) for file in radar.bands.values()])
        shares[image] = _per_tile(known, tiling) / tiling.size_px**2
    for image in IMAGES[2:]:
        known, hidden = _optical_cells(getattr(pair, image), strip)
        with_data = _per_tile(known, tiling)
        shares[image] = with_data / tiling.size_px**2
        shares[image.replace("optical", "hidden")] = _per_tile(hidden, tiling) / np.maximum(with_data, 1)
    return shares


def _optical_cells(image: OpticalImage, strip: Window) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Cells with data in every band and in the mask, and those of them where the ground is hidden."""
    sky = read_band(local_path(image.sky), strip)
    known = sky != Sky.NODATA
    for file in image.bands.values():
        known &= read_band(local_path(file), strip) != REFLECTANCE_NODATA
    return known, known & np.isin(sky, HIDING)


def _per_tile(cells: NDArray[np.bool_], tiling: Tiling) -> NDArray[np.int64]:
    """Cells of each whole tile in a strip as high as a tile."""
    before = np.append(0, np.cumsum(cells.sum(axis=0, dtype=np.int64)))
    first = np.arange(0, cells.shape[1] - tiling.size_px + 1, tiling.size_px - tiling.overlap_px)
    sums: NDArray[np.int64] = before[first + tiling.size_px] - before[first]
    return sums


def _row(tile: Measured, label: str, tiling: Tiling, part: str) -> Tile:
    stride, shares = tiling.size_px - tiling.overlap_px, {name: round(value, 6) for name, value in tile.shares.items()}
    return Tile(
        id=tile.place.id,
        pair=label,
        row_px=tile.place.row * stride,
        col_px=tile.place.col * stride,
        block=block_of(tile.place, tiling).id,
        part=part,
        valid_share=min((shares[image] for image in IMAGES if shares), default=0.0),
        hidden_t0=shares.get("hidden_t0", 0.0),
        hidden_t1=shares.get("hidden_t1", 0.0),
    )


def _write_refused(path: Path, rows: list[Refusal]) -> Path:
    with path.open("w", newline="") as stream:
        table: Any = csv.writer(stream, lineterminator="\n")
        table.writerow(Refusal._fields)
        table.writerows((*row[:3], round(row.value, 6), row.limit) for row in rows)
    return path


def _empty(refused: list[Refusal]) -> StepError:
    codes = sorted({row.code for row in refused})
    counts = ", ".join(f"{sum(row.code == code for row in refused)} {code}" for code in codes)
    return StepError(
        "bad_dataset",
        f"No tile can be used; broken rules: {counts}.",
        "Lower size_px or min_valid_share, raise max_hidden_t0 or max_hidden_t1, or choose clearer images.",
    )


if __name__ == "__main__":
    main(TilesParams, run)
