"""A small archive of pastures, its survey and its truth; how snow, plants and types behave."""

import csv
import hashlib
import json
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
from pydantic import ValidationError
from rasterio.transform import from_origin

from containers.base.contract.step import Execution
from containers.eodata.alpine.ground import AlpineDay
from containers.eodata.alpine.habitat import suitability
from containers.eodata.alpine.meadow import Differences, Meadow, Summer, canopy
from containers.eodata.alpine.mountains import Terrain
from containers.eodata.alpine.snow import Fall, falls, melt_day, snow_on
from containers.eodata.alpine.types import GROWTH, LOOKS, NAMES, PlantType
from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult, Tile
from containers.eodata.noise import Noise
from containers.eodata.place import tile_grid
from containers.eodata.scl import Scl
from containers.eodata.simulate import run

Array = np.ndarray[Any, np.dtype[Any]]
CODES = {kind.name for kind in NAMES}


def pastures(**changes: Any) -> ArchiveParams:
    """Two tiles of 2.2 km in two zones, five pastures, six dates."""
    small = {
        "seed": 6, "tiles": (Tile(id="31TGK", column=-1, row=0), Tile(id="32TLQ", column=0, row=0)),
        "centre_lon_deg": 6.68, "centre_lat_deg": 44.7, "tile_px": 108, "years": (2022,), "phenology": True,
        "dates_per_year": 6, "season_start": "04-15", "season_end": "10-20", "bands": ("B04_10m", "B08_10m", "B11_20m"),
        "jitter_px": 0.24, "second_map": False, "regions": 4, "traps": (),
        "pastures": {"count": 5, "height_m": 700, "floor_m": 1500, "points": 40, "theia_dates": 2},
        "execution": Execution(threads=2),
    }  # fmt: skip
    return ArchiveParams.model_validate(small | changes)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ArchiveResult]:
    folder = tmp_path_factory.mktemp("pastures")
    return folder, run(pastures(), folder)


def read(path: Path | str) -> Array:
    with rasterio.open(path) as source:
        values: Array = source.read(1)
    return values


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def points(folder: Path, tile: str) -> geopandas.GeoDataFrame:
    return geopandas.read_file(folder / "survey" / f"points_T{tile}.geojson")


def true_codes(folder: Path, tile: Tile, sites: geopandas.GeoDataFrame) -> list[str]:
    """The truth in the cells that hold the points."""
    grid = tile_grid(pastures(), tile)
    kinds, places = read(folder / "truth" / f"types_{tile.id}.tif"), sites.to_crs(grid.epsg).geometry
    column, row = ((places.x - grid.west_m) // 10).astype(int), ((grid.north_m - places.y) // 10).astype(int)
    return [PlantType(kind).name for kind in kinds[row, column]]


def meadow(kind: PlantType, **changes: Any) -> Meadow:
    """One cell without a second type."""
    plain = {
        "kind": np.uint8(kind), "second": np.uint8(0), "share": np.uint8(0), "pasture": np.uint8(0),
        "height": np.float32(1500), "melt": np.float32(110),
        **dict.fromkeys(("tone", "hue", "vigour", "grain", "timing"), np.uint8(128)),
    }  # fmt: skip
    return Meadow(**{name: np.array([value]) for name, value in (plain | changes).items()})


def green(cell: Meadow, day: float) -> float:
    return float(canopy(cell, cell.kind, day, Summer.of(Noise(1), 2022), Differences.of(Noise(1)))[0])


def slope(**parts: float) -> Terrain:
    """Ground of one cell: level at 1,500 m but for what is given."""
    values = {"height": 1500.0, "east": 0.0, "north": 0.0, "hollow": 0.0} | parts
    return Terrain(**{name: np.full((1, 1), value, np.float32) for name, value in values.items()})


def melts(year: int = 2022, **parts: float) -> float:
    place = np.zeros(1)
    return float(melt_day(Noise(1), year, slope(**parts), place, place)[0, 0])


def test_snow_melts_later_higher_up_on_northern_slopes_and_in_hollows() -> None:
    level = melts()
    assert melts(height=2000) - level == pytest.approx(31, abs=3.5)  # 0.062 days per metre, ± 0.006 by year
    assert melts(north=-0.5) - melts(north=0.5) == pytest.approx(2 * 30 * 0.5 / 1.25**0.5, abs=0.01)
    assert melts(hollow=8) - level == pytest.approx(6)
    assert len({melts(year) for year in range(2015, 2025)}) == 10


def test_winter_snow_fades_around_the_day_of_melt_and_fresh_snow_lies_above_its_line() -> None:
    melt, height = np.array([100.0, 100.0], np.float32), np.array([1400.0, 2000.0], np.float32)
    assert snow_on(90, [], melt, height).tolist() == [1, 1]
    assert snow_on(100, [], melt, height).tolist() == [0.5, 0.5]
    assert snow_on(104, [], melt, height).tolist() == [0, 0]
    fresh = [Fall(150, 1500, 3)]
    assert snow_on(149, fresh, melt, height).tolist() == [0, 0]
    assert snow_on(150, fresh, melt, height).tolist() == [0, 1]
    assert snow_on(160, fresh, melt, height).tolist() == [0, 0]  # 3 days, and one more per 150 m above the line


def test_snow_falls_lower_the_later_it_is_in_autumn() -> None:
    for year in (2021, 2022, 2023):
        autumn = [fall for fall in falls(Noise(3), year) if fall.day > 230]
        assert [fall.day for fall in autumn] == sorted(fall.day for fall in autumn)
        assert autumn[-1].line_m < 2350


@pytest.mark.parametrize("kind", list(NAMES))
def test_plants_start_from_their_lowest_and_come_later_where_snow_does(kind: PlantType) -> None:
    early, late = meadow(kind), meadow(kind, melt=np.float32(140))
    lowest = GROWTH[kind].lowest
    assert green(early, 60) == pytest.approx(lowest, abs=0.02)
    assert green(early, 330) == pytest.approx(lowest, abs=0.05)
    assert green(early, 190) > lowest + 0.15
    assert green(early, 128) > green(late, 128)
    rising = [day for day in range(90, 190) if green(early, day) > lowest + 0.1]
    rising_late = [day for day in range(90, 220) if green(late, day) > lowest + 0.1]
    assert rising_late[0] - rising[0] == pytest.approx(30, abs=2)


def test_grazing_takes_more_of_rich_pasture_than_of_heath_and_nothing_outside_pastures() -> None:
    summer = Summer.of(Noise(1), 2022)
    number = int(np.argmax(summer.grazed[1:40])) + 1
    day = float(summer.grazed_on[number]) + 8

    def kept(kind: PlantType) -> float:
        cell = meadow(kind, pasture=np.uint8(number))
        ungrazed = Summer(**{**summer.__dict__, "grazed": np.zeros_like(summer.grazed)})
        differences = Differences.of(Noise(1))
        grazed, free = (float(canopy(cell, cell.kind, day, each, differences)[0]) for each in (summer, ungrazed))
        return grazed / free

    assert kept(PlantType.FERT) < 0.75 < kept(PlantType.HEAT) < 1
    assert summer.grazed[number] > 0.5


def test_reflectance_mixes_two_types_by_their_shares() -> None:
    today = AlpineDay.on(1, date(2022, 7, 10))
    pure = [meadow(kind) for kind in (PlantType.FERT, PlantType.SCRE)]
    half = meadow(PlantType.FERT, second=np.uint8(PlantType.SCRE), share=np.uint8(102))
    (first, _), (second, _), (mixed, _) = (today.reflectance(each, 0.4, ("B04", "B11")) for each in (*pure, half))
    tables = today.differences
    looks = np.exp(tables.tone[PlantType.FERT] - tables.tone[PlantType.SCRE])
    for band, hue_slope in (("B04", -0.4), ("B11", 0.8)):
        tint = np.exp(hue_slope * (tables.hue[PlantType.FERT] - tables.hue[PlantType.SCRE]))
        wanted = 0.6 * first[band] + 0.4 * second[band] * looks * tint
        assert mixed[band] == pytest.approx(wanted, rel=1e-4)


def test_types_have_plausible_spectra() -> None:
    for looks in LOOKS.values():
        leaf, ground = np.array(looks.leaf), np.array(looks.ground)
        assert (leaf[6] - leaf[2]) / (leaf[6] + leaf[2]) > 0.65
        assert (np.diff(ground[:8]) > 0).all()


def test_types_like_their_places() -> None:
    dry, wet = np.full((1, 1), -1.5, np.float32), np.full((1, 1), 1.5, np.float32)

    def best(terrain: Terrain, wetness: Array) -> PlantType:
        scores = suitability(terrain, wetness)
        return max(scores, key=lambda kind: float(scores[kind][0, 0]))

    assert best(slope(height=1600, north=0.6), dry) == PlantType.DRYG
    assert best(slope(height=2600, north=-0.1), dry * 0) == PlantType.SNOW
    assert best(slope(height=1750), wet) == PlantType.WETM
    assert best(slope(height=2300, east=0.95), dry * 0) == PlantType.SCRE


def test_an_archive_without_pastures_has_nothing_of_them(archive_folder: Path) -> None:
    assert "pastures" not in json.loads((archive_folder / "simulation.json").read_text())
    assert not (archive_folder / "survey").exists()


def test_truth_lies_on_the_tiles_grids(archive: tuple[Path, ArchiveResult]) -> None:
    folder, result = archive
    assert set(result.type_truth) == {"31TGK", "32TLQ"}
    assert set(result.snow_free_truth) == {"31TGK_2022", "32TLQ_2022"}
    for tile in pastures().tiles:
        grid = tile_grid(pastures(), tile)
        for file in (result.type_truth[tile.id], result.snow_free_truth[f"{tile.id}_2022"]):
            with rasterio.open(folder / file.href) as source:
                assert source.transform == from_origin(grid.west_m, grid.north_m, 10, 10)
                assert (source.width, source.crs.to_epsg()) == (2 * grid.width, grid.epsg)
    kinds = read(folder / result.type_truth["31TGK"].href)
    assert len(np.unique(kinds)) >= 6
    assert kinds.max() <= max(PlantType)
    melt = read(folder / result.snow_free_truth["31TGK_2022"].href)
    assert 45 <= melt.min() < melt.max() <= 215
    record = json.loads((folder / "simulation.json").read_text())["pastures"]
    assert record["type_codes"]["NARD"] == 1
    assert set(record["types"]) == CODES
    assert len(result.dem) == 1


def test_outlines_come_in_two_files_and_two_systems(archive: tuple[Path, ArchiveResult]) -> None:
    folder, _ = archive
    many, one = geopandas.read_file(folder / "pastures.gpkg"), geopandas.read_file(folder / "new_pasture.shp")
    assert list(many["pasture_id"]) == ["P01", "P02", "P03", "P04"]
    assert (list(one["pasture_id"]), one.crs.to_epsg(), many.crs.to_epsg()) == (["P05"], 32632, 4326)
    area = many.to_crs(3035).geometry
    assert (area.area > 100_000).all()
    assert all(area[i].distance(area[j]) > 20 for i in range(4) for j in range(i))


def test_points_are_wrong_as_often_as_wanted_and_some_have_no_class(archive: tuple[Path, ArchiveResult]) -> None:
    folder, _ = archive
    told, true = [], []
    for tile in pastures().tiles:
        sites = points(folder, tile.id)
        told += sites["veg_type"].to_list()
        true += true_codes(folder, tile, sites)
    assert {"", "NA"} < set(told) <= CODES | {"", "NA"}
    named = [(code, truth) for code, truth in zip(told, true, strict=True) if code in CODES]
    assert np.mean([code != truth for code, truth in named]) == pytest.approx(0.13, abs=0.06)
    assert len(named) > 120


def test_the_survey_repeats_and_contradicts_itself(archive: tuple[Path, ArchiveResult]) -> None:
    sites = points(archive[0], "31TGK")
    assert sites["site_id"].duplicated().sum() == 4
    again = sites[sites["site_id"].str.endswith("b")]
    assert len(again) == 1
    first = sites[sites["site_id"] == again["site_id"].iloc[0][:-1]]
    assert first.geometry.iloc[0].equals(again.geometry.iloc[0])
    assert first["veg_type"].iloc[0] != again["veg_type"].iloc[0]


def test_revisits_lie_beside_their_tile_until_they_are_reprojected(archive: tuple[Path, ArchiveResult]) -> None:
    folder, tile = archive[0], pastures().tiles[1]
    sites = geopandas.read_file(folder / "survey" / "revisits_T32TLQ.shp")
    west, south, east, north = tile_grid(pastures(), tile).bounds
    assert sites.crs.to_epsg() == 32631
    assert len(sites) > 5
    assert not sites.geometry.x.between(west, east).any()
    moved = sites.to_crs(32632).geometry
    assert (moved.x.between(west, east) & moved.y.between(south, north)).all()


def test_sites_of_the_overlap_are_in_both_files(archive: tuple[Path, ArchiveResult]) -> None:
    both = {tile.id: set(points(archive[0], tile.id)["site_id"]) for tile in pastures().tiles}
    assert both["31TGK"] & both["32TLQ"]


def test_polygons_lie_in_the_tiles_zone_and_mix_types(archive: tuple[Path, ArchiveResult]) -> None:
    folder = archive[0]
    for tile in pastures().tiles:
        frame = geopandas.read_file(folder / "survey" / f"polygons_T{tile.id}.shp")
        assert frame.crs.to_epsg() == tile.epsg
        assert frame.geometry.is_valid.all()
        assert frame.geometry.area.between(500, 30_000).all()


def test_the_calendar_follows_from_the_daily_curve(archive: tuple[Path, ArchiveResult]) -> None:
    folder, result = archive
    assert result.calendar_truth
    assert result.pasture_ndvi_truth
    curves = rows(folder / result.pasture_ndvi_truth.href)
    for event in rows(folder / result.calendar_truth.href):
        own = [row for row in curves if row["pasture_id"] == event["pasture_id"]]
        ndvi, snow = (np.array([float(row[name]) for row in own]) for name in ("ndvi", "snow_share"))
        assert len(ndvi) == 365
        assert ndvi[int(float(event["peak"])) - 1] == ndvi.max()
        assert ndvi.max() == pytest.approx(float(event["peak_ndvi"]), abs=1e-4)
        left = ndvi[: ndvi.argmax()].min()
        at_greening = np.interp(float(event["greening"]), np.arange(1, 366), ndvi)
        assert at_greening == pytest.approx(left + 0.25 * (ndvi.max() - left), abs=0.002)
        winter_ends = int(float(event["snow_free"]))
        assert snow[: winter_ends - 12].min() > 0.5
        assert np.median(snow[winter_ends + 12 : 250]) < 0.1
        assert float(event["greening"]) < float(event["peak"]) < float(event["drying"])


def test_the_scene_classification_sees_snow_but_not_perfectly(archive: tuple[Path, ArchiveResult]) -> None:
    folder, found = archive[0], []
    for path in (folder / "eodata").rglob("*_SCL_20m.jp2"):
        name = next(part for part in path.parts if part.endswith(".SAFE")).removesuffix(".SAFE")
        truth, mapped = read(folder / "truth" / "scenes" / f"{name}.tif"), read(path)
        seen = np.isin(truth, (Scl.SNOW, Scl.VEGETATION, Scl.NOT_VEGETATED))
        found.append(np.stack([truth[seen] == Scl.SNOW, mapped[seen] == Scl.SNOW]))
    truly, mapped_so = np.concatenate(found, axis=1)
    assert truly.mean() > 0.02
    assert 0.6 < mapped_so[truly].mean() < 0.999
    assert mapped_so[~truly].mean() < 0.1


def test_theia_products_hold_what_theia_says(archive: tuple[Path, ArchiveResult]) -> None:
    folder, result = archive
    assert [len(result.theia), len(result.theia_snow)] == [2, 2]
    for file in result.theia:
        name = Path(file.href).stem
        assert re.fullmatch(r"SENTINEL2[AB]_\d{8}-\d{6}-\d{3}_L2A_T31TGK_D_V1-4", name)
        with zipfile.ZipFile(folder / file.href) as product:
            members = {member.removeprefix(f"{name}/") for member in product.namelist()}
        bands = {f"{name}_{kind}_{band}.tif" for kind in ("FRE", "SRE") for band in ("B4", "B8", "B11")}
        masks = {f"MASKS/{name}_{mask}_R1.tif" for mask in ("CLM", "MG2", "EDG")}
        assert members == bands | masks | {f"{name}_MTD_ALL.xml"}


def test_theia_masks_agree_with_each_other_and_with_the_truth(archive: tuple[Path, ArchiveResult]) -> None:
    folder, result = archive
    for file, snow_file in zip(result.theia, result.theia_snow, strict=True):
        name, snow_name = Path(file.href).stem, Path(snow_file.href).stem
        inside, inside_snow = (f"/vsizip/{folder / each.href}" for each in (file, snow_file))
        masks = {mask: read(f"{inside}/{name}/MASKS/{name}_{mask}_R1.tif")[::2, ::2] for mask in ("CLM", "MG2")}
        snow = read(f"{inside_snow}/{snow_name}/{snow_name}_SNW_R2.tif")
        day = name.split("_")[1][:8]
        truth = read(next((folder / "truth" / "scenes").glob(f"*MSIL2A_{day}*_T31TGK_*.tif")))
        clouds = np.isin(truth, (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH))
        assert ((masks["CLM"] & 2) > 0)[clouds].all()
        assert (((masks["CLM"] & 1) > 0) == ((masks["CLM"] & 0b100010) > 0)).all()
        assert (((masks["MG2"] & 4) > 0) == (snow == 100)).all()
        assert (snow[(masks["CLM"] & 2) > 0] == 205).all()
        assert set(np.unique(snow)) <= {0, 100, 205, 254}


def test_flat_reflectance_has_less_relief_than_surface_reflectance(archive: tuple[Path, ArchiveResult]) -> None:
    folder, result = archive
    name = Path(result.theia[-1].href).stem
    inside = f"/vsizip/{folder / result.theia[-1].href}/{name}/{name}"
    with rasterio.open(f"{inside}_FRE_B8.tif") as source:
        flat = source.read(1).astype(float)
        assert (source.dtypes[0], source.nodata, source.res) == ("int16", -10000, (10, 10))
    surface = read(f"{inside}_SRE_B8.tif").astype(float)
    assert ((flat == -10000) == (surface == -10000)).all()
    ratio = flat[surface > 500] / surface[surface > 500]
    assert 0.02 < ratio.std() < 0.6


def test_the_same_seed_gives_the_same_bytes(archive: tuple[Path, ArchiveResult], tmp_path: Path) -> None:
    folder, result = archive
    again = run(pastures(execution=Execution(threads=1)), tmp_path)
    assert again.model_dump(exclude={"simulation"}) == result.model_dump(exclude={"simulation"})
    for path in ("pastures.gpkg", "new_pasture.dbf", result.theia[0].href, result.survey[0].href):
        digests = [hashlib.sha256((place / path).read_bytes()).hexdigest() for place in (folder, tmp_path)]
        assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"phenology": False}, "need phenology"),
        ({"relief": {}}, "without \\['relief'\\]"),
        ({"sea_share": 0.2}, "without \\['sea'\\]"),
        ({"pastures": {"count": 2}}, "greater than or equal to 4"),
    ],
)
def test_pastures_do_not_go_with_everything(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        pastures(**changes)
