"""The area of interest in, polygons and grid out."""

import json

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from shapely.geometry import MultiPolygon, box, mapping

from containers.base.contract.step import StepError
from tasks.aoi import analysis_grid, aoi_bounds, read_aoi, utm_epsg

TO_LAEA = Transformer.from_crs(4326, 3035, always_xy=True)
BOX = box(12.0, 48.0, 13.0, 49.0)
LAEA = "POLYGON ((4000000 3000000, 4010000 3000000, 4010000 3010000, 4000000 3010000, 4000000 3000000))"


@pytest.mark.parametrize(
    "source",
    [
        "12,48,13,49",
        " 12 48 13 49 ",
        [12, 48, 13, 49],
        BOX.wkt,
        f"SRID=4326;{BOX.wkt}",
        mapping(BOX),
        json.dumps(mapping(BOX)),
        {"type": "Feature", "properties": {}, "geometry": mapping(BOX)},
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "geometry": mapping(box(12, 48, 12.5, 49))},
                {"type": "Feature", "geometry": mapping(box(12.5, 48, 13, 49))},
            ],
        },
        "POLYGON Z ((12 48 5, 13 48 5, 13 49 5, 12 49 5, 12 48 5))",
        {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, **mapping(BOX)},
    ],
)
def test_every_form_gives_the_same_polygon(source):
    assert read_aoi(source).equals(BOX)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp"])
def test_files_in_their_own_system(tmp_path, suffix):
    path = tmp_path / f"area{suffix}"
    table = geopandas.GeoDataFrame({"a": [1]}, geometry=[BOX], crs=4326)
    (table if suffix == ".geojson" else table.to_crs(3035)).to_file(path)
    found = read_aoi(path)
    # Straight edges of one system are curves in the other: corners alone are kept by the file.
    assert found.bounds == pytest.approx(BOX.bounds, abs=0.01)
    assert read_aoi(str(path)).equals(found)


def test_named_systems_of_wkt_and_geojson_and_the_stated_one_agree():
    by_srid, by_code = read_aoi(f"SRID=3035;{LAEA}"), read_aoi(LAEA, epsg=3035)
    named = {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::3035"}}, **mapping(shapely.from_wkt(LAEA))}
    assert by_srid.equals(by_code)
    assert read_aoi(named).equals(by_code)
    east, north = TO_LAEA.transform(*by_code.centroid.coords[0])
    assert (east, north) == pytest.approx((4_005_000, 3_005_000), abs=1)


def test_an_area_survives_projection_and_being_written_as_text(tmp_path):
    # Triangles that meet along slanted edges and in one point: densified, their edges no longer match exactly.
    corners = [
        (4_000_000, 3_000_000),
        (4_100_003, 3_000_001),
        (4_050_001, 3_070_003),
        (4_130_007, 3_090_011),
        (3_990_001, 3_080_007),
    ]
    triangles = [shapely.Polygon([corners[i] for i in ids]) for ids in ((0, 1, 2), (1, 2, 3), (2, 3, 4), (0, 2, 4))]
    geopandas.GeoDataFrame(geometry=triangles, crs=3035).to_file(tmp_path / "regions.gpkg")
    area = read_aoi(tmp_path / "regions.gpkg")
    text = shapely.to_wkt(area, rounding_precision=7)
    assert area.is_valid
    assert read_aoi(text).equals(area)
    assert read_aoi(area.wkt).equals(area)


def test_a_box_across_the_antimeridian_is_two_polygons():
    area = read_aoi([179, -18, -179, -16])
    assert sorted(part.bounds for part in area.geoms) == [(-180, -18, -179, -16), (179, -18, 180, -16)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", "Self-intersection"),
        ("POINT (12 48)", "no area"),
        ("LINESTRING (12 48, 13 49)", "no area"),
        ("POLYGON EMPTY", "empty"),
        ("POLYGON ((12 48, 13 48", "cannot be read"),
        ("{broken", "broken"),
        ({"type": "Feature", "geometry": None}, "no geometry"),
        ({"type": "FeatureCollection", "features": []}, "no geometry"),
        ({"type": "Polygon"}, "cannot be read"),
        ({"type": "Polygon", "coordinates": [[[12, 48], [13, 48]]]}, "cannot be read"),
        ([12, 49, 13, 48], "no area"),
        ([13, 48, 12, 49], "west edge east"),
        ([12, 48, 13], "four numbers"),
        ([47, 100, 48, 101], "swapped"),
        ([400000, 5000000, 500000, 5100000], "outside the globe"),
        ("no/such/file.gpkg", "no file"),
        ("SRID=x;POLYGON ((0 0, 1 0, 1 1, 0 0))", "not a number"),
        ({"crs": {"properties": {"name": "EPSG:999999"}}, **mapping(BOX)}, "unknown"),
    ],
)
def test_bad_areas(source, reason):
    with pytest.raises(StepError, match=reason) as caught:
        read_aoi(source)
    assert caught.value.code == "bad_aoi"
    assert caught.value.hint


def test_files_with_null_geometries_or_without_system(tmp_path):
    geopandas.GeoDataFrame({"a": [1, 2]}, geometry=[BOX, None], crs=4326).to_file(tmp_path / "null.gpkg")
    geopandas.GeoDataFrame({"a": [1]}, geometry=[BOX]).to_file(tmp_path / "nocrs.shp")
    (tmp_path / "text.gpkg").write_text("no geopackage")
    for name, reason in (
        ("null.gpkg", "1 of 2"),
        ("nocrs.shp", "no coordinate system"),
        ("text.gpkg", "cannot be read"),
    ):
        with pytest.raises(StepError, match=reason) as caught:
            read_aoi(tmp_path / name)
        assert caught.value.code == "bad_aoi"
    assert read_aoi(tmp_path / "nocrs.shp", epsg=4326).equals(BOX)


def test_bounds_include_the_bulge_of_projected_edges():
    area = read_aoi("5,50,15,51")
    bounds = aoi_bounds(area, 3035)
    corners = [TO_LAEA.transform(lon, lat)[1] for lon in (5, 15) for lat in (50, 51)]
    middle = TO_LAEA.transform(10, 50)[1]
    assert middle < min(corners)
    assert bounds.south == pytest.approx(middle, abs=30)


def test_the_grid_covers_the_area_on_block_edges():
    area = read_aoi("12,48,12.1,48.1")
    grid = analysis_grid(area, 3035, 20, block_px=256)
    bounds = aoi_bounds(area, 3035)
    assert grid.west_m % (20 * 256) == 0
    assert grid.north_m % (20 * 256) == 0
    assert grid.width % 256 == grid.height % 256 == 0
    assert grid.bounds.west <= bounds.west < grid.bounds.west + 20 * 256
    assert grid.bounds.south <= bounds.south < grid.bounds.south + 20 * 256


@pytest.mark.parametrize(
    ("source", "epsg", "code", "text"),
    [
        ("-80,0,-79,1", 3035, "bad_aoi", "area of use"),
        ("48,12,49,13", 3035, "bad_aoi", "give longitude first"),
        ("5,48,13,49", 32633, "bad_aoi", "area of use"),
        ("12,48,13,49", 4326, "bad_grid", "not in metres"),
        ("12,48,13,49", 2263, "bad_grid", "not in metres"),
        ("12,48,13,49", 999999, "bad_grid", "unknown"),
    ],
)
def test_unfit_systems(source, epsg, code, text):
    with pytest.raises(StepError) as caught:
        aoi_bounds(read_aoi(source), epsg)
    assert caught.value.code == code
    assert text in str(caught.value)


def test_tiles_may_reach_over_the_edge_of_their_zone_and_over_the_antimeridian():
    assert aoi_bounds(read_aoi("11.5,48,12.3,48.5"), 32632).west == pytest.approx(685_000, abs=5_000)
    west, _, east, _ = aoi_bounds(read_aoi("179.5,-17,-179.5,-16"), 32760)
    assert east - west == pytest.approx(107_000, rel=0.02)


@settings(deadline=None, max_examples=30)
@given(st.floats(-9, 29), st.floats(36, 69), st.floats(0.01, 1.5), st.floats(0.01, 1.5))
def test_the_grid_holds_every_point_of_the_area(west, south, width, height):
    area = read_aoi([west, south, west + width, south + height])
    bounds = analysis_grid(area, 3035, 100).bounds
    lon, lat = np.meshgrid(west + width * np.linspace(0, 1, 9), south + height * np.linspace(0, 1, 9))
    east, north = TO_LAEA.transform(lon, lat)
    assert bounds.west - 1 <= east.min()
    assert east.max() <= bounds.east + 1
    assert bounds.south - 1 <= north.min()
    assert north.max() <= bounds.north + 1


@pytest.mark.parametrize(
    ("area", "epsg"),
    [
        (box(13.0, 48.0, 13.4, 48.4), 32633),
        (box(11.9, 48.0, 12.05, 48.4), 32632),  # its centre decides
        (box(147.0, -36.0, 147.5, -35.5), 32755),
        (box(-70.0, -33.0, -69.0, -32.0), 32719),
        (box(-179.9, 1.0, -179.0, 2.0), 32601),
        (box(179.0, -2.0, 180.0, -1.0), 32760),
        (box(0.0, -0.1, 0.1, 0.1), 32631),
        (MultiPolygon([box(179.0, 10.0, 180.0, 11.0), box(-180.0, 10.0, -179.9, 11.0)]), 32660),
        (MultiPolygon([box(179.9, 10.0, 180.0, 11.0), box(-180.0, 10.0, -179.0, 11.0)]), 32601),
    ],
)
def test_the_utm_zone_of_the_centre(area: MultiPolygon, epsg: int) -> None:
    assert utm_epsg(area) == epsg


@pytest.mark.parametrize(("longitude", "latitude"), [(-179, -60), (-61, 1), (-1, 50), (2, -1), (100, 50), (179, -40)])
def test_the_utm_zone_agrees_with_proj(longitude: int, latitude: int) -> None:
    where = AreaOfInterest(longitude, latitude, longitude, latitude)
    (info,) = query_utm_crs_info(datum_name="WGS 84", area_of_interest=where)
    assert utm_epsg(box(longitude - 0.1, latitude - 0.1, longitude + 0.1, latitude + 0.1)) == int(info.code)
