"""Quality masks of L1C products: a raster of classes since baseline 04.00, polygons before."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, part_of, transform_of
from containers.base.raster import BLOCK_PX, open_raster
from containers.base.sentinel2 import parse_xml
from containers.gdal.contract.cut import LayerName
from containers.gdal.cut_product import MaskLayer
from containers.gdal.layer_tables import code_table, rules_of
from containers.gdal.reflectance import by_table, class_table
from containers.gdal.tile_layer import CELL_M, Read, TileLayer

_EOP, _GML = "{http://www.opengis.net/eop/2.0}", "{http://www.opengis.net/gml/3.2}"
_MOST_GML_BYTES: Final = 64 << 20
_POLYGONS: Final[LayerName] = "cloud"
_INSIDE: Final = {"yes": [1], "no": [0]}


def layers_of(file: File) -> frozenset[LayerName]:
    """The layers that a quality mask speaks of, by its name."""
    if is_polygons(file.name):
        return frozenset({_POLYGONS})
    return frozenset(rule["layer"] for rule in rules_of("l1c")["msk_classi"].values())


def is_polygons(name: str) -> bool:
    return name.endswith(".gml")


def mask_layers(path: Path, tile: Grid) -> Iterator[MaskLayer]:
    """The masks in one file of a tile, MSK_CLASSI or MSK_CLOUDS."""
    if is_polygons(path.name):
        yield MaskLayer(_polygon_layer(path, tile), {_POLYGONS: code_table(_INSIDE)})
        return
    with open_raster(path) as dataset:
        grid, block, count = grid_of(dataset), dataset.block_shapes[0], dataset.count
    for name, rule in rules_of("l1c")["msk_classi"].items():
        if rule["band"] > count:
            raise _broken(path, f"has {count} bands, {name} is band {rule['band']}")
        opened = _BandOf(path, rule["band"]).opened
        yield MaskLayer(TileLayer(name, grid, block, opened, is_parallel=False), {rule["layer"]: code_table(rule)})


class _BandOf:
    """One band of a raster of classes."""

    def __init__(self, path: Path, band: int) -> None:
        self._path, self._band = path, band

    @contextmanager
    def opened(self) -> Iterator[Read]:
        with open_raster(self._path) as dataset:
            yield lambda window: by_table(dataset.read(self._band, window=window), class_table())


def _polygon_layer(path: Path, tile: Grid) -> TileLayer:
    if path.stat().st_size > _MOST_GML_BYTES:
        raise _broken(path, f"has {path.stat().st_size} bytes")
    root = parse_xml(path.read_bytes())
    shapes = cloud_polygons(root, path)
    grid = _envelope(root, path, tile if not shapes else None)

    @contextmanager
    def opened() -> Iterator[Read]:
        yield lambda window: _burned(shapes, grid, window)

    return TileLayer(path.name, grid, (BLOCK_PX, BLOCK_PX), opened, is_parallel=False)


def cloud_polygons(root: Element, path: Path) -> list[Any]:
    """The polygons of a MSK_CLOUDS document that count as cloud. Raises `corrupt_file`, `bad_masks` for other types."""
    known: list[str] = rules_of("l1c")["msk_clouds"][_POLYGONS]
    kinds: dict[str, list[Any]] = defaultdict(list)
    try:
        for feature in root.iter(f"{_EOP}MaskFeature"):
            kind = (feature.findtext(f"{_EOP}maskType") or "").strip()
            kinds[kind] += [_polygon(node) for node in feature.iter(f"{_GML}Polygon")]
    except (ValueError, TypeError, shapely.errors.ShapelyError) as error:
        raise _broken(path, f"holds a broken polygon: {error}") from error
    if strange := sorted(set(kinds) - set(known)):
        raise StepError(
            "bad_masks",
            f"{path.name} holds masks of {', '.join(strange)}; {', '.join(known)} are known.",
            "Give the product's MSK_CLOUDS_B00.gml.",
        )
    return [polygon for kind in known for polygon in kinds[kind]]


def _polygon(node: Element) -> Any:
    shell, *_ = [_ring(ring) for ring in node.findall(f"{_GML}exterior/{_GML}LinearRing/{_GML}posList")]
    holes = [_ring(ring) for ring in node.findall(f"{_GML}interior/{_GML}LinearRing/{_GML}posList")]
    return shapely.Polygon(shell, holes)


def _ring(positions: Element) -> NDArray[np.float64]:
    """Easting and northing, (points, 2)."""
    dimensions = int(positions.get("srsDimension", "2"))
    return np.array((positions.text or "").split(), dtype=np.float64).reshape(-1, dimensions)[:, :2]


def _envelope(root: Element, path: Path, otherwise: Grid | None) -> Grid:
    """The 10 m grid of the tile that the document says it covers; documents without polygons need not say it."""
    box = root.find(f"{_GML}boundedBy/{_GML}Envelope")
    if box is None and otherwise is not None:
        return otherwise
    try:
        if box is None:
            raise ValueError("it has no envelope")
        west, south = map(float, (box.findtext(f"{_GML}lowerCorner") or "").split()[:2])
        east, north = map(float, (box.findtext(f"{_GML}upperCorner") or "").split()[:2])
        size = {"width": round((east - west) / CELL_M), "height": round((north - south) / CELL_M)}
        epsg = int((box.get("srsName") or "").rsplit(":", 1)[-1])
        return Grid(epsg=epsg, resolution_m=CELL_M, west_m=west, north_m=north, **size)
    except ValueError as error:
        raise _broken(path, f"does not say what it covers: {error}") from error


def _burned(shapes: list[Any], grid: Grid, window: Window) -> NDArray[np.uint16]:
    """1 where the centre of a cell lies in a polygon, (y, x)."""
    part = part_of(grid, window)
    if not shapes:
        return np.zeros(part.shape, dtype=np.uint16)
    return np.asarray(rasterize(shapes, out_shape=part.shape, transform=transform_of(part), dtype="uint16"))


def _broken(path: Path, reason: str) -> StepError:
    return StepError("corrupt_file", f"{path.name} {reason}.", "Fetch the product again.")
