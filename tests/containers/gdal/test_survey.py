"""Sites against obvious rules: every cell centre in its polygon, every place once, every fault told."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.step import StepError
from containers.gdal.contract.survey import SurveyFields
from containers.gdal.survey_cells import places_of
from containers.gdal.survey_tiles import Tile, declared_tiles
from tests.containers.gdal.survey_files import CORNERS, FIELDS, outline, survey_file, surveyed

X, Y = 750_000.0, 5_030_000.0
"""In 31TGL."""


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    return tmp_path


def point_file(store, places, classes=None, ids=None, *, name="T31TGL.shp", epsg=32631):
    classes = classes or ["ALP"] * len(places)
    ids = ids or [f"s{number}" for number in range(len(places))]
    return survey_file(store, name, shapely.points(places), {"id": ids, "typo": classes}, epsg)


def square(west, south, edge):
    return shapely.box(west, south, west + edge, south + edge)


@st.composite
def polygons(draw):
    """Stars of up to 12 rays around a place, 5 to 200 m long."""
    rays = draw(st.lists(st.floats(5, 200), min_size=3, max_size=12))
    x, y = draw(st.floats(-100, 100)), draw(st.floats(-100, 100))
    angles = np.linspace(0, 2 * np.pi, len(rays), endpoint=False)
    return shapely.Polygon([(x + ray * np.cos(a), y + ray * np.sin(a)) for ray, a in zip(rays, angles, strict=True)])


@settings(max_examples=30, deadline=None)
@given(polygons())
def test_cells_are_those_whose_centre_lies_in_the_polygon(polygon):
    places = places_of(polygon, "pixel")
    found = list(zip(places.x_m.tolist(), places.y_m.tolist(), strict=True))
    lattice = [(10 * col + 5.0, 10 * row + 5.0) for row in range(-31, 31) for col in range(-31, 31)]
    assert found == [place for place in lattice if polygon.contains(shapely.Point(place))]
    assert len(set(places.number.tolist())) == len(found)


@settings(max_examples=30, deadline=None)
@given(polygons())
def test_places_from_the_lower_left_corner(polygon):
    places = places_of(polygon, "lower_left")
    west, south, east, _ = polygon.bounds
    columns = int(np.ceil((east - west) / 10))
    for number, x, y in zip(*places, strict=True):
        assert (x, y) == pytest.approx((west + 10 * (number % columns), south + 10 * (number // columns)))
        assert polygon.contains(shapely.Point(x, y))


def test_blocks_of_rows_make_no_difference(monkeypatch):
    polygon = shapely.Point(0, 0).buffer(155)
    whole = places_of(polygon, "pixel")
    monkeypatch.setattr("containers.gdal.survey_cells._BLOCK_CELLS", 50)
    for one, other in zip(whole, places_of(polygon, "pixel"), strict=True):
        assert one.tolist() == other.tolist()


@settings(max_examples=10, deadline=None)
@given(
    shapes=st.lists(polygons(), min_size=2, max_size=4), classes=st.lists(st.sampled_from("AB"), min_size=4, max_size=4)
)
def test_no_cell_twice_and_none_with_two_classes(tmp_path_factory, shapes, classes):
    folder = tmp_path_factory.mktemp("polygons")
    moved = [shapely.transform(shape, lambda xy: np.add(xy, (X, Y))) for shape in shapes]
    columns = {"id": [f"p{number}" for number in range(len(moved))], "typo": classes[: len(moved)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARGROUND_STORE", str(folder))
        big = square(X + 1000, Y, 30)  # so that a site is left whatever the others do
        columns = {name: [*values, "big"] for name, values in columns.items()}
        sites, notices = surveyed(folder, survey_file(folder, "a.gpkg", [*moved, big], columns, 32631))
    said = {}
    for shape, name in zip(moved, classes, strict=False):
        for x, y in zip(places_of(shape, "pixel").x_m, places_of(shape, "pixel").y_m, strict=True):
            said.setdefault((x, y), []).append(name)
    expected = {place for place, names in said.items() if len(set(names)) == 1}
    found = sites[sites["polygon_id"] != "big"]
    assert len(found) == len(expected)
    assert set(zip(found["x_m"], found["y_m"], strict=True)) == expected
    left_out = notices["code"].isin(["duplicate", "contradictory"]).sum()
    assert left_out == sum(map(len, said.values())) - len(expected)


def test_a_polygon_and_a_point_by_hand(store):
    shapes = [square(X + 1, Y + 1, 19), shapely.Point(X + 109.99, Y + 20)]
    columns = {"ID": ["P", "s"], "Typo": ["ALP", "NA"], "up": ["", "u2"], "alp": ["a1", "a2"], "massif": ["V", None]}
    fields = SurveyFields(site_id="id", class_code="typo", group=("up", "ALP"), massif="massif")
    sites, notices = surveyed(store, survey_file(store, "T31TGL.gpkg", shapes, columns, 32631), fields=fields)
    assert notices.empty
    assert sites["site_id"].tolist() == ["P_0", "P_1", "P_2", "P_3", "s"]
    assert sites["x_m"].tolist() == [X + 5, X + 15, X + 5, X + 15, X + 105]
    assert sites["y_m"].tolist() == [Y + 5, Y + 5, Y + 15, Y + 15, Y + 25]
    assert sites["class_code"].tolist() == ["ALP"] * 4 + ["NA"]
    assert sites["group"].tolist() == ["a1"] * 4 + ["u2"]
    assert sites["massif"].tolist() == ["V"] * 4 + [""]
    assert sites["polygon_id"].tolist() == ["P"] * 4 + [""]
    assert set(sites["tile"]) == {"31TGL"}
    back = sites.to_crs(32631).geometry
    assert np.allclose([back.x, back.y], [sites["x_m"], sites["y_m"]], atol=1e-3)


def test_sites_without_a_name_are_numbered_per_file(store):
    files = [
        point_file(store, [(X, Y), (X + 50, Y)], name="a.shp", ids=["", "b"]),
        point_file(store, [(X, Y + 50)], name="c.d.shp"),
    ]
    sites, _ = surveyed(store, *files)
    assert sites["site_id"].tolist() == ["a_1", "b", "s0"]
    sites, _ = surveyed(store, *files, fields=SurveyFields(class_code="typo"))
    assert sites["site_id"].tolist() == ["a_1", "a_2", "c_1"]


def test_codes_that_are_no_class(store):
    file = point_file(store, [(X, Y), (X + 50, Y), (X + 99, Y)], ["NA", "", "ALP"])
    assert surveyed(store, file)[0]["class_code"].tolist() == ["NA", "", "ALP"]
    assert surveyed(store, file, unclassed=("", "NA"))[0]["class_code"].tolist() == ["", "", "ALP"]


def test_one_place_with_one_class_is_kept_once(store):
    places = [(X + 1, Y + 1), (X + 9, Y + 9), (X + 5, Y + 5), (X + 50, Y)]
    sites, notices = surveyed(store, point_file(store, places, ["", "ALP", "ALP", "BOIS"]))
    assert sites["site_id"].tolist() == ["s1", "s3"]
    assert notices["code"].tolist() == ["duplicate", "duplicate"]
    assert "the same place, without a class, as s1" in notices["reason"][0]
    assert "the same place and class as s1" in notices["reason"][1]


def test_a_place_with_two_classes_is_left_out(store):
    places = [(X + 1, Y + 1), (X + 9, Y + 9), (X + 5, Y + 5), (X + 50, Y)]
    sites, notices = surveyed(store, point_file(store, places, ["ALP", "NA", "", "BOIS"]))
    assert sites["site_id"].tolist() == ["s3"]
    assert notices["code"].tolist() == ["contradictory"] * 3
    assert notices["site_id"].tolist() == ["s0", "s1", "s2"]
    assert "ALP and NA" in notices["reason"][0]


def test_one_name_at_several_places(store):
    places = [(X, Y), (X + 50, Y), (X + 100, Y), (X + 150, Y)]
    sites, notices = surveyed(store, point_file(store, places, ids=["a", "a", "a#2", "a"]))
    assert sites["site_id"].tolist() == ["a", "a#3", "a#2", "a#4"]
    assert notices["code"].tolist() == ["repeated_id"] * 3


def test_of_two_tiles_the_one_whose_border_is_farther(store):
    """31TGK and 31TGL share the strip from 4 990 200 to 5 000 040 m."""
    middle = 4_995_120
    places = [(X, middle + 100), (X, middle - 100), (X, 5_000_100), (X, 4_990_100)]
    file = point_file(store, places, name="both.shp")
    sites, notices = surveyed(store, file, tiles=("31TGK", "31TGL"))
    assert sites["tile"].tolist() == ["31TGL", "31TGK", "31TGL", "31TGK"]
    assert notices["code"].tolist() == ["two_tiles"] * 2
    assert "31TGK (4.8 km), 31TGL (5.0 km) from the border: taken in 31TGL" in notices["reason"][0]


def test_the_grid_of_the_reference_stays_in_the_tile_of_its_file(store):
    """Every tile by itself: the same site in two files is in both tiles, under one name."""
    place = [(X, 4_999_000)]
    files = [point_file(store, place, name=f"T{tile}.shp") for tile in ("31TGK", "31TGL")]
    sites, _ = surveyed(store, *files, tiles=("31TGK", "31TGL"), points="lower_left")
    assert sites[["site_id", "tile"]].to_numpy().tolist() == [["s0", "31TGK"], ["s0", "31TGL"]]
    sites, notices = surveyed(store, *files, tiles=("31TGK", "31TGL"))
    assert sites["tile"].tolist() == ["31TGL"]
    assert sorted(notices["code"]) == ["duplicate", "two_tiles", "two_tiles"]


def in_zone(places, source, target):
    return list(
        gpd.GeoSeries(gpd.points_from_xy(*zip(*places, strict=True)), crs=source)
        .to_crs(target)
        .get_coordinates()
        .itertuples(index=False, name=None)
    )


@pytest.mark.parametrize(("declared", "true"), [(32632, 32631), (4326, 32631), (None, 32631), (32631, 32632)])
@pytest.mark.parametrize("name", ["T31TGL.json", "survey.json"])
def test_metres_of_another_zone_are_told_and_reprojected(store, declared, true, name):
    metres = in_zone([(X + 5, Y + 5)], 32631, true)
    sites, notices = surveyed(store, point_file(store, metres, name=name, epsg=declared), tiles=("31TFJ", "31TGL"))
    assert sites[["x_m", "y_m"]].to_numpy().tolist() == [[X + 5, Y + 5]]
    assert notices["code"].tolist() == ["zone_corrected"]
    assert f"EPSG:{true}" in notices["reason"][0]


def test_a_rightly_declared_system_needs_no_correction(store):
    for epsg in (32632, 4326, 3035):
        file = point_file(store, in_zone([(X + 5, Y + 5)], 32631, epsg), epsg=epsg)
        sites, notices = surveyed(store, file)
        assert sites[["x_m", "y_m"]].to_numpy().tolist() == [[X + 5, Y + 5]]
        assert notices.empty


def test_what_two_zones_explain_is_refused(store):
    """The metres lie in 31TGL as those of zone 31, and in a tile of the same place in zone 32."""
    CORNERS["32TQR"] = (699_960, 5_100_000)
    try:
        with pytest.raises(StepError, match="more than one UTM zone explains it") as caught:
            surveyed(store, point_file(store, [(X, Y)], name="survey.json", epsg=4326), tiles=("31TGL", "32TQR"))
    finally:
        del CORNERS["32TQR"]
    assert caught.value.code == "bad_sample"


def refusal(store, *files, **fields):
    with pytest.raises(StepError) as caught:
        surveyed(store, *files, **fields)
    assert caught.value.code == "bad_sample"
    return caught.value.reason


def test_what_no_zone_explains_is_refused_with_a_list(store):
    far = [(X, Y + 200_000 + step) for step in range(25)]
    reason = refusal(store, point_file(store, [(X, Y), *far]))
    lines = reason.splitlines()
    assert lines[0] == "25 features are refused:"
    assert lines[1] == "code,file,site_id,class_code,x,y,reason"
    assert lines[2].startswith("outside,T31TGL.shp,s1,ALP,750000,5230000,outside 31TGL")
    assert lines[-1] == "and 5 more"
    assert len(lines) == 2 + 20 + 1


def test_the_tile_of_the_name_counts(store):
    """The place is in 31TGL, but the file says 31TGK."""
    file = point_file(store, [(X, Y)], name="T31TGK.shp")
    assert "outside 31TGK" in refusal(store, file, tiles=("31TGK", "31TGL"))


def test_a_polygon_across_the_border_is_refused(store):
    columns = {"id": ["P"], "typo": ["ALP"]}
    file = survey_file(store, "T31TGL.shp", [square(CORNERS["31TGL"][0] - 50, Y, 100)], columns, 32631)
    assert "beyond_tile" in refusal(store, file)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (None, "no geometry"),
        (shapely.Polygon(), "no geometry"),
        (shapely.LineString([(X, Y), (X + 1, Y)]), "neither a point nor a polygon"),
        (shapely.Polygon([(X, Y), (X + 9, Y + 9), (X + 9, Y), (X, Y + 9)]), "Self-intersection"),
    ],
)
def test_unsound_geometry_is_refused(store, shape, words):
    file = survey_file(store, "T31TGL.shp", [shape, shapely.Point(X, Y)], {"id": ["a", "b"], "typo": ["A", "B"]}, 32631)
    reason = refusal(store, file)
    assert "1 features are refused" in reason
    assert words in reason


def test_a_polygon_without_a_centre_is_told(store):
    columns = {"id": ["P", "Q"], "typo": ["ALP", "ALP"]}
    file = survey_file(store, "T31TGL.shp", [square(X + 1, Y + 1, 3), square(X, Y, 10)], columns, 32631)
    sites, notices = surveyed(store, file)
    assert sites["polygon_id"].tolist() == ["Q"]
    assert notices[["code", "site_id"]].to_numpy().tolist() == [["no_cell", "P"]]
    alone = survey_file(store, "T31TGL.shp", [square(X + 1, Y + 1, 3)], {"id": ["P"], "typo": ["ALP"]}, 32631)
    assert "'no_cell': 1" in refusal(store, alone)


def test_columns_that_are_not_there(store):
    file = point_file(store, [(X, Y)])
    assert "no column 'name'" in refusal(store, file, fields=SurveyFields(site_id="name", class_code="typo"))
    assert "no column 'class'" in refusal(store, file, fields=SurveyFields(class_code="class"))
    assert "a or b for the group" in refusal(store, file, fields=SurveyFields(class_code="typo", group=("a", "b")))
    assert "m for the massif" in refusal(store, file, fields=SurveyFields(class_code="typo", massif="m"))


def test_files_that_hold_nothing(store):
    assert "holds no feature" in refusal(store, survey_file(store, "a.shp", [], {"id": [], "typo": []}, 32631))
    file = point_file(store, [(X, Y)])
    (store / file.file.name).write_bytes(b"no parquet")
    assert "cannot be read" in refusal(store, file)


@pytest.mark.parametrize(("tile", "wkt"), [("Paris", outline("31TGL")), ("31TGL", "POINT (1 1)")])
def test_tiles_that_are_none(store, tile, wkt):
    from containers.gdal.contract.survey import SurveyParams
    from containers.gdal.survey import run

    params = SurveyParams(files=(point_file(store, [(X, Y)]),), fields=FIELDS, tiles={tile: wkt})
    with pytest.raises(StepError) as caught:
        run(params, store)
    assert caught.value.code == "bad_parameters"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("tfe_bio_T32TLR_WGS84.shp", ["32TLR"]),
        ("polygones_31tgl.json", ["31TGL"]),
        ("survey.gpkg", ["31TGL", "32TLR"]),
        ("T33UUP.gpkg", ["31TGL", "32TLR"]),
        ("site131TGLX.shp", ["31TGL", "32TLR"]),
    ],
)
def test_tiles_that_a_name_declares(file, expected):
    tiles = [Tile("31TGL", 32631, None), Tile("32TLR", 32632, None)]
    assert [tile.name for tile in declared_tiles(file, tiles)] == expected


def test_the_same_input_gives_the_same_bytes(store):
    file = point_file(store, [(X, Y), (X + 50, Y), (X + 52, Y)])
    (store / "out").mkdir()
    written = []
    for _ in range(2):
        surveyed(store, file)
        written.append([(store / "out" / name).read_bytes() for name in ("sites.parquet", "notices.csv")])
    assert written[0] == written[1]
