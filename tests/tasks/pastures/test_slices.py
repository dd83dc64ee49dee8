"""Which stencils are cut together, and where the slices of each are."""

from datetime import UTC, datetime

import geopandas
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.contract.cut import Slice
from tasks.pastures.product import slug
from tasks.pastures.slices import (
    SURVEY,
    PlacedPasture,
    StencilSlices,
    seen_pastures,
    slices_of,
    slices_of_survey,
    tile_stencils,
)

GRID = Grid(epsg=32631, resolution_m=10, west_m=700_000, north_m=5_000_000, width=8, height=8)
PASTURES = geopandas.GeoDataFrame(
    {"pasture_id": ["a", "b"]}, geometry=[shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)], crs=32631
)


PIXELS = File(href="store:gdal.cut/key/attempt/bands.tif", content_id="sha256:00", size=1)
SLICE = Slice(
    source="esa", product_ids=("S2A",), platform="S2A", tile="31TGK", acquired=datetime(2022, 6, 1, tzinfo=UTC),
    level="L2A", orbit=8, baseline="05.10", simulated=True, grid=GRID, bands=PIXELS, layers=PIXELS, shares={},
)  # fmt: skip


def placed(pasture_id: str, tile: str = "31TGK") -> PlacedPasture:
    return PlacedPasture(pasture_id=pasture_id, name=pasture_id, tile=tile, share=1.0, grid=GRID, outline=PIXELS)


def sites(*tiles: str) -> geopandas.GeoDataFrame:
    points = [shapely.Point(6 + 0.1 * number, 45) for number in range(len(tiles))]
    return geopandas.GeoDataFrame({"tile": list(tiles)}, geometry=points, crs=4326)


def test_all_sites_of_a_tile_are_one_stencil_beside_its_pastures() -> None:
    found = tile_stencils("31TGK", PASTURES, [placed("a"), placed("b", "31TGL")], sites("31TGK", "31TGL", "31TGK"))
    assert found["id"].tolist() == ["pasture a", SURVEY]
    assert len(shapely.get_parts(found.geometry.iloc[1])) == 2


def test_a_tile_without_pastures_and_sites_has_no_stencil() -> None:
    assert tile_stencils("31TGM", PASTURES, [placed("a")], sites("31TGK")).empty


@given(st.lists(st.text(min_size=1, max_size=12), unique_by=str.casefold, min_size=2, max_size=6))
def test_names_of_files_are_different_and_harmless(ids: list[str]) -> None:
    names = [slug(each) for each in ids]
    assert len(set(names)) == len(names)
    assert all(name and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


def test_a_pasture_has_the_slices_of_its_own_batch() -> None:
    found = (
        StencilSlices(tile="31TGK", stencils=("pasture a", SURVEY), slices=(SLICE,)),
        StencilSlices(tile="31TGK", stencils=("pasture b",), slices=()),
    )
    assert slices_of(placed("a"), found) == (SLICE,)
    assert slices_of(placed("a", "31TGL"), found) == ()
    assert [each.stencils for each in slices_of_survey(found)] == [("pasture a", SURVEY)]


def test_a_pasture_that_nothing_shows_is_left_out_and_told() -> None:
    found = (StencilSlices(tile="31TGK", stencils=("pasture a",), slices=(SLICE,)),)
    assert seen_pastures([placed("a"), placed("b")], found) == (placed("a"),)
    with pytest.raises(StepError, match="No product shows any"):
        seen_pastures([placed("b")], found)


def test_the_window_of_a_pasture_that_reaches_off_the_tile_ends_with_the_slices() -> None:
    wide = placed("a").model_copy(update={"grid": GRID.model_copy(update={"west_m": GRID.west_m - 30, "width": 9})})
    (seen,) = seen_pastures([wide], (StencilSlices(tile="31TGK", stencils=("pasture a",), slices=(SLICE,)),))
    assert seen.grid == GRID.model_copy(update={"width": 6})
