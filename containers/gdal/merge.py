"""Windows of one grid joined to one raster: copied cell by cell, never resampled."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import require_grid, window_of
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.merge import MergeParams, MergeResult, Piece

_OWN_TAGS: Final = frozenset({"AREA_OR_POINT", "OVR_RESAMPLING_ALG"})
"""What GDAL writes itself."""


class Layout(NamedTuple):
    """What all pieces of a raster have in common."""

    bands: tuple[str, ...]
    dtype: str
    nodata: float | None
    scales: tuple[float, ...]
    tags: dict[str, str]


def run(params: MergeParams, out: Path) -> MergeResult:
    rasters = {}
    for done, (name, pieces) in enumerate(params.pieces.items(), start=1):
        rasters[name] = output_file(_merged(name, pieces, params, out))
        progress(done, len(params.pieces), name)
    return MergeResult(rasters=rasters)


def require_apart(name: str, pieces: tuple[Piece, ...]) -> None:
    """Raises `grid_mismatch` where two pieces overlap."""
    for number, piece in enumerate(pieces):
        for other in pieces[:number]:
            if piece.grid.bounds.intersects(other.grid.bounds):
                raise StepError(
                    "grid_mismatch",
                    f"Pieces of {name} overlap: {tuple(other.grid.bounds)} and {tuple(piece.grid.bounds)}.",
                    "Give windows that lie side by side.",
                )


def _merged(name: str, pieces: tuple[Piece, ...], params: MergeParams, out: Path) -> Path:
    require_apart(name, pieces)
    layout = _common_layout(name, pieces)
    windows = [window_of(params.grid, piece.grid) for piece in pieces]
    path = out / f"{name}.tif"
    with create_cog(
        path,
        params.grid,
        dtype=layout.dtype,
        nodata=layout.nodata,
        bands=layout.bands,
        tags=layout.tags,
        threads=params.execution.threads,
    ) as sink:
        sink.scales = layout.scales
        _fill_gaps(sink, params.grid, windows, layout)
        for piece, window in zip(pieces, windows, strict=True):
            _copy(piece, window, sink)
    return path


def _common_layout(name: str, pieces: tuple[Piece, ...]) -> Layout:
    """Raises `grid_mismatch` where a piece has other bands, types or nodata, or does not lie where it is said to."""
    layouts = []
    for piece in pieces:
        with open_raster(local_path(piece.raster)) as source:
            require_grid(source, piece.grid)
            bands = tuple(description or "" for description in source.descriptions)
            tags = {key: value for key, value in source.tags().items() if key not in _OWN_TAGS}
            layouts.append(Layout(bands, source.dtypes[0], source.nodata, tuple(source.scales), tags))
    first = layouts[0]
    for layout in layouts[1:]:
        if layout[:-1] != first[:-1]:
            raise StepError(
                "grid_mismatch",
                f"Pieces of {name} differ: {first[:-1]} and {layout[:-1]}.",
                "Make all pieces with the same parameters.",
            )
    same = {key: value for key, value in first.tags.items() if all(other.tags.get(key) == value for other in layouts)}
    return first._replace(tags=same)


def _fill_gaps(sink: Any, grid: Grid, windows: list[Window], layout: Layout) -> None:
    """Nodata where no piece lies: a new file is 0 there, which may be a value."""
    if layout.nodata in (None, 0) or sum(w.width * w.height for w in windows) == grid.width * grid.height:
        return
    for rows in row_windows(grid.shape):
        sink.write(_constant(layout, rows), window=rows)


def _constant(layout: Layout, window: Window) -> Any:
    return np.full((len(layout.bands), int(window.height), int(window.width)), layout.nodata, dtype=layout.dtype)


def _copy(piece: Piece, window: Window, sink: Any) -> None:
    with open_raster(local_path(piece.raster)) as source:
        for rows in row_windows(piece.grid.shape):
            place = Window(window.col_off, window.row_off + rows.row_off, rows.width, rows.height)
            sink.write(source.read(window=rows), window=place)


if __name__ == "__main__":
    main(MergeParams, run)
