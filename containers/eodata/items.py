"""STAC items of the products, in the structure that CDSE serves them in."""

from datetime import timedelta
from typing import Any, Final

import shapely
from shapely.geometry import mapping

from containers.base.contract.scene import Level
from containers.eodata.acquisitions import Acquisition
from containers.eodata.product import StoredFile, cell_m, product_type
from containers.eodata.regions import outline_4326

COLLECTIONS: Final[dict[Level, str]] = {"L1C": "sentinel-2-l1c", "L2A": "sentinel-2-l2a"}
BUCKET: Final = "eodata"
_EXTENSIONS: Final = (
    "eo/v2.0.0", "raster/v2.0.0", "sat/v1.0.0", "projection/v2.0.0", "grid/v1.1.0", "file/v2.1.0", "processing/v1.2.0",
    "timestamps/v1.1.0", "classification/v2.0.0", "product/v0.1.0", "order/v1.1.0",
)  # fmt: skip
_COMMON_NAMES: Final = {
    "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge071", "B06": "rededge075", "B07": "rededge078",
    "B08": "nir", "B8A": "nir08", "B11": "swir16", "B12": "swir22", "B01": "coastal", "B09": "nir09", "B10": "cirrus",
}  # fmt: skip
_CLASS_NAMES: Final = (
    "no_data", "saturated_or_defective", "dark_area_pixels", "cloud_shadows", "vegetation", "not_vegetated", "water",
    "unclassified", "cloud_medium_probability", "cloud_high_probability", "thin_cirrus", "snow",
)  # fmt: skip
_STATISTICS: Final = {
    "nodata": 0, "saturated_defective": 1, "dark_area": 2, "cloud_shadow": 3, "vegetation": 4, "not_vegetated": 5,
    "water": 6, "unclassified": 7, "medium_proba_clouds": 8, "high_proba_clouds": 9, "thin_cirrus": 10,
}  # fmt: skip
_CLOUD_CODES: Final = (8, 9, 10)


def item(acquisition: Acquisition, files: list[StoredFile], class_counts: list[int]) -> dict[str, Any]:
    """The item of a product. `class_counts` are cells per scene class, 0 to 11; shares leave 0 out, as in CDSE."""
    geometry = outline_4326(shapely.segmentize(acquisition.footprint(), 5_000), acquisition.grid.epsg)
    assets = {file.asset: _asset(acquisition, file, class_counts) for file in files}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [f"https://stac-extensions.github.io/{name}/schema.json" for name in _EXTENSIONS],
        "id": acquisition.name,
        "collection": COLLECTIONS[acquisition.level],
        "geometry": mapping(shapely.set_precision(geometry, 1e-7)),
        "bbox": [round(value, 6) for value in geometry.bounds],
        "properties": _properties(acquisition, class_counts),
        "links": [],
        "assets": assets,
    }


def _properties(acquisition: Acquisition, class_counts: list[int]) -> dict[str, Any]:
    sensed = f"{acquisition.start:%Y-%m-%dT%H:%M:%S}.024Z"
    published = acquisition.processed + timedelta(hours=6)
    valid = max(1, sum(class_counts[1:]))
    share = [100 * count / valid for count in class_counts]
    share[0] = 100 * class_counts[0] / max(1, sum(class_counts))
    return {
        "clearground:simulated": True,
        "datetime": sensed,
        "start_datetime": sensed,
        "end_datetime": sensed,
        "created": f"{published:%Y-%m-%dT%H:%M:%S}.000000Z",
        "updated": f"{published:%Y-%m-%dT%H:%M:%S}.000000Z",
        "published": f"{published:%Y-%m-%dT%H:%M:%S}.000000Z",
        "platform": f"sentinel-{acquisition.platform[1:].lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "grid:code": f"MGRS-{acquisition.tile.id}",
        "eo:cloud_cover": round(sum(share[code] for code in _CLOUD_CODES), 2),
        "eo:snow_cover": round(share[11], 2),
        **_of_level(acquisition, share),
        "sat:orbit_state": "descending",
        "sat:absolute_orbit": acquisition.absolute_orbit,
        "sat:relative_orbit": acquisition.orbit,
        "product:type": product_type(acquisition),
        "processing:level": acquisition.level[:2],
        "processing:version": acquisition.baseline,
        "processing:datetime": f"{acquisition.processed:%Y-%m-%dT%H:%M:%S}.000000Z",
        "processing:facility": "Clearground simulator",
        "eopf:datatake_id": acquisition.datatake,
        "eopf:datastrip_id": acquisition.datastrip,
        "eopf:instrument_mode": "INS-NOBS",
        "order:status": "succeeded" if acquisition.online else "orderable",
    }


def _of_level(acquisition: Acquisition, share: list[float]) -> dict[str, Any]:
    """L2A states the shares of its scene classes, L1C the direction of the sun."""
    if acquisition.level == "L2A":
        return {"statistics": {name: round(share[code], 6) for name, code in _STATISTICS.items()}}
    sun = acquisition.sun()
    return {"view:sun_azimuth": round(sun.azimuth_deg, 6), "view:sun_elevation": round(90 - sun.zenith_deg, 6)}


def _asset(acquisition: Acquisition, file: StoredFile, class_counts: list[int]) -> dict[str, Any]:
    common = {
        "href": f"s3://{BUCKET}/{file.path}",
        "file:size": file.size,
        "file:checksum": f"1220{file.sha256}",
        "file:local_path": file.path.split("/", 6)[-1],
    }
    if not file.path.endswith(".jp2"):
        return {**common, "type": "application/xml", "roles": ["metadata"], "title": file.path.rsplit("/", 1)[-1]}
    return {**common, **_image(acquisition, file.asset, class_counts)}


def _image(acquisition: Acquisition, asset: str, class_counts: list[int]) -> dict[str, Any]:
    name, edge_m = asset[:3], cell_m(asset)
    grid, edge_px = acquisition.grid, acquisition.grid.width * 20 // edge_m
    native = edge_m == (cell_m(name) if name in _COMMON_NAMES else 20)
    image: dict[str, Any] = {
        "type": "image/jp2",
        "gsd": edge_m,
        "nodata": 0,
        "proj:code": f"EPSG:{grid.epsg}",
        "proj:bbox": list(grid.bounds),
        "proj:shape": [edge_px, edge_px],
        "proj:transform": [float(edge_m), 0.0, grid.west_m, 0.0, -float(edge_m), grid.north_m],
    }
    if asset.startswith("SCL"):
        classes = [
            {"value": code, "name": label, "percentage": round(100 * count / max(1, sum(class_counts)), 6)}
            for code, (label, count) in enumerate(zip(_CLASS_NAMES, class_counts, strict=True))
        ]
        return {
            **image,
            "data_type": "uint8",
            "roles": ["data", "sampling:original", "gsd:20m"],
            "classification:classes": classes,
        }
    return {
        **image,
        "data_type": "uint16",
        "roles": ["data", "reflectance", f"sampling:{'original' if native else 'downsampled'}", f"gsd:{edge_m}m"],
        "bands": [{"name": name, "eo:common_name": _COMMON_NAMES[name]}],
        "raster:scale": 1e-4,
        "raster:offset": acquisition.offset_dn / 10_000,
    }


def collection(items: list[dict[str, Any]]) -> dict[str, Any]:
    """An item collection, oldest sensing first."""
    ordered = sorted(items, key=lambda each: (each["properties"]["datetime"], each["id"]))
    return {"type": "FeatureCollection", "clearground:simulated": True, "features": ordered}
