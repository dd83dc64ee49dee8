"""A label map clipped and brought to the grid, in blocks, with a count of every code."""

from collections import Counter
from pathlib import Path

import numpy as np

from containers.base.contract.files import output_file
from containers.base.grid import part_of
from containers.base.raster import create_cog, tile_windows
from containers.base.step import main, progress
from containers.gdal.contract.labels import LabelsParams, LabelsResult
from containers.gdal.label_source import NODATA, bad_labels, reader_of

_BLOCK_PX = 1024


def run(params: LabelsParams, out: Path) -> LabelsResult:
    grid, counts = params.grid, Counter[int]()
    windows = list(tile_windows(grid.shape, _BLOCK_PX))
    path = out / "labels.tif"
    with (
        reader_of(params) as read,
        create_cog(
            path,
            grid,
            dtype="uint8",
            nodata=NODATA,
            bands=("labels",),
            overviews="mode",
            threads=params.execution.threads,
        ) as sink,
    ):
        for done, window in enumerate(windows, start=1):
            codes = read(part_of(grid, window))
            sink.write(codes, 1, window=window)
            counts.update(dict(enumerate(np.bincount(codes.ravel(), minlength=256).tolist())))
            progress(done, len(windows), "labels")
    labelled = {code: count for code, count in sorted(counts.items()) if count and code != NODATA}
    if not labelled:
        raise bad_labels(f"{params.source.name} labels no cell of {tuple(grid.bounds)}", "Give a map of this area.")
    return LabelsResult(codes=output_file(path), counts=labelled)


if __name__ == "__main__":
    main(LabelsParams, run)
