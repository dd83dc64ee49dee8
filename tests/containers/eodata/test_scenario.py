"""A small archive with hills, a fire, chosen skies and radar passes, and its truth."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from pydantic import ValidationError
from pyproj import Transformer

from containers.base.contract.step import Execution, StepError
from containers.base.sun import Sun
from containers.eodata.burn import burned, char_share
from containers.eodata.colours import Plants
from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult, Tile
from containers.eodata.cover import Cover
from containers.eodata.elevation import undulation
from containers.eodata.hills import Hills, light_on_slopes
from containers.eodata.landscape import landscape
from containers.eodata.noise import Noise
from containers.eodata.place import area_of_interest, tile_grid
from containers.eodata.scar import BURNED_FROM, FUEL, Scar
from containers.eodata.scl import Scl
from containers.eodata.simulate import run
from containers.eodata.stac_collections import collections_of

Array = np.ndarray[Any, np.dtype[Any]]
HIDING = (Scl.SHADOW, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS)
EARLY, LATE = "20200603T101031", "20200705T100031"
BANDS = ("B02_10m", "B03_10m", "B04_10m", "B08_10m", "B8A_20m", "B11_20m", "B12_20m")


def scenario(**changes: Any) -> ArchiveParams:
    """One tile of 2.4 km."""
    small = {
        "seed": 4, "tiles": (Tile(id="33UTP", column=0, row=0),), "centre_lon_deg": 12.3, "tile_px": 120,
        "years": (2020,), "phenology": True, "bands": BANDS, "jitter_px": 0.24, "second_map": False, "regions": 4,
        "traps": (), "relief": {}, "fire": {"day": "2020-06-16", "share": 0.15, "scars": 1},
        "optical_dates": (
            {"day": "2020-06-03", "hidden": 0.0},
            {"day": "2020-07-05", "hidden": 0.45, "scar_hidden": 0.5, "orbit": 122},
        ),
        "radar_dates": (
            {"start": "2020-06-05T05:25:30Z", "platform": "S1B", "relative_orbit": 168, "direction": "descending"},
            {"start": "2020-07-05T05:26:12Z", "relative_orbit": 168, "direction": "descending", "slices": 2},
        ),
        "execution": Execution(threads=2),
    }  # fmt: skip
    return ArchiveParams.model_validate(small | changes)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ArchiveResult]:
    folder = tmp_path_factory.mktemp("scenario")
    return folder, run(scenario(), folder)


@pytest.fixture(scope="module")
def items(archive: tuple[Path, ArchiveResult]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((archive[0] / "items.json").read_text())["features"]
    return found


def read(path: Path) -> Array:
    with rasterio.open(path) as source:
        values: Array = source.read()
    return values


def reflectance(folder: Path, items: list[dict[str, Any]], sensed: str) -> Array:
    """Digital numbers without their offset, int32, (band, row, column) on 10 m; 20 m bands as four cells."""
    item = next(item for item in items if f"MSIL2A_{sensed}" in item["id"])
    layers = []
    for band in BANDS:
        values = read(folder / item["assets"][band]["href"].removeprefix("s3://"))[0].astype(np.int32)
        scale = 1 if band.endswith("10m") else 2
        layers.append(
            (values + round(item["assets"][band]["raster:offset"] * 10_000)).repeat(scale, 0).repeat(scale, 1)
        )
    return np.stack(layers)


def hidden(folder: Path, items: list[dict[str, Any]], sensed: str) -> Array:
    item = next(item for item in items if f"MSIL2A_{sensed}" in item["id"])
    return np.isin(read(folder / "truth" / "scenes" / f"{item['id']}.tif")[0], HIDING).repeat(2, 0).repeat(2, 1)


def nbr(image: Array) -> Array:
    near, short = image[4].astype(float), image[6].astype(float)
    return (near - short) / (near + short)


def test_the_clear_image_is_the_product_where_nothing_hides_the_ground(
    archive: tuple[Path, ArchiveResult], items: list[dict[str, Any]]
) -> None:
    ((name, file),) = archive[1].clear_truth.items()
    assert f"MSIL2A_{LATE}" in name
    with rasterio.open(archive[0] / file.href) as source:
        assert source.descriptions == ("blue", "green", "red", "nir", "nir08", "swir16", "swir22")
        assert (source.dtypes[0], source.nodata, source.res) == ("int16", -32768, (10, 10))
        assert source.bounds == tile_grid(scenario(), scenario().tiles[0]).bounds
        clear = source.read().astype(np.int32)
    product, mask = reflectance(archive[0], items, LATE), hidden(archive[0], items, LATE)
    differences = np.abs(clear - product)
    assert np.median(differences[:, ~mask]) <= 10
    assert (differences[:, ~mask] == 0).mean() > 0.4
    assert np.median(differences[:, mask]) > 500


def test_skies_hide_what_they_are_wanted_to(archive: tuple[Path, ArchiveResult], items: list[dict[str, Any]]) -> None:
    scar = read(archive[0] / "truth" / "fire.tif")[0] == 1
    late = hidden(archive[0], items, LATE)
    assert late.mean() == pytest.approx(0.45, abs=0.08)
    assert 0.45 < late[scar].mean() < 0.80
    assert not hidden(archive[0], items, EARLY).any()


def test_what_burned_loses_its_nbr_by_severity(
    archive: tuple[Path, ArchiveResult], items: list[dict[str, Any]]
) -> None:
    severity, scar = (read(archive[0] / "truth" / f"{name}.tif")[0] for name in ("fire_severity", "fire"))
    np.testing.assert_array_equal(scar == 1, severity >= BURNED_FROM)
    assert scar.mean() == pytest.approx(0.15, abs=0.06)
    clear = read(archive[0] / next(iter(archive[1].clear_truth.values())).href)
    lost = nbr(reflectance(archive[0], items, EARLY)) - nbr(clear)
    medians = [np.median(lost[(severity >= low) & (severity < low + 0.2)]) for low in (0.15, 0.35, 0.55)]
    assert medians == sorted(medians)
    assert 0.0 < medians[0] < 0.27
    assert medians[-1] > 0.3
    assert abs(np.median(lost[severity == 0])) < 0.12


def test_burned_woods_have_the_dnbr_of_their_severity_class() -> None:
    """Conifers against the thresholds of Key & Benson (2006): 0.10, 0.27, 0.44, 0.66."""
    severity = np.array([0.15, 0.36, 0.57, 0.9], dtype=np.float32)
    char = char_share(severity, np.full(4, Cover.CONIFER, dtype=np.uint8), 1)
    near, short = (
        burned(np.full(4, value, np.float32), char, band) for value, band in ((0.198, "B8A"), (0.042, "B12"))
    )
    loss = (0.198 - 0.042) / 0.24 - (near - short) / (near + short)
    assert np.searchsorted([0.10, 0.27, 0.44, 0.66], loss).tolist() == [1, 2, 3, 4]
    red = burned(np.full(4, 0.02, np.float32), char, "B04")
    assert (np.diff(red) > 0).all()
    assert (red < 0.06).all()


def test_a_burn_fades_within_weeks_and_meadows_faster_than_woods() -> None:
    cover = np.array([Cover.CONIFER, Cover.GRASSLAND], dtype=np.uint8)
    shares = np.array([char_share(np.ones(2, np.float32), cover, days) for days in (0, 10, 30, 90)])
    np.testing.assert_allclose(shares[0], 1)
    assert (np.diff(shares, axis=0) < 0).all()
    assert shares[-1, 0] > 0.9 > 0.5 > shares[-1, 1]


def test_fire_spares_towns_waters_and_green_crops() -> None:
    params = scenario(tile_px=352)
    ground = landscape(params)
    assert params.fire is not None
    box = area_of_interest(params)
    y_m, x_m = np.arange(box.north, box.south, -40.0), np.arange(box.west, box.east, 40.0)
    layers = ground.window(y_m, x_m)
    plants = Plants(layers.cover[2020], *layers[1:5], layers.timing[2020])
    severity = Scar.planned(ground, params.fire, box).severity(plants, y_m, x_m)
    assert (severity[FUEL[plants.cover] == 0] == 0).all()
    assert (severity >= BURNED_FROM).mean() == pytest.approx(params.fire.share, abs=0.02)
    assert 0 < severity.max() <= 1


def test_the_dem_is_the_relief_and_lies_as_on_eodata(archive: tuple[Path, ArchiveResult]) -> None:
    (dem,) = archive[1].dem
    name = "Copernicus_DSM_COG_10_N48_00_E012_00_DEM"
    assert dem.href == f"eodata/auxdata/CopDEM_COG/copernicus-dem-30m/{name}/{name}.tif"
    params = scenario()
    assert params.relief is not None
    ground = landscape(params)
    with rasterio.open(archive[0] / dem.href) as source:
        assert (source.crs.to_epsg(), source.dtypes, source.driver) == (4326, ("float32",), "GTiff")
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        lon, lat = source.xy(source.height // 2, source.width // 2)
        assert (round(lon * 3600, 6) % 1, round(lat * 3600, 6) % 1) == (0, 0)
        height = source.read(1)[source.height // 2, source.width // 2]
    x, y = Transformer.from_crs(4326, 3035, always_xy=True).transform(lon, lat)
    true = Hills.of(ground, params.relief).heights(np.array([y]), np.array([x]))[0, 0]
    assert height == pytest.approx(true, abs=3)


def test_the_geoid_is_smooth_and_about_46_m(archive: tuple[Path, ArchiveResult]) -> None:
    assert archive[1].geoid is not None
    with rasterio.open(archive[0] / archive[1].geoid.href) as source:
        values = source.read(1)
        lon, lat = source.xy(7, 9)
        assert source.crs.to_epsg() == 4326
    x, y = Transformer.from_crs(4326, 3035, always_xy=True).transform(lon, lat)
    assert values[7, 9] == pytest.approx(undulation(Noise(4), np.array([y]), np.array([x]))[0, 0], abs=0.01)
    assert 40 < values.min() < values.max() < 52
    assert np.abs(np.diff(values, axis=0)).max() < 0.5


def test_hills_rise_from_level_waters() -> None:
    params = scenario(tile_px=352)
    ground, relief = landscape(params), params.relief
    assert relief is not None
    grid = tile_grid(params, params.tiles[0])
    x, y = Transformer.from_crs(grid.epsg, 3035, always_xy=True).transform(grid.bounds.west, grid.bounds.north)
    y_m, x_m = y - np.arange(0, 6000, 10.0), x + np.arange(0, 6000, 10.0)
    heights = Hills.of(ground, relief).heights(y_m, x_m)
    water = ground.window(y_m, x_m).cover[2020] == Cover.WATER
    np.testing.assert_allclose(heights[water], relief.floor_m, atol=0.01)
    slope = np.degrees(np.arctan(np.hypot(*np.gradient(heights, 10.0))))
    assert 250 < heights.max() - heights.min() < 500
    assert 4 < np.median(slope) < 12
    assert 20 < np.percentile(slope, 98) < 45


def test_light_on_slopes_by_hand() -> None:
    """Sun in the south, 45° high: level ground, a slope of 45° that faces it, one that faces away, one to the east."""
    sun = Sun(45.0, 180.0)
    east, north = np.array([0, 0, 0, -1.0], np.float32), np.array([0, 1.0, -1.0, 0], np.float32)
    light = light_on_slopes(east, -north, sun, 0.0)
    np.testing.assert_allclose(light, [1, 0, np.sqrt(2), np.sqrt(0.5)], atol=1e-6)
    np.testing.assert_allclose(light_on_slopes(east, -north, sun, 1.0), 1)


def test_sunny_slopes_are_brighter(archive: tuple[Path, ArchiveResult], items: list[dict[str, Any]]) -> None:
    with rasterio.open(archive[0] / archive[1].dem[0].href) as source:
        grid = tile_grid(scenario(), scenario().tiles[0])
        lon, lat = Transformer.from_crs(grid.epsg, 4326, always_xy=True).transform(
            *np.meshgrid(grid.bounds.west + np.arange(5, 2400, 10.0), grid.bounds.north - np.arange(5, 2400, 10.0))
        )
        rows, columns = rasterio.transform.rowcol(source.transform, lon.ravel(), lat.ravel())
        heights = source.read(1)[np.array(rows), np.array(columns)].reshape(lon.shape)
    towards_sun = np.gradient(heights, 10.0)[0] - 0.6 * np.gradient(heights, 10.0)[1]
    near = reflectance(archive[0], items, EARLY)[3]
    green = nbr(reflectance(archive[0], items, EARLY)) > 0.4
    sunny, shady = green & (towards_sun < -0.15), green & (towards_sun > 0.15)
    assert min(sunny.sum(), shady.sum()) > 200
    assert near[sunny].mean() > 1.05 * near[shady].mean()


def test_radar_products_lie_in_the_catalogue_and_the_archive(
    archive: tuple[Path, ArchiveResult], items: list[dict[str, Any]]
) -> None:
    radar = [item for item in items if item["collection"] == "sentinel-1-grd"]
    assert len(radar) == 3
    assert archive[1].products == 5
    for item in radar:
        pystac.Item.from_dict(item)
        for asset in item["assets"].values():
            path = archive[0] / asset["href"].removeprefix("s3://")
            assert path.stat().st_size == asset["file:size"]
    record = json.loads((archive[0] / "simulation.json").read_text())
    assert {each["id"] for each in record["radar_products"]} == {item["id"] for item in radar}
    assert len({each["datatake"] for each in record["radar_products"]}) == 2
    assert record["elevation"]["geoid"] == "eodata/auxdata/geoid/simulated_geoid_1min.tif"
    assert record["fire"]["truth"] == ["truth/fire.tif", "truth/fire_severity.tif"]


def test_the_catalogue_server_gets_a_collection_of_each_mission(items: list[dict[str, Any]]) -> None:
    collections = {each["id"]: each for each in collections_of(items)}
    assert sorted(collections) == ["sentinel-1-grd", "sentinel-2-l2a"]
    assert collections["sentinel-1-grd"]["extent"]["temporal"]["interval"][0][0].startswith("2020-06-05T05:25:30")


@pytest.mark.slow
def test_a_scenario_is_the_same_bytes_whatever_the_processes(
    archive: tuple[Path, ArchiveResult], tmp_path: Path
) -> None:
    run(scenario(execution=Execution(threads=1)), tmp_path)

    def digests(folder: Path) -> dict[str, str]:
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert digests(tmp_path) == digests(archive[0])


def test_a_sky_that_cannot_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("containers.eodata.scenario._DRAWS", 2)
    dates = ({"day": "2020-07-05", "hidden": 0.1, "scar_hidden": 0.9},)
    with pytest.raises(StepError, match="bad_parameters") as error:
        run(scenario(optical_dates=dates, radar_dates=None), tmp_path)
    assert "0.9 of the scar" in error.value.reason


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"phenology": False}, "need phenology"),
        ({"relief": None}, "radar_dates need relief"),
        ({"sea_share": 0.1}, "no coast"),
        ({"fire": None}, "nothing has burned"),
        ({"fire": {"day": "2021-06-16"}}, "none of the years"),
        ({"tiles": (Tile(id="33UTP", column=0, row=0), Tile(id="33UUP", column=1, row=0))}, "one tile"),
        ({"optical_dates": ({"day": "2020-07-05", "hidden": 0.1}, {"day": "2020-06-03", "hidden": 0.1})}, "ascend"),
        ({"radar_dates": ({"start": "2020-06-05T05:25:30", "relative_orbit": 1, "direction": "ascending"},)}, "UTC"),
    ],
)
def test_scenarios_that_do_not_fit_together_are_refused(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        scenario(**wrong)


@pytest.mark.parametrize(("profile", "edge"), [("cloud_removal", 704), ("cloud_removal_tiny", 352)])
def test_profiles_are_valid(profile: str, edge: int) -> None:
    path = Path("containers/eodata/profiles") / f"{profile}.json"
    params = ArchiveParams.model_validate_json(path.read_text())
    assert params.tile_px == edge
    assert {each.direction for each in params.radar_dates or ()} == {"ascending", "descending"}
    assert {each.damage for each in params.radar_dates or ()} == {"", "zero_filled", "missing_annotation"}
