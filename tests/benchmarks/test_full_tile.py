"""What a step took is that of all its runs, and what nobody has measured passes no bar."""

import math
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.full_tile import MOST_MB, records_of, spent_by_step
from tasks.ledger import Row
from tasks.records import Record
from tasks.store import Store
from tasks.store_folder import FolderShelf


def record(step: str, seconds: float, peak_mb: float | None, key: str = "k") -> Record:
    return Record(
        step=step,
        key=key,
        attempt="a",
        code_id="c",
        tools="local",
        created=datetime.now(UTC),
        seconds=seconds,
        peak_mb=peak_mb,
        params={},
        result={},
        files=(),
        parents=(),
        sources=(),
        members={},
    )


def test_runs_of_a_step_are_taken_together() -> None:
    align, cube = spent_by_step(
        [record("gdal.align", 10, 100), record("gdal.cube", 5, MOST_MB + 0.1), record("gdal.align", 20, MOST_MB)]
    )
    assert (align.step, align.runs, align.seconds, align.peak_mb, align.passed) == ("gdal.align", 2, 30, MOST_MB, True)
    assert cube.passed is False


def test_unmeasured_memory_passes_no_bar() -> None:
    (align,) = spent_by_step([record("gdal.align", 1, 100), record("gdal.align", 1, None), record("gdal.align", 1, 7)])
    assert math.isnan(align.peak_mb)
    assert align.passed is False


def test_the_archive_is_told_but_not_judged() -> None:
    (simulate,) = spent_by_step([record("eodata.simulate", 1, 9_999)])
    assert simulate.passed is None


def test_every_key_of_the_ledger_is_looked_up_once(tmp_path: Path) -> None:
    store = Store(FolderShelf(tmp_path / "store"), tmp_path / "scratch")
    kept = [store.commit(record(step, 1, 1, key)) for step, key in (("gdal.cube", "k1"), ("gdal.align", "k2"))]
    told = [
        Row(at=datetime.now(UTC), status=status, subject="a step", key=key)
        for status, key in (("reused", "k1"), ("done", "k2"), ("reused", "k2"), ("warning", ""))
    ]
    assert list(records_of(store, told)) == kept
