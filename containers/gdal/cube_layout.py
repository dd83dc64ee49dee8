"""What the cube holds and how it describes itself: the layout of docs/cube.md."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SCALE, LandCover
from containers.base.contract.step import StepError
from containers.base.grid import crs_of, require_grid, transform_of
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.chunks import DEFLATE_LEVEL
from containers.gdal.contract.cube import CubeParams

LAYOUT_VERSION = 1


class Layer(NamedTuple):
    """One dataset to be written, and the rasters that become its bands."""

    path: str
    files: tuple[File, ...]
    dtype: str
    nodata: int | None
    attributes: dict[str, Any]
    is_stack: bool = False
    """Whether there is a band axis."""


def layers_of(params: CubeParams) -> Iterator[Layer]:
    """Every dataset of the cube. Raises `unknown_band` where a period lacks a band."""
    scaled = {"scale_factor": REFLECTANCE_SCALE, "units": "1", "bands": list(params.bands)}
    legend = {"legend": json.dumps({cover.value: cover.name.lower() for cover in LandCover})}
    for period, layers in ((item.period, item.layers) for item in params.periods):
        if missing := set(params.bands) - set(layers):
            raise StepError(
                "unknown_band",
                f"{period} lacks the layers {sorted(missing)}; it has {sorted(layers)}.",
                "Mosaic these bands, or leave them out of the cube.",
            )
        bands = tuple(layers[band] for band in params.bands)
        yield Layer(f"reflectance/{period}", bands, "int16", REFLECTANCE_NODATA, scaled, is_stack=True)
        if "observations" in layers:
            yield Layer(f"observations/{period}", (layers["observations"],), "uint8", None, {})
        if "source_date" in layers:
            since = {"units": "days since 1970-01-01"}
            yield Layer(f"source_date/{period}", (layers["source_date"],), "int32", 0, since)
    for period, file in params.labels.items():
        yield Layer(f"labels/{period}", (file,), "uint8", LandCover.UNKNOWN, legend)


def require_fit(layer: Layer, grid: Grid) -> None:
    """Raises `grid_mismatch` where a raster is on another grid, or of another type or nodata than the layout's."""
    for file in layer.files:
        with open_raster(local_path(file)) as source:
            require_grid(source, grid)
            if (source.dtypes[0], source.nodata) != (layer.dtype, layer.nodata):
                raise StepError(
                    "grid_mismatch",
                    f"{file.href} is {source.dtypes[0]} with nodata {source.nodata}; "
                    f"{layer.path} is {layer.dtype} with nodata {layer.nodata}.",
                    "Give the layers that gdal.composite and gdal.mosaic make.",
                )


def create_dataset(cube: Any, layer: Layer, grid: Grid, size: int) -> Any:
    axes = (len(layer.files),) if layer.is_stack else ()
    dataset = cube.create_dataset(
        layer.path,
        shape=(*axes, *grid.shape),
        dtype=layer.dtype,
        chunks=(*(1 for _ in axes), size, size),
        compression="gzip",
        compression_opts=DEFLATE_LEVEL,
        shuffle=True,
        fillvalue=layer.nodata or 0,
    )
    dataset.attrs.update(layer.attributes)
    if layer.nodata is not None:
        dataset.attrs["_FillValue"] = np.array(layer.nodata, dtype=layer.dtype)
    return dataset


def describe(cube: Any, params: CubeParams, layers: list[Layer]) -> None:
    grid = params.grid
    inputs = {layer.path: [file.content_id for file in layer.files] for layer in layers}
    cube.attrs.update(
        {
            "clearground_cube": LAYOUT_VERSION,
            "crs_wkt": crs_of(grid).to_wkt(),
            "epsg": grid.epsg,
            "transform": transform_of(grid).to_gdal(),
            "resolution_m": grid.resolution_m,
            "periods": [item.period for item in params.periods],
            "bands": list(params.bands),
            "simulated": int(params.simulated),
            "provenance": json.dumps({"inputs": inputs}),
        }
    )
    cube["x"] = grid.west_m + (np.arange(grid.width) + 0.5) * grid.resolution_m
    cube["y"] = grid.north_m - (np.arange(grid.height) + 0.5) * grid.resolution_m
    for axis in ("x", "y"):
        cube[axis].attrs["units"] = "m"
