"""Where two images differ, without a threshold: principal components of difference blocks, and two clusters of them.

Celik, T. Unsupervised Change Detection in Satellite Images Using Principal Component Analysis and k-Means Clustering.
IEEE Geosci. Remote Sens. Lett. 2009, 6(4), 772–776, doi:10.1109/LGRS.2009.2025059. Here over several bands at once.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import BLOCK_PX, create_cog, grown, row_windows
from containers.base.step import main, progress
from containers.gdal.contract.burn import ChangeMapParams, ChangeMapResult
from containers.gdal.difference_blocks import (
    ChangeModel,
    changed_cells,
    differences_of,
    eroded,
    fit,
    known_blocks,
)
from containers.gdal.indices import Rows
from containers.gdal.open_image import OpenImage, opened

CHANGED, UNCHANGED, UNKNOWN = 1, 0, 255
_ROWS = BLOCK_PX


class DifferenceImage(NamedTuple):
    """The absolute difference of two images, read where it is asked for."""

    before: OpenImage
    after: OpenImage

    @property
    def grid(self) -> Grid:
        return self.before.grid

    @property
    def n_bands(self) -> int:
        return len(self.before.bands)

    def read(self, window: Window) -> Rows:
        """(band, y, x) float32, NaN where a date is unknown."""
        return differences_of(self.before.read(window), self.after.read(window))


def sampled_blocks(image: DifferenceImage, size: int, most: int, seed: int) -> Rows:
    """At most so many whole blocks of a lattice without overlaps, drawn at random; (n, band, y, x) float32.

    Blocks with an unknown cell are left out.
    """
    across, down = image.grid.width // size, image.grid.height // size
    drawn = np.random.default_rng(seed).choice(across * down, min(most, across * down), replace=False)
    rows, columns = np.divmod(np.sort(drawn), across)
    step = max(1, _ROWS // size)
    found = []
    for top in range(0, down, step):
        here = (rows >= top) & (rows < top + step)
        window = Window(0, top * size, image.grid.width, min(step, down - top) * size)
        strip = image.read(window)[:, :, : across * size]
        blocks = strip.reshape(image.n_bands, -1, size, across, size).transpose(1, 3, 0, 2, 4)
        found.append(blocks[rows[here] - top, columns[here]])
    blocks = np.concatenate(found)
    return blocks[~np.isnan(blocks).any(axis=(1, 2, 3))]


def changes_in(image: DifferenceImage, model: ChangeModel | None, params: ChangeMapParams, window: Window) -> Any:
    """1 changed, 0 not, 255 unknown in one window, equal to what the whole image would give; (y, x) uint8.

    Unknown is a cell whose block holds an unknown one. Beside such cells change is not eroded.
    """
    outer, inner = grown(window, params.block_px + params.erosion_px, image.grid.shape)
    difference = image.read(outer)
    known = known_blocks(~np.isnan(difference.sum(axis=0)), params.block_px)
    changed = np.zeros(known.shape, bool)
    if model:
        changed = eroded(changed_cells(np.nan_to_num(difference), model) | ~known, params.erosion_px)
    codes: NDArray[np.uint8] = np.where(known, np.where(changed, CHANGED, UNCHANGED), UNKNOWN).astype(np.uint8)
    return codes[inner]


def run(params: ChangeMapParams, out: Path) -> ChangeMapResult:
    """Write change.tif. Raises `unknown_band`, `grid_mismatch`, `bad_parameters`, `no_valid_pixels`."""
    bands = _common_bands(params)
    counts = np.zeros(256, np.int64)
    with ExitStack() as files:
        before = files.enter_context(opened(params.before, bands))
        image = DifferenceImage(before, files.enter_context(opened(params.after, bands, before.grid)))
        blocks = sampled_blocks(image, params.block_px, params.sample_blocks, params.seed)
        _require_enough(blocks, params)
        model = fit(blocks, params.components, params.seed)
        sink = files.enter_context(
            create_cog(
                out / "change.tif",
                image.grid,
                dtype="uint8",
                nodata=UNKNOWN,
                overviews="mode",
                threads=params.execution.threads,
            )
        )
        for window in row_windows(image.grid.shape, _ROWS):
            codes = changes_in(image, model, params, window)
            sink.write(codes, 1, window=window)
            counts += np.bincount(codes.ravel(), minlength=256)
            progress(window.row_off + window.height, image.grid.height, "change")
    share = counts[CHANGED] / (counts[CHANGED] + counts[UNCHANGED])
    return ChangeMapResult(change=output_file(out / "change.tif"), share=float(share))


def _common_bands(params: ChangeMapParams) -> list[str]:
    before, after = set(params.before.bands), set(params.after.bands)
    if not before & after:
        raise StepError(
            "unknown_band",
            f"The images have no band in common: {sorted(before)} and {sorted(after)}.",
            "Give the same bands of both dates.",
        )
    return sorted(before & after)


def _require_enough(blocks: Rows, params: ChangeMapParams) -> None:
    n_values = int(np.prod(blocks.shape[1:]))
    if params.components > n_values:
        raise StepError(
            "bad_parameters",
            f"components={params.components} is more than the {n_values} values of a block.",
            "Keep fewer components, or take larger blocks or more bands.",
        )
    if len(blocks) < max(2, params.components):
        raise StepError(
            "no_valid_pixels",
            f"{len(blocks)} whole blocks of {params.block_px} cells have data on both dates; "
            f"{max(2, params.components)} are needed.",
            "Take smaller blocks, or look at the bands.",
        )


if __name__ == "__main__":
    main(ChangeMapParams, run)
