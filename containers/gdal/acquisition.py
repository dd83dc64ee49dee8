"""What the steps that read an acquisition share: its layers, its window of the grid, the one warp, what to warn of."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_SCALE
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import write_cog
from containers.gdal.reflectance import SUSPICIOUS_REFLECTANCE, lowest_percentile
from containers.gdal.source import SCL, Source
from containers.gdal.warp import Warp, resampled


class Aligned(NamedTuple):
    """One layer on the grid."""

    name: str
    file: File
    valid: NDArray[np.bool_]
    lowest: float | None
    """1 % percentile of reflectance; None without data, and for classes."""


def layers(parts: Sequence[Scene], bands: Sequence[str]) -> Iterator[tuple[str, tuple[File, ...]]]:
    """Each band with its file per part, and the scene classification where every part has one."""
    for band in bands:
        yield band, tuple(part.bands[band] for part in parts)
    scl = tuple(part.scl for part in parts if part.scl)
    if len(scl) == len(parts):
        yield SCL, scl


def target_grid(source: Source, grid: Grid, block_px: int) -> Grid:
    """The block-aligned window of the grid that the source covers. Raises `no_valid_pixels` where they do not meet."""
    bounds = source.bounds(grid.epsg)
    try:
        if not np.isfinite(bounds).all():
            raise ValueError(f"bounds {tuple(bounds)} lie outside the reach of EPSG:{grid.epsg}")
        return grid.clipped_to(bounds, block_px)
    except ValueError as error:
        raise no_data(source.paths[0].name, str(error)) from error


def on_grid(flat: NDArray[Any], source: Source, warp: Warp, out: Path, method: str = "nearest") -> Aligned:
    """Warp a decoded layer once and write it as a COG; classes always by nearest neighbour."""
    is_class = source.name == SCL
    values = resampled(flat, warp, method="nearest" if is_class else method, nodata=source.nodata)
    path = write_cog(
        out / f"{source.name}.tif",
        values,
        warp.target,
        nodata=source.nodata,
        bands=(source.name,),
        scale=1.0 if is_class else REFLECTANCE_SCALE,
    )
    lowest = None if is_class else lowest_percentile(values)
    return Aligned(source.name, output_file(path), values != source.nodata, lowest)


def valid_share(aligned: Sequence[Aligned], warp: Warp, name: str) -> float:
    """Share of the acquisition's cells on the grid that hold data in every band. Raises `no_valid_pixels` for 0."""
    valid_cells = np.logical_and.reduce([layer.valid for layer in aligned]).sum()
    if not valid_cells:
        raise no_data(name, "every cell of the grid's window is nodata in some band")
    return float(valid_cells / warp.inside().sum())


def offset_warnings(
    parts: Sequence[Scene], bands: Sequence[str], lowest: Sequence[float | None]
) -> Iterator[StepWarning]:
    """Warn where even the darkest ground of every band is as bright as an offset that nobody removed.

    By the lowest percentile, not the minimum, because single pixels are darker; and a warning only, because a desert
    or a cloud deck looks the same.
    """
    unset = [part.id for part in parts if all(part.offsets_dn[band] == 0 for band in bands)]
    darkest = min((value for value in lowest if value is not None), default=0.0)
    if unset and darkest >= SUSPICIOUS_REFLECTANCE:
        yield StepWarning(
            code="offset_suspected",
            reason=f"99 % of the pixels of every band of {', '.join(unset)} are brighter than {darkest:.3f}, "
            "and an offset of 0 was given.",
            hint="If the product is of baseline 04.00 or later, its offset is -1000.",
        )


def no_data(name: str, reason: str) -> StepError:
    """The error of an acquisition that shows nothing of the grid."""
    return StepError("no_valid_pixels", f"{name}: {reason}.", "Choose scenes that cover the area of interest.")
