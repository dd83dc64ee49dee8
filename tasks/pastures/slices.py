"""Which stencils are cut out of which products, and where the slices of each are."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import geopandas
import pandas as pd
import shapely
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.gdal.contract.cut import Slice
from tasks import ledger
from tasks.aoi import GEOGRAPHIC_EPSG
from tasks.pastures.batches import remembered_batches
from tasks.pastures.cutting import CutBatch, by_year
from tasks.pastures.intake import PastureInputs
from tasks.pastures.scenes import TileProducts
from tasks.pastures.stencils import Placement, place_pastures, tell_partial
from tasks.settings import get_settings
from tasks.store import Store, open_store

SURVEY: Final = "survey"
"""The stencil of all sites of a tile: they are always cut together."""
_PASTURE: Final = "pasture "


class StencilCuts(Contract):
    """Stencils of one tile that are cut together, and the cuts, one per year."""

    tile: str
    stencils: tuple[str, ...]
    cuts: tuple[CutBatch, ...]


class StencilSlices(Contract):
    """What the cuts have given."""

    tile: str
    stencils: tuple[str, ...]
    slices: tuple[Slice, ...] = Field(description="In the order of time")


class PlacedPasture(Placement):
    """A pasture in its tile, with a file of its own: other pastures that come or go leave what was made of it."""

    outline: File = Field(description="GeoParquet of one row: pasture_id, geometry")


def placed_pastures(inputs: PastureInputs, tiles: tuple[TileProducts, ...]) -> tuple[PlacedPasture, ...]:
    """The tile of every pasture. Raises `bad_aoi` with the pastures that no tile shows."""
    store = open_store(get_settings())
    pastures = geopandas.read_parquet(store.path_of(inputs.pastures))
    placements = place_pastures(pastures, {tile.tile: tile.outline for tile in tiles})
    tell_partial(placements)
    return tuple(
        PlacedPasture(**dict(placement), outline=_outline_file(store, pastures, placement.pasture_id))
        for placement in placements
    )


def _outline_file(store: Store, pastures: geopandas.GeoDataFrame, pasture_id: str) -> File:
    own = pastures.loc[pastures["pasture_id"] == pasture_id, ["pasture_id", "geometry"]].reset_index(drop=True)
    with tempfile.TemporaryDirectory(dir=store.scratch) as folder:
        path = Path(folder) / "outline.parquet"
        own.to_parquet(path, index=False, compression="zstd")
        return store.import_file(path)


def stencil_cuts(
    job: str,
    inputs: PastureInputs,
    tiles: tuple[TileProducts, ...],
    placed: tuple[Placement, ...],
    sites: File | None,
    *,
    unmasked: bool,
) -> Iterator[StencilCuts]:
    """For every tile that has any, its stencils in batches that were cut before, and one with all that is new."""
    store = open_store(get_settings())
    pastures = geopandas.read_parquet(store.path_of(inputs.pastures))
    surveyed = geopandas.read_parquet(store.path_of(sites)) if sites else None
    for tile in tiles:
        stencils = tile_stencils(tile.tile, pastures, placed, surveyed)
        if stencils.empty:
            continue
        for batch in remembered_batches(store, job, tile.tile, stencils):
            cuts = by_year(tile.tile, batch.file, tile.acquisitions, tile.maja)
            missing_masks = "flag" if unmasked else "refuse"
            yield StencilCuts(
                tile=tile.tile,
                stencils=batch.wanted,
                cuts=tuple(each.model_copy(update={"missing_masks": missing_masks}) for each in cuts),
            )


def tile_stencils(
    tile: str,
    pastures: geopandas.GeoDataFrame,
    placed: Iterable[Placement],
    sites: geopandas.GeoDataFrame | None,
) -> geopandas.GeoDataFrame:
    """The pastures of a tile, and its sites as one: columns id and geometry, EPSG:4326."""
    names = [each.pasture_id for each in placed if each.tile == tile]
    own = pastures[pastures["pasture_id"].isin(names)].to_crs(GEOGRAPHIC_EPSG)
    parts = [own.assign(id=_PASTURE + own["pasture_id"])[["id", "geometry"]]]
    if sites is not None and (in_tile := sites["tile"] == tile).any():
        points = shapely.multipoints(sites.loc[in_tile, "geometry"].to_numpy())
        parts.append(geopandas.GeoDataFrame({"id": [SURVEY]}, geometry=[points], crs=GEOGRAPHIC_EPSG))
    return geopandas.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=GEOGRAPHIC_EPSG)


def seen_pastures(placed: Iterable[PlacedPasture], found: Iterable[StencilSlices]) -> tuple[PlacedPasture, ...]:
    """Pastures that any product shows, their windows within the slices: what lies off the tile is not cut.

    The others are rows of the ledger. Raises `no_scenes` where there is none.
    """
    found, seen = tuple(found), []
    for pasture in placed:
        grid = pasture.grid
        windows = [each.grid.bounds for each in slices_of(pasture, found)]
        if windows and all(grid.bounds.intersects(window) for window in windows):
            for window in windows:
                grid = grid.clipped_to(window)
            seen.append(pasture.model_copy(update={"grid": grid}))
        else:
            ledger.skip(
                f"pasture {pasture.pasture_id}",
                "no_valid_pixels",
                f"No product of tile {pasture.tile} shows it.",
                "See the rows of the products; widen time.years, or raise reflectance.max_cloud.",
            )
    if not seen:
        raise StepError(
            "no_scenes", "No product shows any of the pastures.", "See the ledger for what was wrong with each product."
        )
    return tuple(seen)


def slices_of_survey(found: Iterable[StencilSlices]) -> Iterator[StencilSlices]:
    """Per tile the slices that show its sites."""
    return (each for each in found if SURVEY in each.stencils)


def slices_of(pasture: Placement, found: Iterable[StencilSlices]) -> tuple[Slice, ...]:
    """The slices that show a pasture."""
    return next(
        (each.slices for each in found if each.tile == pasture.tile and _PASTURE + pasture.pasture_id in each.stencils),
        (),
    )
