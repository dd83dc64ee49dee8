"""Rules that meet in a search: what is refused, with which code, and what is left."""

import json
from pathlib import Path

import pytest
from shapely import wkt
from shapely.geometry import box

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from tasks.catalogue import scenes as scenes_module
from tasks.catalogue.answer import HINTS, require_scenes
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.search import search_scenes
from tasks.periods import Period


def codes(answer):
    return {row.scene_id: row.code for row in answer.refused}


def test_a_plain_item_becomes_a_scene_with_files_of_the_wanted_resolution_and_offsets_in_digital_numbers(
    make_item, search_items
):
    answer = search_items(item := make_item())
    (scene,) = answer.scenes
    assert scene.id == item["id"]
    assert (scene.platform, scene.tile, scene.orbit, scene.baseline) == ("S2A", "33UUP", 65, "05.00")
    assert scene.datatake.isoformat() == "2020-07-05T10:15:59+00:00"
    assert {name: file.href.rsplit("/", 1)[1] for name, file in scene.bands.items()} == {
        "red": "B04_20m.jp2",
        "swir16": "B11_20m.jp2",
    }
    assert scene.bands["red"].content_id.startswith("sha3-256:")
    assert scene.bands["red"].size == 20_000
    assert scene.offsets_dn == {"red": -1000.0, "swir16": -1000.0}
    assert scene.quantification == 10_000
    assert scene.scl is not None
    assert scene.scl.name == "SCL_20m.jp2"
    assert scene.valid_share == pytest.approx(1.0)
    assert answer.refused == ()


@pytest.mark.parametrize(
    ("resolution_m", "name"), [(10, "B04_10m.jp2"), (30, "B04_20m.jp2"), (100, "B04_60m.jp2"), (5, "B04_10m.jp2")]
)
def test_the_coarsest_file_not_coarser_than_wanted_is_taken(make_item, search_items, resolution_m, name):
    (scene,) = search_items(make_item(), resolution_m=resolution_m).scenes
    assert scene.bands["red"].name == name


@pytest.mark.parametrize("platform", ["S2A", "S2B", "S2C", "S2D"])
def test_every_satellite_of_the_series_is_read(make_item, search_items, platform):
    assert [scene.platform for scene in search_items(make_item(platform=platform)).scenes] == [platform]


def test_the_baseline_implies_the_offset_where_the_item_states_none(make_item, search_items):
    before = make_item(offset=None, baseline="0214", start="20200705T101559", orbit=65)
    after = make_item(offset=None, baseline="0510", start="20200715T101559", orbit=65)
    offsets = {scene.baseline: scene.offsets_dn["red"] for scene in search_items(before, after).scenes}
    assert offsets == {"02.14": 0.0, "05.10": -1000.0}


@pytest.mark.parametrize(("baseline", "offset"), [("0214", -0.1), ("0500", 0.0)])
def test_an_offset_that_contradicts_the_baseline_is_refused(make_item, search_items, baseline, offset):
    answer = search_items(item := make_item(baseline=baseline, offset=offset))
    assert codes(answer) == {item["id"]: "offset_conflict"}


def test_refusals_at_sight(make_item, search_items):
    test_baseline = make_item(baseline="9905", start="20200701T101559")
    offline = make_item(start="20200702T101559")
    offline["properties"]["order:status"] = "orderable"
    no_outline = make_item(start="20200703T101559", footprint=None)
    broken_outline = make_item(start="20200704T101559")
    broken_outline["geometry"] = {"type": "Polygon", "coordinates": []}
    no_band = make_item(start="20200706T101559")
    del no_band["assets"]["B11_20m"]
    web = make_item(start="20200707T101559")
    for asset in web["assets"].values():
        asset["href"] = asset["href"].replace("s3://", "https://example.org/")
    l1c = make_item(level="L1C", start="20200708T101559")
    strange = make_item() | {"id": "S2A_OPER_PRD_MSIL1C_PDMC_20160101"}
    answer = search_items(test_baseline, offline, no_outline, broken_outline, no_band, web, l1c, strange)
    assert answer.scenes == ()
    assert codes(answer) == {
        test_baseline["id"]: "test_baseline",
        offline["id"]: "offline",
        no_outline["id"]: "no_footprint",
        broken_outline["id"]: "no_footprint",
        no_band["id"]: "missing_band",
        web["id"]: "unreadable_href",
        l1c["id"]: "other_level",
        strange["id"]: "unknown_product",
    }
    assert all(row.reason and row.hint for row in answer.refused)


def test_pages_may_repeat_items(make_item, search_items):
    answer = search_items(make_item(), make_item())
    assert len(answer.scenes) == 1
    assert answer.refused == ()


def test_a_sliver_is_refused_though_it_reads_no_cloud(make_item, search_items):
    full = make_item(cloud=40.0)
    sliver = make_item(start="20200708T101559", orbit=108, footprint=box(12.3, 47.75, 12.605, 48.65), cloud=0.0)
    answer = search_items(full, sliver)
    assert [scene.id for scene in answer.scenes] == [full["id"]]
    assert codes(answer) == {sliver["id"]: "sliver"}
    assert "1.2%" in answer.refused[0].reason


def test_halves_of_a_datatake_are_two_scenes_and_no_slivers(make_item, search_items):
    north = make_item(footprint=box(12.3, 48.01, 13.7, 48.65), strip="20200705T101900", made="20230530T175912")
    south = make_item(footprint=box(12.3, 47.75, 13.7, 48.01), strip="20200705T101930", made="20230530T175913")
    answer = search_items(north, south)
    assert [scene.id for scene in answer.scenes] == [north["id"], south["id"]]
    assert [round(scene.valid_share, 2) for scene in answer.scenes] == [0.97, 0.03]


def test_cloud_is_judged_after_duplicates_so_that_an_old_processing_does_not_come_back(make_item, search_items):
    new, old = make_item(cloud=30.0), make_item(cloud=5.0, baseline="0214", offset=0.0, made="20200705T130000")
    answer = search_items(new, old, max_cloud=20)
    assert answer.scenes == ()
    assert codes(answer) == {new["id"]: "too_cloudy", old["id"]: "superseded"}


def test_a_ghost_does_not_supersede_what_is_there(make_item, search_items, monkeypatch):
    ghost, real = make_item(baseline="0510"), make_item(made="20230101T000000")
    short = make_item(start="20200715T101559")

    def list_folder(folder: str) -> list[File]:
        if ghost["id"] in folder:
            return []
        size = 20_000 - (short["id"] in folder)
        return [File(href=f"{folder}/{key}_20m.jp2", content_id="etag:x", size=size) for key in ("B04", "B11", "SCL")]

    monkeypatch.setattr(scenes_module, "list_folder", list_folder)
    answer = search_items(ghost, real, short, check_objects=True)
    assert [scene.id for scene in answer.scenes] == [real["id"]]
    assert codes(answer) == {ghost["id"]: "ghost", short["id"]: "wrong_size"}


def test_wrong_keys_end_the_search_instead_of_refusing_everything(make_item, search_items, monkeypatch):
    def list_folder(folder: str) -> list[File]:
        raise StepError("access_denied", "403.", "-")

    monkeypatch.setattr(scenes_module, "list_folder", list_folder)
    with pytest.raises(StepError, match="access_denied"):
        search_items(make_item(), check_objects=True)


def test_objects_without_checksum_get_their_etag_from_the_archive(make_item, search_items, monkeypatch):
    item = make_item()
    for asset in item["assets"].values():
        del asset["file:checksum"]
    monkeypatch.setattr(scenes_module, "stat", lambda href: File(href=href, content_id="etag:abc", size=7))
    (scene,) = search_items(item).scenes
    assert (scene.bands["red"].content_id, scene.bands["red"].size) == ("etag:abc", 7)


def test_an_area_across_the_antimeridian_is_asked_for_on_both_sides_and_measured_whole(july, make_item, tmp_path):
    request = {"aoi": "179.5,-17,-179.5,-16", "periods": (july,), "bands": ("red",), "check_objects": False}
    areas = SearchRequest(**request).query_areas
    assert [area.bounds for area in areas] == [(-180, -17, -179.5, -16), (179.5, -17, 180, -16)]
    wrapped = wkt.loads("POLYGON((179.2 -16.9, -179.8 -16.9, -179.8 -16, 179.2 -16, 179.2 -16.9))")
    item = make_item(tile="01KAB", footprint=wrapped)
    for asset in item["assets"].values():
        del asset["proj:bbox"]
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [item]}))
    (scene,) = search_scenes(SearchRequest(provider="items", endpoint=str(path), **request)).scenes
    footprint = wkt.loads(scene.footprint)
    assert footprint.bounds == pytest.approx((-180, -16.9, 180, -16))
    assert footprint.area == pytest.approx(0.9)
    assert scene.valid_share == pytest.approx(0.78, abs=0.01)


def test_seasons_that_cross_new_year(make_item, search_items):
    winter = Period(label="2019-DJF", start="2019-12-01", end="2020-02-29")
    starts = ["20191130T101559", "20191231T101559", "20200229T101559", "20200301T101559"]
    answer = search_items(*(make_item(start=start) for start in starts), periods=(winter,))
    assert [f"{scene.datetime:%Y%m%d}" for scene in answer.scenes] == ["20191231", "20200229"]


def test_an_empty_search_says_what_was_asked_and_why_the_rest_was_refused(make_item, search_items, july):
    answer = search_items(make_item(baseline="9901"), make_item(cloud=90.0, start="20200710T101559"), max_cloud=6)
    request = SearchRequest(aoi="12.6,48,13,48.3", periods=(july,), bands=("red",), max_cloud=6, endpoint="file")
    with pytest.raises(StepError) as caught:
        require_scenes(request, answer)
    assert caught.value.code == "no_scenes"
    for text in (
        "2020-07-01 to 2020-07-31",
        "12.600,48.000,13.000,48.300",
        "cloud up to 6 %",
        "1 too_cloudy",
        "1 test_baseline",
    ):
        assert text in caught.value.reason
    assert answer.tiles == ("33UUP",)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"bands": ("infrared",)}, "unknown_band"),
        ({"bands": ("cirrus",)}, "unknown_band"),
        ({"aoi": "POLYGON((0 0,1 1,1 0,0 1,0 0))"}, "bad_aoi"),
    ],
)
def test_bad_requests_fail_before_anything_is_asked(july, fields, code):
    with pytest.raises(StepError) as caught:
        SearchRequest(**{"aoi": "12,48,13,49", "periods": (july,), "bands": ("red",), **fields})
    assert caught.value.code == code


def test_reversed_dates():
    with pytest.raises(StepError) as caught:
        Period(label="x", start="2020-02-01", end="2020-01-01")
    assert caught.value.code == "bad_dates"


def test_the_page_about_the_catalogue_names_every_code():
    page = (Path(__file__).parents[3] / "docs/catalogue.md").read_text()
    assert [code for code in HINTS if f"`{code}`" not in page] == []
