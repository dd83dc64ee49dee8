"""Cells of a burn map as tables."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.regions import ALL
from containers.gdal.severity import UNKNOWN, UNKNOWN_NAME

INDICATOR: Final = "burned"


def write_areas(path: Path, counts: NDArray[np.int64], names: Mapping[int, str], grid: Grid) -> File:
    """Cells of every class, the unknown ones first; `share` is that of the whole grid."""
    rows = [
        (code, name, counts[code], round(counts[code] * grid.cell_area_ha, 4), round(counts[code] / counts.sum(), 6))
        for code, name in ({UNKNOWN: UNKNOWN_NAME} | dict(names)).items()
    ]
    return write_table(path, ("class", "name", "cells", "area_ha", "share"), rows)


def write_counts(path: Path, counts: NDArray[np.int64], lowest: int, period: str) -> File:
    """Burned cells of the whole grid, as the zonal step counts those of regions."""
    columns = ("region_id", "region_name", "period", "indicator", "cells", "unknown_cells", "total_cells")
    row = (ALL, "all", period, INDICATOR, counts[lowest:].sum(), counts[UNKNOWN], counts.sum())
    return write_table(path, columns, [row])


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> File:
    """A CSV file."""
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(columns)
        table.writerows(rows)
    return output_file(path)
