"""A static STAC catalogue of a product: one item per layer, which any STAC client opens from disk or a web server."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Final

import pystac
import shapely
from pyproj import Transformer
from pystac.extensions.classification import Classification, ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import DataType, NoDataStrings, RasterBand, RasterExtension, Sampling
from pystac.extensions.version import CollectionVersionExtension, ItemVersionExtension
from pystac.utils import datetime_to_str

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.gdal.contract.cut import MajaProduct
from tasks.publishing.product import Layer, Product, SourceProduct

COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
PROCESSING: Final = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"
_LEGAL_NOTICE: Final = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"
_EDGE_POINTS: Final = 21
_MULTIHASH_SHA256: Final = "1220"
"""Code of SHA-256 and its length, 32 bytes, in front of the digest."""


def write_catalogue(
    product: Product,
    version: str,
    folder: Path,
    pictures: Mapping[str, str],
    documents: Mapping[str, tuple[str, str]],
) -> None:
    """Write `catalog.json`, a collection and its items below `folder`/stac.

    Rasters are expected in `../rasters/<layer>.tif`; `pictures` maps a layer's name to its picture, relative to
    `folder`, and `documents` a file of the folder to its media type and role.
    """
    catalogue = pystac.Catalog("clearground", "Land-change products", title="Clearground")
    collection = _collection(product, version)
    catalogue.add_child(collection)
    for name, (media_type, role) in documents.items():
        asset = pystac.Asset(str(folder / name), title=name, media_type=media_type, roles=[role])
        collection.add_asset(name.replace(".", "_"), asset)
    for layer in product.layers:
        item = layer_item(product, layer, version)
        collection.add_item(item)
        if layer.name in pictures:
            picture = pystac.Asset(str(folder / pictures[layer.name]), media_type="image/png", roles=["thumbnail"])
            item.add_asset("thumbnail", picture)
        item.assets["data"].href = str(folder / "rasters" / f"{layer.name}.tif")
    catalogue.normalize_hrefs(str(folder / "stac"))
    catalogue.make_all_asset_hrefs_relative()
    catalogue.save(pystac.CatalogType.SELF_CONTAINED)


def layer_item(product: Product, layer: Layer, version: str) -> pystac.Item:
    """The item of one layer, with projection, raster, classification, processing, version and file facts."""
    first, last = product.period(layer.periods[0]), product.period(layer.periods[-1])
    grid = product.grid_of(layer)
    outline = footprint(grid)
    item = pystac.Item(
        id=f"{product.name}-{layer.name}",
        geometry=shapely.geometry.mapping(outline),
        bbox=list(outline.bounds),
        datetime=None,
        start_datetime=datetime.combine(first.start, time.min, UTC),
        end_datetime=datetime.combine(last.end, time(23, 59, 59), UTC),
        properties={
            "title": layer.title + (" (simulated)" if product.simulated else ""),
            "created": datetime_to_str(datetime.now(UTC)),
            "gsd": grid.resolution_m,
            "clearground:periods": list(layer.periods),
            "clearground:simulated": product.simulated,
        },
    )
    _add_projection(item, grid)
    _add_processing(item, product)
    ItemVersionExtension.ext(item, add_if_missing=True).apply(version=version)
    item.add_asset("data", pystac.Asset(f"{layer.name}.tif", title=layer.title, media_type=COG, roles=["data"]))
    _add_raster_facts(item.assets["data"], layer, grid)
    for href in sorted({scene_href(scene) for scene in product.scenes_of(layer)}):
        item.add_link(pystac.Link(pystac.RelType.DERIVED_FROM, href, title=href.rsplit("/", 1)[-1]))
    return item


def footprint(grid: Grid) -> shapely.Polygon:
    """The grid's outline in degrees, its edges densified because they are curved there; counter-clockwise."""
    outline = shapely.box(*grid.bounds)
    dense = shapely.segmentize(outline, max(grid.width, grid.height) * grid.resolution_m / _EDGE_POINTS)
    transformer = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    longitude, latitude = transformer.transform(*shapely.get_coordinates(dense).T)
    return shapely.orient_polygons(shapely.Polygon(zip(longitude.round(7), latitude.round(7), strict=True)))


def scene_href(scene: SourceProduct) -> str:
    """The product's folder in the archive, its ZIP, or a band where the scene has no SAFE folder."""
    if isinstance(scene, MajaProduct):
        return scene.archive.href
    href = next(iter(scene.bands.values())).href
    folder, found, _ = href.partition(".SAFE/")
    return f"{folder}{found.removesuffix('/')}" if found else href


def multihash(file: File) -> str:
    """A file's SHA-256 as the file extension wants it. Raises ValueError for other content ids."""
    kind, _, digest = file.content_id.partition(":")
    if kind != "sha256":
        raise ValueError(f"{file.href} is known by {kind}, not by the SHA-256 of its bytes")
    return f"{_MULTIHASH_SHA256}{digest}"


def _collection(product: Product, version: str) -> pystac.Collection:
    outline = shapely.union_all([footprint(grid) for grid in {product.grid_of(layer) for layer in product.layers}])
    start = datetime.combine(min(period.start for period in product.periods), time.min, UTC)
    end = datetime.combine(max(period.end for period in product.periods), time(23, 59, 59), UTC)
    collection = pystac.Collection(
        id=product.name,
        title=product.title + (" (simulated)" if product.simulated else ""),
        description=product.description,
        license="other",
        extent=pystac.Extent(pystac.SpatialExtent([list(outline.bounds)]), pystac.TemporalExtent([[start, end]])),
        keywords=[*product.keywords, "Sentinel-2", *(["simulated"] if product.simulated else [])],
        providers=list(_providers(product)),
    )
    CollectionVersionExtension.ext(collection, add_if_missing=True).apply(version=version)
    if not product.simulated:
        collection.add_link(pystac.Link(pystac.RelType.LICENSE, _LEGAL_NOTICE, title="Copernicus Sentinel data"))
    return collection


def _providers(product: Product) -> Iterator[pystac.Provider]:
    yield pystac.Provider("Clearground", roles=[pystac.ProviderRole.PROCESSOR])
    if not product.simulated:
        yield pystac.Provider(
            "European Union / ESA / Copernicus", roles=[pystac.ProviderRole.PRODUCER, pystac.ProviderRole.LICENSOR]
        )


def _add_projection(item: pystac.Item, grid: Grid) -> None:
    ProjectionExtension.ext(item, add_if_missing=True).apply(
        code=f"EPSG:{grid.epsg}",
        bbox=list(grid.bounds),
        shape=list(grid.shape),
        transform=[grid.resolution_m, 0.0, grid.west_m, 0.0, -grid.resolution_m, grid.north_m],
    )


def _add_processing(item: pystac.Item, product: Product) -> None:
    item.stac_extensions.append(PROCESSING)
    item.properties["processing:level"] = "L4"
    item.properties["processing:lineage"] = product.description
    item.properties["processing:software"] = product.software


def _add_raster_facts(asset: pystac.Asset, layer: Layer, grid: Grid) -> None:
    bands: list[RasterBand] = []
    for name, unit in zip(layer.bands, layer.units or (None,) * len(layer.bands), strict=True):
        band = RasterBand.create(
            nodata=NoDataStrings.NAN if layer.nodata == "nan" else layer.nodata,
            sampling=Sampling.AREA,
            data_type=DataType(layer.dtype),
            spatial_resolution=grid.resolution_m,
            scale=layer.scale if layer.scale != 1 else None,
            unit=unit or None,
        )
        band.properties["name"] = name
        bands.append(band)
    RasterExtension.ext(asset, add_if_missing=True).apply(bands)
    if layer.classes:
        meanings = [
            Classification.create(value, name=_identifier(meaning), description=meaning)
            for value, meaning in sorted(layer.classes.items())
        ]
        ClassificationExtension.ext(asset, add_if_missing=True).apply(classes=meanings)
    facts: dict[str, Any] = {"size": layer.file.size, "checksum": multihash(layer.file)}
    FileExtension.ext(asset, add_if_missing=True).apply(**facts)


def _identifier(meaning: str) -> str:
    """The classification extension allows letters, digits, hyphens and underscores only."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in meaning)
