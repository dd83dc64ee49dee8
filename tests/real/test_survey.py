"""A real survey of alpine pastures: the grid of another system to the last digit, and two UTM zones in one file."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from containers.base.contract.files import output_file
from containers.gdal.contract.survey import SurveyFields, SurveyFile
from tasks.pastures.survey_files import as_geoparquet
from tests.containers.gdal.survey_files import CORNERS, SIDE_M, surveyed

pytestmark = pytest.mark.real

POLYGON_FIELDS = SurveyFields(site_id="id_polygon", class_code="typo_AS", group=("territoire",), massif="MASSIF_AS")
POINT_FIELDS = SurveyFields(site_id="Id_sitesAS", class_code="Typo_Veget", group=("ALPAGE", "nom_massif"))
GOLDEN_FIELDS = SurveyFields(site_id="id_sitesas", class_code="typo_veget", massif="massif_as")
GOLDEN = {"31TFJ": 2181, "31TFK": 2800, "31TGK": 1200, "31TGL": 11868, "32TLP": 1068, "32TLQ": 3154, "32TLR": 11589}
SURVEYED = {"31TFJ": 111, "31TFK": 44, "31TGK": 330, "31TGL": 526, "32TLP": 90, "32TLQ": 120, "32TLR": 481}


@pytest.fixture
def survey(sample_data, tmp_path, monkeypatch):
    """Takes a file of the sample into a store."""
    folder = sample_data / "alpage" / "TFE"
    if not folder.is_dir():
        pytest.skip(f"no survey in {folder}")
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))

    def take(name: str) -> SurveyFile:
        path = as_geoparquet(next(folder.rglob(name)), tmp_path)
        return SurveyFile(name=name, file=output_file(path).model_copy(update={"href": f"store:{path.name}"}))

    return take


def polygons(tile: str) -> str:
    return f"polygones_T{tile}.shp"


def golden(tile: str) -> str:
    return f"point_from_polygones_T{tile}.shp.json"


def points(tile: str) -> str:
    return f"tfe_bio_T{tile}_WGS84.shp"


def test_lower_left_gives_every_id_and_coordinate_of_the_reference(sample_data, survey, tmp_path):
    files = [survey(polygons(tile)) for tile in GOLDEN]
    sites, notices = surveyed(tmp_path, *files, tiles=list(GOLDEN), fields=POLYGON_FIELDS, points="lower_left")
    assert len(sites) == 33_860
    assert set(notices["code"]) == {"two_tiles"}
    for tile, n_points in GOLDEN.items():
        expected = gpd.read_file(next((sample_data / "alpage").rglob(golden(tile))))
        found = sites[sites["file"] == polygons(tile)]
        assert len(found) == n_points
        assert set(found["tile"]) == {tile}
        assert found["site_id"].tolist() == expected["ID_SITESAS"].tolist()
        assert found["x_m"].tolist() == expected.geometry.x.tolist()
        assert found["y_m"].tolist() == expected.geometry.y.tolist()
        assert found["class_code"].tolist() == expected["TYPO_VEGET"].tolist()
        assert found["massif"].tolist() == expected["MASSIF_AS"].tolist()


def test_points_of_the_second_zone_are_declared_rightly_in_the_first(sample_data, survey, tmp_path):
    """Not one lies in its tile by its metres, which are those of zone 31; all do once they are reprojected."""
    names = [tile for tile in SURVEYED if tile.startswith("32")]
    raw = {tile: gpd.read_file(next((sample_data / "alpage").rglob(points(tile)))) for tile in names}
    assert sum(len(frame) for frame in raw.values()) == 691
    for tile, frame in raw.items():
        west, north = CORNERS[tile]
        square = shapely.box(west, north - SIDE_M, west + SIDE_M, north)
        assert frame.crs == 32631
        assert not frame.within(square).any()
        assert frame.to_crs(32632).within(square).all()
    sites, notices = surveyed(tmp_path, *map(survey, map(points, names)), tiles=names, fields=POINT_FIELDS)
    assert "zone_corrected" not in set(notices["code"])
    assert set(sites["epsg"]) == {32632}


def test_the_whole_survey_of_points(survey, tmp_path):
    """1,702 rows are 1,027 sites in 1,010 cells, seven of which are called by two classes."""
    sites, notices = surveyed(tmp_path, *map(survey, map(points, SURVEYED)), tiles=list(SURVEYED), fields=POINT_FIELDS)
    assert sum(SURVEYED.values()) == 1702
    per_code = notices["code"].value_counts()
    assert len(sites) + per_code["duplicate"] + per_code["contradictory"] == 1702
    assert sites["site_id"].is_unique
    assert "repeated_id" not in per_code
    assert not sites.duplicated(["epsg", "x_m", "y_m"]).any()
    assert (sites["class_code"] == "NA").sum() == 13
    contradictory = notices[notices["code"] == "contradictory"]
    assert {"VANCHA03", "VANCHA_T38"} <= set(contradictory["site_id"])
    assert not set(contradictory["site_id"]) & set(sites["site_id"])


@pytest.mark.parametrize("tile", ["31TFK", "32TLP"])
def test_metres_without_a_system_are_told_by_the_tile_of_the_name(survey, tmp_path, tile):
    """GeoJSON without a system is in degrees by its standard; these are metres of the tile's zone."""
    sites, notices = surveyed(tmp_path, survey(golden(tile)), tiles=[tile], fields=GOLDEN_FIELDS, points="lower_left")
    assert len(sites) == GOLDEN[tile]
    assert (notices["code"] == "zone_corrected").sum() == GOLDEN[tile]
    centres, _ = surveyed(tmp_path, survey(golden(tile)), tiles=[tile], fields=GOLDEN_FIELDS)
    assert np.all(centres[["x_m", "y_m"]].to_numpy() % 10 == 5)


def test_pixel_centres_cover_each_polygon_once(survey, tmp_path):
    """34 of the 131 polygons stand in the files of two tiles: they are 97 of 249 ha, not 131 of 340 ha."""
    files = [survey(polygons(tile)) for tile in GOLDEN]
    sites, notices = surveyed(tmp_path, *files, tiles=list(GOLDEN), fields=POLYGON_FIELDS)
    assert set(notices["code"]) == {"two_tiles", "duplicate"}
    duplicates = notices[notices["code"] == "duplicate"]
    assert (len(sites) + len(duplicates)) * 0.01 == pytest.approx(340.0, rel=0.005)
    assert sites["polygon_id"].nunique() == 97
    assert sites.groupby("polygon_id")["tile"].nunique().max() == 1
    assert not sites.duplicated(["epsg", "x_m", "y_m"]).any()
    assert sites["site_id"].is_unique
