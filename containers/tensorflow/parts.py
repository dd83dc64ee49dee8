"""The labelled blocks of a cube in memory, dealt to training, validation and test."""

from collections.abc import Sequence

import numpy as np

from containers.base.contract.step import StepError
from containers.tensorflow.blocks import PARTS, Block, count_classes, deal, inner_blocks
from containers.tensorflow.card import Split, legend
from containers.tensorflow.contract.train import TrainParams
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.normalisation import Normalisation, fit_normalisation, has_data
from containers.tensorflow.patches import LabelledWindow, labelled_window

Parts = dict[str, list[LabelledWindow]]
"""Windows of the blocks of each part, all labelled periods."""
_FITTED_BLOCKS, _LEAST_COVERAGE = 64, 0.5
"""Training blocks that the constants are fitted to, and the share of their cells that must hold data."""


def read_parts(cube: Cube, params: TrainParams) -> tuple[Parts, Split]:
    """The labelled blocks in memory, dealt to the parts. Raises `bad_labels` where that cannot be done."""
    blocks = inner_blocks(cube.grid.shape, params.block_px, params.gap_px, params.patch_px)
    chosen = _labelled_blocks(cube, blocks, params)
    if not chosen:
        raise StepError(
            "bad_labels",
            f"No cell of {len(blocks)} blocks has data and a label; labelled: {', '.join(cube.labelled) or 'none'}.",
            "Give labels that meet the area, of a period that the cube holds.",
        )
    counts = np.array([sum(count_classes(window.codes) for window in windows) for windows in chosen.values()])
    dealt = deal(counts, params.seed)
    inner = {
        name: tuple(block for block, part in zip(chosen, dealt, strict=True) if part == index)
        for index, name in enumerate(PARTS)
    }
    cells = {name: counts[dealt == index].sum(axis=0).tolist() for index, name in enumerate(PARTS)}
    parts = {name: [window for block in blocks for window in chosen[block]] for name, blocks in inner.items()}
    return parts, Split(
        block_px=params.block_px,
        gap_px=params.gap_px,
        seed=params.seed,
        blocks={name: len(blocks) for name, blocks in inner.items()},
        cells={name: dict(zip(legend(), numbers, strict=True)) for name, numbers in cells.items()},
        inner=inner,
    )


def period_normalisations(cube: Cube, blocks: Sequence[Block]) -> dict[str, Normalisation]:
    """Constants per period over the same blocks: a relative radiometric normalisation of the periods.

    A period that has data in less than half of their cells is left out: what is seen of it may be other land.
    """
    found = {}
    for period in cube.periods:
        windows = [cube.reflectance(period, cube.bands, block.rows, block.cols) for block in blocks[:_FITTED_BLOCKS]]
        if np.mean([has_data(window).mean() for window in windows]) >= _LEAST_COVERAGE:
            found[period] = fit_normalisation(windows)
    return found


def _labelled_blocks(cube: Cube, blocks: list[Block], params: TrainParams) -> dict[Block, list[LabelledWindow]]:
    """The windows, one per labelled period, of the blocks that hold labels: at most `max_blocks` windows, at random."""
    chosen: dict[Block, list[LabelledWindow]] = {}
    most = params.max_blocks // max(1, len(cube.labelled))
    for index in np.random.default_rng(params.seed).permutation(len(blocks)):
        if len(chosen) == most:
            break
        block = blocks[index]
        windows = [
            labelled_window(
                cube.reflectance(period, cube.bands, block.rows, block.cols),
                cube.labels(period, block.rows, block.cols),
                period,
            )
            for period in cube.labelled
        ]
        if any(window.codes.any() for window in windows):
            chosen[block] = windows
    return chosen
