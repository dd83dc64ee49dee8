"""The labelled blocks of a cube in memory, dealt to training, validation and test."""

import numpy as np

from containers.base.contract.step import StepError
from containers.tensorflow.blocks import PARTS, Block, count_classes, deal, inner_blocks
from containers.tensorflow.card import Split, legend
from containers.tensorflow.contract.train import TrainParams
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.patches import LabelledWindow, labelled_window

Parts = dict[str, list[LabelledWindow]]
"""Windows of the blocks of each part, all labelled periods."""


def read_parts(cube: Cube, params: TrainParams) -> tuple[Parts, Split]:
    """The labelled blocks in memory, dealt to the parts. Raises `bad_labels` where that cannot be done."""
    blocks = inner_blocks(cube.grid.shape, params.block_px, params.gap_px, params.patch_px)
    windows = _labelled_blocks(cube, blocks, params)
    if not windows:
        raise StepError(
            "bad_labels",
            f"No cell of {len(blocks)} blocks has data and a label; labelled: {', '.join(cube.labelled) or 'none'}.",
            "Give labels that meet the area, of a period that the cube holds.",
        )
    counts = np.array([sum(count_classes(window.codes) for window in block) for block in windows])
    dealt = deal(counts, params.seed)
    parts = {
        name: [window for block, part in zip(windows, dealt, strict=True) if part == index for window in block]
        for index, name in enumerate(PARTS)
    }
    cells = {name: counts[dealt == index].sum(axis=0).tolist() for index, name in enumerate(PARTS)}
    return parts, Split(
        block_px=params.block_px,
        gap_px=params.gap_px,
        seed=params.seed,
        blocks={name: int((dealt == index).sum()) for index, name in enumerate(PARTS)},
        cells={name: dict(zip(legend(), numbers, strict=True)) for name, numbers in cells.items()},
    )


def _labelled_blocks(cube: Cube, blocks: list[Block], params: TrainParams) -> list[list[LabelledWindow]]:
    """The windows, one per labelled period, of the blocks that hold labels: at most `max_blocks` windows, at random."""
    chosen: list[list[LabelledWindow]] = []
    most = params.max_blocks // max(1, len(cube.labelled))
    for index in np.random.default_rng(params.seed).permutation(len(blocks)):
        if len(chosen) == most:
            break
        block = blocks[index]
        windows = [
            labelled_window(
                cube.reflectance(period, cube.bands, block.rows, block.cols),
                cube.labels(period, block.rows, block.cols),
            )
            for period in cube.labelled
        ]
        if any(window.codes.any() for window in windows):
            chosen.append(windows)
    return chosen
