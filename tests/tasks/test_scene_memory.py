"""What a run of the series remembers for the next: out of the area for good, failures for another try."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from containers.base.contract.grid import Grid
from containers.base.contract.scene import Scene
from tasks.catalogue.answer import refusal
from tasks.periods import Period
from tasks.scene_ledger import SceneLedger, SceneRecord
from tasks.scene_memory import remember_off_land, remember_read, scene_ledger, split_by_memory
from tasks.store import Store
from tasks.vegetation.intake import SeriesInputs
from tests.tasks.masks.test_exchange import observation, scene_id

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=10, height=10)
YEAR = Period(label="2018", start=date(2018, 1, 1), end=date(2018, 12, 31))


def scene(day: int) -> Scene:
    when = datetime(2018, 7, day, 10, 50, 31, tzinfo=UTC)
    return Scene(
        id=scene_id(day),
        platform="S2A",
        level="L1C",
        tile="31UDS",
        datetime=when,
        datatake=when,
        orbit=51,
        baseline="02.06",
        processed=when,
        footprint="POLYGON EMPTY",
        bands={},
        offsets_dn={},
    )


@pytest.fixture
def memory(store: Store) -> SceneLedger:
    return scene_ledger(inputs("POLYGON ((0 0, 1 0, 1 1, 0 0))"))


def inputs(land: str) -> SeriesInputs:
    facts: dict[str, Any] = {"regions": {"href": "store:a", "content_id": "sha256:0", "size": 1}}
    return SeriesInputs.model_validate(
        {
            "aoi": "POLYGON EMPTY",
            "land_outline": land,
            "grid": GRID,
            "years": (YEAR,),
            "searched": YEAR,
            "land": None,
            "model": None,
            "weights": None,
            **facts,
        }
    )


def test_off_land_is_remembered_for_the_next_run_and_noted_once(store: Store, memory: SceneLedger) -> None:
    rows = [refusal(scene_id(3), "off_land", "It is at sea."), refusal(scene_id(4), "too_cloudy", "It is white.")]
    for _ in range(2):
        remember_off_land(memory, rows, memory.acquisitions())
    assert len(list(store.shelf.entries("scenes"))) == 1
    kept, refused = split_by_memory([scene(3), scene(4)], memory.acquisitions())
    assert [each.id for each in kept] == [scene_id(4)]
    assert [(row.scene_id, row.code) for row in refused] == [(scene_id(3), "off_land")]


def test_other_land_forgets_it(store: Store, memory: SceneLedger) -> None:
    remember_off_land(memory, [refusal(scene_id(3), "off_land", "It is at sea.")], {})
    other = scene_ledger(inputs("POLYGON ((5 5, 6 5, 6 6, 5 5))"))
    assert split_by_memory([scene(3)], other.acquisitions())[0] == (scene(3),)


def test_what_an_earlier_system_found_out_of_the_area_is_left_out(memory: SceneLedger) -> None:
    """It names the same datatake and tile in its own way."""
    name = "20180703T105031_20180703T105029_T31UDS"
    memory.note([SceneRecord(scene_id=name, status="out_of_area", at=datetime(2019, 1, 1, tzinfo=UTC))])
    kept, refused = split_by_memory([scene(3), scene(4)], memory.acquisitions())
    assert [each.id for each in kept] == [scene_id(4)]
    assert "2019-01-01" in refused[0].reason


def test_failures_are_tried_again_until_they_are_read(store: Store, memory: SceneLedger) -> None:
    acquisitions = [(scene(3),), (scene(4),)]
    remember_read(memory, acquisitions, [observation(3)])
    records = memory.records()
    assert (records[scene_id(3)].status, records[scene_id(4)].status) == ("done", "failed")
    assert len(split_by_memory([scene(3), scene(4)], memory.acquisitions())[0]) == 2
    remember_read(memory, acquisitions, [observation(3), observation(4)])
    assert all(record.is_settled for record in memory.records().values())
    entries = len(list(store.shelf.entries("scenes")))
    remember_read(memory, acquisitions, [observation(3), observation(4)])
    assert len(list(store.shelf.entries("scenes"))) == entries, "a run that brings no news writes nothing"
