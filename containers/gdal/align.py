"""One acquisition from the archive to the analysis grid: offset and nodata first, then one warp."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from containers.base.step import main, progress
from containers.gdal.acquisition import layers, no_data, offset_warnings, on_grid, target_grid, valid_share
from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.control_grid import Geometry
from containers.gdal.source import SCL, Source, decode, fetched, open_source
from containers.gdal.warp import Warp, plan_warp


def run(params: AlignParams, out: Path) -> AlignResult:
    with (
        ThreadPoolExecutor(params.resources.connections) as archive,
        ThreadPoolExecutor(params.execution.threads) as pool,
    ):
        decoding = _start_decoding(params, archive, pool)
        finishing = [
            pool.submit(on_grid, layer.flat, layer.source, layer.warp, out, params.resampling)
            for layer in _decoded(decoding)
        ]
        aligned = {}
        for done, layer in enumerate(finishing, start=1):
            aligned[layer.result().name] = layer.result()
            progress(done, len(finishing), f"{layer.result().name} is on the grid")
    warp = decoding[0].warp
    scl = aligned.pop(SCL, None)
    bands = tuple(aligned.values())
    return AlignResult(
        tile=params.parts[0].tile,
        acquired=params.parts[0].datetime,
        grid=warp.target,
        bands={name: layer.file for name, layer in aligned.items()},
        scl=scl.file if scl else None,
        valid_share=valid_share(bands, warp, params.parts[0].id),
        warnings=tuple(offset_warnings(params.parts, params.bands, [layer.lowest for layer in bands])),
    )


class _Decoding(NamedTuple):
    source: Source
    warp: Warp
    flat: NDArray[Any]
    reads: list[Future[None]]


def _start_decoding(params: AlignParams, archive: Executor, pool: Executor) -> list[_Decoding]:
    """Read every layer while the next ones are still on the line."""
    downloads = {
        name: [archive.submit(fetched, file) for file in files] for name, files in layers(params.parts, params.bands)
    }
    decoding: list[_Decoding] = []
    warps: dict[Geometry, Warp] = {}
    for name, files in downloads.items():
        source = open_source(name, tuple(file.result() for file in files), params.parts)
        if source.geometry not in warps:
            target = decoding[0].warp.target if decoding else target_grid(source, params.grid, params.block_px)
            warp = plan_warp(target, source.geometry, pool)
            if warp is None:
                raise no_data(source.paths[0].name, "the grid's window does not touch it")
            warps[source.geometry] = warp
        warp = warps[source.geometry]
        decoding.append(_Decoding(source, warp, *decode(source, warp.window, pool)))
    return decoding


def _decoded(decoding: list[_Decoding]) -> Iterator[_Decoding]:
    for layer in decoding:
        for read in layer.reads:
            read.result()
        yield layer


if __name__ == "__main__":
    main(AlignParams, run)
