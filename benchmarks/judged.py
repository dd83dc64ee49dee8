"""A finished job's figures, each with the bar that it is held to."""

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.bars import Figure
from benchmarks.change_maps import change_cells
from benchmarks.classification import compare
from benchmarks.frame import population
from benchmarks.job import FinishedJob, Maps
from benchmarks.planted import Trap, planted_traps
from benchmarks.redraws import Coverage, redraw
from containers.base.contract.legend import LandCover
from containers.base.regions import ALL
from containers.eodata import hardness
from containers.tensorflow.contract.train import TrainParams

LEAST_CHANGE_POINTS = 30
Judged = Iterator[Figure]


def figures(seed: int, job: FinishedJob, redraws: int, console: Console) -> list[Figure]:
    """Everything that is measured of one seed. Prints the traps and the redraws in full."""
    traps = planted_traps(job)
    print_traps(traps, console)
    coverage = redraw(population(job), redraws, seed)
    print_coverage(coverage, console)
    return [
        *hard(seed, job),
        *classified(seed, job),
        *changed(seed, job),
        *covered(seed, coverage),
        Figure(seed, "traps", "share caught", sum(trap.is_caught for trap in traps) / len(traps), low=1),
    ]


def hard(seed: int, job: FinishedJob) -> Judged:
    """The archive is as hard as reality."""
    found = hardness.figures(job.archive)
    bounds = {
        "forest_accuracy": (0.80, 0.88), "scl_accuracy": (0.82, 0.88), "wrong_labels": (0.13, 0.15),
    }  # fmt: skip
    for name, value in found.items():
        low, high = bounds.get(name, (None, None))
        yield Figure(seed, "hardness", name.replace("_", " "), value, low, high)


def classified(seed: int, job: FinishedJob) -> Judged:
    """Network and forest on the test blocks of the labelled period."""
    period = job.periods[0]
    scores = compare(job.cube, job.parameters(TrainParams), job.truth()[period], job.raw()[period])
    network, forest = scores["network"], scores["forest"]
    yield Figure(seed, "test blocks", "network accuracy", network.accuracy, low=forest.accuracy)
    yield Figure(seed, "test blocks", "forest accuracy", forest.accuracy)
    for kind in network.f1:
        yield Figure(seed, "test blocks", f"network F1 {kind}", network.f1[kind])
        yield Figure(seed, "test blocks", f"forest F1 {kind}", forest.f1[kind])


def changed(seed: int, job: FinishedJob) -> Judged:
    """Raw and smoothed maps against truth."""
    truth, raw, smoothed = job.truth(), job.raw(), job.smoothed()
    ha = job.grid.cell_area_ha
    impervious = change_cells(truth, raw, smoothed, LandCover.IMPERVIOUS)
    green = change_cells(truth, raw, smoothed, LandCover.GREEN)
    yield Figure(seed, "consistency", "new impervious: false, smoothed / raw", impervious.false_share, high=0.2)
    yield Figure(seed, "consistency", "new impervious: true area lost", impervious.net_lost_share, high=0.1)
    yield Figure(seed, "consistency", "new impervious: cells found raw, lost", impervious.lost_share)
    yield Figure(seed, "consistency", "new green: false, smoothed / raw", green.false_share)
    yield Figure(seed, "consistency", "new green: true area lost", green.net_lost_share)
    for name, cells in impervious._asdict().items():
        yield Figure(seed, "consistency", f"new impervious: {name.replace('_', ' ')}, ha", cells * ha)
    for name, maps in (("raw", raw), ("smoothed", smoothed)):
        yield Figure(seed, "consistency", f"{name} maps, accuracy of all periods", _accuracy(maps, truth))
    unknown = np.mean([(layer == LandCover.UNKNOWN).mean() for layer in smoothed.values()])
    yield Figure(seed, "consistency", "unknown share", float(unknown))


def covered(seed: int, coverage: list[Coverage]) -> Judged:
    """Intervals where there are enough change points; no such estimate for the whole area is a failure itself."""
    whole = [each for each in coverage if each.domain == ALL]
    regions = [each for each in coverage if each.domain != ALL]
    yield from _covered(seed, "intervals, whole area", whole, least=1)
    yield from _covered(seed, "intervals, regions", regions)
    yield Figure(seed, "intervals, whole area", "fewest change points", min(each.change_points for each in whole))
    yield Figure(seed, "intervals, whole area", "widest half-width / area", max(each.half_width for each in whole))


def _covered(seed: int, topic: str, found: list[Coverage], least: float | None = None) -> Judged:
    judged = [each for each in found if each.change_points >= LEAST_CHANGE_POINTS]
    yield Figure(seed, topic, f"estimates with ≥ {LEAST_CHANGE_POINTS} change points", len(judged), low=least)
    if not judged:
        return
    held = [each.coverage for each in judged]
    widths, to_random = [each.half_width for each in judged], [each.to_random for each in judged]
    yield Figure(seed, topic, "lowest coverage", min(held), low=0.92)
    yield Figure(seed, topic, "mean coverage", float(np.mean(held)), low=0.92, high=0.98)
    yield Figure(seed, topic, "highest coverage", max(held), high=0.98)
    yield Figure(seed, topic, "half-width / area", float(np.median(widths)), high=0.5)
    yield Figure(seed, topic, "width / simple random", float(np.median(to_random)))


def _accuracy(maps: Maps, truth: Maps) -> float:
    known = [(maps[period] > 0) & (truth[period] > 0) for period in truth]
    right = sum(int((maps[period] == truth[period])[mask].sum()) for period, mask in zip(truth, known, strict=True))
    return right / sum(int(mask.sum()) for mask in known)


def print_traps(traps: list[Trap], console: Console) -> None:
    table = Table("trap", "product", "caught as", title="Planted traps")
    for trap in traps:
        table.add_row(trap.kind, trap.product, trap.code or "[bold red]missed[/]")
    console.print(table)


def print_coverage(coverage: list[Coverage], console: Console) -> None:
    numbers = ("true cells", "mapped", "change points", "coverage", "half-width", "to random", "bias")
    table = Table("domain", "indicator", "period", *numbers, title="Intervals over the redraws")
    for each in coverage:
        table.add_row(
            each.domain, each.indicator, each.period, str(each.true_cells), str(each.mapped_cells),
            f"{each.change_points:.1f}", f"{each.coverage:.1%}", f"{each.half_width:.2f}", f"{each.to_random:.2f}",
            f"{each.bias:+.1%}",
        )  # fmt: skip
    console.print(table)
