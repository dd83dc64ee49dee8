"""Areas and accuracies, with intervals, from cell counts and a reference sample."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepWarning
from containers.base.regions import ALL
from containers.base.step import local_path, main
from containers.gdal.accuracy import Accuracy, accuracies
from containers.gdal.contract.areas import AreasParams, AreasResult
from containers.gdal.indicators import does_not_fit, is_known, shown
from containers.gdal.reference_sample import UNKNOWN, ReferenceSample, read_sample

MIN_DOMAIN_POINTS = 30
"""Fewer sample points in a region give no interval: its figure stays a count of cells."""


class Area(NamedTuple):
    """A row of the estimates. Areas in hectares; empty where there is no interval."""

    region_id: str
    period: str
    indicator: str
    value: float
    lower: float | str
    upper: float | str
    standard_error: float | str
    unit: str
    interval_basis: str
    pixel_count_ha: float
    unknown_share: float
    n_points: int
    n_change_points: int


def run(params: AreasParams, out: Path) -> AreasResult:
    """Write `estimates.csv`, and `accuracy.csv` where the sample tells the mapped classes. Raises `bad_sample`."""
    with local_path(params.counts).open(newline="") as stream:
        counts = list(csv.DictReader(stream))
    if params.sample is None or params.strata is None:
        rows = [_counted(count, params.cell_area_ha) for count in counts]
        return AreasResult(estimates=_write(out / "estimates.csv", Area, rows))
    sample = read_sample(local_path(params.sample), local_path(params.strata), params.classes, params.doubtful)
    _require_same_map(sample, counts)
    rows = [area(count, sample, params) for count in counts]
    estimates = _write(out / "estimates.csv", Area, rows)
    if not sample.mapped:
        return AreasResult(estimates=estimates, warnings=(_NO_MAP,))
    table = accuracies(sample, params.classes, params.confidence)
    return AreasResult(estimates=estimates, accuracy=_write(out / "accuracy.csv", Accuracy, table))


def area(count: dict[str, str], sample: ReferenceSample, params: AreasParams) -> Area:
    """The estimate for one row of the counts, a region being a domain of the sample.

    Cells outside the sampling frame enter as mapped. A region with few points keeps its count, without interval.
    """
    cell_area_ha = params.cell_area_ha
    counted = _counted(count, cell_area_ha)
    indicator, period = counted.indicator, counted.period
    if not is_known(indicator, params.classes):
        return counted
    reference = shown(indicator, period, sample.reference, params.classes)
    inside = np.ones(len(reference), bool) if counted.region_id == ALL else sample.inside(counted.region_id)
    counted = counted._replace(n_points=int(inside.sum()), n_change_points=int(reference[inside].sum()))
    if counted.n_points < MIN_DOMAIN_POINTS:
        return counted
    mapped, mapped_cells = np.zeros_like(reference), 0.0
    if sample.mapped:
        mapped, mapped_cells = shown(indicator, period, sample.mapped, params.classes), float(count["cells"])
    estimate = sample.design.domain_total(reference, mapped, mapped_cells, inside)
    total = float(count["total_cells"])
    lower, upper = estimate.interval(params.confidence, low=0.0, high=total)
    return counted._replace(
        value=_round(min(max(estimate.value, 0.0), total) * cell_area_ha),
        lower=_round(lower * cell_area_ha),
        upper=_round(upper * cell_area_ha),
        standard_error=_round(estimate.standard_error * cell_area_ha),
        interval_basis="stratified_sample",
    )


_NO_MAP = StepWarning(
    code="no_mapped_classes",
    reason="The sample has no map_<period> columns: there is no accuracy table, and areas rest on the points alone.",
    hint="Add the mapped class of every point and period; intervals of regions become narrower.",
)


def _counted(count: dict[str, str], cell_area_ha: float) -> Area:
    """Cells times their size: a figure with the map's bias, and no interval."""
    total = float(count["total_cells"])
    cells_ha = _round(float(count["cells"]) * cell_area_ha)
    return Area(
        region_id=count["region_id"],
        period=count["period"],
        indicator=count["indicator"],
        value=cells_ha,
        lower="",
        upper="",
        standard_error="",
        unit="ha",
        interval_basis="none",
        pixel_count_ha=cells_ha,
        unknown_share=_round(float(count["unknown_cells"]) / total) if total else 1.0,
        n_points=0,
        n_change_points=0,
    )


def _require_same_map(sample: ReferenceSample, counts: list[dict[str, str]]) -> None:
    """The strata must be of the map that was counted: as many cells, and no more change than it has."""
    cells = sum(sample.strata.values())
    for count in counts:
        if count["region_id"] != ALL:
            continue
        if cells != round(float(count["total_cells"])):
            raise does_not_fit(f"its strata hold {cells} cells ({UNKNOWN} included), the map {count['total_cells']}")
        stratum = f"{count['indicator']}_{count['period']}"
        if sample.strata.get(stratum, 0) > round(float(count["cells"])):
            raise does_not_fit(f"its stratum {stratum} holds {sample.strata[stratum]} cells, the map {count['cells']}")


def _round(value: float) -> float:
    return round(value, 6)


def _write(path: Path, row: type[Area] | type[Accuracy], rows: Sequence[Area | Accuracy]) -> File:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow("class" if name == "land_cover" else name for name in row._fields)
        table.writerows(rows)
    return output_file(path)


if __name__ == "__main__":
    main(AreasParams, run)
