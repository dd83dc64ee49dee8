"""Item collections on disk."""

import json
from datetime import datetime

import geopandas
import pyarrow as pa
import pytest
from pyarrow import parquet
from shapely.geometry import box, shape

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from tasks.catalogue import scenes as scenes_module
from tasks.catalogue.candidate import Asset
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.safe import SafeFolder
from tasks.catalogue.search import search_scenes


def request(path, july, **fields):
    values = {"aoi": "12.6,48,13,48.3", "periods": (july,), "bands": ("red",), "check_objects": False, **fields}
    return SearchRequest(provider="items", endpoint=str(path), **values)


def test_only_what_a_server_would_answer_is_looked_at(tmp_path, make_item, july):
    items = [
        make_item(),
        make_item(start="20200805T101559"),
        make_item(start="20200706T101559", footprint=box(20, 48, 21, 49)),
        make_item(start="20200707T101559") | {"collection": "sentinel-2-l1c"},
    ]
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    answer = search_scenes(request(path, july))
    assert [scene.id for scene in answer.scenes] == [items[0]["id"]]
    assert answer.refused == ()
    assert json.loads(answer.raw[0].content)["features"] == json.loads(json.dumps(items[:1]))


def test_a_search_for_sentinel_2_passes_by_sentinel_1(tmp_path, make_item, july):
    name = "S1A_IW_GRDH_1SDV_20200705T052612_20200705T052613_033315_DEA1EB_F5AA"
    radar = make_item() | {
        "id": name,
        "collection": "sentinel-1-grd",
        "properties": {"datetime": "2020-07-05T05:26:12Z", "platform": "sentinel-1a", "sar:instrument_mode": "IW"},
        "assets": {"vv": {"href": f"s3://eodata/{name}.SAFE/measurement/vv.tiff", "roles": ["data"]}},
    }
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [radar, make_item()]}))
    answer = search_scenes(request(path, july))
    assert [scene.id for scene in answer.scenes] == [make_item()["id"]]
    assert answer.refused == ()


def test_a_single_item(tmp_path, make_item, july):
    path = tmp_path / "item.json"
    path.write_text(json.dumps(make_item()))
    assert len(search_scenes(request(path, july)).scenes) == 1


def test_stac_geoparquet_gives_the_same_scenes(tmp_path, make_item, july):
    items = [
        make_item(),
        make_item(start="20200706T101559", offset=None, baseline="0214"),
        make_item(start="20200805T101559"),
    ]
    rows = [
        {
            **{key: item[key] for key in ("id", "type", "stac_version", "collection", "assets", "links")},
            **item["properties"],
        }
        for item in items
    ]
    for row in rows:
        row["datetime"] = datetime.fromisoformat(row["datetime"])
    frame = geopandas.GeoDataFrame(rows, geometry=[shape(item["geometry"]) for item in items], crs=4326)
    frame.to_parquet(tmp_path / "items.parquet")
    (tmp_path / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    answers = [search_scenes(request(tmp_path / name, july)) for name in ("items.parquet", "items.json")]
    assert len(answers[0].scenes) == 2
    assert answers[0].scenes == answers[1].scenes
    assert [len(json.loads(answer.raw[0].content)["features"]) for answer in answers] == [2, 2]


def test_a_row_of_parquet_without_a_time_is_refused_by_name(tmp_path, make_item, july):
    item = make_item()
    row = {key: item[key] for key in ("id", "type", "stac_version", "collection", "assets", "links")}
    rows = [{**row, "datetime": datetime.fromisoformat(item["properties"]["datetime"])}, {**row, "datetime": None}]
    rows[1]["id"] = row["id"].replace("20200705", "20200706")
    frame = geopandas.GeoDataFrame(rows, geometry=[shape(item["geometry"])] * 2, crs=4326)
    frame.to_parquet(tmp_path / "items.parquet")
    answer = search_scenes(request(tmp_path / "items.parquet", july))
    assert len(answer.scenes) == 1
    assert [refused.code for refused in answer.refused] == ["unknown_product"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("x.json", "{"), ("x.json", "[]"), ("x.json", '{"type": "FeatureCollection"}'), ("x.parquet", "no")],
)
def test_broken_files(tmp_path, july, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(StepError) as caught:
        search_scenes(request(tmp_path / name, july))
    assert caught.value.code == "corrupt_file"


def test_parquet_of_something_else(tmp_path, july):
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(StepError, match="corrupt_file"):
        search_scenes(request(tmp_path / "x.parquet", july))


def test_no_file(tmp_path, july):
    with pytest.raises(StepError, match="missing_file"):
        search_scenes(request(tmp_path / "x.json", july))


def test_older_layouts_of_items(tmp_path, make_item, july):
    item = make_item(baseline="0400", start="20200708T101559")
    item["id"] = "S2A_MSIL2A_20200708T101559_R065_T33UUP_20230530T175912"
    item["properties"]["s2:product_uri"] = "S2A_MSIL2A_20200708T101559_N0400_R065_T33UUP_20230530T175912.SAFE"
    for key in ("B04_10m", "B04_60m", "B11_20m"):
        del item["assets"][key]
    for key in ("B04", "SCL"):
        asset = item["assets"].pop(f"{key}_20m")
        for name in ("raster:scale", "raster:offset", "proj:code"):
            asset.pop(name, None)
        asset["raster:bands"] = [{"scale": 0.0001, "offset": -0.1}] if key == "B04" else [{}]
        asset["alternate"] = {"s3": {"href": asset["href"]}}
        asset["href"] = "https://example.org/" + key
        item["assets"][key] = asset
    item["properties"]["proj:epsg"] = 32633
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item))
    (scene,) = search_scenes(request(path, july)).scenes
    assert scene.baseline == "04.00"
    assert scene.offsets_dn == {"red": -1000.0}
    assert scene.bands["red"].href.startswith("s3://eodata/")


def creodias_item(make_item, **fields):
    """The layout of Creodias' own STAC: one asset for the product, which says its folder."""
    item = make_item(**fields)
    place = {"href": f"/eodata/Sentinel-2/MSI/L2A/2020/07/05/{item['id']}.SAFE", "storage:tier": "Online"}
    item["assets"] = {
        "PRODUCT": {"href": "https://example.org/odata/v1/Products(1)/$value", "alternate": {"s3": place}}
    }
    item["id"] += ".SAFE"
    item["properties"] = {"datetime": item["properties"]["datetime"], "cloudCover": 12.0}
    return item


def test_items_that_know_only_the_folder_are_looked_up_there(make_item, search_items, monkeypatch):
    folders = []

    def read_safe(href):
        folders.append(href)
        files = [File(href=f"{href}/{key}.jp2", content_id="etag:x", size=9) for key in ("B04", "SCL")]
        return SafeFolder(tuple(Asset(file.name[:3], 20, file.href, file, -1000.0) for file in files), None)

    monkeypatch.setattr(scenes_module, "read_safe", read_safe)
    offline = creodias_item(make_item, start="20200706T101559")
    offline["assets"]["PRODUCT"]["alternate"]["s3"]["storage:tier"] = "Offline"
    answer = search_items(item := creodias_item(make_item), offline, bands=("red",))
    (scene,) = answer.scenes
    assert scene.id == item["id"].removesuffix(".SAFE")
    assert folders == [f"s3://eodata/Sentinel-2/MSI/L2A/2020/07/05/{item['id']}"]
    assert (scene.cloud_cover, scene.offsets_dn) == (12.0, {"red": -1000.0})
    assert scene.valid_share == pytest.approx(1.0)
    assert [row.code for row in answer.refused] == ["offline"]
