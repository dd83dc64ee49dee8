"""Burned cells and severity of a true and of a simulated image: confusion and scores, under clouds and beside them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.burn_layers import BURNED
from containers.gdal.burn_scores import BurnedScores, SeverityScores, Table, burned_scores, severity_scores
from containers.gdal.burn_tables import write_table
from containers.gdal.confusion_figure import draw_confusions
from containers.gdal.contract.burn import CompareBurnsParams, CompareBurnsResult
from containers.gdal.open_image import HIDDEN
from containers.gdal.severity import names_in

SEEN: Final = (Sky.CLEAR, Sky.SNOW)
_N_SKY = len(Sky)
_ALL_SKY: Final = tuple(Sky)
WHERE: Final = {"all": _ALL_SKY, "hidden": HIDDEN, "seen": SEEN}
_RASTERS = ("truth_severity", "truth_burned", "severity", "burned", "sky")


class Confusion(NamedTuple):
    """Cells by what hid them, truth and map. Severity codes include unknown (0); burned is 0, 1, or 2 unknown."""

    severity: Table
    """(sky, class, class)."""
    burned: Table
    """(sky, 3, 3)."""

    def among(self, skies: tuple[Sky, ...]) -> "Confusion":
        """Added up over some classes of the sky: (class, class) and (3, 3)."""
        chosen = list(skies)
        return Confusion(self.severity[chosen].sum(axis=0), self.burned[chosen].sum(axis=0))


def tabulate(rasters: dict[str, NDArray[np.uint8]], n_classes: int) -> Confusion:
    """The confusion of rasters (y, x) by the names of the parameters; classes are counted without unknown."""
    sky, kinds = rasters["sky"].astype(np.int64), n_classes + 1
    severities = (sky * kinds + rasters["truth_severity"]) * kinds + rasters["severity"]
    truth, mapped = (np.minimum(rasters[name], BURNED + 1) for name in ("truth_burned", "burned"))
    burns = (sky * 3 + truth) * 3 + mapped
    return Confusion(
        np.bincount(severities.ravel(), minlength=_N_SKY * kinds**2).reshape(_N_SKY, kinds, kinds),
        np.bincount(burns.ravel(), minlength=_N_SKY * 9).reshape(_N_SKY, 3, 3),
    )


class Scores(NamedTuple):
    """A row of the scores."""

    where: str
    burned: BurnedScores
    severity: SeverityScores
    cells: int
    """Burned or not is known of in truth and map."""
    burned_cells: int
    """Of these, truly burned ones."""
    unknown_cells: int
    scar_hidden_share: float | None


def scores_of(confusion: Confusion) -> list[Scores]:
    """Over all cells, hidden and seen ones. Cells unknown in truth or map are counted, and scored nowhere."""
    scars = {where: int(_known_burned(confusion.among(skies)).sum(axis=1)[1]) for where, skies in WHERE.items()}
    hidden_share = scars["hidden"] / scars["all"] if scars["all"] else None
    rows = []
    for where, skies in WHERE.items():
        part = confusion.among(skies)
        known = _known_burned(part)
        rows.append(
            Scores(
                where=where,
                burned=burned_scores(known),
                severity=severity_scores(part.severity[1:, 1:]),
                cells=int(known.sum()),
                burned_cells=scars[where],
                unknown_cells=int(part.burned.sum() - known.sum()),
                scar_hidden_share=hidden_share,
            )
        )
    return rows


def run(params: CompareBurnsParams, out: Path) -> CompareBurnsResult:
    """Write confusion.csv, scores.csv and confusion.png.

    Raises `grid_mismatch`, `bad_labels`, and `no_valid_pixels` where no cell is known in truth and map.
    """
    names, confusion = _read(params)
    rows = scores_of(confusion)
    if not rows[0].cells:
        raise StepError(
            "no_valid_pixels", "No cell is known in truth and map.", "Look at the burned rasters: both hold 255 only."
        )
    tables = {where: confusion.among(skies).severity[1:, 1:] for where, skies in WHERE.items()}
    lines = [
        (where, name, *cells)
        for where, table in tables.items()
        for name, cells in zip(names, table.tolist(), strict=True)
    ]
    notes = {row.where: f"burned: F1 {_shown(row.burned.f1)}, kappa {_shown(row.burned.kappa)}" for row in rows}
    columns = ("where", *BurnedScores._fields, *SeverityScores._fields, *Scores._fields[3:])
    return CompareBurnsResult(
        confusion=write_table(out / "confusion.csv", ("where", "truth", *names), lines),
        scores=write_table(out / "scores.csv", columns, map(_line, rows)),
        figure=output_file(draw_confusions(tables, names, notes, out / "confusion.png")),
        f1={row.where: row.burned.f1 for row in rows},
        scar_hidden_share=rows[0].scar_hidden_share,
    )


def _known_burned(part: Confusion) -> Table:
    return part.burned[:2, :2]


def _read(params: CompareBurnsParams) -> tuple[list[str], Confusion]:
    """The classes' names, and the confusion of the whole rasters."""
    with ExitStack() as files:
        rasters = {name: files.enter_context(open_raster(local_path(getattr(params, name)))) for name in _RASTERS}
        grid = grid_of(rasters["truth_severity"])
        for raster in rasters.values():
            require_grid(raster, grid)
        names = _common_names(rasters)
        totals = Confusion(*(np.zeros_like(table) for table in tabulate(_empty(), len(names))))
        for blocks in _blocks(rasters, grid):
            _require_codes(blocks, len(names))
            found = tabulate(blocks, len(names))
            totals = Confusion(totals.severity + found.severity, totals.burned + found.burned)
    return names, totals


def _empty() -> dict[str, NDArray[np.uint8]]:
    return dict.fromkeys(_RASTERS, np.zeros(0, np.uint8))


def _blocks(rasters: dict[str, Any], grid: Grid) -> Iterator[dict[str, NDArray[np.uint8]]]:
    for window in row_windows(grid.shape):
        yield {name: raster.read(1, window=window) for name, raster in rasters.items()}
        progress(window.row_off + window.height, grid.height, "confusion")


def _common_names(rasters: dict[str, Any]) -> list[str]:
    truth, mapped = names_in(rasters["truth_severity"]), names_in(rasters["severity"])
    if truth != mapped or list(truth) != list(range(1, len(truth) + 1)):
        raise StepError(
            "bad_labels",
            f"The severity classes differ: {truth} in truth, {mapped} in the map.",
            "Compute both by the same rules.",
        )
    return list(truth.values())


def _require_codes(blocks: dict[str, NDArray[np.uint8]], n_classes: int) -> None:
    for name, most in (("truth_severity", n_classes), ("severity", n_classes), ("sky", _N_SKY - 1)):
        if (highest := int(blocks[name].max())) > most:
            raise StepError(
                "bad_labels", f"{name} holds the code {highest}, its highest is {most}.", "Give rasters of this run."
            )


def _line(row: Scores) -> list[object]:
    figures = [*row.burned, *row.severity, row.cells, row.burned_cells, row.unknown_cells, row.scar_hidden_share]
    return [row.where, *("" if figure is None else round(figure, 6) for figure in figures)]


def _shown(figure: float | None) -> str:
    return "—" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    main(CompareBurnsParams, run)
