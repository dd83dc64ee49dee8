"""What burned between two images: indices of both, severity classes, burned cells and their perimeters."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import create_cog, read_band, row_windows
from containers.base.step import main, progress
from containers.gdal.burn_layers import BURNED_UNKNOWN, burned_of, layer_names, layers_of, told_by
from containers.gdal.burn_tables import write_areas, write_counts
from containers.gdal.contract.burn import (
    BURN_BANDS,
    SEVERITY_OF,
    BurnIndex,
    BurnParams,
    BurnResult,
    BurnRules,
    SeverityTable,
)
from containers.gdal.open_image import opened
from containers.gdal.perimeters import means_of, outlines, write_perimeters
from containers.gdal.severity import UNKNOWN, burned_code, colours_of, names_of, severity_codes, table_of, tags_of

_OUTSIDE_SHARE = 1e-3
"""From this share of values outside the table on, a reader is told."""


class Cells(NamedTuple):
    """What the pass over the images counted."""

    by_code: NDArray[np.int64]
    """Of every severity code, (256,)."""
    outside: int
    """With a value that the table does not reach; they are unknown."""


def run(params: BurnParams, out: Path) -> BurnResult:
    """Write the index rasters, severity.tif, burned.tif, perimeters.gpkg, areas.csv and counts.csv.

    Raises `bad_config`, `unknown_band`, `grid_mismatch`, `no_valid_pixels`.
    """
    rules, grid = params.rules, params.grid
    table = table_of(rules)
    lowest = burned_code(table, rules.burned_from)
    names, warnings = usable_indices(params)
    cells = write_rasters(params, table, names, out)
    counts = cells.by_code
    if counts[UNKNOWN] == counts.sum():
        raise StepError(
            "no_valid_pixels",
            f"No cell has {rules.index} on both dates.",
            "Look at the bands: the images share no cell with usable data.",
        )
    perimeters = outlines(read_band(out / "burned.tif"), grid, rules.min_area_ha)
    means = means_of(perimeters, out / f"{told_by(rules)}.tif")
    return BurnResult(
        indices={name: output_file(out / f"{name}.tif") for name in layer_names(names, rules)},
        severity=output_file(out / "severity.tif"),
        burned=output_file(out / "burned.tif"),
        perimeters=output_file(write_perimeters(perimeters, means, rules.index, out / "perimeters.gpkg")),
        areas=write_areas(out / "areas.csv", counts, names_of(table), grid),
        counts=write_counts(out / "counts.csv", counts, lowest, params.period),
        names=names_of(table),
        colours=colours_of(table),
        warnings=(*warnings, *_outliers(cells, rules)),
    )


def usable_indices(params: BurnParams) -> tuple[tuple[BurnIndex, ...], tuple[StepWarning, ...]]:
    """The indices that both images have the bands for, the severity's first, and a warning for each that is left out.

    Raises `unknown_band` where it is the severity's.
    """
    rules = params.rules
    have = set(params.before.bands) & set(params.after.bands)
    needed = SEVERITY_OF[rules.index]
    names = tuple(dict.fromkeys((needed, *rules.indices)))
    missing = {name: lack for name in names if (lack := sorted(set(BURN_BANDS[name]) - have))}
    if needed in missing:
        raise StepError(
            "unknown_band",
            f"{rules.index} needs the bands {', '.join(missing[needed])} of both images; both have {sorted(have)}.",
            "Give these bands, or choose another index: dndvi needs red and nir, dnbr and rbr nir08 and swir22.",
        )
    warnings = tuple(
        StepWarning(
            code="index_left_out",
            reason=f"{name} is not computed: the images do not both have {', '.join(lack)}.",
            hint="Give these bands, or leave the index out of the rules.",
        )
        for name, lack in missing.items()
    )
    return tuple(name for name in names if name not in missing), warnings


def write_rasters(params: BurnParams, table: SeverityTable, names: Sequence[BurnIndex], out: Path) -> Cells:
    """One pass over blocks of rows."""
    grid, rules = params.grid, params.rules
    lowest = burned_code(table, rules.burned_from)
    counts, outside = np.zeros(256, np.int64), 0
    bands = sorted({band for name in names for band in BURN_BANDS[name]})
    threads = params.execution.threads
    with ExitStack() as files:
        before, after = (files.enter_context(opened(image, bands, grid)) for image in (params.before, params.after))
        sinks = {name: files.enter_context(_quantity(out, name, grid, threads)) for name in layer_names(names, rules)}
        classes: dict[str, Any] = {"dtype": "uint8", "overviews": "mode", "threads": threads}
        tags = tags_of(names_of(table)) | {"INDEX": rules.index}
        severities = files.enter_context(create_cog(out / "severity.tif", grid, nodata=UNKNOWN, tags=tags, **classes))
        severities.write_colormap(1, _colour_map(table))
        burns = files.enter_context(create_cog(out / "burned.tif", grid, nodata=BURNED_UNKNOWN, **classes))
        for window in row_windows(grid.shape):
            layers = layers_of(before, after, window, names, rules)
            for name, sink in sinks.items():
                sink.write(layers[name], 1, window=window)
            telling = layers[told_by(rules)]
            severity = severity_codes(telling, table)
            severities.write(severity, 1, window=window)
            burns.write(burned_of(severity, lowest), 1, window=window)
            counts += np.bincount(severity.ravel(), minlength=256)
            outside += int(np.count_nonzero(~np.isnan(telling) & (severity == UNKNOWN)))
            progress(window.row_off + window.height, grid.height, "severity")
    return Cells(counts, outside)


def _quantity(out: Path, name: str, grid: Grid, threads: int) -> Any:
    return create_cog(
        out / f"{name}.tif",
        grid,
        dtype="float32",
        nodata=np.nan,
        bands=(name,),
        overviews="average",
        threads=threads,
    )


def _colour_map(table: SeverityTable) -> dict[int, tuple[int, ...]]:
    """The legend's colours, so that a viewer shows classes and not greys; unknown is transparent."""
    colours = {code: (*(round(part * 255) for part in to_rgb(name)), 255) for code, name in colours_of(table).items()}
    return {UNKNOWN: (0, 0, 0, 0)} | colours


def _outliers(cells: Cells, rules: BurnRules) -> Iterator[StepWarning]:
    known = cells.by_code.sum() - cells.by_code[UNKNOWN] + cells.outside
    if cells.outside > _OUTSIDE_SHARE * known:
        yield StepWarning(
            code="outside_table",
            reason=f"{cells.outside / known:.1%} of the values of {rules.index} are outside the severity table.",
            hint="These cells count as unknown: widen the first or the last class of the table.",
        )


if __name__ == "__main__":
    main(BurnParams, run)
