"""Truth in small: what `make accuracy` measures, over the tiny demo of this test run; its bars are for larger areas."""

import numpy as np
import pytest

from benchmarks.change_maps import change_cells
from benchmarks.frame import population
from benchmarks.job import FinishedJob, ancestors
from benchmarks.planted import planted_traps
from benchmarks.redraws import redraw
from containers.base.contract.legend import LandCover
from containers.base.regions import ALL
from containers.eodata.hardness import Archive
from tasks.ledger import Row
from tasks.store import Store
from tasks.store_folder import FolderShelf
from tests.demo_run import Demo, newest_folder


@pytest.fixture(scope="module")
def job(demo: Demo) -> FinishedJob:
    """The demo's first run: later ones only reuse it."""
    store = Store(FolderShelf(demo.state / "store"), demo.state / "scratch")
    run = min((demo.state / "store" / "runs").glob("*/ledger.csv"), key=lambda path: path.stat().st_mtime).parent
    rows = [Row.model_validate_json(path.read_text()) for path in sorted((run / "rows").glob("*.json"))]
    return FinishedJob(
        Archive(newest_folder(demo, "eodata.simulate")), store, ancestors(store, demo.product.name), tuple(rows)
    )


@pytest.mark.slow
class TestTruth:
    def test_every_planted_trap_is_caught(self, job: FinishedJob) -> None:
        traps = planted_traps(job)
        assert {trap.kind for trap in traps} >= {"ghost", "halves", "corrupt", "collection_1"}
        assert [trap for trap in traps if not trap.is_caught] == []

    def test_maps_lie_on_the_truth(self, job: FinishedJob) -> None:
        """Moved by a cell in any direction they agree less."""
        truth, mapped = (maps[job.periods[0]] for maps in (job.truth(), job.raw()))
        assert truth.shape == mapped.shape == job.grid.shape

        def agreement(rows: int, columns: int) -> float:
            moved = np.roll(mapped, (rows, columns), axis=(0, 1))
            known = (truth > 0) & (moved > 0)
            return float((truth == moved)[known].mean())

        assert agreement(0, 0) > max(agreement(*shift) for shift in ((2, 0), (-2, 0), (0, 2), (0, -2)))

    def test_consistency_removes_most_false_change(self, job: FinishedJob) -> None:
        cells = change_cells(job.truth(), job.raw(), job.smoothed(), LandCover.IMPERVIOUS)
        assert cells.raw_false > 0
        assert cells.false_share < 0.5

    def test_consistency_keeps_more_of_true_change_than_of_false(self, job: FinishedJob) -> None:
        cells = change_cells(job.truth(), job.raw(), job.smoothed(), LandCover.IMPERVIOUS)
        assert cells.smoothed_found / cells.raw_found > cells.false_share

    def test_intervals_of_the_whole_area_hold_the_truth(self, job: FinishedJob) -> None:
        found = [each for each in redraw(population(job), 200, seed=1) if each.domain == ALL and each.true_cells]
        judged = [each for each in found if each.change_points >= 30]
        assert all(0.88 <= each.coverage <= 1 for each in judged)
        assert all(abs(each.bias) < 0.1 for each in judged)
