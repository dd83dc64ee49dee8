"""Recorded answers of real catalogues: replayed by a local server, read to the right scenes and files."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from shapely import wkt

from containers.base.sentinel2 import parse_product_name
from containers.base.storage import client
from tasks.catalogue.coverage import area_m2, covered_share, nominal_tile
from tasks.catalogue.item import candidate_from_item
from tasks.catalogue.odata import candidate_from_odata
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import refuse_at_sight
from tasks.catalogue.search import search_scenes
from tasks.catalogue.selection import common_tiles, select_scenes
from tasks.periods import Period

pytestmark = pytest.mark.real
JULY = Period(label="2020-07", start="2020-07-01", end="2020-07-05")
TNT, TMT = (
    "S2B_MSIL2A_20200705T101559_N0500_R065_T32TNT_20230530T175912",
    "S2B_MSIL2A_20200705T101559_N0500_R065_T32TMT_20230530T175912",
)
CLOUDY = [f"S2A_MSIL2A_20200703T103031_N0500_R108_T32T{tile}_20230613T212700" for tile in ("MT", "NT")]


@pytest.fixture
def replay() -> Iterator[Callable[..., str]]:
    """A server that answers each path with its recorded body, hosts rewritten."""
    servers = []

    def start(bodies: dict[str, str], recorded_host: str = "https://recorded.test") -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = bodies.get(self.path.split("?")[0])
                text = (body or "").replace(recorded_host, f"http://127.0.0.1:{self.server.server_port}").encode()
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def recorded_search(sample_data: Path) -> dict[str, str]:
    """Path to body of the recorded search at CDSE."""
    folder = sample_data / "xcube-stac-cassettes/test/cassettes/test_store"
    with (folder / "StacDataStoreTest.test_search_data_cdse_sentinel_2.yaml").open() as stream:
        recorded = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {
        entry["request"]["uri"].removeprefix("https://stac.dataspace.copernicus.eu"): entry["response"]["body"][
            "string"
        ]
        for entry in recorded["interactions"]
    }


def search_cdse(replay, bodies, **fields):
    base = replay(bodies, "https://stac.dataspace.copernicus.eu")
    values = {"aoi": "9,47,9.1,47.1", "periods": (JULY,), "bands": ("red", "nir", "swir16"), "check_objects": False}
    return search_scenes(SearchRequest(endpoint=f"{base}/v1", **{**values, **fields}))


def test_the_recorded_search_gives_the_right_scenes_files_and_offsets(replay, recorded_search):
    answer = search_cdse(replay, recorded_search)
    assert [scene.id for scene in answer.scenes] == [CLOUDY[0], TMT, CLOUDY[1], TNT]
    assert answer.refused == ()
    scene = answer.scenes[-1]
    folder = (
        "s3://eodata/Sentinel-2/MSI/L2A_N0500/2020/07/05/"
        f"{TNT}.SAFE/GRANULE/L2A_T32TNT_A017394_20200705T101917/IMG_DATA"
    )
    assert {name: file.href for name, file in scene.bands.items()} == {
        "red": f"{folder}/R20m/T32TNT_20200705T101559_B04_20m.jp2",
        "nir": f"{folder}/R10m/T32TNT_20200705T101559_B08_10m.jp2",  # there is no B08 at 20 m
        "swir16": f"{folder}/R20m/T32TNT_20200705T101559_B11_20m.jp2",
    }
    assert scene.scl.href == f"{folder}/R20m/T32TNT_20200705T101559_SCL_20m.jp2"
    assert scene.scl.size == 2_171_670
    assert scene.scl.content_id == "sha3-256:a92666a120fcfacaca9b51e3b36d0d1643464415577f530c1317137b5e42de4e"
    assert set(scene.offsets_dn.values()) == {-1000.0}
    assert (scene.quantification, scene.cloud_cover, scene.orbit, scene.baseline) == (10_000, 31.64, 65, "05.00")
    assert f"{scene.datatake:%H%M%S} {scene.datastrip:%H%M%S}" == "101559 101917"
    assert scene.valid_share == pytest.approx(1.0, abs=1e-3)
    assert not scene.simulated
    assert json.loads(answer.raw[0].content)["numberReturned"] == 4


def test_the_resolution_decides_the_file(replay, recorded_search):
    (first, *_) = search_cdse(replay, recorded_search, resolution_m=10).scenes
    assert [file.name[-11:] for file in first.bands.values()] == ["B04_10m.jp2", "B08_10m.jp2", "B11_20m.jp2"]


def test_clouds_and_the_choice_per_tile(replay, recorded_search):
    answer = search_cdse(replay, recorded_search, max_cloud=35)
    assert [row.code for row in answer.refused] == ["too_cloudy", "too_cloudy"]
    request = SearchRequest(aoi="9,47,9.1,47.1", periods=(JULY,), bands=("red",))
    everything = search_cdse(replay, recorded_search).scenes
    selection = select_scenes(everything, request.area, request.periods)
    assert [(choice.tile, choice.acquisitions[0][0].id) for choice in selection.choices] == [
        ("32TMT", TMT),
        ("32TNT", TNT),
    ]
    assert [choice.spares[0][0].id for choice in selection.choices] == CLOUDY
    assert common_tiles(selection) == (("32TMT", "32TNT"), ())


def test_the_single_recorded_item(sample_data):
    folder = sample_data / "xcube-stac-cassettes/test/cassettes/test_store"
    with (folder / "StacDataStoreTest.test_open_data_cdse_sen2.yaml").open() as stream:
        recorded = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    candidate = candidate_from_item(json.loads(recorded["interactions"][1]["response"]["body"]["string"]))
    assert candidate.name == "S2A_MSIL2A_20200301T090901_N0500_R050_T35UPU_20230630T033416"
    assert len(candidate.assets) == 27
    assert {asset.offset_dn for asset in candidate.assets if asset.number != "SCL"} == {-1000.0}
    assert candidate.safe_href.endswith("2020/03/01/S2A_MSIL2A_20200301T090901_N0500_R050_T35UPU_20230630T033416.SAFE")


def test_recorded_odata_of_cdse(sample_data):
    answer = json.loads(
        (sample_data / "eodag/tests/resources/provider_responses/cop_dataspace_search.json").read_text()
    )
    first, second = (candidate_from_odata(product) for product in answer["value"])
    assert first.name == "S2A_MSIL1C_20200808T010311_N0500_R045_T54PXA_20230413T212505"
    assert first.safe_href == f"s3://eodata/Sentinel-2/MSI/L1C_N0500/2020/08/08/{first.name}.SAFE"
    assert (first.online, first.product.level, second.product.tile) == (True, "L1C", "55PBR")
    assert first.cloud_cover == pytest.approx(95.1367)
    assert f"{first.datastrip:%Y%m%dT%H%M%S}" == "20200808T010314"
    share = covered_share([first.footprint], nominal_tile("54PXA"))
    assert share == pytest.approx(area_m2(first.footprint) / area_m2(nominal_tile("54PXA")), rel=0.01)
    assert 0.1 < share < 0.6
    period = Period(label="x", start="2020-08-08", end="2020-08-16")
    request = {"aoi": wkt.loads(first.footprint.wkt).wkt, "periods": (period,), "bands": ("red",)}
    assert refuse_at_sight(first, SearchRequest(level="L1C", **request)) is None
    assert refuse_at_sight(first, SearchRequest(**request)).code == "other_level"


def test_recorded_odata_of_creodias_lists_other_missions_which_are_refused(sample_data):
    answer = json.loads((sample_data / "eodag/tests/resources/eodag_search_result_creodias.json").read_text())
    request = SearchRequest(aoi="9,47,9.1,47.1", periods=(JULY,), bands=("red",))
    candidates = [candidate_from_odata(product) for product in answer["value"]]
    assert len(candidates) == 10
    assert all(candidate.safe_href.startswith("s3://eodata/Sentinel-1/SAR/GRD/2014/10/04/") for candidate in candidates)
    assert {refuse_at_sight(candidate, request).code for candidate in candidates} == {"unknown_product"}


def test_a_real_product_in_the_bucket_is_found_through_odata(sample_data, s3_server, replay):
    name = "S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911"
    folder = sample_data / f"eodag/tests/resources/products/{name}"
    for path in filter(Path.is_file, folder.rglob("*")):
        key = f"Sentinel-2/MSI/L1C/2018/01/01/{name}.SAFE/{path.relative_to(folder)}"
        client().put_object(Bucket=s3_server.bucket, Key=key, Body=path.read_bytes())
    outline = "POLYGON ((1.77 42.36, 3.12 42.36, 3.12 43.35, 1.77 43.35, 1.77 42.36))"
    product = {
        "Name": f"{name}.SAFE",
        "Online": True,
        "S3Path": f"/eodata/Sentinel-2/MSI/L1C/2018/01/01/{name}.SAFE",
        "ContentDate": {"Start": "2018-01-01T10:54:41.027000Z"},
        "Footprint": f"geography'SRID=4326;{outline}'",
    }
    base = replay({"/Products": json.dumps({"value": [product]})})
    request = {
        "provider": "odata", "endpoint": base, "level": "L1C", "aoi": "2,42.5,2.5,43", "resolution_m": 60,
        "periods": (Period(label="2018", start="2018-01-01", end="2018-01-31"),),
    }  # fmt: skip
    (scene,) = search_scenes(SearchRequest(bands=("coastal",), **request)).scenes
    assert scene.bands["coastal"].name == "T31TDH_20180101T105441_B01.jp2"
    assert scene.bands["coastal"].size == 2_488_555
    assert scene.bands["coastal"].content_id.startswith("etag:")
    assert (scene.baseline, scene.offsets_dn, scene.scl) == ("02.06", {"coastal": 0.0}, None)
    (row,) = search_scenes(SearchRequest(bands=("coastal", "red"), **request)).refused
    assert (row.code, row.reason) == ("missing_band", "Without red; it has B01.")


def test_items_of_another_cloud_are_known_by_name_and_refused_for_their_addresses(sample_data, tmp_path):
    path = sample_data / "odc-stac-items/tests/data/site2-2020_jun_jul-35MNM.geojson"
    period = Period(label="2020-JJ", start="2020-06-01", end="2020-07-31")
    request = SearchRequest(
        provider="items",
        endpoint=str(path),
        aoi="27.1,-8,27.9,-7.5",
        periods=(period,),
        bands=("red",),
        check_objects=False,
    )
    answer = search_scenes(request)
    assert answer.scenes == ()
    assert {row.code for row in answer.refused} == {"unreadable_href"}
    assert len(answer.refused) == 13
    assert answer.tiles == ("35MNM",)


def test_every_name_of_a_year_over_one_plot_is_read(sample_data):
    h5py = pytest.importorskip("h5py")
    with h5py.File(sample_data / "anysat-treesat/.media/Abies_alba_1_1005_WEFL_NLF.h5") as file:
        names = [parse_product_name(name.decode()) for name in file["sen-2-products"]]
    assert len(names) == 146
    assert all(names)
    assert {name.tile for name in names} == {"32UNC"}
    assert {name.platform for name in names} == {"S2A", "S2B"}
    assert {name.baseline for name in names} == {"02.13", "02.14"}
