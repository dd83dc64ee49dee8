"""Counts per region equal rasterising each region alone by the cell-centre rule, overlaps or not."""

import csv

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import geometry_mask

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError
from containers.base.grid import transform_of
from containers.grass.contract.zonal import ZonalLayer, ZonalParams
from containers.grass.overlaps import disjoint_groups
from containers.grass.zonal import run


def centres_inside(geometry, grid):
    return geometry_mask([geometry], out_shape=grid.shape, transform=transform_of(grid), invert=True)


def read_counts(path):
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    return {
        (row["region_id"], row["indicator"], row["period"]): tuple(
            float(row[column]) for column in ("cells", "unknown_cells", "total_cells")
        )
        for row in rows
    }


def two_levels(grid):
    """A country, its two irregular halves (one a multipolygon), and a region that reaches beyond the grid."""
    west, south, east, north = grid.bounds
    country = shapely.Polygon(
        [(west + 33, south + 41), (east - 57, south + 13), (east - 91, north - 37), (west + 75, north - 21)]
    )
    cut = shapely.LineString([(west - 10, south + 123), (west + 377, south + 301), (east + 10, north - 203)])
    upper, lower = shapely.ops.split(country, cut).geoms
    island = shapely.Point(west + 28, north - 33).buffer(25)
    beyond = shapely.box(east - 50.5, south - 500, east + 500, south + 111.5)
    return {"XX": country, "XX1": upper, "XX2": shapely.MultiPolygon([lower, island]), "YY": beyond}


@pytest.fixture
def stored_regions(step_store):
    def store(shapes, epsg=3035, *, to=None, fields=("nuts_id", "region_name")):
        frame = gpd.GeoDataFrame(
            {fields[0]: list(shapes), fields[1]: [f"name of {n}" for n in shapes]},
            geometry=list(shapes.values()),
            crs=epsg,
        )
        path = step_store / "regions.gpkg"
        (frame.to_crs(to) if to else frame).to_file(path, driver="GPKG")
        return output_file(path).model_copy(update={"href": "store:regions.gpkg"})

    return store


@pytest.fixture
def indicator_layers(stored_raster, grass_grid):
    rng = np.random.default_rng(4)
    change = rng.choice([0, 1, 255], p=[0.7, 0.2, 0.1], size=grass_grid.shape).astype("uint8")
    classes = rng.integers(0, 4, grass_grid.shape).astype("uint8")
    layers = (
        ZonalLayer(indicator="new_impervious", period="2019", raster=stored_raster("new.tif", change, nodata=255)),
        ZonalLayer(indicator="green", period="2019", raster=stored_raster("classes.tif", classes), counted_value=2),
    )
    return layers, {"new_impervious": (change, 1, 255), "green": (classes, 2, 0)}


def test_counts_equal_each_region_rasterised_alone(indicator_layers, stored_regions, grass_grid, step_out):
    layers, arrays = indicator_layers
    shapes = two_levels(grass_grid)
    result = run(ZonalParams(layers=layers, regions=stored_regions(shapes)), step_out)
    counts = read_counts(step_out / result.counts.href)
    assert len(counts) == 2 * (len(shapes) + 1)
    for indicator, (array, counted, nodata) in arrays.items():
        for region, shape in shapes.items():
            inside = array[centres_inside(shape, grass_grid)]
            expected = np.count_nonzero(inside == counted), np.count_nonzero(inside == nodata), inside.size
            assert counts[region, indicator, "2019"] == expected
        everything = np.count_nonzero(array == counted), np.count_nonzero(array == nodata), array.size
        assert counts["ALL", indicator, "2019"] == everything


def test_exact_cover_equals_the_clipped_cells(indicator_layers, stored_regions, grass_grid, step_out):
    layers, arrays = indicator_layers
    shapes = two_levels(grass_grid)
    params = ZonalParams(layers=layers, regions=stored_regions(shapes), engine="exactextract")
    counts = read_counts(step_out / run(params, step_out).counts.href)
    rows, columns = np.indices(grass_grid.shape)
    west, north = grass_grid.west_m + columns * 20, grass_grid.north_m - rows * 20
    cells = shapely.box(west, north - 20, west + 20, north)
    for indicator, (array, counted, nodata) in arrays.items():
        for region, shape in shapes.items():
            cover = shapely.area(shapely.intersection(cells, shape)) / 400
            expected = cover[array == counted].sum(), cover[array == nodata].sum(), cover.sum()
            assert counts[region, indicator, "2019"] == pytest.approx(expected, abs=1e-3)


def test_regions_come_back_in_the_grid_crs_with_their_share_and_equal_bytes(
    indicator_layers, stored_regions, grass_grid, step_out, tmp_path
):
    layers, _ = indicator_layers
    regions = stored_regions(two_levels(grass_grid), to=4326)
    params = ZonalParams(layers=layers[:1], regions=regions, engine="exactextract")
    result = run(params, step_out)
    regions = gpd.read_file(step_out / result.regions.href).set_index("region_id")
    assert regions.crs.to_epsg() == 3035
    assert regions.loc["XX", "inside_share"] == pytest.approx(1)
    assert regions.loc["YY", "inside_share"] == pytest.approx(50.5 * 111.5 / (550.5 * 611.5), rel=1e-3)
    (tmp_path / "again").mkdir()
    assert run(params, tmp_path / "again").regions.content_id == result.regions.content_id


def test_regions_outside_or_cut_are_said(indicator_layers, stored_regions, grass_grid, step_out):
    layers, _ = indicator_layers
    far = shapely.box(5_000_000, 4_000_000, 5_100_000, 4_100_000)
    regions = stored_regions(two_levels(grass_grid) | {"FAR": far})
    result = run(ZonalParams(layers=layers[:1], regions=regions, engine="exactextract"), step_out)
    assert [warning.code for warning in result.warnings] == ["regions_outside", "regions_cut"]
    assert "1 of 5 regions do not meet the grid and are left out: FAR" in result.warnings[0].reason
    assert "YY (2%)" in result.warnings[1].reason
    assert not any(region == "FAR" for region, *_ in read_counts(step_out / result.counts.href))


def test_a_region_smaller_than_a_cell_has_no_cells(indicator_layers, stored_regions, grass_grid, step_out):
    layers, _ = indicator_layers
    west, south, _, _ = grass_grid.bounds
    regions = stored_regions({"TINY": shapely.box(west + 1, south + 1, west + 5, south + 5)})
    result = run(ZonalParams(layers=layers, regions=regions), step_out)
    assert read_counts(step_out / result.counts.href)["TINY", "green", "2019"] == (0, 0, 0)


BOWTIE = shapely.Polygon(
    [(4_000_100, 2_999_900), (4_000_300, 2_999_700), (4_000_300, 2_999_900), (4_000_100, 2_999_700)]
)
SQUARE = shapely.box(4_000_100, 2_999_600, 4_000_300, 2_999_900)


@pytest.mark.parametrize(
    ("shapes", "fields", "words"),
    [
        ({"AB": BOWTIE}, ("nuts_id", "region_name"), "region AB is not valid: Self-intersection"),
        ({"AB": SQUARE}, ("NUTS_ID", "region_name"), "no field ['nuts_id']; it has ['NUTS_ID', 'region_name']"),
        ({"AB": shapely.Point(4_000_100, 2_999_900)}, ("nuts_id", "region_name"), "region AB is no polygon but Point"),
        ({"AB": shapely.box(0, 0, 10, 10)}, ("nuts_id", "region_name"), "none of the 1 regions meets the grid"),
        ({"ALL": SQUARE}, ("nuts_id", "region_name"), "stands for the whole grid"),
    ],
    ids=["self-crossing", "missing field", "point", "elsewhere", "reserved id"],
)
def test_bad_regions_are_refused_by_name(shapes, fields, words, indicator_layers, stored_regions, step_out):
    layers, _ = indicator_layers
    with pytest.raises(StepError) as raised:
        run(ZonalParams(layers=layers, regions=stored_regions(shapes, fields=fields)), step_out)
    assert raised.value.code == "bad_regions"
    assert words in raised.value.reason


def test_repeated_ids_are_refused(indicator_layers, step_store, step_out):
    layers, _ = indicator_layers
    path = step_store / "twice.gpkg"
    gpd.GeoDataFrame({"nuts_id": ["A", "A"], "region_name": ["", ""]}, geometry=[SQUARE, SQUARE], crs=3035).to_file(
        path
    )
    regions = output_file(path).model_copy(update={"href": "store:twice.gpkg"})
    with pytest.raises(StepError, match="ids occur more than once: A"):
        run(ZonalParams(layers=layers, regions=regions), step_out)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("notes.gpkg", "no polygons here", "notes.gpkg cannot be read as a polygon file"),
        ("table.csv", "nuts_id,region_name\nA,name of A\n", "table.csv holds no geometry"),
    ],
    ids=["not a vector file", "no geometry"],
)
def test_files_that_hold_no_regions_are_refused(name, text, words, indicator_layers, step_store, step_out):
    layers, _ = indicator_layers
    (step_store / name).write_text(text)
    regions = output_file(step_store / name).model_copy(update={"href": f"store:{name}"})
    with pytest.raises(StepError, match=words) as raised:
        run(ZonalParams(layers=layers, regions=regions), step_out)
    assert raised.value.code == "bad_regions"


def test_a_raster_without_nodata_is_refused(stored_raster, stored_regions, grass_grid, step_out):
    raster = stored_raster("bare.tif", np.zeros(grass_grid.shape, "uint8"), nodata=None)
    layers = (ZonalLayer(indicator="green", period="2019", raster=raster),)
    with pytest.raises(StepError, match="declares no nodata"):
        run(ZonalParams(layers=layers, regions=stored_regions({"A": SQUARE})), step_out)


boxes = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 4)] * 2).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=12))
def test_groups_hold_every_region_once_and_no_overlap(shapes):
    groups = disjoint_groups(shapes, cell_area=1.0)
    assert sorted(position for group in groups for position in group) == list(range(len(shapes)))
    for group in groups:
        together = shapely.union_all([shapes[position] for position in group])
        assert together.area == pytest.approx(sum(shapes[position].area for position in group))


def test_nested_levels_give_one_group_each():
    tiles = [shapely.box(x, y, x + 1, y + 1) for x in range(4) for y in range(4)]
    assert [len(group) for group in disjoint_groups([shapely.box(0, 0, 4, 4), *tiles], 1.0)] == [1, 16]
