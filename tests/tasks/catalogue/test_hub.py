"""A DHuS-style hub: sentinelsat against a small served OpenSearch answer."""

import pytest

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.base.sentinel2 import parse_product_name
from tasks.catalogue import hub
from tasks.catalogue import scenes as scenes_module
from tasks.catalogue.candidate import Asset
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.safe import SafeFolder
from tasks.catalogue.search import search_scenes

NAMES = [f"S2A_MSIL2A_202007{day:02}T101559_N0214_R065_T33UUP_202007{day:02}T130000" for day in range(1, 5)]
FOOTPRINT = "MULTIPOLYGON (((12.3 47.75, 13.7 47.75, 13.7 48.65, 12.3 48.65, 12.3 47.75)))"


def feed_entry(name):
    return {
        "title": name,
        "id": name,
        "link": [{"href": "https://hub.test/x"}],
        "date": [{"name": "beginposition", "content": f"{name[11:15]}-{name[15:17]}-{name[17:19]}T10:15:59.024Z"}],
        "str": [{"name": "footprint", "content": FOOTPRINT}, {"name": "identifier", "content": name}],
        "double": {"name": "cloudcoverpercentage", "content": "7.5"},
    }


def search(base, july, **fields):
    request = {"aoi": "12.6,48,13,48.3", "periods": (july,), "bands": ("red",), **fields}
    return search_scenes(SearchRequest(provider="hub", endpoint=base, **request))


def test_products_of_a_hub_are_looked_up_in_their_nominal_folders(serve, july, monkeypatch):
    asked, folders = [], []

    def respond(path, query, body, base):
        asked.append((path, query))
        first = int(query["start"][0])
        entries = [feed_entry(name) for name in NAMES[first : first + int(query["rows"][0])]]
        return 200, {"feed": {"opensearch:totalResults": str(len(NAMES)), "entry": entries}}

    def read_safe(href):
        folders.append(href)
        if "20200704" in href:
            raise StepError("missing_file", f"{href} holds 0 objects.", "-")
        number = parse_product_name(href.rsplit("/", 1)[1]).datatake.day
        files = [File(href=f"{href}/{key}.jp2", content_id=f"etag:{number}", size=9) for key in ("B04", "SCL")]
        return SafeFolder(tuple(Asset(file.name[:3], 20, file.href, file, 0.0) for file in files), None)

    monkeypatch.setattr(scenes_module, "read_safe", read_safe)
    monkeypatch.setattr(hub, "PAGE_PRODUCTS", 2)
    answer = search(serve(respond), july)
    assert [scene.id for scene in answer.scenes] == NAMES[:3]
    assert [(row.scene_id, row.code) for row in answer.refused] == [(NAMES[3], "ghost")]
    assert [scene.offsets_dn["red"] for scene in answer.scenes] == [0.0, 0.0, 0.0]
    assert answer.scenes[0].cloud_cover == 7.5
    assert f"s3://eodata/Sentinel-2/MSI/L2A/2020/07/01/{NAMES[0]}.SAFE" in folders
    assert [query["start"] for _, query in asked] == [["0"], ["2"]]
    question = asked[0][1]["q"][0]
    assert "beginposition:[2020-07-01T00:00:00Z TO 2020-07-31T23:59:59.999Z]" in question
    assert 'producttype:"S2MSI2A"' in question
    assert 'footprint:"Intersects(POLYGON' in question


@pytest.mark.parametrize(("status", "code"), [(401, "access_denied"), (503, "storage_error")])
def test_errors_of_a_hub(serve, july, status, code):
    with pytest.raises(StepError) as caught:
        search(serve(lambda *asked: (status, "no")), july)
    assert caught.value.code == code
