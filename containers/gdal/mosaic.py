"""The tiles of one period as one virtual raster per layer: nothing is copied or resampled."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, offset_in
from containers.base.raster import BLOCK_PX, open_raster
from containers.base.step import local_path, main, progress
from containers.gdal.contract.mosaic import MosaicParams, MosaicResult, PeriodLayers

STORE_ROOT = "../../.."
"""The store as seen from `<store>/<step>/<key>/<attempt>/`, where every artifact lies in the end."""
_GDAL_TYPES = {"uint8": "Byte", "int16": "Int16", "uint16": "UInt16", "int32": "Int32", "float32": "Float32"}


class Format(NamedTuple):
    """What the tiles of one layer must have in common."""

    epsg: int
    resolution_m: float
    dtype: str
    nodata: float | None
    scale: float


class Member(NamedTuple):
    """One tile of a layer."""

    path: str
    """Relative to the folder of the virtual raster."""
    grid: Grid
    format: Format


def vrt_of(layer: str, members: tuple[Member, ...], grid: Grid) -> ElementTree.Element:
    """A virtual raster over `grid`; where members overlap, the first with data wins.

    GDAL paints sources in their order, so the first comes last. Cells that are nodata, or 0 in a layer that declares
    none (a count), never hide another tile's.
    """
    kind = members[0].format
    root = ElementTree.Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    ElementTree.SubElement(root, "SRS").text = f"EPSG:{grid.epsg}"
    numbers = (grid.west_m, grid.resolution_m, 0.0, grid.north_m, 0.0, -grid.resolution_m)
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(map(repr, numbers))
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType=_GDAL_TYPES[kind.dtype], band="1")
    ElementTree.SubElement(band, "Description").text = layer
    if kind.nodata is not None:
        ElementTree.SubElement(band, "NoDataValue").text = f"{kind.nodata:g}"
    if kind.scale != 1:
        ElementTree.SubElement(band, "Scale").text = repr(kind.scale)
    for member in reversed(members):
        _add_source(band, member, grid)
    return root


def _add_source(band: ElementTree.Element, member: Member, grid: Grid) -> None:
    source = ElementTree.SubElement(band, "ComplexSource")
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="1").text = member.path
    ElementTree.SubElement(source, "SourceBand").text = "1"
    size = {"RasterXSize": str(member.grid.width), "RasterYSize": str(member.grid.height)}
    blocks = {"BlockXSize": str(BLOCK_PX), "BlockYSize": str(BLOCK_PX)}
    ElementTree.SubElement(source, "SourceProperties", size | blocks, DataType=_GDAL_TYPES[member.format.dtype])
    row, col = offset_in(grid, member.grid)
    # Only what lies on the common grid: from the member's cell (skip) to the grid's cell (start).
    skip_row, skip_col = max(0, -row), max(0, -col)
    height = min(member.grid.height - skip_row, grid.height - max(0, row))
    width = min(member.grid.width - skip_col, grid.width - max(0, col))
    for tag, x, y in (("SrcRect", skip_col, skip_row), ("DstRect", max(0, col), max(0, row))):
        ElementTree.SubElement(source, tag, xOff=str(x), yOff=str(y), xSize=str(width), ySize=str(height))
    ElementTree.SubElement(source, "NODATA").text = f"{member.format.nodata or 0:g}"


def require_one_format(layer: str, members: tuple[Member, ...], grid: Grid) -> None:
    """Raises `grid_mismatch`, with both values, where a tile does not fit the grid or the first tile."""
    expected = members[0].format._replace(epsg=grid.epsg, resolution_m=grid.resolution_m)
    for member in members:
        differing = [
            f"{name} {found} instead of {wanted}"
            for name, found, wanted in zip(Format._fields, member.format, expected, strict=True)
            if found != wanted
        ]
        if differing:
            raise StepError(
                "grid_mismatch",
                f"Layer {layer}: {member.path} has {', '.join(differing)}.",
                "Align and composite all tiles with the same grid and parameters.",
            )
        offset_in(grid, member.grid)


def run(params: MosaicParams, out: Path) -> MosaicResult:
    names = list(params.tiles[0])
    layers = {}
    for done, layer in enumerate(names, start=1):
        files = tuple(_layer_file(params, layer, number) for number in range(len(params.tiles)))
        members = tuple(map(_member, files))
        require_one_format(layer, members, params.grid)
        on_grid = tuple(member for member in members if member.grid.bounds.intersects(params.grid.bounds))
        if not on_grid:
            raise StepError("no_valid_pixels", f"No tile of {layer} lies on {params.grid!r}.", "Correct the grid.")
        path = out / f"{layer}.vrt"
        tree = ElementTree.ElementTree(vrt_of(layer, on_grid, params.grid))
        ElementTree.indent(tree)
        tree.write(path)
        layers[layer] = output_file(path, members=files)
        progress(done, len(names), f"{params.period} {layer}")
    return MosaicResult(grid=params.grid, mosaic=PeriodLayers(period=params.period, layers=layers))


def _layer_file(params: MosaicParams, layer: str, number: int) -> File:
    tile = params.tiles[number]
    if tile.keys() != params.tiles[0].keys():
        raise StepError(
            "grid_mismatch",
            f"Tile {number} has the layers {sorted(tile)}, the first tile {sorted(params.tiles[0])}.",
            "Composite all tiles with the same bands.",
        )
    return tile[layer]


def _member(file: File) -> Member:
    with open_raster(local_path(file)) as dataset:
        grid = grid_of(dataset)
        kind = Format(grid.epsg, grid.resolution_m, dataset.dtypes[0], dataset.nodata, dataset.scales[0])
    return Member(f"{STORE_ROOT}/{file.store_path}", grid, kind)


if __name__ == "__main__":
    main(MosaicParams, run)
