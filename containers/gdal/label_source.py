"""Label maps as codes on any part of a grid: the majority of a raster's cells, or polygons burned by cell centre."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import transform as window_transform
from shapely import box

from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from containers.base.grid import crs_of, transform_of
from containers.base.raster import open_raster
from containers.base.step import local_path
from containers.gdal.contract.labels import LabelsParams
from containers.gdal.control_grid import Geometry, control_grid
from containers.gdal.warp import source_window

RASTER_SUFFIXES = frozenset({".tif", ".tiff", ".vrt", ".jp2", ".img"})
NODATA = 0

Codes = NDArray[np.uint8]
Reader = Callable[[Grid], Codes]
"""Label codes (y, x) on a part of the grid, nodata 0."""


def codes_of(values: NDArray[Any], nodata_codes: tuple[int, ...], name: str) -> Codes:
    """Label codes as uint8 with 0 for no label. Raises `bad_labels` for other codes than 1–254 and for fractions."""
    is_label = ~np.isin(values, nodata_codes)
    if values.dtype.kind == "f":
        is_label &= ~np.isnan(values)
    labels = values[is_label]
    bad = np.unique(labels[(labels < 1) | (labels > 254) | (labels != np.floor(labels))])
    if bad.size:
        seen = ", ".join(f"{code:g}" for code in bad[:10])
        raise bad_labels(f"{name} holds the codes {seen}; codes are whole numbers from 1 to 254", "Recode the map.")
    return np.where(is_label, values, NODATA).astype(np.uint8)


def majority(source: Any, nodata_codes: tuple[int, ...], part: Grid) -> Codes:
    """The most frequent code of the source cells in each cell of `part`; cells without label do not vote."""
    geometry = Geometry(source.crs, source.transform, source.shape)
    window = source_window(control_grid(part, geometry), source.shape)
    target: Codes = np.full(part.shape, NODATA, dtype=np.uint8)
    if window is None:
        return target
    reproject(
        codes_of(source.read(1, window=window), nodata_codes, Path(source.name).name),
        target,
        src_transform=window_transform(window, source.transform),
        src_crs=source.crs,
        src_nodata=NODATA,
        dst_transform=transform_of(part),
        dst_crs=crs_of(part),
        dst_nodata=NODATA,
        resampling=Resampling.mode,
        tolerance=0,
    )
    return target


def burned(polygons: geopandas.GeoDataFrame, code_field: str, part: Grid) -> Codes:
    """The code of the polygon that holds each cell's centre; where polygons overlap, the later one's."""
    near = polygons.iloc[np.sort(polygons.sindex.query(box(*part.bounds)))]
    if near.empty:
        return np.full(part.shape, NODATA, dtype=np.uint8)
    shapes = zip(near.geometry, near[code_field], strict=True)
    array: Codes = rasterize(
        shapes, out_shape=part.shape, transform=transform_of(part), fill=NODATA, dtype="uint8", all_touched=False
    )
    return array


def read_polygons(path: Path, code_field: str, nodata_codes: tuple[int, ...], grid: Grid) -> geopandas.GeoDataFrame:
    """Labelled polygons in the grid's CRS. Raises `bad_labels` where code, CRS or geometry cannot be used."""
    polygons = geopandas.read_file(path)
    if code_field not in polygons:
        raise bad_labels(
            f"{path.name} has no attribute {code_field!r}; it has {list(polygons.columns)}", "Name code_field."
        )
    if polygons.crs is None:
        raise bad_labels(f"{path.name} has no coordinate reference system", "Write one into the file.")
    if not polygons.is_valid.all():
        first = polygons.index[~polygons.is_valid][0]
        raise bad_labels(f"Polygon {first} of {path.name} is not valid (it may cross itself)", "Repair the polygons.")
    try:
        values = polygons[code_field].to_numpy(dtype=np.float64)
    except ValueError as error:
        raise bad_labels(f"{code_field} of {path.name} is not a number: {error}", "Give numeric codes.") from error
    codes = codes_of(values, nodata_codes, path.name)
    return polygons.assign(**{code_field: codes})[codes != NODATA].to_crs(epsg=grid.epsg)


@contextmanager
def reader_of(params: LabelsParams) -> Iterator[Reader]:
    """How to read labels for a part of the grid. Raises `bad_labels` where the source lies elsewhere."""
    path = local_path(params.source)
    if path.suffix.lower() in RASTER_SUFFIXES:
        with open_raster(path) as source:
            if source.crs is None:
                raise bad_labels(f"{path.name} has no coordinate reference system", "Write one into the file.")
            wanted = Bounds(*transform_bounds(crs_of(params.grid), source.crs, *params.grid.bounds, densify_pts=21))
            _require_overlap(path.name, Bounds(*source.bounds), wanted)
            yield lambda part: majority(source, params.nodata_codes, part)
    else:
        polygons = read_polygons(path, params.code_field, params.nodata_codes, params.grid)
        if not polygons.empty:
            _require_overlap(path.name, Bounds(*polygons.total_bounds), params.grid.bounds)
        yield lambda part: burned(polygons, params.code_field, part)


def _require_overlap(name: str, found: Bounds, wanted: Bounds) -> None:
    if not np.isfinite(wanted).all() or not found.intersects(wanted):
        raise bad_labels(
            f"{name} lies elsewhere: it covers {tuple(found)}, the grid {tuple(wanted)}", "Give a map of this area."
        )


def bad_labels(reason: str, hint: str) -> StepError:
    return StepError("bad_labels", f"{reason}.", hint)
