"""Survey files of a user: all columns as text, names, encoding and coordinate system as they are."""

import json
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import Point, box

from containers.base.contract.step import StepError
from tasks.pastures.survey_files import take_survey_files
from tasks.store import Store

METRES = 32631


def frame(**columns: list[object]) -> geopandas.GeoDataFrame:
    n_rows = len(next(iter(columns.values())))
    return geopandas.GeoDataFrame(
        columns, geometry=[Point(750_000 + number, 5_030_000) for number in range(n_rows)], crs=METRES
    )


def taken(store: Store, path: Path) -> geopandas.GeoDataFrame:
    (file,) = take_survey_files(store, [str(path)])
    assert file.name == path.name
    return geopandas.read_parquet(store.path_of(file.file))


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".geojson"])
def test_nothing_is_interpreted(store: Store, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"survey_T31TGL{suffix}"
    frame(Typo=["NA", "", "nan", "01"], gid=[13, 2, 3, 4], share=[0.5, 1, 2, None]).to_file(path)
    found = taken(store, path)
    assert list(found.columns) == ["Typo", "gid", "share", "geometry"]
    # A shapefile does not tell an empty text from none.
    assert [text or "" for text in found["Typo"].astype(object).where(found["Typo"].notna(), "")] == [
        "NA",
        "",
        "nan",
        "01",
    ]
    assert found["gid"].tolist() == ["13", "2", "3", "4"]
    assert found["share"].tolist()[0] == "0.5"
    assert found["share"].isna().tolist() == [False, False, False, True]
    assert found.crs == METRES
    assert found.geometry.x.tolist() == [750_000, 750_001, 750_002, 750_003]


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "CP1252"])
def test_the_encoding_of_a_shapefile(store: Store, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "survey.shp"
    frame(name=["Forêt d'épicéas", "Alpe été"]).to_file(path, encoding=encoding)
    assert (tmp_path / "survey.cpg").is_file()
    assert taken(store, path)["name"].tolist() == ["Forêt d'épicéas", "Alpe été"]


def test_a_file_without_a_system(store: Store, tmp_path: Path) -> None:
    shapefile = tmp_path / "survey.shp"
    frame(name=["a"]).to_file(shapefile)
    (tmp_path / "survey.prj").unlink()
    assert taken(store, shapefile).crs is None
    metres = {"type": "Point", "coordinates": [750_000.0, 5_030_000.0]}
    feature = {"type": "Feature", "properties": {"a": "NA"}, "geometry": metres}
    document = tmp_path / "points.shp.json"
    document.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    found = taken(store, document)
    assert found.crs == 4326  # as the standard says; the step sees that metres are no degrees
    assert found.geometry.x.tolist() == [750_000]


def test_rows_without_geometry_are_kept_for_the_step_to_refuse(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "survey.gpkg"
    geopandas.GeoDataFrame({"a": ["x", "y"]}, geometry=[None, box(0, 0, 1, 1)], crs=METRES).to_file(path)
    assert taken(store, path).geometry.isna().tolist() == [True, False]


def test_the_same_file_is_the_same_artifact(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "survey.gpkg"
    frame(name=["a", "b"]).to_file(path)
    first, second = take_survey_files(store, [str(path), str(path)])
    assert first == second


def code_and_reason(store: Store, path: Path) -> tuple[str, str]:
    with pytest.raises(StepError) as caught:
        take_survey_files(store, [str(path)])
    return caught.value.code, caught.value.reason


def test_files_that_are_refused(store: Store, tmp_path: Path) -> None:
    assert code_and_reason(store, tmp_path / "none.shp")[0] == "missing_file"
    (tmp_path / "text.geojson").write_text("hello")
    code, reason = code_and_reason(store, tmp_path / "text.geojson")
    assert code == "bad_sample"
    assert "text.geojson cannot be read" in reason
    two = tmp_path / "two.gpkg"
    frame(a=["x"]).to_file(two, layer="one")
    frame(a=["x"]).to_file(two, layer="other", mode="a")
    code, reason = code_and_reason(store, two)
    assert code == "bad_sample"
    assert "2 layers: one, other" in reason
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    code, reason = code_and_reason(store, tmp_path / "table.csv")
    assert code == "bad_sample"
    assert "holds no geometry" in reason
    broken = tmp_path / "survey.shp"
    frame(a=["x"]).to_file(broken)
    (tmp_path / "survey.dbf").write_bytes(b"")
    (tmp_path / "survey.shx").unlink()
    assert code_and_reason(store, broken)[0] == "bad_sample"
