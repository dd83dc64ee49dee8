"""What is known of scenes from run to run: 25,000 of them, several writers, a real table of an earlier system."""

import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from containers.base.contract.step import StepError
from tasks import scene_ledger
from tasks.scene_ledger import SceneLedger, SceneRecord, SceneStatus, acquisition_of, noted_now
from tasks.status_table import read_statuses
from tasks.store import Store
from tests.tasks.conftest import Machine

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(number: int, status: SceneStatus = "done", *, minutes: float = 0.0, code: str = "") -> SceneRecord:
    day = datetime(2017, 1, 1, 10, tzinfo=UTC) + timedelta(hours=number)
    scene_id = f"S2A_MSIL1C_{day:%Y%m%dT%H%M%S}_N0206_R051_T31UDT_{day:%Y%m%dT%H%M%S}"
    return SceneRecord(scene_id=scene_id, status=status, code=code, at=NOON + timedelta(minutes=minutes))


@pytest.fixture
def ledger(store: Store) -> SceneLedger:
    return SceneLedger(store.shelf, "vegetation_productivity", "POLYGON EMPTY")


def test_the_latest_word_counts(ledger: SceneLedger) -> None:
    ledger.note([record(1, "failed", code="throttled"), record(2, "out_of_area")])
    ledger.note([record(1, "done", minutes=1)])
    ledger.note([record(2, "done", minutes=-1)])
    assert {found.status for found in ledger.records().values()} == {"done", "out_of_area"}
    assert ledger.records()[record(1).scene_id] == record(1, "done", minutes=1)


def test_failures_are_tried_again_and_the_rest_is_settled() -> None:
    statuses: tuple[SceneStatus, ...] = ("done", "failed", "out_of_area", "skipped")
    assert [record(1, status).is_settled for status in statuses] == [True, False, True, True]


def test_flows_and_areas_are_apart(store: Store, ledger: SceneLedger) -> None:
    """A scene off one island may show another."""
    ledger.note([record(1, "out_of_area")])
    assert SceneLedger(store.shelf, "vegetation_productivity", "POLYGON ((0 0, 1 0, 1 1, 0 0))").records() == {}
    assert SceneLedger(store.shelf, "cloud_removal", "POLYGON EMPTY").records() == {}


def test_an_acquisition_is_out_only_with_all_its_halves(ledger: SceneLedger) -> None:
    halves = ("20181126T112411_20181126T112434_T30VWL", "20181126T112411_20181126T112405_T30VWL")
    out, done = (
        SceneRecord(scene_id=name, status=status, at=NOON)
        for name, status in zip(halves, ("out_of_area", "done"), strict=True)
    )
    ledger.note([done, out])
    assert ledger.acquisitions() == {"20181126T112411_T30VWL": done}
    reprocessed = SceneRecord(
        scene_id="S2A_MSIL1C_20181126T112411_N0500_R037_T30VWL_20230101T000000",
        status="failed",
        at=NOON + timedelta(days=1),
    )
    ledger.note([reprocessed])
    assert ledger.acquisitions() == {"20181126T112411_T30VWL": reprocessed}


def test_names_that_are_no_scenes_are_refused() -> None:
    with pytest.raises(StepError, match=r"holiday\.tif") as caught:
        acquisition_of("holiday.tif")
    assert caught.value.code == "bad_ledger"


def test_many_entries_become_one_and_say_the_same(store: Store, ledger: SceneLedger) -> None:
    for number in range(scene_ledger._MANY_ENTRIES + 6):
        ledger.note([record(number % 50, "failed" if number < 50 else "done", minutes=number)])
    before = ledger.records()
    assert len(list(store.shelf.entries("scenes"))) == 1
    assert ledger.records() == before
    assert Counter(found.status for found in before.values()) == {"done": 20, "failed": 30}


def test_writers_and_compacting_readers_at_once_lose_nothing(ledger: SceneLedger) -> None:
    def write(worker: int) -> None:
        for number in range(40):
            ledger.note([record(1000 * worker + number)])
            if number % 10 == 9:
                ledger.records()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(ledger.records()) == 160


def test_two_processes_at_once(machine: Machine) -> None:
    script = (
        "import sys\n"
        "from tasks.scene_ledger import SceneLedger, noted_now\n"
        "from tasks.settings import get_settings\n"
        "from tasks.store import open_store\n"
        "ledger = SceneLedger(open_store(get_settings()).shelf, 'f')\n"
        "for n in range(60):\n"
        "    ledger.note([noted_now(f'2018010{sys.argv[2]}T10{n:02}00_20180101T100000_T31UDT', 'done')])\n"
        "    ledger.records()\n"
    )
    with machine.process(script, "1") as one, machine.process(script, "2") as two:
        assert (one.wait(timeout=120), two.wait(timeout=120)) == (0, 0)
    assert len(SceneLedger(machine.store.shelf, "f").records()) == 120


def test_25000_scenes_in_bounded_memory(machine: Machine) -> None:
    """In batches of a thousand, one of them with a failure that the next run makes good."""
    ledger = SceneLedger(machine.store.shelf, "vegetation_productivity")
    for first in range(0, 25_000, 1000):
        ledger.note(record(number, "failed" if number == 7 else "done") for number in range(first, first + 1000))
    tracemalloc.start()
    known = ledger.acquisitions()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(known) == 25_000
    assert [found.scene_id for found in known.values() if not found.is_settled] == [record(7).scene_id]
    assert peak_bytes < 100 << 20
    ledger.note([noted_now(record(7).scene_id, "done")])
    assert all(found.is_settled for found in ledger.acquisitions().values())


def test_store_upkeep_leaves_it_alone(store: Store, ledger: SceneLedger) -> None:
    ledger.note([record(1)])
    store.gc(keep_days=0)
    assert len(ledger.records()) == 1
    assert list(store.verify()) == []
    assert "scenes" not in store.status().steps


@pytest.mark.real
def test_the_real_table_of_7498_rows(sample_data: Path, ledger: SceneLedger) -> None:
    path = sample_data / "cloud-mask-tables" / "current_status_7498_images.csv"
    ledger.note(read_statuses(path))
    found = ledger.records()
    assert Counter(item.status for item in found.values()) == {"out_of_area": 4840, "done": 2656, "failed": 2}
    acquisitions = ledger.acquisitions()
    assert len(acquisitions) == 7278
    assert len({name.rsplit("_T")[1] for name in acquisitions}) == 109
    assert sum(not item.is_settled for item in acquisitions.values()) == 2
    assert acquisitions["20181126T112411_T30VWL"].status == "done"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Scene,Result\n", "lacks the columns .'Name'."),
        ("Name,Result\n20181126T112411_20181126T112434_T30VWL,LOST\n", "line 2: Result is 'LOST'"),
        ("Name,Result\nholiday,COMPLETED\n", "holiday"),
    ],
)
def test_unfit_tables_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "status.csv"
    path.write_text(text)
    with pytest.raises(StepError, match=reason) as caught:
        list(read_statuses(path))
    assert caught.value.code == "bad_ledger"


def test_tasks_that_had_not_ended_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "status.csv"
    path.write_text("Name,Result,Task_id\n20181126T112411_20181126T112434_T30VWL,RUNNING,X\n")
    assert list(read_statuses(path)) == []
