"""The table of tiles: where they lie, and what they are for."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import pyogrio
import shapely
from pydantic import Field, TypeAdapter, ValidationError
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.base.grid import part_of
from containers.gdal.contract.dataset import PARTS

REFUSED: Final = "refused"


class Tile(Contract):
    """One tile of one pair."""

    id: str = Field(pattern=r"^\d{3,}_\d{3,}$")
    pair: str
    row_px: int = Field(ge=0)
    col_px: int = Field(ge=0)
    block: str = Field(pattern=r"^\d{3,}_\d{3,}$")
    part: str
    valid_share: float
    hidden_t0: float
    hidden_t1: float

    def window(self, size_px: int) -> Window:
        return Window(self.col_px, self.row_px, size_px, size_px)


_TABLE: Final = TypeAdapter(tuple[Tile, ...])


def write_tiles(path: Path, tiles: Sequence[Tile]) -> Path:
    path.write_text(json.dumps([tile.model_dump() for tile in tiles], indent=0) + "\n")
    return path


def read_tiles(path: Path, grid: Grid, tile_px: int) -> tuple[Tile, ...]:
    """Raises `bad_dataset` where the file is no such table, or a tile of that size lies off the grid."""
    try:
        tiles = _TABLE.validate_json(path.read_bytes())
    except ValidationError as error:
        raise _refused(f"{path.name} is no table of tiles: {error.errors()[0]['msg']}") from error
    for tile in tiles:
        if tile.part not in PARTS:
            raise _refused(f"tile {tile.id} is for {tile.part!r}, not for one of {', '.join(PARTS)}")
        if tile.row_px + tile_px > grid.height or tile.col_px + tile_px > grid.width:
            at = f"({tile.row_px}, {tile.col_px}) with {tile_px} cells"
            raise _refused(f"tile {tile.id} at {at} reaches beyond a grid of {grid.height} × {grid.width}")
    return tiles


def write_outlines(path: Path, tiles: Sequence[Tile], grid: Grid, tile_px: int) -> Path:
    """A GeoPackage with a square per tile in the grid's CRS; squares of incomplete tiles end at the grid's edge."""
    edge = Window(0, 0, grid.width, grid.height)
    squares = [shapely.box(*part_of(grid, tile.window(tile_px).intersection(edge)).bounds) for tile in tiles]
    columns: dict[str, Any] = {
        "tile": [tile.id for tile in tiles],
        "pair": [tile.pair for tile in tiles],
        "block": [tile.block for tile in tiles],
        "part": [tile.part for tile in tiles],
        "valid_share": np.round([tile.valid_share for tile in tiles], 4),
        "hidden_t0": np.round([tile.hidden_t0 for tile in tiles], 4),
        "hidden_t1": np.round([tile.hidden_t1 for tile in tiles], 4),
    }
    frame = geopandas.GeoDataFrame(columns, geometry=squares, crs=grid.epsg)
    # GDAL writes the time of the last change into the file, which would differ from run to run.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"})
    frame.to_file(path, layer="tiles", driver="GPKG", engine="pyogrio")
    return path


def _refused(reason: str) -> StepError:
    return StepError("bad_dataset", f"{reason[0].upper()}{reason[1:]}.", "Give the tiles that gdal.tiles made here.")
