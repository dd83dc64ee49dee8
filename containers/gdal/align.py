"""One acquisition from the archive to the analysis grid: offset and nodata first, then one warp."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_SCALE
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import write_cog
from containers.base.step import main, progress
from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.control_grid import Geometry
from containers.gdal.reflectance import SUSPICIOUS_REFLECTANCE, lowest_percentile
from containers.gdal.source import SCL, Source, decode, fetched, open_source
from containers.gdal.warp import Warp, plan_warp, resampled


class Aligned(NamedTuple):
    """One layer on the grid."""

    name: str
    file: File
    valid: NDArray[np.bool_]
    lowest: float | None
    """1 % percentile of reflectance; None without data, and for classes."""


def target_grid(source: Source, grid: Grid, block_px: int) -> Grid:
    """The block-aligned window of the grid that the source covers. Raises `no_valid_pixels` where they do not meet."""
    bounds = source.bounds(grid.epsg)
    try:
        if not np.isfinite(bounds).all():
            raise ValueError(f"bounds {tuple(bounds)} lie outside the reach of EPSG:{grid.epsg}")
        return grid.clipped_to(bounds, block_px)
    except ValueError as error:
        raise _no_data(source.paths[0].name, str(error)) from error


def offset_warnings(params: AlignParams, lowest: list[float]) -> Iterator[StepWarning]:
    """Warn where even the darkest ground of every band is as bright as an offset that nobody removed.

    By the lowest percentile, not the minimum, because single pixels are darker; and a warning only, because a desert
    or a cloud deck looks the same.
    """
    unset = [part.id for part in params.parts if all(part.offsets_dn[band] == 0 for band in params.bands)]
    if unset and lowest and min(lowest) >= SUSPICIOUS_REFLECTANCE:
        yield StepWarning(
            code="offset_suspected",
            reason=f"99 % of the pixels of every band of {', '.join(unset)} are brighter than {min(lowest):.3f}, "
            "and an offset of 0 was given.",
            hint="If the product is of baseline 04.00 or later, its offset is -1000.",
        )


def run(params: AlignParams, out: Path) -> AlignResult:
    with (
        ThreadPoolExecutor(params.resources.connections) as archive,
        ThreadPoolExecutor(params.execution.threads) as pool,
    ):
        decoding = _start_decoding(params, archive, pool)
        finishing = [pool.submit(_finish, layer, params, out) for layer in _decoded(decoding)]
        aligned = {}
        for done, layer in enumerate(finishing, start=1):
            aligned[layer.result().name] = layer.result()
            progress(done, len(finishing), f"{layer.result().name} is on the grid")
    warp = decoding[0].warp
    scl = aligned.pop(SCL, None)
    valid_cells = np.logical_and.reduce([layer.valid for layer in aligned.values()]).sum()
    if not valid_cells:
        raise _no_data(params.parts[0].id, "every cell of the grid's window is nodata in some band")
    lowest = [layer.lowest for layer in aligned.values() if layer.lowest is not None]
    return AlignResult(
        tile=params.parts[0].tile,
        acquired=params.parts[0].datetime,
        grid=warp.target,
        bands={name: layer.file for name, layer in aligned.items()},
        scl=scl.file if scl else None,
        valid_share=valid_cells / warp.inside().sum(),
        warnings=tuple(offset_warnings(params, lowest)),
    )


class _Decoding(NamedTuple):
    source: Source
    warp: Warp
    flat: NDArray[Any]
    reads: list[Future[None]]


def _start_decoding(params: AlignParams, archive: Executor, pool: Executor) -> list[_Decoding]:
    """Read every layer while the next ones are still on the line."""
    downloads = {name: [archive.submit(fetched, file) for file in files] for name, files in _layers(params)}
    decoding: list[_Decoding] = []
    warps: dict[Geometry, Warp] = {}
    for name, files in downloads.items():
        source = open_source(name, tuple(file.result() for file in files), params.parts)
        if source.geometry not in warps:
            target = decoding[0].warp.target if decoding else target_grid(source, params.grid, params.block_px)
            warp = plan_warp(target, source.geometry, pool)
            if warp is None:
                raise _no_data(source.paths[0].name, "the grid's window does not touch it")
            warps[source.geometry] = warp
        warp = warps[source.geometry]
        decoding.append(_Decoding(source, warp, *decode(source, warp.window, pool)))
    return decoding


def _decoded(decoding: list[_Decoding]) -> Iterator[_Decoding]:
    for layer in decoding:
        for read in layer.reads:
            read.result()
        yield layer


def _finish(layer: _Decoding, params: AlignParams, out: Path) -> Aligned:
    source, warp = layer.source, layer.warp
    is_class = source.name == SCL
    method = "nearest" if is_class else params.resampling
    values = resampled(layer.flat, warp, method=method, nodata=source.nodata)
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


def _layers(params: AlignParams) -> Iterator[tuple[str, tuple[File, ...]]]:
    for band in params.bands:
        yield band, tuple(part.bands[band] for part in params.parts)
    scl = tuple(part.scl for part in params.parts if part.scl)
    if len(scl) == len(params.parts):
        yield SCL, scl


def _no_data(name: str, reason: str) -> StepError:
    return StepError("no_valid_pixels", f"{name}: {reason}.", "Choose scenes that cover the area of interest.")


if __name__ == "__main__":
    main(AlignParams, run)
