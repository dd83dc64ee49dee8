"""A long search in parts: nothing twice, nothing lost, each refusal told."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from tasks import ledger
from tasks.catalogue.answer import RawAnswer, SearchAnswer, refusal
from tasks.catalogue.by_month import search_by_month
from tasks.catalogue.request import SearchRequest
from tasks.periods import Period
from tasks.settings import get_settings
from tasks.store import open_store
from tests.tasks.made_product import made_scene

REQUEST = SearchRequest(
    aoi="12,48,12.5,48.5",
    bands=("red",),
    periods=(
        Period(label="spring", start=date(2020, 3, 20), end=date(2020, 5, 2)),
        Period(label="autumn", start=date(2020, 10, 1), end=date(2020, 10, 31)),
    ),
)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[SearchRequest]:
    """A catalogue with one scene on the first day of each search, and a refusal; it notes what it is asked."""
    requests: list[SearchRequest] = []

    def answer(request: SearchRequest) -> SearchAnswer:
        requests.append(request)
        start = request.periods[0].start
        raw = (RawAnswer("page.json", f"{start}".encode()),)
        return SearchAnswer(scenes=(scene_on(start),), refused=(refusal(f"ghost {start}", "offline", "gone"),), raw=raw)

    monkeypatch.setattr("tasks.catalogue.by_month.search_scenes", answer)
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path / "store"))
    get_settings.cache_clear()
    yield requests
    get_settings.cache_clear()


def scene_on(day: date) -> Scene:
    taken = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    name = f"S2A_MSIL2A_{day:%Y%m%d}T101031_N0500_R022_T33UUP_20230401T120000"
    band = File(href=f"s3://eodata/{name}.SAFE/B04.jp2", content_id="etag:1", size=1)
    return made_scene("33UUP", day.year).model_copy(
        update={"id": name, "datetime": taken, "datatake": taken, "bands": {"red": band}}
    )


def test_each_month_is_asked_once_and_filtered(asked: list[SearchRequest]) -> None:
    def not_in_april(scenes: tuple[Scene, ...]) -> tuple[tuple[Scene, ...], tuple[object, ...]]:
        april = [scene for scene in scenes if scene.datetime.month == 4]
        return (
            tuple(scene for scene in scenes if scene not in april),
            tuple(refusal(scene.id, "outside_dates", "april") for scene in april),
        )

    months = list(search_by_month(REQUEST, not_in_april, keep_answers=False))
    assert [[f"{period.start} {period.end}" for period in request.periods] for request in asked] == [
        ["2020-03-20 2020-03-31"], ["2020-04-01 2020-04-30"], ["2020-05-01 2020-05-02"], ["2020-10-01 2020-10-31"],
    ]  # fmt: skip
    assert {(request.aoi, request.bands) for request in asked} == {(REQUEST.aoi, ("red",))}
    assert [[parts[0].datetime.month for parts in acquired] for acquired, _ in months] == [[3], [], [5], [10]]
    assert [[row.code for row in rows] for _, rows in months] == [
        ["offline"], ["offline", "outside_dates"], ["offline"], ["offline"],
    ]  # fmt: skip


@pytest.mark.parametrize("keep_answers", [True, False])
def test_answers_are_kept_where_wished_each_under_its_month(asked: list[SearchRequest], keep_answers: bool) -> None:
    assert len(list(search_by_month(REQUEST, lambda scenes: (scenes, ()), keep_answers=keep_answers))) == len(asked)
    shelf, folder = open_store(get_settings()).shelf, f"runs/{ledger.run_id()}/answers"
    kept = {Path(entry.path).name: shelf.read(entry.path) for entry in shelf.entries(folder)}
    assert {name: found.text for name, found in kept.items() if found} == (
        {
            "2020-03-page.json": "2020-03-20",
            "2020-04-page.json": "2020-04-01",
            "2020-05-page.json": "2020-05-01",
            "2020-10-page.json": "2020-10-01",
        }
        if keep_answers
        else {}
    )
