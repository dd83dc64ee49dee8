import csv
import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas
import numpy as np
import pystac
import pytest
import rasterio
import rasterio.features
import shapely
from pydantic import ValidationError
from shapely.geometry import shape

from containers.base.contract.grid import Bounds
from containers.base.contract.legend import LandCover
from containers.base.contract.step import Execution
from containers.eodata.contract.simulate import ArchiveParams, Tile
from containers.eodata.cover import CLC_PLUS, LAND_COVER, S2GLC, Cover
from containers.eodata.place import area_of_interest, outline, tile_grid, world_grid
from containers.eodata.simulate import run

Items = dict[str, dict[str, Any]]
Traps = dict[str, list[str]]


def path_of(folder: Path, item: dict[str, Any], asset: str) -> Path:
    return folder / item["assets"][asset]["href"].removeprefix("s3://")


def numbers(folder: Path, item: dict[str, Any], asset: str) -> np.ndarray:
    with rasterio.open(path_of(folder, item, asset)) as source:
        return source.read(1).astype(np.int32)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def one_tile(**changes: Any) -> ArchiveParams:
    small = {"tiles": (Tile(id="33UTP", column=0, row=0),), "tile_px": 96, "years": (2018,), "dates_per_year": 1}
    return ArchiveParams.model_validate({**small, "bands": ("B04_20m", "B08_10m"), "traps": (), **changes})


def test_a_seed_gives_the_same_bytes_whatever_the_processes(tmp_path: Path) -> None:
    first, second, other = tmp_path / "first", tmp_path / "second", tmp_path / "other"
    for folder, seed, threads in ((first, 5, 1), (second, 5, 3), (other, 6, 1)):
        folder.mkdir()
        run(one_tile(seed=seed, execution=Execution(threads=threads)), folder)
    assert digests(first) == digests(second)
    assert digests(first)["labels/s2glc_2018.tif"] != digests(other)["labels/s2glc_2018.tif"]


def sums_of_images(folder: Path) -> dict[str, int]:
    """Asset to the sum of its values over all products."""
    sums: Counter[str] = Counter()
    for path in sorted((folder / "eodata").rglob("*.jp2")):
        with rasterio.open(path) as source:
            sums[path.stem[-7:]] += int(source.read().astype(np.int64).sum())
    return dict(sums)


def test_archives_without_phenology_stay_as_they_were(tmp_path: Path) -> None:
    """The models of impervious_change were measured on them: sums of 25 November 2026, before L1C was added.

    Not a checksum: another numpy may round a value the other way.
    """
    run(one_tile(seed=5, dates_per_year=3), tmp_path)
    assert sums_of_images(tmp_path) == pytest.approx(
        {"B04_20m": 35_732_206, "B08_10m": 299_021_043, "SCL_20m": 111_708}, rel=1e-5
    )


def test_products_lie_as_on_eodata(archive_folder: Path, archive_items: Items) -> None:
    item = next(item for item in archive_items.values() if item["properties"]["processing:version"] == "02.12")
    name, tile = item["id"], item["properties"]["grid:code"][5:]
    start = name.split("_")[2]
    href = item["assets"]["B04_20m"]["href"]
    assert href.startswith(f"s3://eodata/Sentinel-2/MSI/L2A/{start[:4]}/{start[4:6]}/{start[6:8]}/{name}.SAFE/GRANULE/")
    assert href.endswith(f"/IMG_DATA/R20m/T{tile}_{start}_B04_20m.jp2")
    assert path_of(archive_folder, item, "product_metadata").name == "MTD_MSIL2A.xml"
    reprocessed = next(i for i in archive_items.values() if i["properties"]["processing:version"] == "05.00")
    assert "/MSI/L2A_N0500/" in reprocessed["assets"]["B04_20m"]["href"]


def test_images_are_georeferenced_and_declare_no_nodata(archive_folder: Path, archive_items: Items) -> None:
    grids = {
        tile.id: tile_grid(archive_params_of(archive_folder), tile) for tile in archive_params_of(archive_folder).tiles
    }
    for item in list(archive_items.values())[:12]:
        if not path_of(archive_folder, item, "SCL_20m").exists():
            continue
        grid, asset = grids[item["properties"]["grid:code"][5:]], item["assets"]["SCL_20m"]
        with rasterio.open(path_of(archive_folder, item, "SCL_20m")) as source:
            assert source.nodata is None
            assert source.crs.to_epsg() == grid.epsg
            assert tuple(source.bounds) == tuple(grid.bounds) == tuple(asset["proj:bbox"])
            assert list(source.transform)[:6] == asset["proj:transform"]


def archive_params_of(folder: Path) -> ArchiveParams:
    return ArchiveParams.model_validate(json.loads((folder / "simulation.json").read_text())["parameters"])


def test_ten_metre_bands_have_twice_the_cells(tmp_path: Path) -> None:
    run(one_tile(), tmp_path)
    item = json.loads((tmp_path / "items.json").read_text())["features"][0]
    fine, coarse = numbers(tmp_path, item, "B08_10m"), numbers(tmp_path, item, "B04_20m")
    assert (fine.shape, coarse.shape) == ((192, 192), (96, 96))
    assert item["assets"]["B08_10m"]["proj:transform"][0] == 10


def test_metadata_state_baseline_and_offset(archive_folder: Path, archive_items: Items) -> None:
    for item in archive_items.values():
        path = path_of(archive_folder, item, "product_metadata")
        if not path.exists():
            continue
        root = ElementTree.fromstring(path.read_text())
        assert root.findtext(".//PROCESSING_BASELINE") == item["properties"]["processing:version"]
        offsets = {node.text for node in root.iter("BOA_ADD_OFFSET")}
        has_offset = item["properties"]["processing:version"] >= "04.00"
        assert offsets == ({"-1000"} if has_offset else set())
        assert item["assets"]["B04_20m"]["raster:offset"] == (-0.1 if has_offset else 0)
        assert root.findtext(".//BOA_QUANTIFICATION_VALUE") == "10000"


def test_items_are_valid_stac_and_say_simulated(archive_items: Items) -> None:
    for item in archive_items.values():
        parsed = pystac.Item.from_dict(item)
        assert parsed.properties["clearground:simulated"] is True
        assert parsed.datetime is not None
        assert shape(item["geometry"]).is_valid
        assert item["assets"]["B04_20m"]["file:checksum"].startswith("1220")


def test_objects_are_as_their_items_say_but_for_the_traps(
    archive_folder: Path, archive_items: Items, archive_traps: Traps
) -> None:
    for name, item in archive_items.items():
        for asset in item["assets"].values():
            path = archive_folder / asset["href"].removeprefix("s3://")
            if name in archive_traps["ghost"] + archive_traps["offline"]:
                assert not path.exists()
            elif name in archive_traps["wrong_size"] and "_B04_" in path.name:
                assert path.stat().st_size < asset["file:size"]
            else:
                assert path.stat().st_size == asset["file:size"]
                assert asset["file:checksum"] == "1220" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_all_traps_are_planted(archive_traps: Traps, archive_items: Items) -> None:
    assert {kind: len(products) for kind, products in archive_traps.items()} == {
        "collection_1": 1, "corrupt": 1, "duplicate": 1, "ghost": 1, "halves": 2, "offline": 1, "reprocessed": 1,
        "sliver": 1, "test_baseline": 1, "wrong_size": 1,
    }  # fmt: skip
    offline = [name for name, item in archive_items.items() if item["properties"]["order:status"] != "succeeded"]
    assert offline == archive_traps["offline"]
    assert archive_items[archive_traps["test_baseline"][0]]["properties"]["processing:version"] == "99.05"


def test_a_corrupt_image_cannot_be_decoded(archive_folder: Path, archive_items: Items, archive_traps: Traps) -> None:
    item = archive_items[archive_traps["corrupt"][0]]
    with (
        pytest.raises(rasterio.errors.RasterioIOError),
        rasterio.open(path_of(archive_folder, item, "B04_20m")) as source,
    ):
        source.read(1)
    assert numbers(archive_folder, item, "B11_20m").min() > 0


def test_a_duplicate_differs_by_its_offset_alone(
    archive_folder: Path, archive_items: Items, archive_traps: Traps
) -> None:
    older = archive_items[archive_traps["duplicate"][0]]
    newer = twin_of(older, archive_items)
    assert (older["properties"]["processing:version"], newer["properties"]["processing:version"]) == ("02.14", "05.00")
    low, high = numbers(archive_folder, older, "B11_20m"), numbers(archive_folder, newer, "B11_20m")
    positive = low > 1
    np.testing.assert_array_equal(high[positive], low[positive] + 1000)
    assert positive.mean() > 0.99


def twin_of(item: dict[str, Any], items: Items) -> dict[str, Any]:
    same = ("datetime", "grid:code", "platform")
    return next(
        other
        for other in items.values()
        if other is not item and all(other["properties"][key] == item["properties"][key] for key in same)
    )


def test_reprocessing_changes_nothing_but_its_time(
    archive_folder: Path, archive_items: Items, archive_traps: Traps
) -> None:
    later = archive_items[archive_traps["reprocessed"][0]]
    earlier = twin_of(later, archive_items)
    assert later["properties"]["processing:datetime"] > earlier["properties"]["processing:datetime"]
    assert later["properties"]["processing:version"] == earlier["properties"]["processing:version"]
    np.testing.assert_array_equal(
        numbers(archive_folder, later, "B04_20m"), numbers(archive_folder, earlier, "B04_20m")
    )


def test_halves_of_a_datatake_complete_each_other(
    archive_folder: Path, archive_items: Items, archive_traps: Traps
) -> None:
    north, south = (archive_items[name] for name in archive_traps["halves"])
    assert north["properties"]["eopf:datatake_id"] == south["properties"]["eopf:datatake_id"]
    assert north["properties"]["eopf:datastrip_id"] != south["properties"]["eopf:datastrip_id"]
    one, two = numbers(archive_folder, north, "B04_20m"), numbers(archive_folder, south, "B04_20m")
    assert ((one > 0) | (two > 0)).all()
    both = (one > 0) & (two > 0)
    assert 0 < both.mean() < 0.1
    np.testing.assert_array_equal(one[both], two[both])


def test_a_sliver_has_no_cloud_and_hardly_any_area(
    archive_folder: Path, archive_items: Items, archive_traps: Traps
) -> None:
    item = archive_items[archive_traps["sliver"][0]]
    valid = (numbers(archive_folder, item, "B04_20m") > 0).mean()
    assert 0 < valid < 0.12
    assert item["properties"]["eo:cloud_cover"] < 0.5
    whole = shape(twin_tile(item, archive_items)["geometry"])
    assert shape(item["geometry"]).area / whole.area == pytest.approx(valid, abs=0.02)


def twin_tile(item: dict[str, Any], items: Items) -> dict[str, Any]:
    """An item with a whole footprint over the same tile."""
    same = [other for other in items.values() if other["properties"]["grid:code"] == item["properties"]["grid:code"]]
    return max(same, key=lambda other: shape(other["geometry"]).area)


def test_ghosts_and_corrupt_products_look_like_the_best_choice(archive_items: Items, archive_traps: Traps) -> None:
    for kind in ("ghost", "offline", "corrupt", "wrong_size"):
        item = archive_items[archive_traps[kind][0]]
        rivals = [
            other["properties"]["eo:cloud_cover"]
            for other in archive_items.values()
            if other["properties"]["grid:code"] == item["properties"]["grid:code"]
            and other["properties"]["datetime"][:4] == item["properties"]["datetime"][:4]
        ]
        assert item["properties"]["eo:cloud_cover"] <= sorted(rivals)[1] + 0.05


def test_tiles_in_two_zones_form_one_piece_around_the_area_of_interest(archive_folder: Path) -> None:
    params = archive_params_of(archive_folder)
    tiles = [outline(tile_grid(params, tile), 3035) for tile in params.tiles]
    assert {tile.epsg for tile in params.tiles} == {32632, 32633}
    covered = shapely.union_all(tiles)
    assert covered.geom_type == "Polygon"
    assert not covered.interiors
    area = shapely.box(*area_of_interest(params))
    assert covered.contains(area)
    assert area.area > 0.8 * covered.area
    assert all(tile.intersection(area).area > 0.1 * area.area for tile in tiles)


def test_regions_tile_the_area_of_interest(archive_folder: Path) -> None:
    regions = geopandas.read_file(archive_folder / "regions.gpkg")
    area = shapely.box(*area_of_interest(archive_params_of(archive_folder)))
    assert list(regions.columns) == ["nuts_id", "region_name", "level", "geometry"]
    assert regions.nuts_id.is_unique
    assert regions.is_valid.all()
    assert regions.area.sum() == pytest.approx(area.area, rel=1e-6)
    assert regions.union_all().symmetric_difference(area).area < 1e-6 * area.area
    assert all(len(polygon.exterior.coords) > 12 for polygon in regions.geometry)


def test_truth_is_the_majority_and_areas_are_its_counts(archive_folder: Path) -> None:
    params = archive_params_of(archive_folder)
    grid = world_grid(params)
    with rasterio.open(archive_folder / "truth" / "2018.tif") as source:
        truth = source.read(1)
        assert tuple(source.bounds) == tuple(grid.bounds)
        assert (source.crs.to_epsg(), source.nodata) == (3035, 0)
    assert set(np.unique(truth)) == {1, 2, 3}
    with (archive_folder / "truth" / "areas.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    in_2018 = [row for row in rows if row["period"] == "2018"]
    bounds: Bounds = area_of_interest(params)
    total_ha = (bounds.east - bounds.west) * (bounds.north - bounds.south) / 10_000
    for column in ("area_ha", "majority_area_ha"):
        assert sum(float(row[column]) for row in in_2018) == pytest.approx(total_ha, rel=1e-3)
    regions = geopandas.read_file(archive_folder / "regions.gpkg")
    inside = rasterio.features.geometry_mask(regions.geometry, truth.shape, source.transform, invert=True)
    counted = ((truth == LandCover.IMPERVIOUS) & inside).sum() * 0.04
    assert sum(float(r["majority_area_ha"]) for r in in_2018 if r["indicator"] == "impervious") == pytest.approx(
        counted
    )


def test_land_is_sealed_and_greened_at_about_the_wanted_rates(archive_folder: Path) -> None:
    truth = {}
    for year in (2018, 2019, 2020):
        with rasterio.open(archive_folder / "truth" / f"{year}.tif") as source:
            truth[year] = source.read(1)
    for before, after in pairwise(truth.values()):
        assert 0.003 < ((after == LandCover.IMPERVIOUS) & (before != LandCover.IMPERVIOUS)).mean() < 0.014
        assert 0.0005 < ((after == LandCover.GREEN) & (before != LandCover.GREEN)).mean() < 0.010


def test_labels_carry_s2glc_codes(archive_folder: Path) -> None:
    with rasterio.open(archive_folder / "labels" / "s2glc_2018.tif") as source:
        codes = set(np.unique(source.read(1)).tolist())
        assert source.res == (10, 10)
    assert codes <= set(S2GLC[1:].tolist())
    assert {62, 73, 82, 102, 162} <= codes


def test_every_cover_type_has_a_code_and_a_class() -> None:
    assert (S2GLC[1:] > 0).all()
    assert (CLC_PLUS[1:] > 0).all()
    assert LAND_COVER[[Cover.ROCK, Cover.HALL, Cover.MARSH, Cover.GARDEN, Cover.NONE]].tolist() == [1, 1, 3, 2, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"years": (2020, 2019)},
        {"season_start": "06-15", "season_end": "06-15"},
        {"tiles": (Tile(id="33UTP", column=0, row=0), Tile(id="33UTP", column=1, row=0))},
        {"tile_px": 5491},
        {"jitter_px": 0.5},
        {"haze": 1},
    ],
)
def test_impossible_archives_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        one_tile(**wrong)


@pytest.mark.parametrize("profile", ["tiny", "demo", "full"])
def test_profiles_are_valid(profile: str) -> None:
    path = Path("containers/eodata/profiles") / f"{profile}.json"
    params = ArchiveParams.model_validate_json(path.read_text())
    assert params.tile_px == {"tiny": 288, "demo": 720, "full": 5490}[profile]
