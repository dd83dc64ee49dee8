"""Severity told apart by land cover, slope and aspect."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import part_of, require_grid
from containers.base.raster import open_raster, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.burn_tables import write_table
from containers.gdal.contract.burn import SharesParams, SharesResult
from containers.gdal.control_grid import Geometry, control_grid
from containers.gdal.severity import UNKNOWN, UNKNOWN_NAME, names_in
from containers.gdal.terrain_classes import aspect_codes, aspect_names, slope_codes, slope_names
from containers.gdal.warp import nearest_index, source_window

NO_CODE: Final = np.iinfo(np.int32).min
"""Land cover where the class raster has none."""
_COLUMNS = ("by", "class", "name", "severity", "cells", "area_ha", "share_of_class")


class Partition(NamedTuple):
    """Something that tells cells apart: their class codes in a window, and the codes' names."""

    codes: Callable[[Window], NDArray[Any]]
    names: Mapping[int, str]
    unknown: int


def nearest_codes(source: Any, part: Grid) -> NDArray[np.int32]:
    """The code of the class raster's cell that holds each centre of `part`; never a mean of codes.

    NO_CODE beyond the raster and where it is nodata; (y, x).
    """
    geometry = Geometry(source.crs, source.transform, source.shape)
    control = control_grid(part, geometry)
    window = source_window(control, source.shape)
    if window is None:
        return np.full(part.shape, NO_CODE, dtype=np.int32)
    labelled = source.read_masks(1, window=window) > 0
    codes = np.where(labelled, source.read(1, window=window).astype(np.int32), NO_CODE)
    return np.append(codes, np.int32(NO_CODE))[nearest_index(control, window, part.shape)]


def tabulate(codes: NDArray[Any], severity: NDArray[np.uint8]) -> Counter[tuple[int, int]]:
    """Cells per (class, severity)."""
    pairs, cells = np.unique(codes.astype(np.int64) * 256 + severity, return_counts=True)
    return Counter({divmod(int(pair), 256): int(n) for pair, n in zip(pairs, cells, strict=True)})


def run(params: SharesParams, out: Path) -> SharesResult:
    """Write shares.csv. Raises `grid_mismatch`, `bad_labels`."""
    with ExitStack() as files:
        severities = files.enter_context(open_raster(local_path(params.severity)))
        require_grid(severities, params.grid)
        names = {UNKNOWN: UNKNOWN_NAME} | names_in(severities)
        partitions = dict(_partitions(params, files))
        counts = {by: Counter[tuple[int, int]]() for by in partitions}
        for window in row_windows(params.grid.shape):
            severity = severities.read(1, window=window)
            for by, partition in partitions.items():
                counts[by] += tabulate(partition.codes(window), severity)
            progress(window.row_off + window.height, params.grid.height, "shares")
    rows = [
        (by, *row)
        for by, partition in partitions.items()
        for row in share_rows(counts[by], partition, names, params.grid.cell_area_ha)
    ]
    warnings = [warning for by, partition in partitions.items() for warning in _outside(by, partition, counts[by])]
    return SharesResult(shares=write_table(out / "shares.csv", _COLUMNS, rows), warnings=tuple(warnings))


def share_rows(
    counts: Mapping[tuple[int, int], int], partition: Partition, severities: Mapping[int, str], cell_area_ha: float
) -> Iterator[tuple[object, ...]]:
    """Rows of every class that occurs, unknown ones last, by severity; the unknown severity has no share."""
    found = {code for code, _ in counts}
    known = {code: sum(n for (one, level), n in counts.items() if one == code and level != UNKNOWN) for code in found}
    for code in sorted(found - {partition.unknown}) + sorted(found & {partition.unknown}):
        is_unknown = code == partition.unknown
        name = UNKNOWN_NAME if is_unknown else partition.names.get(code, f"code {code}")
        for level, severity in severities.items():
            cells = counts.get((code, level), 0)
            share = round(cells / known[code], 6) if level != UNKNOWN and known[code] else ""
            yield "" if is_unknown else code, name, severity, cells, round(cells * cell_area_ha, 4), share


def _partitions(params: SharesParams, files: ExitStack) -> Iterator[tuple[str, Partition]]:
    if params.land_cover:
        cover = files.enter_context(open_raster(local_path(params.land_cover)))
        _require_classes(cover)
        yield (
            "land_cover",
            Partition(
                lambda window: nearest_codes(cover, part_of(params.grid, window)), params.land_cover_names, NO_CODE
            ),
        )
    for by, file, codes_of, names in (
        ("slope", params.slope, slope_codes, slope_names()),
        ("aspect", params.aspect, aspect_codes, aspect_names()),
    ):
        if file:
            raster = files.enter_context(open_raster(local_path(file)))
            require_grid(raster, params.grid)
            yield by, Partition(_reader(raster, codes_of), names, 0)


def _reader(raster: Any, codes_of: Callable[[NDArray[Any]], NDArray[np.uint8]]) -> Callable[[Window], NDArray[Any]]:
    return lambda window: codes_of(raster.read(1, window=window))


def _require_classes(source: Any) -> None:
    if source.crs is None:
        raise StepError(
            "bad_labels", f"{source.name} has no coordinate reference system.", "Write one into the class raster."
        )
    if not np.can_cast(source.dtypes[0], np.int32):
        raise StepError(
            "bad_labels",
            f"{source.name} holds {source.dtypes[0]}, class codes are whole numbers of 32 bits at most.",
            "Give a raster of codes as integers.",
        )


def _outside(by: str, partition: Partition, counts: Mapping[tuple[int, int], int]) -> Iterator[StepWarning]:
    without = sum(n for (code, _), n in counts.items() if code == partition.unknown)
    if share := without / sum(counts.values()):
        yield StepWarning(
            code="class_unknown",
            reason=f"{share:.1%} of the cells have no class of {by}.",
            hint="They are in the rows named unknown; give a raster that covers the grid.",
        )


if __name__ == "__main__":
    main(SharesParams, run)
