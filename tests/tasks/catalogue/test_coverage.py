"""Equal-area shares, footprints and tiles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod
from shapely import wkt
from shapely.geometry import MultiPolygon, box

from tasks.catalogue.coverage import TILE_M, area_m2, covered_share, geographic_outline, nominal_tile, normalised


@pytest.mark.parametrize("south", [-60.0, 0.0, 48.0, 75.0])
def test_areas_are_those_on_the_ellipsoid(south):
    cell = box(10, south, 10.2, south + 0.2)
    by_geodesics = abs(Geod(ellps="WGS84").geometry_area_perimeter(cell.segmentize(0.001))[0])
    assert area_m2(cell) == pytest.approx(by_geodesics, rel=1e-4)


def test_a_share_is_of_area_not_of_degrees():
    target = box(10, 0, 11, 60)
    lower = covered_share([box(10, 0, 11, 30)], target)
    assert lower == pytest.approx(math.sin(math.radians(30)) / math.sin(math.radians(60)), rel=0.01)
    assert covered_share([box(10, 0, 11, 30), box(10, 0, 11, 30)], target) == lower
    assert covered_share([box(20, 0, 21, 30)], target) == 0
    assert covered_share([target], MultiPolygon()) == 0


def test_footprints_across_the_antimeridian_in_every_notation():
    expected = sorted([(-180, 0, -179, 1), (179, 0, 180, 1)])
    for footprint in (
        box(179, 0, 181, 1),
        MultiPolygon([box(179, 0, 180, 1), box(-180, 0, -179, 1)]),
        box(-179, 0, 179, 1),  # corners at 179 and -179, as some catalogues write it
    ):
        assert sorted(part.bounds for part in normalised(footprint).geoms) == expected
    assert normalised(box(10, 0, 11, 1)).bounds == (10, 0, 11, 1)


def test_bow_ties_are_repaired_and_lines_are_nothing():
    assert normalised(wkt.loads("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))")).area == pytest.approx(0.5)
    assert normalised(wkt.loads("POLYGON ((0 0, 1 1, 2 2, 0 0))")) is None


@pytest.mark.parametrize(
    ("tile", "epsg", "west", "north"),
    [
        ("32TNT", 32632, 499_980, 5_300_040),  # as CDSE states them
        ("35MNM", 32735, 499_980, 9_200_020),
        ("31TDH", 32631, 399_960, 4_800_020),
        ("06VVN", 32606, 399_960, 6_800_040),
    ],
)
def test_tiles_lie_where_their_products_say(tile, epsg, west, north):
    stated = geographic_outline((west, north - TILE_M, west + TILE_M, north), CRS.from_epsg(epsg))
    assert area_m2(nominal_tile(tile).symmetric_difference(stated)) / area_m2(stated) < 0.002


def test_a_tile_across_the_antimeridian():
    outline = nominal_tile("01KAB")
    assert outline.bounds[0] == -180
    assert outline.bounds[2] == 180
    assert area_m2(outline) == pytest.approx(TILE_M**2, rel=0.01)


@given(st.floats(0, 1), st.floats(0, 1))
def test_shares_of_parts_add_up(first, second):
    low, high = sorted((first, second))
    target = box(0, 40, 1, 41)
    parts = [box(edge, 40, end, 41) for edge, end in ((0, low), (low, high), (high, 1)) if end > edge]
    assert sum(covered_share([part], target) for part in parts) == pytest.approx(1.0, abs=1e-9)
