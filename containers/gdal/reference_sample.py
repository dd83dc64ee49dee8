"""A reference sample as tables hold it: read, and refused where estimates from it would be wrong."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.step import StepError
from containers.gdal.contract.areas import REGION_SEPARATOR
from containers.gdal.estimators import Design

UNKNOWN: Final = "unknown"
"""The row of the strata table that is outside the sampling frame."""
_FIXED = ("point_id", "x_m", "y_m", "stratum", "inclusion_probability", "region_id")
_MAP = "map_"
_SHOWN = 10
_SAME_PROBABILITY = 1e-3
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class ReferenceSample:
    """Points of a stratified random sample. Classes are codes, (n,) per period, periods in the order of time."""

    design: Design
    strata: dict[str, int]
    """Stratum, `unknown` included, to its cells."""
    regions: tuple[frozenset[str], ...]
    reference: dict[str, Codes]
    mapped: dict[str, Codes]
    """Empty where the sample does not tell the mapped classes."""

    def inside(self, region: str) -> NDArray[np.bool_]:
        """Which points lie in a region, (n,)."""
        return np.array([region in ids for ids in self.regions])


def read_sample(sample: Path, strata: Path, classes: Mapping[str, int], doubtful: int | None = None) -> ReferenceSample:
    """A sample whose classes have these codes; where it is mapped, a point may be doubtful too. Raises `bad_sample`."""
    mapped_codes = classes if doubtful is None else {**classes, "doubtful": doubtful}
    rows, cells = _rows(sample, _FIXED[3:]), _strata(strata)
    sampled = [name for name, n in cells.items() if name != UNKNOWN and n > 0]
    if strange := sorted({row["stratum"] for row in rows} - set(sampled)):
        raise _refused(f"points lie in strata that the strata table does not have: {strange}; it has {sampled}")
    design = Design(
        np.array([cells[name] for name in sampled], float), np.array([sampled.index(row["stratum"]) for row in rows])
    )
    _require_points(design, sampled)
    _require_probabilities(design, rows)
    columns = list(rows[0])
    periods = [name for name in columns if name not in _FIXED and not name.startswith(_MAP)]
    mapped = [period for period in periods if _MAP + period in columns]
    return ReferenceSample(
        design=design,
        strata=cells,
        regions=tuple(frozenset(row["region_id"].split(REGION_SEPARATOR)) for row in rows),
        reference={period: _codes(rows, period, classes) for period in periods},
        mapped={period: _codes(rows, _MAP + period, mapped_codes) for period in mapped} if mapped == periods else {},
    )


def _rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        table = csv.DictReader(stream)
        rows = list(table)
    if missing := [name for name in needed if name not in (table.fieldnames or ())]:
        raise _refused(f"{path.name} has no column {missing}; it has {list(table.fieldnames or ())}")
    if not rows:
        raise _refused(f"{path.name} has no rows")
    return rows


def _strata(path: Path) -> dict[str, int]:
    rows = _rows(path, ("stratum", "cells"))
    if not all(row["cells"].isdigit() for row in rows):
        raise _refused(f"{path.name} has cells that are no whole numbers: {[row['cells'] for row in rows]}")
    return {row["stratum"]: int(row["cells"]) for row in rows}


def _require_points(design: Design, names: list[str]) -> None:
    for name, points, cells in zip(names, design.points, design.cells, strict=True):
        if points > cells:
            raise _refused(f"stratum {name} has {points:.0f} points in {cells:.0f} cells")
        if points < min(2, cells):
            raise _refused(f"stratum {name} has {points:.0f} points: a variance needs two at least")


def _require_probabilities(design: Design, rows: list[dict[str, str]]) -> None:
    expected = (design.points / design.cells)[design.stratum]
    for row, probability in zip(rows, expected, strict=True):
        try:
            stated = float(row["inclusion_probability"])
        except ValueError:
            stated = float("nan")
        if not abs(stated - probability) <= _SAME_PROBABILITY * probability:
            raise _refused(
                f"a point of stratum {row['stratum']} states the inclusion probability "
                f"{row['inclusion_probability']!r}, but points and cells give {probability:.6g}"
            )


def _codes(rows: list[dict[str, str]], column: str, classes: Mapping[str, int]) -> Codes:
    valid = {str(code) for code in classes.values()}
    if bad := [(n, row[column]) for n, row in enumerate(rows, start=1) if row[column] not in valid]:
        shown = ", ".join(f"row {n}: {value!r}" for n, value in bad[:_SHOWN])
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        legend = ", ".join(f"{code} {name}" for name, code in classes.items())
        raise _refused(f"column {column} holds what is no class ({legend}): {shown}{more}")
    return np.array([int(row[column]) for row in rows])


def _refused(reason: str) -> StepError:
    return StepError("bad_sample", f"{reason}.", "Complete the sample, or draw one for this map with gdal.sample.")
