"""A user's raster brought to the grid, band by band, by nearest neighbour."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import part_of
from containers.base.raster import create_cog, open_raster, tile_windows
from containers.base.step import local_path, main, progress
from containers.gdal.contract.fit_image import FitImageParams, FitImageResult
from containers.gdal.control_grid import Geometry, control_grid
from containers.gdal.warp import nearest_index, source_window

_BLOCK_PX: Final = 1024


def run(params: FitImageParams, out: Path) -> FitImageResult:
    """Raises `missing_file` where the raster lacks a band, `bad_grid` without CRS or nodata, `bad_aoi` elsewhere."""
    paths = {name: out / f"{name}.tif" for name in params.bands}
    windows = list(tile_windows(params.grid.shape, _BLOCK_PX))
    has_data = False
    with open_raster(local_path(params.image)) as source, ExitStack() as stack:
        indexes = band_indexes(source, params.bands, params.image.name)
        sinks = [
            stack.enter_context(
                create_cog(path, params.grid, dtype=source.dtypes[0], nodata=source.nodata, bands=(name,))
            )
            for name, path in paths.items()
        ]
        for done, window in enumerate(windows, start=1):
            values = nearest(source, indexes, part_of(params.grid, window))
            has_data |= bool((values != source.nodata).any())
            for sink, layer in zip(sinks, values, strict=True):
                sink.write(layer, 1, window=window)
            progress(done, len(windows), params.image.name)
    if not has_data:
        raise StepError(
            "bad_aoi",
            f"{params.image.name} has no data in the grid {tuple(params.grid.bounds)} of EPSG:{params.grid.epsg}.",
            "Give a raster of this area.",
        )
    return FitImageResult(bands={name: output_file(path) for name, path in paths.items()})


def band_indexes(source: Any, wanted: tuple[str, ...], name: str) -> list[int]:
    """Numbers, from 1, of the bands with these descriptions."""
    if source.crs is None or source.nodata is None:
        raise StepError(
            "bad_grid",
            f"{name} declares {'no CRS' if source.crs is None else 'no nodata value'}.",
            "Write it into the file, such as with gdal_edit.",
        )
    if source.count == len(wanted) == 1:
        return [1]
    numbers = {description: index for index, description in enumerate(source.descriptions, start=1) if description}
    if missing := [band for band in wanted if band not in numbers]:
        raise StepError(
            "missing_file",
            f"{name} has no band described as {', '.join(missing)}; it has {', '.join(numbers) or 'no descriptions'}.",
            "Describe its bands by their names, such as red, nir08, swir22.",
        )
    return [numbers[band] for band in wanted]


def nearest(source: Any, indexes: list[int], part: Grid) -> NDArray[Any]:
    """(band, y, x) on a part of the grid, the source's nodata where it does not reach."""
    control = control_grid(part, Geometry(source.crs, source.transform, source.shape))
    window = source_window(control, source.shape)
    if window is None:
        return np.full((len(indexes), *part.shape), source.nodata, dtype=source.dtypes[0])
    values = source.read(indexes, window=window).reshape(len(indexes), -1)
    behind = np.full((len(indexes), 1), source.nodata, dtype=values.dtype)
    fitted: NDArray[Any] = np.hstack([values, behind])[:, nearest_index(control, window, part.shape)]
    return fitted


if __name__ == "__main__":
    main(FitImageParams, run)
