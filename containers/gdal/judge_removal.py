"""How good rebuilt images are, on hidden and clear cells, beside the image of t0 and linear regression."""

import csv
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rasterio.windows import Window

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepError, StepWarning
from containers.base.step import local_path, main, progress
from containers.gdal.contract.judge import JudgeRemovalParams, JudgeRemovalResult
from containers.gdal.dataset_layout import Axes, bands_of, channels_of
from containers.gdal.linear_baseline import Array, fit
from containers.gdal.pair_files import REFLECTANCE_DTYPE, require_pair, require_raster
from containers.gdal.pair_tile import require_layers
from containers.gdal.pipeline import in_order
from containers.gdal.removal_figures import draw_errors, draw_gains, draw_map
from containers.gdal.removal_scores import METRICS, QUANTITIES, Comparison, Gain, Score, blocks_of, score, summed
from containers.gdal.removal_strip import WHERE, Judged, read_strip
from containers.gdal.tile_table import read_tiles

_STRIP_PX = 1024
"""Width of what is compared at once, in cells."""

Sums = dict[str, dict[str, Array]]
"""Where and method to (block row, block column, quantity)."""


class BlockSums(NamedTuple):
    """One block: its row and column, and what was summed there."""

    row: int
    col: int
    where: str
    method: str
    sums: Array


def run(params: JudgeRemovalParams, out: Path) -> JudgeRemovalResult:
    """Write `scores.csv`, `gains.csv`, `blocks.csv` and figures.

    Raises `unknown_band`, `grid_mismatch`, `bad_dataset`, `no_valid_pixels`.
    """
    axes = _checked_axes(params)
    tiles = read_tiles(local_path(params.tiles), params.grid, params.tile_px)
    coefficients = fit((params.pair, *params.more_pairs), tiles, params.tile_px, axes, params.execution.threads)
    test = [tile for tile in tiles if (tile.part, tile.pair) == ("test", params.pair.label)]
    judged = Judged(params, axes, test, coefficients)
    sums = _summed(judged)
    if not sums:
        raise StepError(
            "no_valid_pixels",
            f"No cell of {params.pair.label} can be judged: none is clear in {len(test)} test tiles"
            f"{' or hidden with a truth' if params.truth else ', and there is no truth'}.",
            "Give tiles that were kept for testing, images that cover the grid, or a truth.",
        )
    comparisons = [Comparison(where, _by_block(methods), params.seed) for where, methods in sums.items()]
    gains = [gain for comparison in comparisons for gain in comparison.gains()]
    return JudgeRemovalResult(
        scores=output_file(_write_scores(out / "scores.csv", sums)),
        gains=output_file(_write(out / "gains.csv", Gain._fields, gains)),
        blocks=output_file(_write_blocks(out / "blocks.csv", sums, params.block_px)),
        figures=_figures(comparisons, gains, sums, params, out),
        warnings=tuple(_warnings(params, comparisons)),
    )


def _checked_axes(params: JudgeRemovalParams) -> Axes:
    """The bands of the first candidate, which every image must have."""
    names = tuple(params.candidates[0].bands)
    polarisations = tuple(params.pair.radar_t0.bands)
    images = {candidate.name: candidate.bands for candidate in params.candidates}
    images |= {"truth": params.truth} if params.truth else {}
    for image, bands in images.items():
        if missing := set(names) - set(bands):
            reason = f"{image} lacks {sorted(missing)}; it has {sorted(bands)}."
            raise StepError("unknown_band", reason, "Give every image the bands of the first candidate.")
        for name in names:
            require_raster(bands[name], params.grid, REFLECTANCE_DTYPE)
    for pair in (params.pair, *params.more_pairs):
        require_pair(pair, params.grid)
        require_layers(pair, polarisations, names)
    bands_axis = bands_of(names)
    return Axes(channels_of(polarisations, bands_axis), bands_axis)


def _summed(judged: Judged) -> Sums:
    """Every place where any cell counts."""
    params, size = judged.params, judged.params.block_px
    height, width = params.grid.shape
    step = max(1, _STRIP_PX // size) * size
    windows = [
        Window(col, row, min(step, width - col), min(size, height - row))
        for row in range(0, height, size)
        for col in range(0, width, step)
    ]
    shape = -(-height // size), -(-width // size), len(QUANTITIES)
    sums = {where: {method: np.zeros(shape) for method in judged.methods} for where in WHERE}
    with ThreadPoolExecutor(params.execution.threads) as pool:
        results = in_order(pool, partial(_summed_strip, judged), windows, waiting=params.execution.threads + 1)
        for done, blocks in enumerate(results, start=1):
            for block in blocks:
                sums[block.where][block.method][block.row, block.col] = block.sums
            progress(done, len(windows), params.pair.label)
    return {where: methods for where, methods in sums.items() if methods[judged.methods[0]].any()}


def _summed_strip(judged: Judged, window: Window) -> list[BlockSums]:
    strip, size = read_strip(judged, window), judged.params.block_px
    first_row, first_col = int(window.row_off) // size, int(window.col_off) // size
    found = []
    for (row, col), place in blocks_of((int(window.height), int(window.width)), size):
        for where, target in strip.targets.items():
            if (counted := target.counted[place]).any():
                truth = target.truth[:, *place]
                for method in judged.methods:
                    values = summed(strip.images[method][:, *place], truth, counted)
                    found.append(BlockSums(first_row + row, first_col + col, where, method, values))
    return found


def _by_block(methods: dict[str, Array]) -> dict[str, Array]:
    return {method: sums.reshape(-1, len(QUANTITIES)) for method, sums in methods.items()}


def _figures(
    comparisons: list[Comparison], gains: list[Gain], sums: Sums, params: JudgeRemovalParams, out: Path
) -> dict[str, File]:
    errors = {metric: {each.where: each.intervals(metric) for each in comparisons} for metric in METRICS}
    simulated = params.pair.radar_t0.simulated or params.pair.radar_t1.simulated
    title = f"{params.pair.label}{' (simulated)' if simulated else ''}"
    where = next(iter(sums))
    mae = {method: _mae(each) for method, each in sums[where].items()}
    paths = {
        "errors": draw_errors(errors, title, out / "errors.png"),
        "gains": draw_gains(gains, params.candidates[0].name, title, out / "gains.png"),
        "map": draw_map(mae, where, params.block_px, title, out / "map.png"),
    }
    return {name: output_file(path) for name, path in paths.items()}


def _mae(sums: Array) -> Array:
    """By block; NaN where nothing counts."""
    values, absolute = sums[..., QUANTITIES.index("values")], sums[..., QUANTITIES.index("absolute")]
    mae: Array = np.divide(absolute, values, out=np.full(values.shape, np.nan), where=values > 0)
    return mae


def _write_scores(path: Path, sums: Sums) -> Path:
    rows = (
        (method, where, *score(each.sum(axis=(0, 1))))
        for where, methods in sums.items()
        for method, each in methods.items()
    )
    return _write(path, ("method", "where", *Score._fields), rows)


def _write_blocks(path: Path, sums: Sums, size: int) -> Path:
    rows = (
        (method, where, row * size, col * size, *score(each[row, col]))
        for where, methods in sums.items()
        for row, col in np.argwhere(next(iter(methods.values()))[..., 0] > 0).tolist()
        for method, each in methods.items()
    )
    return _write(path, ("method", "where", "row_px", "col_px", *Score._fields), rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> Path:
    """Figures to seven digits; empty where there is none."""
    with path.open("w", newline="") as stream:
        table: Any = csv.writer(stream, lineterminator="\n")
        table.writerow(header)
        table.writerows([_cell(value) for value in row] for row in rows)
    return path


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.7g}"
    return value


def _warnings(params: JudgeRemovalParams, comparisons: list[Comparison]) -> Iterable[StepWarning]:
    if not params.truth:
        reason = "Hidden cells were not judged: nobody knows what lay there."
        yield StepWarning(code="no_truth", reason=reason, hint="Give truth, an image of t1 without clouds.")
    for where in sorted(set(WHERE if params.truth else ("clear_test",)) - {each.where for each in comparisons}):
        yield StepWarning(code="no_cells", reason=f"No cell counts as {where}.", hint="Check the tiles and the mask.")
    for each in comparisons:
        if each.blocks < 2:
            reason = f"{each.where} has cells in one block of {params.block_px} cells only: there is no interval."
            yield StepWarning(code="few_blocks", reason=reason, hint="Lower block_px, or judge a larger area.")


if __name__ == "__main__":
    main(JudgeRemovalParams, run)
