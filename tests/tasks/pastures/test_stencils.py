"""A user's pastures: every fault is told with its names; each pasture has one tile, by geometry."""

import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from containers.base.contract.step import StepError
from tasks.parameters.pasture_types import Pastures
from tasks.pastures.stencils import pasture_grid, place_pastures, read_pastures, take_pastures, tell_partial, tile_epsg

EPSG = 32631
WEST_M, NORTH_M = 700_000.0, 5_000_040.0


def square(east: float, north: float, edge: float = 200.0) -> Any:
    return shapely.box(WEST_M + east, NORTH_M + north - edge, WEST_M + east + edge, NORTH_M + north)


def frame(*shapes: Any, ids: Any = None, crs: Any = EPSG, **columns: Any) -> gpd.GeoDataFrame:
    ids = ids or [f"p{number}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"PASTURE_ID": ids, **columns}, geometry=list(shapes), crs=crs)


def read(path: Path, **options: Any) -> gpd.GeoDataFrame:
    return read_pastures(Pastures(paths=(str(path),), **options))


def refused(path: Path, **options: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        read(path, **options)
    return caught.value


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "zip"])
def test_every_format_in_any_crs(suffix: str, tmp_path: Path) -> None:
    table = frame(square(0, 0), square(1000, 0), ids=["b", "a"], nom=["Haut", None])
    path = tmp_path / f"pastures.{suffix}"
    if suffix == "zip":
        table.to_file(tmp_path / "pastures.shp")
        with zipfile.ZipFile(path, "w") as archive:
            for part in tmp_path.glob("pastures.*"):
                if part.suffix != ".zip":
                    archive.write(part, part.name)
    else:
        (table.to_crs(4326) if suffix == "geojson" else table).to_file(path)
    found = read(path, name_field="nom")
    assert found["pasture_id"].tolist() == ["a", "b"]
    assert found["pasture_name"].tolist() == ["a", "Haut"]
    expected = gpd.GeoSeries([square(1000, 0), square(0, 0)], crs=EPSG)
    assert found.geometry.to_crs(EPSG).geom_equals_exact(expected, 1e-2).all() or all(
        found.geometry.to_crs(EPSG).symmetric_difference(expected).area < 1
    )


def test_numbers_are_ids_too(tmp_path: Path) -> None:
    frame(square(0, 0), square(900, 0), ids=[7, 12]).to_file(tmp_path / "p.gpkg")
    assert read(tmp_path / "p.gpkg")["pasture_id"].tolist() == ["12", "7"]


BOW = shapely.Polygon([(WEST_M, NORTH_M), (WEST_M + 9, NORTH_M + 9), (WEST_M + 9, NORTH_M), (WEST_M, NORTH_M + 9)])


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (frame(square(0, 0), BOW), {}, ["p1", "Self-intersection"]),
        (frame(square(0, 0), None), {}, ["p1", "it has none"]),
        (frame(square(0, 0), shapely.Polygon()), {}, ["p1", "it has none"]),
        (frame(shapely.LineString([(0, 0), (1, 1)])), {}, ["p0", "LineString"]),
        (frame(square(0, 0), square(300, 0), ids=["x", "X"]), {}, ["more than once", "X, x"]),
        (frame(square(0, 0), square(300, 0), ids=["x", None]), {}, ["without an id", "2"]),
        (frame(square(0, 0)), {"id_field": "gid"}, ["'gid'", "PASTURE_ID"]),
        (frame(square(0, 0)), {"name_field": "nom"}, ["'nom'"]),
    ],
)
def test_what_cannot_be_cut_is_told_by_name(table: Any, options: Any, words: list[str], tmp_path: Path) -> None:
    table.to_file(tmp_path / "p.gpkg")
    error = refused(tmp_path / "p.gpkg", **options)
    assert error.code == "bad_aoi"
    assert all(word in error.reason for word in words)


def test_several_files_in_systems_of_their_own(tmp_path: Path) -> None:
    here, there = frame(square(0, 0), ids=["a"]), frame(square(900, 0), ids=["b"]).to_crs(2154)
    paths = [tmp_path / "here.gpkg", tmp_path / "there.gpkg"]
    for table, path in zip((here, there), paths, strict=True):
        table.to_file(path)
    found = read_pastures(Pastures(paths=tuple(map(str, paths))))
    assert found["pasture_id"].tolist() == ["a", "b"]
    expected = [square(0, 0), square(900, 0)]
    assert all(found.to_crs(EPSG).geometry.symmetric_difference(gpd.GeoSeries(expected, crs=EPSG)).area < 1)
    frame(square(900, 0), ids=["A"]).to_file(paths[1])
    with pytest.raises(StepError, match="A, a"):
        read_pastures(Pastures(paths=tuple(map(str, paths))))


def test_without_a_crs(tmp_path: Path) -> None:
    frame(square(0, 0)).to_file(tmp_path / "p.shp")
    (tmp_path / "p.prj").unlink()
    error = refused(tmp_path / "p.shp")
    assert (error.code, "coordinate reference system" in error.reason) == ("bad_aoi", True)


def test_several_layers_and_no_data(tmp_path: Path) -> None:
    frame(square(0, 0)).to_file(tmp_path / "p.gpkg", layer="one")
    frame(square(0, 0)).to_file(tmp_path / "p.gpkg", layer="two")
    assert "one, two" in refused(tmp_path / "p.gpkg").reason
    (tmp_path / "p.geojson").write_text("no")
    assert refused(tmp_path / "p.geojson").code == "bad_aoi"
    assert refused(tmp_path / "none.gpkg").code == "missing_file"


def test_equal_pastures_are_one_file_of_the_store(machine: Any, tmp_path: Path) -> None:
    table = frame(square(0, 0), square(1000, 0))
    table.to_file(tmp_path / "p.gpkg")
    table.iloc[::-1].to_file(tmp_path / "q.gpkg")
    first = take_pastures(machine.store, Pastures(paths=(str(tmp_path / "p.gpkg"),)))
    second = take_pastures(machine.store, Pastures(paths=(str(tmp_path / "q.gpkg"),)))
    assert first == second
    assert list(gpd.read_parquet(machine.store.path_of(first))) == ["pasture_id", "pasture_name", "geometry"]


def outline(west: float, east: float) -> str:
    """A tile from `west` to `east` metres beyond the origin, 10 km high."""
    shape = gpd.GeoSeries([shapely.box(WEST_M + west, NORTH_M - 5_000, WEST_M + east, NORTH_M + 5_000)], crs=EPSG)
    return str(shape.segmentize(500).to_crs(4326)[0].wkt)


def placed(*shapes: Any, **tiles: str) -> Any:
    names = [str(number) for number in range(len(shapes))]
    table = gpd.GeoDataFrame({"pasture_id": names, "pasture_name": names}, geometry=list(shapes), crs=EPSG)
    return place_pastures(table, tiles)


class TestTiles:
    overlapping = {"31TGK": outline(0, 6_000), "31TFK": outline(-6_000, 1_000)}  # noqa: RUF012

    def test_the_one_that_holds_it_deepest(self) -> None:
        found = placed(square(300, 0), square(550, 0), **self.overlapping)
        assert [each.tile for each in found] == ["31TFK", "31TGK"]
        assert {each.share for each in found} == {1.0}

    def test_the_order_of_tiles_does_not_matter(self) -> None:
        turned = dict(reversed(self.overlapping.items()))
        shapes = [square(300, 0), square(550, 0), square(900, 0, 400)]
        assert placed(*shapes, **self.overlapping) == placed(*shapes, **turned)

    def test_whole_beats_deeper(self) -> None:
        (found,) = placed(square(-50, 0), **self.overlapping)
        assert (found.tile, found.share) == ("31TFK", 1.0)

    def test_the_largest_share_where_none_holds_it_whole(self, monkeypatch: Any) -> None:
        (found,) = placed(square(5_900, 0, 400), **self.overlapping)
        assert (found.tile, round(found.share, 3)) == ("31TGK", 0.25)
        rows: list[dict[str, Any]] = []
        monkeypatch.setattr("tasks.ledger.add", lambda status, subject, **row: rows.append(row | {"subject": subject}))
        tell_partial([found, found.model_copy(update={"share": 1.0})])
        assert len(rows) == 1
        assert "25.0%" in rows[0]["reason"]

    def test_one_in_no_tile_is_told(self) -> None:
        with pytest.raises(StepError, match="No tile shows 1") as caught:
            placed(square(0, 0), square(50_000, 0), **self.overlapping)
        assert caught.value.code == "bad_aoi"

    def test_the_neighbours_zone_has_its_own_coordinates(self) -> None:
        (found,) = placed(square(300, 0), **{"32TLQ": outline(-6_000, 6_000)})
        assert found.grid.epsg == 32632
        assert found.grid.west_m < 400_000

    def test_a_point(self) -> None:
        (found,) = placed(shapely.Point(WEST_M + 300, NORTH_M), **self.overlapping)
        assert (found.tile, found.share, found.grid.shape) == ("31TFK", 1.0, (1, 1))


def test_the_window_of_a_pasture_lies_on_the_tiles_cells() -> None:
    grid = pasture_grid(shapely.box(700_003, 4_999_985, 700_021, 5_000_001), "31TGK")
    assert (grid.west_m, grid.north_m, grid.shape, grid.epsg) == (700_000, 5_000_010, (3, 3), 32631)


@pytest.mark.parametrize(("east", "north"), [(700_000, 5_000_010), (700_009.9, 5_000_000.1), (700_005, 5_000_005)])
def test_the_window_of_a_point_is_its_cell(east: float, north: float) -> None:
    cell = pasture_grid(shapely.Point(east, north), "31TGK")
    assert (cell.west_m, cell.north_m, cell.shape) == (700_000, 5_000_010, (1, 1))


def test_zones() -> None:
    assert [tile_epsg(tile) for tile in ("31TFJ", "32TLP", "19HCC", "01NAA")] == [32631, 32632, 32719, 32601]
