"""OData: the folder of a product is listed on S3, its metadata say the offsets."""

import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from containers.base.contract.step import StepError
from tasks.catalogue.odata import candidate_from_odata
from tasks.catalogue.request import CREODIAS_ODATA, SearchRequest
from tasks.catalogue.search import search_scenes

NAME = "S2A_MSIL2A_20200705T101559_N0500_R065_T33UUP_20230530T175912"
FOLDER = f"Sentinel-2/MSI/L2A_N0500/2020/07/05/{NAME}.SAFE"
POLYGON = "POLYGON ((12.3 47.75, 13.7 47.75, 13.7 48.65, 12.3 48.65, 12.3 47.75))"


def metadata(baseline="05.00", offsets=True) -> str:
    listed = "".join(f'<BOA_ADD_OFFSET band_id="{i}">-1000</BOA_ADD_OFFSET>' for i in range(13)) if offsets else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?><Product><PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>
    <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
    <Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
    <Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
    <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>{listed}</Product>"""


def entry(name=NAME, folder=FOLDER, **fields):
    return {
        "Name": f"{name}.SAFE",
        "Online": True,
        "S3Path": f"/eodata/{folder}",
        "ContentDate": {"Start": "2020-07-05T10:15:59.024000Z", "End": "2020-07-05T10:15:59.024000Z"},
        "Footprint": f"geography'SRID=4326;{POLYGON}'",
        "Attributes": [{"Name": "cloudCover", "Value": 12.5}],
        **fields,
    }


@pytest.fixture
def archive(monkeypatch):
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_S3_ENDPOINT", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="eodata")
        granule = f"{FOLDER}/GRANULE/L2A_T33UUP_A017394_20200705T101917"
        for key, body in {
            f"{FOLDER}/MTD_MSIL2A.xml": metadata(),
            f"{FOLDER}/DATASTRIP/DS_S2RP_20230530T175912_S20200705T101917/MTD_DS.xml": "<x/>",
            f"{granule}/IMG_DATA/R10m/T33UUP_20200705T101559_B04_10m.jp2": "ten",
            f"{granule}/IMG_DATA/R20m/T33UUP_20200705T101559_B04_20m.jp2": "twenty",
            f"{granule}/IMG_DATA/R20m/T33UUP_20200705T101559_SCL_20m.jp2": "scl",
            f"{granule}/QI_DATA/MSK_CLDPRB_20m.jp2": "quality",
        }.items():
            s3.put_object(Bucket="eodata", Key=key, Body=body.encode())
        yield s3


def search(base, july, **fields):
    request = {"aoi": "12.6,48,13,48.3", "periods": (july,), "bands": ("red",), **fields}
    return search_scenes(SearchRequest(provider="odata", endpoint=base, **request))


def test_files_and_offsets_come_from_the_products_own_folder(serve, archive, july):
    asked = []

    def respond(path, query, body, base):
        asked.append((path, query))
        if "$skip" in query:
            return 200, {"value": [entry()]}
        return 200, {"value": [entry()], "@odata.nextLink": f"{base}/Products?$skip=1"}

    (scene,) = search(serve(respond), july).scenes
    assert scene.bands["red"].href.endswith("/IMG_DATA/R20m/T33UUP_20200705T101559_B04_20m.jp2")
    assert scene.bands["red"].href.startswith(f"s3://eodata/{FOLDER}/")
    assert scene.bands["red"].size == len("twenty")
    assert scene.bands["red"].content_id.startswith("etag:")
    assert scene.scl is not None
    assert scene.offsets_dn == {"red": -1000.0}
    assert scene.cloud_cover == 12.5
    assert f"{scene.datastrip:%H%M%S}" == "101917"
    assert [path for path, _ in asked] == ["/Products", "/Products"]
    (question,) = asked[0][1]["$filter"]
    assert "OData.CSC.Intersects(area=geography'SRID=4326;POLYGON ((" in question
    assert "ContentDate/Start ge 2020-07-01T00:00:00.000Z and ContentDate/Start le 2020-07-31T23:59:59.999Z" in question
    assert "eq 'S2MSI2A'" in question


def test_what_the_archive_does_not_hold_is_a_row(serve, archive, july):
    gone = NAME.replace("20200705", "20200710")
    broken = NAME.replace("20200705", "20200711")
    archive.put_object(Bucket="eodata", Key=f"x/{broken}.SAFE/MTD_MSIL2A.xml", Body=b"<!DOCTYPE x><x/>")
    archive.put_object(
        Bucket="eodata", Key="x/zero.SAFE/MTD_MSIL2A.xml", Body=metadata(baseline="04.00", offsets=False).encode()
    )
    products = [
        entry(name=gone, folder=f"gone/{gone}.SAFE"),
        entry(name=broken, folder=f"x/{broken}.SAFE"),
        entry(name=NAME.replace("20200705", "20200712"), Online=False),
    ]
    answer = search(serve(lambda *asked: (200, {"value": products})), july)
    assert answer.scenes == ()
    assert [row.code for row in answer.refused] == ["broken_metadata", "ghost", "offline"]


def test_what_is_no_odata_page_is_an_error(serve, july):
    with pytest.raises(StepError, match="bad_parameters"):
        search(serve(lambda *asked: (200, {"error": "x"})), july)


def test_a_busy_catalogue_is_asked_again_and_a_dead_one_is_an_error(serve, july):
    busy = [503, 429]
    answer = search(serve(lambda *asked: (busy.pop(), "busy") if busy else (200, {"value": []})), july)
    assert (answer.scenes, answer.refused) == ((), ())
    with pytest.raises(StepError, match="storage_error"):
        search(serve(lambda *asked: (502, "dead")), july)


def test_older_entries_have_their_outline_as_text_alone():
    candidate = candidate_from_odata(json.loads(json.dumps(entry())))
    assert candidate.footprint.bounds == (12.3, 47.75, 13.7, 48.65)
    assert candidate.safe_href == f"s3://eodata/{FOLDER}"
    assert Path(CREODIAS_ODATA).name == "v1"
