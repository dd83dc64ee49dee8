"""What really lies there: class rasters by the majority of the fine landscape, and exact areas per region."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import geopandas
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.features import rasterize
from rasterio.transform import from_origin
from rasterio.windows import Window as RasterWindow

from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES, LandCover
from containers.eodata.cover import LAND_COVER
from containers.eodata.place import FINE_M, PIXEL_M
from containers.eodata.world import Window, World

ByteArray = npt.NDArray[np.uint8]

_CHUNK: Final = 2048
_HECTARE_M2: Final = 10_000
AREA_COLUMNS: Final = ("region_id", "region_name", "period", "indicator", "area_ha", "majority_area_ha")


def majority(fine: ByteArray) -> ByteArray:
    """Class of each 20 m cell: the commonest of its four fine cells, the lower code where two are equally common."""
    rows, columns = fine.shape
    quarters = fine.reshape(rows // 2, 2, columns // 2, 2)
    counts = np.stack([(quarters == kind).sum(axis=(1, 3)) for kind in CLASSES])
    classes: ByteArray = np.array(CLASSES, dtype=np.uint8)[counts.argmax(axis=0)]
    return classes


def write_raster(path: Path, grid: Grid, cell_m: int, windows: Iterator[tuple[Window, ByteArray]]) -> None:
    """A byte GeoTIFF (nodata 0) over the grid's bounds, written window by window."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = round(grid.resolution_m / cell_m)
    profile = {
        "driver": "GTiff", "width": grid.width * scale, "height": grid.height * scale, "count": 1, "dtype": "uint8",
        "crs": grid.epsg, "transform": from_origin(grid.west_m, grid.north_m, cell_m, cell_m), "nodata": 0,
        "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "BIGTIFF": "IF_SAFER",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        for (rows, columns), values in windows:
            target.write(values, 1, window=RasterWindow.from_slices(rows, columns))


def write_truth(world: World, years: tuple[int, ...], folder: Path) -> dict[str, Path]:
    """Year to the raster of true classes on the grid of 20 m."""
    paths = {}
    for year in years:
        paths[str(year)] = folder / f"{year}.tif"
        write_raster(paths[str(year)], world.grid, PIXEL_M, _majorities(world, year))
    return paths


def _majorities(world: World, year: int) -> Iterator[tuple[Window, ByteArray]]:
    for rows, columns in world.windows(_CHUNK):
        halved = slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)
        yield halved, majority(LAND_COVER[world.layer(str(year))[rows, columns]])


def write_areas(world: World, years: tuple[int, ...], regions: geopandas.GeoDataFrame, path: Path) -> None:
    """Hectares per region and year: of each class, and of each class gained since the year before.

    `area_ha` counts fine cells and is the truth; `majority_area_ha` counts cells of the 20 m truth rasters, which is
    what estimators on those rasters aim at. A cell belongs to the region that holds its centre.
    """
    local = regions.to_crs(world.grid.epsg)
    shapes = list(zip(local.geometry, range(1, len(local) + 1), strict=True))
    fine, coarse = (_counts(world, years, shapes, cell_m) for cell_m in (FINE_M, PIXEL_M))
    with path.open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(AREA_COLUMNS)
        for index, region in enumerate(local.itertuples(), start=1):
            for period, indicator in fine:
                areas = (
                    counts[period, indicator][index] * cell_m**2 / _HECTARE_M2
                    for counts, cell_m in ((fine, FINE_M), (coarse, PIXEL_M))
                )
                table.writerow(
                    [region.nuts_id, region.region_name, period, indicator, *(f"{area:.2f}" for area in areas)]
                )


def _counts(
    world: World, years: tuple[int, ...], shapes: list[tuple[object, int]], cell_m: int
) -> dict[tuple[int, str], npt.NDArray[np.int64]]:
    """Cells per region number, by year and indicator."""
    counts: dict[tuple[int, str], npt.NDArray[np.int64]] = {}
    scale = cell_m // FINE_M
    for rows, columns in world.windows(_CHUNK):
        y_m, x_m = world.axes((rows, columns))
        transform = from_origin(x_m[0] - FINE_M / 2, y_m[0] + FINE_M / 2, cell_m, cell_m)
        region = rasterize(shapes, out_shape=(len(y_m) // scale, len(x_m) // scale), transform=transform, dtype="uint8")
        before = None
        for year in years:
            fine = LAND_COVER[world.layer(str(year))[rows, columns]]
            classes = fine if scale == 1 else majority(fine)
            for indicator, mask in _indicators(classes, before).items():
                here = np.bincount(region[mask], minlength=len(shapes) + 1)
                counts[year, indicator] = counts.get((year, indicator), 0) + here
            before = classes
    return counts


def _indicators(classes: ByteArray, before: ByteArray | None) -> dict[str, npt.NDArray[np.bool_]]:
    masks = {kind.name.lower(): classes == kind for kind in CLASSES}
    if before is not None:
        for kind in (LandCover.IMPERVIOUS, LandCover.GREEN):
            masks[f"new_{kind.name.lower()}"] = (classes == kind) & (before != kind)
    return masks
