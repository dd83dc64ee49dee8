"""The year-round archive's catalogue, without its pixels: L1C and L2A are found apart, in a file and by STAC."""

import json

import pytest

from containers.base.sentinel2 import BANDS
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.items import collection, item
from containers.eodata.product import StoredFile, image_path
from containers.eodata.traps import planned
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import acquisitions
from tasks.catalogue.search import search_scenes
from tasks.periods import Period

CLEAR = [0, 0, 0, 0, 60, 30, 10, 0, 0, 0, 0, 0]
MASK_BANDS = ("coastal", "blue", "green", "red", "nir", "nir08", "cirrus", "swir16", "swir22")
CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]
PARAMS = ArchiveParams(
    tiles=({"id": "33UTP", "column": 0, "row": 0}, {"id": "32UQU", "column": -1, "row": 0}),
    tile_px=240,
    years=(2019, 2020),
    levels=("L1C", "L2A"),
    phenology=True,
    dates_per_year=30,
    season_start="01-01",
    season_end="12-31",
    traps=("duplicate", "reprocessed", "halves", "sliver", "corrupt"),
)


def stored_files(product):
    assets = [band.number for band in BANDS] if product.level == "L1C" else ["B02_20m", "B04_20m", "SCL_20m"]
    return [
        StoredFile(name, image_path(product, name), 1000 + i, f"{i:08x}{hash(product) % 2**32:056x}")
        for i, name in enumerate(assets)
    ]


@pytest.fixture(scope="module")
def products():
    return planned(PARAMS)


@pytest.fixture(scope="module")
def features(products):
    return collection([item(product, stored_files(product), CLEAR) for product in products[0]])["features"]


def request(**changes):
    asked = {
        "aoi": "11.92,48.6,12.08,48.7", "periods": (Period(label="all", start="2019-01-01", end="2020-12-31"),),
        "bands": MASK_BANDS, "check_objects": False, "level": "L1C", "collection": "sentinel-2-l1c",
    }  # fmt: skip
    return SearchRequest.model_validate(asked | changes)


@pytest.fixture
def item_file(tmp_path, features):
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


def test_l1c_is_found_in_the_item_file_with_its_native_bands(item_file, products):
    answer = search_scenes(request(provider="items", endpoint=item_file))
    assert {scene.level for scene in answer.scenes} == {"L1C"}
    planned_l1c = {product.name for product in products[0] if product.level == "L1C"}
    assert {scene.id for scene in answer.scenes} | {row.scene_id for row in answer.refused} == planned_l1c
    for scene in answer.scenes:
        assert set(scene.bands) == set(MASK_BANDS)
        assert scene.bands["cirrus"].href.endswith("_B10.jp2")
        assert scene.scl is None
        assert scene.simulated
        assert set(scene.offsets_dn.values()) == ({-1000.0} if scene.baseline == "05.00" else {0.0})
        assert scene.baseline == ("05.00" if scene.datetime.year == 2020 else "02.08")


def test_traps_of_l1c_meet_their_rules(item_file, products):
    answer = search_scenes(request(provider="items", endpoint=item_file))
    refused = {row.scene_id: row.code for row in answer.refused}
    met = {trap.kind: refused.get(trap.product, "kept") for trap in products[1] if "_MSIL1C_" in trap.product}
    assert met == {
        "duplicate": "superseded", "reprocessed": "kept", "halves": "kept", "sliver": "sliver", "corrupt": "kept",
    }  # fmt: skip
    (joined,) = [parts for parts in acquisitions(answer.scenes) if len(parts) > 1]
    assert len(joined) == 2


def test_l2a_beside_it_is_found_apart(item_file):
    answer = search_scenes(
        request(
            provider="items", endpoint=item_file, level="L2A", collection="sentinel-2-l2a", bands=("blue", "red")
        )
    )  # fmt: skip
    assert {scene.level for scene in answer.scenes} == {"L2A"}
    assert all(scene.scl for scene in answer.scenes)


def test_a_stac_server_of_both_collections_answers_the_same(serve, features, item_file):
    def respond(path, query, body, base):
        if path == "/v1":
            links = [
                {"rel": "root", "href": f"{base}/v1", "type": "application/json"},
                {"rel": "search", "href": f"{base}/v1/search", "type": "application/geo+json", "method": "POST"},
            ]
            landing = {"type": "Catalog", "id": "test", "description": "test", "stac_version": "1.0.0"}
            return 200, landing | {"conformsTo": CONFORMS, "links": links}
        found = [each for each in features if each["collection"] in json.loads(body)["collections"]]
        return 200, {"type": "FeatureCollection", "features": found, "links": []}

    by_server = search_scenes(request(endpoint=f"{serve(respond)}/v1"))
    by_file = search_scenes(request(provider="items", endpoint=item_file))
    assert by_server.scenes == by_file.scenes
