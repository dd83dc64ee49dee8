"""STAC items of Sentinel-2 as candidates, and what items of every mission say in the same way.

STAC 1.1 of CDSE v1, the older layouts with `raster:bands`, and Creodias' own (`https://datahub.creodias.eu/stac`),
whose items know the product's folder alone.
"""

import re
from typing import Any

from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.sentinel2 import (
    QUANTIFICATION,
    ProductName,
    band_of_number,
    datastrip_start,
    parse_product_name,
    stac_offset_dn,
)
from tasks.catalogue.candidate import Asset, Candidate, utc_time
from tasks.catalogue.coverage import geographic_outline, usable_footprint

Json = dict[str, Any]
_RASTER = re.compile(r"(?:^|[/_])(B\d[\dA]|SCL)(?:_(\d+)m)?\.(?:jp2|tif)$")
"""The end of an address: asset keys differ between catalogues, file names do not."""
_SCL_RESOLUTION_M = 20
_MULTIHASH = {"1220": "sha256", "1620": "sha3-256", "d50110": "md5"}
"""https://github.com/multiformats/multicodec; the archive writes the second and, for small files, the third."""
_NOT_STAGED = {"orderable", "ordered", "pending", "shipping"}
"""Values of `order:status` for products that cannot be read now."""


def candidate_from_item(item: Json) -> Candidate:
    """The product that an item describes. Nothing is refused here."""
    properties = item.get("properties") or {}
    product = _product_name(item)
    assets = tuple(asset for value in (item.get("assets") or {}).values() if (asset := _asset(value)) is not None)
    strip = properties.get("eopf:datastrip_id") or properties.get("s2:datastrip_id") or properties.get("datastripId")
    acquired = properties.get("datetime") or properties.get("start_datetime")
    return Candidate(
        name=product.name if product else str(item.get("id")),
        product=product,
        acquired=utc_time(acquired),
        footprint=usable_footprint(item.get("geometry")),
        cloud_cover=properties.get("eo:cloud_cover", properties.get("cloudCover")),
        online=is_online(item),
        datastrip=datastrip_start(strip or ""),
        tile_outline=_tile_outline(item),
        assets=assets,
        safe_href=safe_href(item),
        simulated=bool(properties.get("clearground:simulated", False)),
    )


def _product_name(item: Json) -> ProductName | None:
    properties = item.get("properties") or {}
    names = (item.get("id"), properties.get("s2:product_uri"), properties.get("title"))
    return next((parsed for name in names if name and (parsed := parse_product_name(str(name)))), None)


def is_online(item: Json) -> bool:
    """Whether the product can be read now, as far as the item says."""
    status = (item.get("properties") or {}).get("order:status")
    tiers = {
        str(_s3_place(asset).get("storage:tier", "online")).lower() for asset in (item.get("assets") or {}).values()
    }
    return status not in _NOT_STAGED and "offline" not in tiers


def _asset(asset: Json) -> Asset | None:
    match = _RASTER.search(s3_href(asset))
    if match is None:
        return None
    number, suffix = match.groups()
    band = band_of_number(number)
    if band is None and number != "SCL":
        return None
    native_m = band.resolution_m if band else _SCL_RESOLUTION_M
    radiometry = (asset.get("raster:bands") or [{}])[0]
    scale = asset.get("raster:scale", radiometry.get("scale"))
    offset = asset.get("raster:offset", radiometry.get("offset"))
    return Asset(
        number=number,
        resolution_m=float(suffix or asset.get("gsd") or native_m),
        href=s3_href(asset),
        file=asset_file(asset),
        offset_dn=stac_offset_dn(offset, scale) if offset is not None and scale else None,
        quantification=round(1 / scale, 6) if scale and number != "SCL" else QUANTIFICATION,
    )


def s3_href(asset: Json) -> str:
    """Where an asset lies on S3; its web address where it says no more. Creodias writes /bucket/key."""
    href = str(_s3_place(asset).get("href") or "")
    return f"s3:/{href}" if href.startswith("/") else href


def _s3_place(asset: Json) -> Json:
    on_s3 = str(asset.get("href") or "").startswith(("s3://", "store:", "/"))
    place: Json = asset if on_s3 else (asset.get("alternate") or {}).get("s3") or asset
    return place


def asset_file(asset: Json) -> File | None:
    """The object of an asset; None where the item states no size or checksum."""
    size, checksum = asset.get("file:size"), asset.get("file:checksum")
    if size is None or not checksum:
        return None
    return File(href=s3_href(asset), content_id=_content_id(checksum), size=size)


def _content_id(checksum: str) -> str:
    """`file:checksum` is a multihash: the code of the algorithm and the length lead the digest."""
    for prefix, algorithm in _MULTIHASH.items():
        if checksum.startswith(prefix):
            return f"{algorithm}:{checksum.removeprefix(prefix)}"
    return f"multihash:{checksum}"


def safe_href(item: Json) -> str | None:
    """The product's folder, where an item has no asset per band but says where the product lies."""
    for asset in (item.get("assets") or {}).values():
        head, safe, _ = s3_href(asset).partition(".SAFE")
        if safe and head.startswith("s3://"):
            return head + safe
    return None


def _tile_outline(item: Json) -> BaseGeometry | None:
    """The tile's own square, which every band asset states; a footprint may be smaller."""
    for asset in (item.get("assets") or {}).values():
        box = asset.get("proj:bbox")
        properties = item.get("properties") or {}
        code = (
            asset.get("proj:code")
            or properties.get("proj:code")
            or asset.get("proj:epsg")
            or properties.get("proj:epsg")
        )
        if _RASTER.search(s3_href(asset)) and box and code:
            return geographic_outline((box[0], box[1], box[2], box[3]), CRS.from_user_input(code))
    return None
