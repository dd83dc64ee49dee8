"""Datasets of tiles and years joined to one: NetCDF, a tidy table, and a report of contents and doubts."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.step import StepWarning
from containers.base.step import local_path, main, progress
from containers.gdal.contract.sites import SiteDatasetParams, SiteDatasetResult
from containers.gdal.site_figures import draw_classes, draw_observations, draw_spectra
from containers.gdal.site_file import SLICE_COLUMNS, Header, create_site_file, open_site_file
from containers.gdal.site_join import Parts, Place, kept_slices
from containers.gdal.site_report import (
    Broken,
    Journal,
    class_table,
    duplicate_table,
    gap_table,
    observation_table,
    slice_table,
    suspicious_table,
    write_csv,
)
from containers.gdal.site_rows import create_rows


def run(params: SiteDatasetParams, out: Path) -> SiteDatasetResult:
    """Write `dataset.nc`, `dataset.parquet`, the report and its figures.

    Raises `bad_dataset`, `missing_file`, `disk_full`.
    """
    with ExitStack() as files:
        parts = Parts([files.enter_context(open_site_file(local_path(part))) for part in params.parts])
        kept, duplicates = kept_slices(parts, params.duplicate_dates)
        journal = _written(parts, kept, out)
        doubles = duplicate_table(parts.all_slices(), duplicates)
    rules, found = journal.suspicious()
    tables = {
        "classes": iter([class_table(journal)]),
        "observations": observation_table(journal),
        "gaps": iter([gap_table(journal, params.max_gap_days)]),
        "suspicious": suspicious_table(journal.header, rules, found),
        "slices": iter([slice_table(journal)]),
        "duplicates": iter([doubles]),
    }
    figures = {"classes": draw_classes, "observations": draw_observations, "spectra": draw_spectra}
    return SiteDatasetResult(
        dataset=output_file(out / "dataset.nc"),
        table=output_file(out / "dataset.parquet"),
        report={name: output_file(write_csv(out / f"{name}.csv", rows)) for name, rows in tables.items()},
        figures={name: output_file(draw(journal, out / f"{name}.png")) for name, draw in figures.items()},
        sites=len(journal.header.sites),
        slices=len(kept),
        warnings=tuple(_warnings(journal, _counts(rules, found), doubles)),
    )


def _written(parts: Parts, kept: pd.DataFrame, out: Path) -> Journal:
    """Slice after slice into both files; what the report needs of them."""
    header = Header(parts.sites, kept[list(SLICE_COLUMNS)], parts.bands)
    journal = Journal(header)
    with create_site_file(out / "dataset.nc", header) as sink, create_rows(out / "dataset.parquet", header) as rows:
        for number, (part, own, share) in enumerate(zip(kept["part"], kept["number"], kept["mask_share"], strict=True)):
            spectra = parts.read(Place(part, own))
            sink.write(number, spectra, share)
            rows.write(number, spectra)
            journal.add(number, spectra)
            progress(number + 1, len(kept), "slices")
    return journal


def _counts(rules: list[Broken], found: NDArray[Any]) -> str:
    """`rule count, …`; empty where none is broken."""
    counts = np.bincount(found["rule"], minlength=len(rules)).tolist()
    return ", ".join(f"{each.rule} {count:,}" for each, count in zip(rules, counts, strict=True) if count)


def _warnings(journal: Journal, suspicious: str, doubles: pd.DataFrame) -> Iterator[StepWarning]:
    yield from journal.order.warnings()
    if suspicious:
        yield StepWarning(
            code="suspicious_spectra",
            reason=f"Of {journal.usable.sum():,} usable spectra some are suspicious: {suspicious}.",
            hint="suspicious.csv lists each with the rule, the value and the limit; they stay in the dataset.",
        )
    if blank := int((~journal.usable.any(axis=0)).sum()):
        yield StepWarning(
            code="sites_without_spectra",
            reason=f"{blank:,} of {len(journal.header.sites):,} sites have no usable spectrum.",
            hint="They have no rows with usable > 0 in observations.csv; add slices of other dates or orbits.",
        )
    if not doubles.empty:
        yield StepWarning(
            code="duplicate_dates",
            reason=f"{len(doubles):,} slices show sites that a clearer one of the same tile and day shows.",
            hint="duplicates.csv says which, and whether they were dropped.",
        )


if __name__ == "__main__":
    main(SiteDatasetParams, run)
