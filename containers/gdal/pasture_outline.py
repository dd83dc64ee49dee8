"""One pasture of a file of outlines, as cells of a grid."""

from pathlib import Path

import geopandas
import numpy as np
from numpy.typing import NDArray
from rasterio.features import geometry_mask

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import transform_of


def cells_inside(outlines: Path, pasture_id: str, grid: Grid) -> NDArray[np.bool_]:
    """Cells whose centre lies in the pasture, (y, x). Raises `bad_aoi`."""
    frame = geopandas.read_parquet(outlines)
    rows = frame[frame["pasture_id"].astype(str) == pasture_id]
    if len(rows) != 1 or frame.crs is None:
        raise _refused(
            f"{outlines.name} has {len(rows)} outlines of the pasture {pasture_id!r} and the CRS {frame.crs}"
        )
    shape = rows.geometry.to_crs(epsg=grid.epsg).iloc[0]
    inside = ~geometry_mask([shape], grid.shape, transform_of(grid), all_touched=False)
    if not inside.any():
        raise _refused(
            f"No cell of the grid {tuple(grid.bounds)} in EPSG:{grid.epsg} has its centre in the pasture "
            f"{pasture_id!r}, which lies in {tuple(round(edge, 1) for edge in shape.bounds)}"
        )
    return inside


def _refused(reason: str) -> StepError:
    return StepError("bad_aoi", f"{reason}.", "Give the outlines that the slices were cut to, and this pasture's grid.")
