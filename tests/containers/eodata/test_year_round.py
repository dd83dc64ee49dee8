"""A small archive of a whole year in both levels, with its traps, truth and land."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas
import numpy as np
import pytest
import rasterio
from pydantic import ValidationError
from pyproj import Geod, Transformer
from rasterio.warp import Resampling, reproject
from scipy.signal import fftconvolve
from shapely.geometry import shape

from containers.base.contract.step import Execution
from containers.base.sentinel2 import parse_product_metadata, parse_product_name
from containers.base.sun import Sun, sun_at
from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult, Tile
from containers.eodata.growing_season import METRICS, NO_SEASON
from containers.eodata.place import View, tile_grid, true_north_deg, world_grid
from containers.eodata.product import BAND_IDS, cell_m
from containers.eodata.revisits import year_round
from containers.eodata.scl import Scl
from containers.eodata.simulate import run
from containers.eodata.sky import Sky

Items = dict[str, dict[str, Any]]
TILES = (Tile(id="33UTP", column=0, row=0), Tile(id="32UQU", column=-1, row=0))
TRAPS = ("duplicate", "reprocessed", "halves", "sliver", "corrupt")
EDGE = 132


def params(**changes: Any) -> ArchiveParams:
    small = {
        "tiles": TILES, "tile_px": EDGE, "years": (2019, 2020), "levels": ("L1C", "L2A"), "phenology": True,
        "dates_per_year": 14, "season_start": "01-01", "season_end": "12-31", "bands": ("B04_20m", "B08_10m"),
        "regions": 4, "second_map": False, "sea_share": 0.2, "jitter_px": 0.24, "traps": TRAPS,
        "execution": Execution(threads=2),
    }  # fmt: skip
    return ArchiveParams.model_validate(small | changes)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ArchiveResult]:
    folder = tmp_path_factory.mktemp("year")
    return folder, run(params(), folder)


@pytest.fixture(scope="module")
def items(archive: tuple[Path, ArchiveResult]) -> Items:
    return {item["id"]: item for item in json.loads((archive[0] / "items.json").read_text())["features"]}


@pytest.fixture(scope="module")
def traps(archive: tuple[Path, ArchiveResult]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((archive[0] / "simulation.json").read_text())["traps"]
    return found


def path_of(folder: Path, item: dict[str, Any], asset: str) -> Path:
    return folder / item["assets"][asset]["href"].removeprefix("s3://")


def reflectance(folder: Path, item: dict[str, Any], asset: str) -> np.ndarray:
    with rasterio.open(path_of(folder, item, asset)) as source:
        values = source.read(1).astype(np.float32)
    offset = item["assets"][asset]["raster:offset"]
    return np.where(values == 0, np.nan, values * 1e-4 + offset)


def scene_truth(folder: Path, name: str) -> np.ndarray:
    with rasterio.open(folder / "truth" / "scenes" / f"{name}.tif") as source:
        return source.read(1)


def of_level(items: Items, level: str) -> Items:
    return {name: item for name, item in items.items() if f"_MSI{level}_" in name}


def test_l1c_lies_as_on_eodata(archive: tuple[Path, ArchiveResult], items: Items, traps: list[dict[str, str]]) -> None:
    corrupt = {trap["product"] for trap in traps if trap["kind"] == "corrupt"}
    for name, item in of_level(items, "L1C").items():
        product = parse_product_name(name)
        assert product is not None
        collection = "L1C_N0500" if product.baseline == "05.00" else "L1C"
        assert item["collection"] == "sentinel-2-l1c"
        assert [key for key in item["assets"] if key.startswith("B")] == list(BAND_IDS)
        for band in BAND_IDS:
            href = item["assets"][band]["href"]
            assert href.startswith(f"s3://eodata/Sentinel-2/MSI/{collection}/{product.datatake:%Y/%m/%d}/{name}.SAFE/")
            assert href.endswith(f"/IMG_DATA/T{product.tile}_{product.datatake:%Y%m%dT%H%M%S}_{band}.jp2")
            if name not in corrupt:
                with rasterio.open(path_of(archive[0], item, band)) as source:
                    assert source.width == EDGE * 20 // cell_m(band)
                    assert source.res == (cell_m(band),) * 2 == (item["assets"][band]["gsd"],) * 2


def test_l1c_metadata_are_read_like_real_ones(
    archive: tuple[Path, ArchiveResult], items: Items, sample_data: Path
) -> None:
    real = next((sample_data / "stactools-sentinel2").rglob("MTD_MSIL1C.xml"))
    known = {node.tag for node in ElementTree.fromstring(real.read_text()).iter()}
    known |= {"Radiometric_Offset_List", "RADIO_ADD_OFFSET"}
    for name, item in of_level(items, "L1C").items():
        text = path_of(archive[0], item, "product_metadata").read_text()
        metadata = parse_product_metadata(text.encode())
        assert (metadata.level, metadata.quantification, metadata.nodata_dn) == ("L1C", 10_000, 0)
        assert set(metadata.offsets_dn.values()) == ({-1000.0} if "_N0500_" in name else {0.0})
        assert {node.tag for node in ElementTree.fromstring(text).iter()} <= known


def test_the_granule_says_where_the_sun_stood(archive: tuple[Path, ArchiveResult], items: Items) -> None:
    for item in list(of_level(items, "L1C").values())[:6]:
        root = ElementTree.fromstring(path_of(archive[0], item, "granule_metadata").read_text())
        place = shape(item["geometry"]).centroid
        sun = sun_at(datetime.fromisoformat(root.findtext(".//SENSING_TIME") or ""), place.x, place.y)
        assert float(root.findtext(".//Mean_Sun_Angle/ZENITH_ANGLE") or 0) == pytest.approx(sun.zenith_deg, abs=0.1)
        assert item["properties"]["view:sun_elevation"] == pytest.approx(90 - sun.zenith_deg, abs=0.1)


def test_both_levels_of_an_acquisition_have_one_truth(archive: tuple[Path, ArchiveResult], items: Items) -> None:
    folder, _ = archive
    truths: dict[tuple[str, ...], set[str]] = {}
    for name in items:
        product = parse_product_name(name)
        assert product is not None
        content = hashlib.sha256(scene_truth(folder, name).tobytes()).hexdigest()
        truths.setdefault((product.tile, f"{product.datatake}", f"{product.processed}"), set()).add(content)
    assert all(len(contents) == 1 for contents in truths.values())
    assert len(of_level(items, "L1C")) == len(of_level(items, "L2A")) == len(truths)


def test_traps_are_planted_in_every_level(traps: list[dict[str, str]], items: Items) -> None:
    kinds = [trap["kind"] for trap in traps]
    assert {kind: kinds.count(kind) for kind in TRAPS} == {kind: 4 if kind == "halves" else 2 for kind in TRAPS}
    assert all(trap["product"] in items for trap in traps)


def test_names_are_unique(items: Items, archive: tuple[Path, ArchiveResult]) -> None:
    assert len(items) == len(json.loads((archive[0] / "items.json").read_text())["features"])


def test_high_clouds_alone_are_seen_in_the_cirrus_band(archive: tuple[Path, ArchiveResult], items: Items) -> None:
    clear, cirrus = [], []
    for name, item in of_level(items, "L1C").items():
        truth = scene_truth(archive[0], name)
        values = reflectance(archive[0], item, "B10").repeat(3, axis=0).repeat(3, axis=1)
        clear += values[np.isin(truth, (Scl.VEGETATION, Scl.NOT_VEGETATED))].tolist()
        cirrus += values[truth == Scl.CIRRUS].tolist()
    assert np.nanpercentile(clear, 90) < 0.011
    assert np.nanmedian(cirrus) > 0.011


def test_snow_is_bright_in_the_visible_and_dark_in_the_short_wave_infrared(
    archive: tuple[Path, ArchiveResult], items: Items
) -> None:
    green, swir = [], []
    for name, item in of_level(items, "L1C").items():
        snow = scene_truth(archive[0], name) == Scl.SNOW
        if snow.any():
            assert name.split("_")[2][4:6] in ("11", "12", "01", "02", "03", "04")
            fine = reflectance(archive[0], item, "B03")
            green += fine.reshape(EDGE, 2, EDGE, 2).mean(axis=(1, 3))[snow].tolist()
            swir += reflectance(archive[0], item, "B11")[snow].tolist()
    assert len(green) > 500
    one, other = np.nanmedian(green), np.nanmedian(swir)
    assert one > 0.3
    assert (one - other) / (one + other) > 0.4


def test_shadows_lie_away_from_the_sun() -> None:
    """Cloud and shadow masks of cumulus match best at the shift that the sun's direction and the height ask for."""
    lone = params(tiles=TILES[:1], tile_px=300)
    grid, bounds = tile_grid(lone, TILES[0]), world_grid(lone).bounds
    sun = sun_at(datetime.fromisoformat("2020-04-20T10:14:00+00:00"), 12, 48.65)
    turned = sun._replace(azimuth_deg=sun.azimuth_deg + true_north_deg(bounds))
    places = View(grid, 0).places(0, grid.height, 20)
    errors = []
    for date in range(40):
        sky = Sky.on(5, f"date {date}", 110, 0.25, turned, bounds)
        if [deck.name for deck in sky.decks] == ["low"]:
            over = sky.over(*places)
            match = fftconvolve((over.shadow > 0.2).astype(float), (over.cloud > 0.3)[::-1, ::-1].astype(float))
            row, column = (20 * (int(at) - 299) for at in np.unravel_index(match.argmax(), match.shape))
            east_m, north_m = shadow_of(sky.decks[0].height_m, sun, grid.epsg)
            errors.append(np.hypot(column - east_m, -row - north_m))
    assert len(errors) >= 8
    assert np.median(errors) < 60


def shadow_of(height_m: float, sun: Sun, epsg: int) -> tuple[float, float]:
    """How far east and north a shadow falls on the tile's grid, along the geodesic away from the sun."""
    length_m = height_m * np.tan(np.radians(sun.zenith_deg))
    lon_deg, lat_deg, _ = Geod(ellps="WGS84").fwd(12, 48.65, sun.azimuth_deg + 180, length_m)
    to_utm = Transformer.from_crs(4326, epsg, always_xy=True)
    (x, y), (there_x, there_y) = to_utm.transform(12, 48.65), to_utm.transform(lon_deg, lat_deg)
    return there_x - x, there_y - y


def warped(path: Path, band: int, item: dict[str, Any]) -> np.ndarray:
    """A truth raster on the grid of an item's tile."""
    coarse = item["assets"].get("B04_20m") or item["assets"]["B11"]
    target = np.full((EDGE, EDGE), np.nan, dtype=np.float32)
    with rasterio.open(path) as source:
        reproject(
            source.read(band).astype(np.float32), target, src_transform=source.transform, src_crs=source.crs,
            dst_transform=rasterio.Affine(*coarse["proj:transform"]), dst_crs=coarse["proj:code"],
            resampling=Resampling.bilinear, dst_nodata=np.nan,
        )  # fmt: skip
    return target


@pytest.mark.parametrize(("level", "suffix"), [("L2A", ""), ("L1C", "_toa")])
def test_clear_observations_scatter_around_the_true_index(
    archive: tuple[Path, ArchiveResult], items: Items, level: str, suffix: str
) -> None:
    folder, errors = archive[0], []
    for name, item in of_level(items, level).items():
        day = datetime.fromisoformat(item["properties"]["datetime"]).timetuple().tm_yday
        truth = scene_truth(folder, name)
        clear = np.isin(truth, (Scl.VEGETATION, Scl.NOT_VEGETATED))
        if clear.mean() < 0.2 or (day - 1) % 10 > 1:
            continue
        assets = ("B04_20m", "B08_10m") if level == "L2A" else ("B04", "B08")
        red, nir = (reflectance(folder, item, asset) for asset in assets)
        red, nir = (v.reshape(EDGE, len(v) // EDGE, EDGE, -1).mean(axis=(1, 3)) for v in (red, nir))
        true = warped(folder / "truth" / "ndvi" / f"{name.split('_')[2][:4]}{suffix}.tif", (day - 1) // 10 + 1, item)
        errors += ((nir - red) / (nir + red) - true / 10_000)[clear].tolist()
    assert len(errors) > 5_000
    assert abs(np.nanmedian(errors)) < 0.03
    assert 0.01 < np.nanmedian(np.abs(errors)) < 0.06


def test_season_truth_is_complete(archive: tuple[Path, ArchiveResult]) -> None:
    folder, result = archive
    assert set(result.phenology_truth) == set(result.ndvi_truth) == {"2019", "2019_toa", "2020", "2020_toa"}
    starts = []
    for year in (2019, 2020):
        with rasterio.open(folder / "truth" / "phenology" / f"{year}.tif") as source:
            assert (source.descriptions, source.nodata) == (METRICS, NO_SEASON)
            season = dict(zip(METRICS, source.read(), strict=True))
        has = season["start_day"] != NO_SEASON
        assert 0.3 < has.mean() < 0.9
        assert (season["start_day"] < season["peak_day"])[has].all()
        assert (season["peak_day"] < season["end_day"])[has].all()
        assert (season["amplitude"][has] >= 0.1).all()
        mean = (season["integral"] / season["length_days"])[has]
        assert (mean < season["peak"][has] * 1.02).all()
        assert (mean > season["base"][has]).all()
        starts.append(np.median(season["start_day"][has]))
        with rasterio.open(folder / "truth" / "ndvi" / f"{year}.tif") as source:
            assert source.descriptions[:2] == (f"{year}-01-01", f"{year}-01-11")
            peak = source.read().max(axis=0) / 10_000
        assert ((season["peak"] - peak)[has] > -1e-3).all()
        assert np.median((season["peak"] - peak)[has]) < 0.01
    assert abs(starts[0] - starts[1]) > 2


def test_the_land_is_outlined_and_the_sliver_is_off_it(
    archive: tuple[Path, ArchiveResult], items: Items, traps: list[dict[str, str]]
) -> None:
    folder = archive[0]
    precise = geopandas.read_file(folder / "land.gpkg")
    land, coarse = precise.union_all(), geopandas.read_file(folder / "land_coarse.geojson").union_all()
    assert precise.crs.to_epsg() == 4326
    assert land.is_valid
    assert coarse.covers(land)
    assert len(coarse.wkt) < len(land.wkt) / 4
    shares = {
        name: shape(item["geometry"]).intersection(land).area / shape(item["geometry"]).area
        for name, item in items.items()
    }
    slivers = [trap["product"] for trap in traps if trap["kind"] == "sliver"]
    assert all(shares[name] < 0.01 for name in slivers)
    assert max(shares.values()) > 0.95


def test_dates_are_a_mix_of_skies_on_real_revisits() -> None:
    many = params(dates_per_year=60)
    seen = [each for year in range(2016, 2026) for each in year_round(many, year)]
    clouds = np.array([each.clouds for each in seen])
    assert len(seen) == 600
    assert len({each.start for each in seen}) == 600
    for share in (clouds < 0.1, (clouds >= 0.1) & (clouds <= 0.9), clouds > 0.9):
        assert share.mean() == pytest.approx(1 / 3, abs=0.06)
    in_2020 = [each.start for each in year_round(many, 2020)]
    gaps = {(one.date() - in_2020[0].date()).days % 5 for one in in_2020}
    assert len(gaps) == 2  # two orbits, each every fifth day


@pytest.mark.parametrize(
    "wrong",
    [{"phenology": False}, {"phenology": False, "levels": ("L2A",)}, {"tile_px": 130}, {"levels": ("L1C", "L1C")}],
)
def test_impossible_year_round_archives_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        params(**wrong)


def test_a_seed_gives_the_same_bytes_whatever_the_processes(tmp_path: Path) -> None:
    small = {"tiles": TILES[:1], "tile_px": 96, "years": (2020,), "dates_per_year": 3, "traps": ()}
    digests = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        folder.mkdir()
        run(params(**small, execution=Execution(threads=threads)), folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        digests.append({path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
    assert digests[0] == digests[1]


@pytest.mark.parametrize(("profile", "least_dates"), [("vegetation", 30), ("vegetation_tiny", 24)])
def test_profiles_hold_enough_dates(profile: str, least_dates: int) -> None:
    wanted = ArchiveParams.model_validate_json(Path(f"containers/eodata/profiles/{profile}.json").read_text())
    assert "L1C" in wanted.levels
    for year in wanted.years:
        assert len(list(year_round(wanted, year))) >= least_dates
