"""Sentinel-2 L2A bands resampled to one cell size by SNAP."""

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SATURATED, REFLECTANCE_SCALE
from containers.base.contract.step import StepError
from containers.base.grid import grid_of
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.safe_folder import laid_out
from containers.base.sentinel2 import ProductMetadata, parse_product_metadata
from containers.base.step import main, scratch_dir
from containers.snap.contract.resample import ResampleParams, ResampleResult
from containers.snap.gpt import memory_limit_mb, run_gpt, snap_version
from containers.snap.resample_graph import resample_graph
from containers.snap.safe import metadata_file

_GPT_SHARE = 0.9


def run(params: ResampleParams, out: Path) -> ResampleResult:
    _require_area(params.aoi)
    home = scratch_dir() / "snap"
    version = snap_version(home)
    product = metadata_file(laid_out(params.product, home))
    metadata = parse_product_metadata(product.read_bytes())
    graph = resample_graph(params, product, home / "bands.tif")
    memory_mb = memory_limit_mb(params.resources.memory_mb)
    log = run_gpt(graph, home, memory_mb=memory_mb, threads=params.execution.threads, share=_GPT_SHARE)
    if params.execution.verbose:
        print(log, flush=True)
    source = home / "bands.tif"
    if not source.is_file():
        raise StepError("crashed", f"gpt ended without an error and without {source.name}.", "See the step's log.")
    bands = {name: _written(params, source, name, metadata, out) for name in params.bands}
    with open_raster(source) as dataset:
        return ResampleResult(grid=grid_of(dataset), bands=bands, engine_version=version)


def reflectance(numbers: NDArray[np.generic], offset_dn: float, quantification: float) -> NDArray[np.int16]:
    """Reflectance × 10 000 of digital numbers, int16: 0 is nodata (−32768), above 3.2766 saturated (32767).

    (DN + offset) / quantification: ESA, Sentinel-2 Products Specification Document, `BOA_ADD_OFFSET`.
    Raises `crashed` for numbers that are no integers: SNAP would have applied scale and offset itself.

    >>> reflectance(np.array([0, 1000, 1250], np.uint16), -1000, 10_000).tolist()
    [-32768, 0, 250]
    """
    if not np.issubdtype(numbers.dtype, np.integer):
        raise StepError("crashed", f"SNAP wrote {numbers.dtype}, not digital numbers.", "Report this with the log.")
    scaled = np.rint((numbers.astype(np.float64) + offset_dn) / (quantification * REFLECTANCE_SCALE))
    inside = np.clip(scaled, REFLECTANCE_NODATA + 1, REFLECTANCE_SATURATED)
    return np.where(numbers == 0, REFLECTANCE_NODATA, inside).astype(np.int16)


def _require_area(aoi: str) -> None:
    """Raises `bad_aoi` for what is no WKT of an area; empty stands for the whole product."""
    try:
        has_area = not aoi or shapely.from_wkt(aoi).area > 0
    except shapely.errors.ShapelyError as error:
        raise StepError("bad_aoi", f"{aoi!r} is no WKT: {error}.", "Give a polygon in EPSG:4326.") from error
    if not has_area:
        raise StepError("bad_aoi", f"{aoi!r} has no area.", "Give a polygon in EPSG:4326.")


def _written(params: ResampleParams, source: Path, name: str, metadata: ProductMetadata, out: Path) -> File:
    path = out / f"{name}.tif"
    with (
        open_raster(source) as dataset,
        create_cog(
            path,
            grid := grid_of(dataset),
            dtype="int16",
            nodata=REFLECTANCE_NODATA,
            bands=(name,),
            scale=REFLECTANCE_SCALE,
            threads=params.execution.threads,
        ) as sink,
    ):
        for window in row_windows(grid.shape):
            numbers = dataset.read(1 + params.bands.index(name), window=window)
            sink.write(reflectance(numbers, metadata.offsets_dn[name], metadata.quantification), 1, window=window)
    return output_file(path)


if __name__ == "__main__":
    main(ResampleParams, run)
