"""The rasters of a pair: all on one grid, and of the types that their contracts say."""

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.pair import Pair
from containers.base.contract.step import StepError
from containers.base.grid import require_grid
from containers.base.raster import open_raster
from containers.base.step import local_path

RADAR_DTYPE, REFLECTANCE_DTYPE, SKY_DTYPE = "float32", "int16", "uint8"


def require_pair(pair: Pair, grid: Grid) -> None:
    """Raises `grid_mismatch` where a raster of the pair is on another grid or of another type."""
    for radar in (pair.radar_t0, pair.radar_t1):
        for file in radar.bands.values():
            require_raster(file, grid, RADAR_DTYPE)
    for optical in (pair.optical_t0, pair.optical_t1):
        for file in optical.bands.values():
            require_raster(file, grid, REFLECTANCE_DTYPE)
        require_raster(optical.sky, grid, SKY_DTYPE)


def require_raster(file: File, grid: Grid, dtype: str) -> None:
    with open_raster(local_path(file)) as source:
        require_grid(source, grid)
        if source.dtypes[0] != dtype:
            raise StepError(
                "grid_mismatch",
                f"{file.href} holds {source.dtypes[0]}, expected {dtype}.",
                "Give rasters that gdal.optical and the radar steps made.",
            )
