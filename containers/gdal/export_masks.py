"""Masks as other programs want them: one band of cloud against clear, 255 where the scene has no data."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.legend import Sky
from containers.base.grid import grid_of
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.mask_exchange import BinaryValue, ExportMasksParams, ExportMasksResult

BINARY_NODATA: Final = 255


def binary_mask(sky: NDArray[np.uint8], hidden: tuple[Sky, ...], cloud_value: BinaryValue) -> NDArray[np.uint8]:
    """`cloud_value` where a hidden class is, the other of 0 and 1 where not, 255 where there is no data."""
    table = np.full(256, 1 - cloud_value, np.uint8)
    table[list(hidden)] = cloud_value
    table[Sky.NODATA] = BINARY_NODATA
    return table[sky]


def run(params: ExportMasksParams, out: Path) -> ExportMasksResult:
    hidden = tuple(Sky[name.upper()] for name in params.hidden)
    masks: dict[str, File] = {}
    for done, (scene_id, mask) in enumerate(params.masks.items(), start=1):
        path = out / f"{scene_id}.tif"
        with open_raster(local_path(mask)) as source:
            tags = {"CLOUD": str(params.cloud_value), "CLEAR": str(1 - params.cloud_value)}
            with create_cog(path, grid_of(source), dtype="uint8", nodata=BINARY_NODATA, tags=tags) as sink:
                for window in row_windows(source.shape):
                    sky = source.read(1, window=window)
                    sink.write(binary_mask(sky, hidden, params.cloud_value), 1, window=window)
        masks[scene_id] = output_file(path)
        progress(done, len(params.masks), scene_id)
    return ExportMasksResult(masks=masks)


if __name__ == "__main__":
    main(ExportMasksParams, run)
