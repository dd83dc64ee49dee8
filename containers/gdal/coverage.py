"""How much of each cell a region covers: exact fractions, block by block."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from shapely import box

from containers.base.contract.grid import Grid


class Coverage(NamedTuple):
    """The cells of one block that a region covers."""

    region: int
    """Row of the region in its table."""
    cells: NDArray[np.intp]
    """Places in the block's rows, one after another."""
    shares: NDArray[np.float64]
    """Covered part of each cell, above 0, at most 1."""


def regions_at(regions: GeoDataFrame, block: Grid) -> list[int]:
    """Rows of the regions whose area may reach into a block."""
    return sorted(int(row) for row in regions.sindex.query(box(*block.bounds), predicate="intersects"))


def coverages(regions: GeoDataFrame, rows: list[int], block: Grid) -> Iterator[Coverage]:
    """The covered cells of each of these regions, in the CRS of the block."""
    if not rows:
        return
    source = NumPyRasterSource(np.zeros(block.shape, dtype=np.uint8), *block.bounds)
    found: Any = exact_extract(source, regions.iloc[rows], ["cell_id", "coverage"], output="pandas")
    for row, cells, shares in zip(rows, found["cell_id"], found["coverage"], strict=True):
        yield Coverage(row, np.asarray(cells, dtype=np.intp), np.asarray(shares, dtype=np.float64))
