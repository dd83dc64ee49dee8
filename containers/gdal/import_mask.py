"""A binary mask that was made elsewhere, checked and brought into the classes of this project's masks."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.base.grid import require_grid
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.step import local_path, main
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.mask_exchange import BinaryValue, ImportMaskParams
from containers.gdal.export_masks import BINARY_NODATA


def sky_classes(binary: NDArray[np.uint8], cloud_value: BinaryValue) -> NDArray[np.uint8]:
    """CLOUD, CLEAR and NODATA: other classes are not in a binary mask. Raises ValueError for other values."""
    if (odd := np.setdiff1d(binary, (0, 1, BINARY_NODATA))).size:
        raise ValueError(f"values {odd[:5].tolist()}")
    return np.select([binary == cloud_value, binary == BINARY_NODATA], [Sky.CLOUD, Sky.NODATA], Sky.CLEAR).astype("u1")


def run(params: ImportMaskParams, out: Path) -> MaskResult:
    """Write `mask.tif`. Raises `bad_masks` for other values than 0, 1, 255, `grid_mismatch` off the scene's grid."""
    grid = params.grid
    counts = np.zeros(len(Sky), np.int64)
    with open_raster(local_path(params.source)) as source:
        if (source.count, source.dtypes[0]) != (1, "uint8"):
            raise _unfit(params, f"it has {source.count} bands of {source.dtypes[0]}")
        require_grid(source, grid)
        with create_cog(out / "mask.tif", grid, dtype="uint8", nodata=Sky.NODATA) as sink:
            for window in row_windows(grid.shape):
                try:
                    sky = sky_classes(source.read(1, window=window), params.cloud_value)
                except ValueError as error:
                    raise _unfit(params, f"it holds {error}") from error
                counts += np.bincount(sky.ravel(), minlength=len(Sky))
                sink.write(sky, 1, window=window)
    seen = counts.sum() - counts[Sky.NODATA]
    return MaskResult(
        scene_id=params.scene_id,
        engine="imported",
        grid=grid,
        mask=output_file(out / "mask.tif"),
        probability=None,
        components=None,
        shares={sky.name.lower(): counts[sky] / seen for sky in (Sky.CLEAR, Sky.CLOUD) if seen},
    )


def _unfit(params: ImportMaskParams, reason: str) -> StepError:
    return StepError(
        "bad_masks",
        f"{params.source.name} is no binary mask of {params.scene_id}: {reason}.",
        f"Give one uint8 band of 0, 1 and {BINARY_NODATA} (no data), and its polarity.",
    )


if __name__ == "__main__":
    main(ImportMaskParams, run)
