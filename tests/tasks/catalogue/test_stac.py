"""The STAC API: paging, retries and errors, against a small server."""

import json

import pytest

from containers.base.contract.step import StepError
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.search import search_scenes
from tasks.periods import Period

CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]


def landing_page(base):
    return {
        "type": "Catalog",
        "id": "test",
        "description": "test",
        "stac_version": "1.0.0",
        "conformsTo": CONFORMS,
        "links": [
            {"rel": "root", "href": f"{base}/v1", "type": "application/json"},
            {"rel": "search", "href": f"{base}/v1/search", "type": "application/geo+json", "method": "POST"},
        ],
    }


def request(base, *periods):
    return SearchRequest(
        endpoint=f"{base}/v1", aoi="12.6,48,13,48.3", periods=periods, bands=("red",), check_objects=False
    )


def test_all_pages_of_all_years_are_read_and_a_busy_server_is_asked_again(serve, make_item):
    asked, busy = [], [429, 503]
    starts = {2019: ["20190701T101559", "20190702T101559", "20190703T101559"], 2020: ["20200705T101559"]}

    def respond(path, query, body, base):
        if path == "/v1":
            return 200, landing_page(base)
        if busy:
            return busy.pop(), "busy"
        question = json.loads(body)
        asked.append((question["datetime"], question.get("token")))
        items = [make_item(start=start) for start in starts[int(question["datetime"][:4])]]
        first = int(question.get("token") or 0)
        page = {"type": "FeatureCollection", "features": items[first : first + 2], "links": []}
        if first + 2 < len(items):
            page["links"] = [
                {
                    "rel": "next",
                    "method": "POST",
                    "href": f"{base}/v1/search",
                    "body": {**question, "token": str(first + 2)},
                }
            ]
        return 200, page

    answer = search_scenes(request(serve(respond), Period(label="all", start="2019-06-01", end="2020-08-31")))
    assert asked == [
        ("2019-06-01T00:00:00Z/2019-12-31T23:59:59.999Z", None),
        ("2019-06-01T00:00:00Z/2019-12-31T23:59:59.999Z", "2"),
        ("2020-01-01T00:00:00Z/2020-08-31T23:59:59.999Z", None),
    ]
    assert [f"{scene.datetime:%Y%m%d}" for scene in answer.scenes] == ["20190701", "20190702", "20190703", "20200705"]
    assert [raw.name for raw in answer.raw] == ["page-0000.json", "page-0001.json", "page-0002.json"]
    assert len(json.loads(answer.raw[0].content)["features"]) == 2


@pytest.mark.parametrize(
    ("status", "code"), [(500, "storage_error"), (429, "throttled"), (403, "access_denied"), (404, "bad_parameters")]
)
def test_a_catalogue_that_fails_is_an_error_and_never_an_empty_answer(serve, july, status, code):
    def respond(path, query, body, base):
        return (200, landing_page(base)) if path == "/v1" else (status, "no")

    with pytest.raises(StepError) as caught:
        search_scenes(request(serve(respond), july))
    assert caught.value.code == code


def test_a_second_page_that_fails_fails_the_search(serve, make_item, july):
    def respond(path, query, body, base):
        if path == "/v1":
            return 200, landing_page(base)
        if b"token" in body:
            return 500, "no"
        link = {"rel": "next", "method": "POST", "href": f"{base}/v1/search", "body": {"token": "2"}}
        return 200, {"type": "FeatureCollection", "features": [make_item()], "links": [link]}

    with pytest.raises(StepError, match="storage_error"):
        search_scenes(request(serve(respond), july))


def test_no_server_at_all(july, monkeypatch):
    monkeypatch.setattr("tasks.catalogue.session.RETRIES", 0)
    with pytest.raises(StepError, match="storage_error"):
        search_scenes(request("http://127.0.0.1:9", july))
