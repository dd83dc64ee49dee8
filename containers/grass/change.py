"""Map algebra between consecutive periods with `r.mapcalc`, and the from–to matrix with `r.stats`."""

import csv
import re
from itertools import pairwise, product
from pathlib import Path

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import LandCover
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster
from containers.base.step import local_path, main, progress
from containers.grass.contract.change import ChangeParams, ChangeResult
from containers.grass.session import Project, open_project

UNKNOWN = 255
INDICATORS = {"new_impervious": LandCover.IMPERVIOUS, "new_green": LandCover.GREEN}
_COLUMNS = ("from_period", "to_period", "from_class", "to_class", "cells", "area_ha")


def newly(cover: LandCover, earlier: str, later: str) -> str:
    """The `r.mapcalc` expression for what became `cover`: 1, else 0; null where either map is unknown.

    >>> newly(LandCover.GREEN, "a", "b")
    'if(a == 0 || b == 0, null(), b == 2 && a != 2)'
    """
    code = cover.value
    return f"if({earlier} == 0 || {later} == 0, null(), {later} == {code} && {earlier} != {code})"


def transition_cells(pairs: str) -> dict[tuple[int, int], int]:
    """Cells per (from, to) of all classes, zeros included, from `r.stats -c` as CSV.

    >>> transition_cells("2,1,5\\n")[2, 1], transition_cells("2,1,5\\n")[1, 1]
    (5, 0)
    """
    cells = {(int(earlier), int(later)): 0 for earlier, later in product(LandCover, repeat=2)}
    for line in pairs.split():
        earlier, later, count = map(int, line.split(","))
        cells[earlier, later] += count
    return cells


def map_name(layer: str, period: str) -> str:
    """A name that `r.mapcalc` takes without quotes.

    >>> map_name("classes", "2018-05")
    'classes_2018_05'
    """
    return re.sub(r"\W", "_", f"{layer}_{period}")


def run(params: ChangeParams, out: Path) -> ChangeResult:
    """Write a COG per indicator and later period, `transitions.csv` and `project.tar.gz`.

    Periods follow each other in the order given. Areas are cells times the cell's size, exact in an equal-area CRS.
    Raises `grid_mismatch`.
    """
    grid = _common_grid(list(params.classes.values()))
    changes: dict[str, dict[str, File]] = {indicator: {} for indicator in INDICATORS}
    rows: list[tuple[object, ...]] = []
    with open_project(grid, params.execution) as project:
        for period, file in params.classes.items():
            _load(project, file, map_name("classes", period))
        for done, (earlier, later) in enumerate(pairwise(params.classes), start=1):
            for indicator, cover in INDICATORS.items():
                path = out / f"{indicator}_{later}.tif"
                changes[indicator][later] = _change(project, indicator, cover, (earlier, later), path)
            rows += [(earlier, later, *row) for row in _transitions(project, (earlier, later))]
            progress(done, len(params.classes) - 1, f"{earlier} to {later}")
        archive = project.archive(out / "project.tar.gz")
    return ChangeResult(**changes, transitions=_table(out / "transitions.csv", rows), project=output_file(archive))


def _common_grid(files: list[File]) -> Grid:
    with open_raster(local_path(files[0])) as dataset:
        grid = grid_of(dataset)
    for file in files[1:]:
        with open_raster(local_path(file)) as dataset:
            require_grid(dataset, grid)
    return grid


def _load(project: Project, file: File, name: str) -> None:
    project.load(local_path(file), name)
    project.run("r.null", map=name, null=LandCover.UNKNOWN.value)
    labels = "".join(f"{cover.value}:{cover.name.lower()}\n" for cover in LandCover)
    project.run("r.category", map=name, separator=":", rules="-", stdin=labels)


def _change(project: Project, indicator: str, cover: LandCover, pair: tuple[str, str], path: Path) -> File:
    earlier, later = (map_name("classes", period) for period in pair)
    name = map_name(indicator, pair[1])
    project.run("r.mapcalc", expression=f"{name} = {newly(cover, earlier, later)}")
    return output_file(project.export(name, path, nodata=UNKNOWN))


def _transitions(project: Project, pair: tuple[str, str]) -> list[tuple[object, ...]]:
    maps = [map_name("classes", period) for period in pair]
    cells = transition_cells(project.run("r.stats", "c", input=maps, separator="comma"))
    return [(*classes, count, count * project.grid.cell_area_ha) for classes, count in cells.items()]


def _table(path: Path, rows: list[tuple[object, ...]]) -> File:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([_COLUMNS, *rows])
    return output_file(path)


if __name__ == "__main__":
    main(ChangeParams, run)
