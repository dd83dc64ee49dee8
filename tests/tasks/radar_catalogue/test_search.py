"""What a search finds, refuses, and asks the archive for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from shapely.geometry import box

from containers.base import storage
from containers.base.contract.step import StepError
from tasks.catalogue.answer import HINTS
from tasks.radar_catalogue import files
from tasks.radar_catalogue.request import RadarRequest
from tasks.radar_catalogue.search import search_radar
from tests.tasks.radar_items import AOI, DATA, MAY, folder_of, radar_name, safe_paths

NEEDED = [path for path in safe_paths(radar_name()) if "rfi" not in path and not path.startswith(("preview", "supp"))]
"""The manifest, and four objects of each polarisation."""


def codes(answer) -> dict[str, str]:
    return {row.scene_id: row.code for row in answer.refused}


def test_a_product_with_its_files_from_the_item_alone(make_item, search_items) -> None:
    (product,) = search_items(make_item()).products
    assert len(NEEDED) == 9
    assert sorted(product.files) == sorted(NEEDED)
    path = next(path for path in NEEDED if path.startswith("measurement"))
    assert product.files[path].href == f"{folder_of(product.id)}/{path}"
    assert product.files[path].content_id.startswith("sha256:")
    assert (product.platform, product.datatake, product.absolute_orbit) == ("S1A", "03C3F4", 32512)
    assert (product.direction, product.relative_orbit, product.polarisations) == ("descending", 22, ("vv", "vh"))
    assert (product.stop - product.start).total_seconds() == 25


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "EW_GRDM"}, "other_product"),
        ({"kind": "IW_SLC_"}, "other_product"),
        ({"polarisation": "SV"}, "missing_polarisation"),
        ({"polarisation": "DH"}, "missing_polarisation"),
        ({"footprint": None}, None),
        ({"direction": None}, "unknown_orbit"),
        ({"track": None}, "unknown_orbit"),
        ({"properties": {"order:status": "orderable"}}, "offline"),
    ],
)
def test_refused_by_the_entry_alone(make_item, search_items, fields: dict[str, Any], code: str | None) -> None:
    answer = search_items(make_item(**fields))
    assert answer.products == ()
    assert list(codes(answer).values()) == [code or "no_footprint"]
    assert all(row.hint == HINTS[row.code] for row in answer.refused)


def test_a_name_that_cannot_be_read(make_item, search_items) -> None:
    item = make_item() | {"id": "S1A-something"}
    assert codes(search_items(item)) == {"S1A-something": "unknown_product"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"direction": "ascending"}, "other_pass"),
        ({"relative_orbit": 95}, "other_pass"),
        ({"polarisations": ["vv"]}, None),
    ],
)
def test_what_is_asked_decides(make_item, search_items, fields: dict[str, Any], code: str | None) -> None:
    answer = search_items(make_item(), **fields)
    assert list(codes(answer).values()) == ([code] if code else [])
    assert len(answer.products) == (0 if code else 1)


@pytest.mark.parametrize(
    ("wanted", "is_used"), [("NRT-3h", False), ("Fast-24h", True), (["NRT-3h", "Fast-24h"], True), ([], False)]
)
def test_more_properties_can_be_asked_for(make_item, search_items, wanted: Any, is_used: bool) -> None:
    answer = search_items(make_item(properties={"timeliness": "Fast-24h"}), filters={"timeliness": wanted})
    assert len(answer.products) == is_used
    assert list(codes(answer).values()) == ([] if is_used else ["filtered"])


def test_the_latest_processing_of_a_slice_is_kept(make_item, search_items) -> None:
    def version(crc: str, made: str | None, start: str, stop: str = "20200511T051025") -> dict[str, Any]:
        properties = {"processing:datetime": made} if made else {}
        return make_item(crc=crc, start=start, stop=stop, properties=properties)

    items = [
        version("AAAA", "2020-05-11T08:00:00Z", "20200511T051000"),
        version("BBBB", "2023-01-01T00:00:00Z", "20200511T051001", "20200511T051026"),  # a second later: the same slice
        version("CCCC", None, "20200511T051000"),
        version("DDDD", "2020-05-11T08:00:00Z", "20200511T051025", "20200511T051050"),  # the next slice
    ]
    for order in (items, items[::-1]):
        answer = search_items(*order)
        assert [each.id[-4:] for each in answer.products] == ["BBBB", "DDDD"]
        assert {name[-4:]: code for name, code in codes(answer).items()} == {"AAAA": "superseded", "CCCC": "superseded"}


def test_of_equals_the_cloud_optimised_is_kept(make_item, search_items) -> None:
    answer = search_items(make_item(), make_item(crc="0001", cog=True))
    assert [each.id for each in answer.products] == [radar_name(crc="0001", cog=True)]


def test_datatakes_of_two_satellites_are_two(make_item, search_items) -> None:
    assert len(search_items(make_item(), make_item(platform="S1C")).products) == 2


def test_the_archive_is_not_asked_for_what_the_item_says(make_item, search_items, monkeypatch) -> None:
    def listed(href: str) -> None:
        raise AssertionError(f"{href} was listed")

    monkeypatch.setattr(files, "list_folder", listed)
    assert len(search_items(make_item()).products) == 1
    with pytest.raises(AssertionError, match="was listed"):
        search_items(make_item(sizes=False))


@pytest.mark.parametrize("without", [("annotation",), ("manifest",)])
def test_an_item_with_some_assets_only_is_completed_by_one_listing(
    make_item, search_items, stored, monkeypatch, without: tuple[str, ...]
) -> None:
    listings: list[str] = []
    list_folder = files.list_folder
    monkeypatch.setattr(files, "list_folder", lambda href: (listings.append(href), list_folder(href))[1])
    name = stored(radar_name())
    (product,) = search_items(make_item(without=without)).products
    assert sorted(product.files) == sorted(NEEDED)
    assert listings == [folder_of(name)]
    listed = [path for path, file in product.files.items() if file.content_id.startswith("etag:")]
    assert listed == [path for path in sorted(NEEDED) if path.startswith(without)]


@pytest.mark.parametrize(
    ("without", "code"),
    [
        (("",), "ghost"),
        (("measurement",), "ghost"),
        (("manifest",), "ghost"),
        (("annotation/calibration/noise",), "missing_annotation"),
        (("annotation/calibration/calibration",), "missing_annotation"),
        (("annotation/s1a",), "missing_annotation"),
        (("preview", "annotation/rfi"), None),
    ],
)
@pytest.mark.parametrize("sizes", [True, False])
def test_what_the_archive_lacks(
    make_item, search_items, stored, without: tuple[str, ...], code: str | None, sizes: bool
) -> None:
    if without == ("",):
        stored(radar_name(crc="0000"))  # another product, whose folder starts alike
    else:
        stored(radar_name(), without)
    answer = search_items(make_item(sizes=sizes), check_objects=True)
    assert list(codes(answer).values()) == ([code] if code else [])
    assert len(answer.products) == (0 if code else 1)


def test_an_annotation_of_a_polarisation_that_nobody_wants_may_be_absent(make_item, search_items, stored) -> None:
    stored(radar_name(), tuple(path for path in NEEDED if "noise" in path and "-vh-" in path))
    answer = search_items(make_item(without=["annotation"]), polarisations=["vv"], check_objects=True)
    assert len(answer.products) == 1


def test_an_object_of_another_size_is_refused(make_item, search_items, stored) -> None:
    name = stored(radar_name())
    key = f"{folder_of(name)}/{NEEDED[0]}".removeprefix("s3://eodata/")
    storage.client().put_object(Bucket="eodata", Key=key, Body=b"cut")
    answer = search_items(make_item(), check_objects=True)
    assert codes(answer) == {name: "wrong_size"}
    assert "3 bytes" in answer.refused[0].reason


def test_a_ghost_supersedes_nothing(make_item, search_items, stored) -> None:
    real = stored(radar_name())
    newer = make_item(crc="FFFF", properties={"processing:datetime": "2030-01-01T00:00:00Z"})
    answer = search_items(make_item(), newer, check_objects=True)
    assert [each.id for each in answer.products] == [real]
    assert codes(answer) == {radar_name(crc="FFFF"): "ghost"}


def test_a_product_without_a_folder_on_s3(make_item, search_items) -> None:
    item = make_item()
    for asset in item["assets"].values():
        asset["href"] = asset["href"].replace("s3://", "https://")
    assert list(codes(search_items(item)).values()) == ["unreadable_href"]


def test_places_and_days_that_were_not_asked_for(serve, make_item) -> None:
    """A server may answer more than was asked for."""
    far = make_item(crc="0001", footprint=box(20, 47, 21, 49))
    early = make_item(start="20200401T051000", stop="20200401T051025")
    pages = {"type": "FeatureCollection", "features": [far, early, make_item()], "links": []}
    base = serve(lambda path, query, body, base: (200, _landing(base) if path.endswith("/v1") else pages))
    answer = search_radar(RadarRequest(endpoint=f"{base}/v1", aoi=AOI, periods=(MAY,), check_objects=False))
    assert [each.id for each in answer.products] == [radar_name()]
    assert sorted(codes(answer).values()) == ["outside_aoi", "outside_dates"]
    assert [json.loads(raw.content) for raw in answer.raw] == [json.loads(json.dumps(pages))]


def _landing(base: str) -> dict[str, Any]:
    return {
        "type": "Catalog",
        "id": "catalogue",
        "stac_version": "1.0.0",
        "description": "",
        "conformsTo": ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"],
        "links": [{"rel": "search", "href": f"{base}/v1/search", "method": "POST", "type": "application/geo+json"}],
    }


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    def make(name: str, **attributes: Any) -> dict[str, Any]:
        facts = {"orbitDirection": "DESCENDING", "relativeOrbitNumber": 22, **attributes}
        return {
            "Name": f"{name}.SAFE",
            "Online": True,
            "S3Path": folder_of(name).removeprefix("s3:/"),
            "ContentDate": {"Start": "2020-05-11T05:10:00.123Z", "End": "2020-05-11T05:10:25.122Z"},
            "Footprint": f"geography'SRID=4326;{DATA.wkt}'",
            "PublicationDate": "2020-05-11T09:00:00Z",
            "Attributes": [{"Name": key, "Value": value} for key, value in facts.items()],
        }

    return make


def test_odata_asks_for_both_styles_and_lists_the_folder(serve, stored, entry) -> None:
    asked: list[str] = []

    def respond(path: str, query: dict[str, list[str]], body: bytes, base: str) -> tuple[int, Any]:
        asked.extend(query["$filter"])
        return 200, {"value": [entry(stored(radar_name()))]}

    request = RadarRequest(provider="odata", endpoint=serve(respond), aoi=AOI, periods=(MAY,))
    (product,) = search_radar(request).products
    assert sorted(product.files) == sorted(NEEDED)
    assert all(file.content_id.startswith("etag:") for file in product.files.values())
    assert product.start.microsecond == 123_000
    assert "Collection/Name eq 'SENTINEL-1'" in asked[0]
    assert "Value eq 'IW_GRDH_1S') or " in asked[0]
    assert "Value eq 'IW_GRDH_1S-COG')) and " in asked[0]


def test_odata_offline_and_unknown_direction(serve, entry) -> None:
    values = [
        entry(radar_name()) | {"Online": False},
        entry(radar_name(crc="0002"), orbitDirection="SIDEWAYS"),
    ]
    base = serve(lambda *_: (200, {"value": values}))
    answer = search_radar(RadarRequest(provider="odata", endpoint=base, aoi=AOI, periods=(MAY,)))
    assert codes(answer) == {radar_name(): "offline", radar_name(crc="0002"): "unknown_orbit"}


def test_a_catalogue_that_is_none_is_an_error(serve) -> None:
    base = serve(lambda *_: (200, {"hello": 1}))
    with pytest.raises(StepError, match="bad_parameters"):
        search_radar(RadarRequest(provider="odata", endpoint=base, aoi=AOI, periods=(MAY,)))
