"""Land on a grid by hand, and everything that is no land geometry."""

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import land
from containers.gdal.contract.land import LandParams, LandResult

GRID = Grid(epsg=32630, resolution_m=60, west_m=480_000, north_m=6_240_000, width=40, height=30)
WEST, SOUTH, EAST, NORTH = GRID.bounds
ISLAND = box(WEST + 600, NORTH - 1200, WEST + 1200, NORTH - 300)
LAGOON = box(WEST + 780, NORTH - 900, WEST + 960, NORTH - 600)
GLOBE = box(-180, -90, 180, 90)


@pytest.fixture
def rasterise(raster_store, tmp_path):
    def run(geometries: Any, crs: int | None = 32630, suffix: str = ".gpkg", grid: Grid = GRID) -> LandResult:
        path = raster_store.folder("user") / f"land{suffix}"
        geopandas.GeoDataFrame(geometry=geometries, crs=crs).to_file(path)
        return land.run(LandParams(geometry=raster_store.file(path), grid=grid), tmp_path)

    return run


def refused(rasterise, *args, **options) -> str:
    with pytest.raises(StepError) as caught:
        rasterise(*args, **options)
    assert caught.value.code == "bad_aoi"
    return caught.value.reason


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson"])
def test_island_with_a_lagoon_by_hand(suffix, rasterise, raster_store, tmp_path) -> None:
    shapes = geopandas.GeoSeries([ISLAND.difference(LAGOON)], crs=32630)
    result = rasterise(shapes.to_crs(4326), crs=4326, suffix=suffix)
    expected = np.zeros(GRID.shape, np.uint8)
    expected[5:20, 10:20] = 1
    expected[10:15, 13:16] = 0
    assert (raster_store.read(result.land, tmp_path) == expected).all()
    assert result.land_share == expected.mean()


def test_blocks_do_not_matter(rasterise, raster_store, tmp_path, monkeypatch) -> None:
    coast = Polygon(
        [(WEST - 999, SOUTH - 999), (EAST + 50, SOUTH - 999), (EAST - 700, NORTH + 80), (WEST - 999, NORTH)]
    )
    whole = raster_store.read(rasterise([coast, ISLAND]).land, tmp_path)
    monkeypatch.setattr(land, "_BLOCK_ROWS", 7)
    assert (raster_store.read(rasterise([coast, ISLAND]).land, tmp_path) == whole).all()
    assert 0.2 < whole.mean() < 0.95


def test_the_wrong_way_round_is_no_difference_in_a_polygon(rasterise) -> None:
    """Which way a ring turns says nothing in these formats; its complement is another geometry."""
    turned = Polygon(list(ISLAND.exterior.coords)[::-1])
    assert rasterise([turned]).land_share == rasterise([ISLAND]).land_share


def test_inside_out_is_refused(rasterise) -> None:
    there = geopandas.GeoSeries([ISLAND], crs=32630).to_crs(4326).iloc[0]
    assert "inside out" in refused(rasterise, [GLOBE.difference(there)], crs=4326)
    assert "inside out" in refused(rasterise, [GLOBE], crs=4326)


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (None, "is null"),
        (Polygon(), "is empty"),
        (LineString([(WEST, SOUTH), (EAST, NORTH)]), "LineString"),
        (Polygon([(WEST, SOUTH), (EAST, NORTH), (EAST, SOUTH), (WEST, NORTH)]), "not valid"),
        (MultiPolygon([ISLAND, ISLAND]), "not valid"),
    ],
    ids=["null", "empty", "line", "bow tie", "twice"],
)
def test_what_is_no_land_is_refused(geometry, words, rasterise) -> None:
    assert words in refused(rasterise, [ISLAND, geometry])


def test_elsewhere_and_beside_every_cell(rasterise) -> None:
    assert "lies elsewhere" in refused(rasterise, [box(EAST + 100_000, SOUTH, EAST + 200_000, NORTH)])
    assert "no land in any cell" in refused(rasterise, [box(EAST + 20, SOUTH, EAST + 60, NORTH)])


def test_no_crs_and_no_feature(rasterise, raster_store, tmp_path) -> None:
    assert "no coordinate reference system" in refused(rasterise, [ISLAND], crs=None)
    assert "no geometry" in refused(rasterise, [])


def test_a_file_that_is_none(raster_store, tmp_path) -> None:
    path = raster_store.folder("user") / "land.gpkg"
    path.write_bytes(b"not a database")
    with pytest.raises(StepError, match="cannot be read") as caught:
        land.run(LandParams(geometry=raster_store.file(path), grid=GRID), tmp_path)
    assert caught.value.code == "bad_aoi"


@pytest.mark.real
@pytest.mark.parametrize("as_geojson", [False, True])
def test_the_null_geometry_of_an_earlier_system_is_refused(
    as_geojson, sample_data: Path, raster_store, tmp_path
) -> None:
    sample = sample_data / "cloud-mask-tables" / "Metadata_NDVI_images_null_geometry.json"
    path = raster_store.folder("user") / "land.geojson"
    records = json.loads(sample.read_text())
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [record["geometry"]]}}
        for record in records.values()
    ]
    document = {"type": "FeatureCollection", "features": features} if as_geojson else records
    path.write_text(json.dumps(document))
    with pytest.raises(StepError) as caught:
        land.run(LandParams(geometry=raster_store.file(path), grid=GRID), tmp_path)
    assert caught.value.code == "bad_aoi"
