"""Items of Sentinel-1 by hand, in the layout of CDSE v1."""

import re
from datetime import UTC, datetime
from typing import Any

from shapely.geometry import box, mapping

from tasks.periods import Period

DATA = box(11.0, 47.0, 14.5, 49.0)
AOI = "12.6,48,13,48.3"
MAY = Period(label="2020-05", start="2020-05-01", end="2020-05-31")


def radar_name(
    *,
    platform: str = "S1A",
    kind: str = "IW_GRDH",
    polarisation: str = "DV",
    start: str = "20200511T051000",
    stop: str = "20200511T051025",
    orbit: int = 32512,
    datatake: str = "03C3F4",
    crc: str = "A1B2",
    cog: bool = False,
) -> str:
    parts = f"{platform}_{kind}_1S{polarisation}_{start}_{stop}_{orbit:06}_{datatake}_{crc}"
    return parts + "_COG" * cog


def safe_paths(name: str) -> list[str]:
    """What a SAFE folder of two polarisations holds, the unneeded with the needed."""
    platform, (start, stop) = name[:3].lower(), re.findall(r"\d{8}t\d{6}", name.lower())
    orbit, datatake, *_ = name.lower().partition(f"{stop}_")[2].split("_")
    paths = ["manifest.safe", "preview/quick-look.png", "support/s1-level-1-product.xsd", "preview/map-overlay.kml"]
    for number, polarisation in enumerate(("vv", "vh"), 1):
        stem = f"{platform}-iw-grd-{polarisation}-{start}-{stop}-{orbit}-{datatake}-00{number}"
        paths += [f"annotation/{stem}.xml", f"measurement/{stem}.tiff", f"annotation/rfi/rfi-{stem}.xml"]
        paths += [f"annotation/calibration/{kind}-{stem}.xml" for kind in ("calibration", "noise")]
    return paths


def folder_of(name: str) -> str:
    return f"s3://eodata/Sentinel-1/SAR/IW_GRDH_1S/2020/05/11/{name}.SAFE"


def content_of(name: str, path: str) -> bytes:
    return f"{name} {path}".encode()


def radar_item(
    *, footprint=DATA, direction="descending", track=22, without=(), sizes=True, properties=None, **name
) -> dict[str, Any]:
    product = radar_name(**name)
    assets = {}
    for path in safe_paths(product):
        body = content_of(product, path)
        facts = {"file:size": len(body), "file:checksum": "1220" + f"{hash(body) & (1 << 255):064x}"}
        assets[path] = {"href": f"{folder_of(product)}/{path}", **(facts if sizes else {})}
    times = re.findall(r"\d{8}T\d{6}", product)
    start, stop = (datetime.strptime(time, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) for time in times)
    return {
        "type": "Feature",
        "id": product,
        "collection": "sentinel-1-grd",
        "geometry": mapping(footprint) if footprint is not None else None,
        "properties": {
            "datetime": start.isoformat(),
            "start_datetime": start.isoformat(),
            "end_datetime": stop.isoformat(),
            "sat:orbit_state": direction,
            "sat:relative_orbit": track,
            **(properties or {}),
        },
        "assets": {path: asset for path, asset in assets.items() if not path.startswith(tuple(without))}
        if without
        else assets,
    }
