"""Sentinel-1 IW GRDH products of a pass over the area."""

import math
import zlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import mapping

from containers.base.contract.radar import Polarisation
from containers.eodata.items import BUCKET
from containers.eodata.product import StoredFile
from containers.eodata.radar_geometry import Frame
from containers.eodata.radar_ground import RadarGround, to_geographic
from containers.eodata.radar_image import beta_nought, framed, seen
from containers.eodata.radar_manifest import PROCESSOR
from containers.eodata.radar_noise import noise_tables
from containers.eodata.radar_orbit import orbit_over
from containers.eodata.radar_pass import RadarPass
from containers.eodata.radar_safe import RadarStored, write_slice
from containers.eodata.radar_signal import digital_numbers, with_swath_edges
from containers.eodata.radar_slice import Slice
from containers.eodata.radar_ties import tie_points

RADAR_COLLECTION: Final = "sentinel-1-grd"
_EXTENSIONS: Final = (
    "sar/v1.2.0", "sat/v1.0.0", "file/v2.1.0", "processing/v1.2.0", "timestamps/v1.1.0", "product/v0.1.0",
    "order/v1.1.0",
)  # fmt: skip
_NEAREST_DEG: Final = 31.5
_SPREAD_DEG: Final = 13.0
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


def incidence_deg(relative_orbit: int) -> float:
    """Where in the swath a relative orbit has the area's middle: 31.5 to 44.5 degrees, the same on every pass."""
    return _NEAREST_DEG + _SPREAD_DEG * (relative_orbit * _GOLDEN % 1)


def write_radar(pass_: RadarPass, ground: RadarGround, seed: int, bucket: Path) -> list[RadarStored]:
    """Image the ground on one pass and write a product per slice below `bucket`: the same bytes for the same seed.

    Slices share one image, cut without a gap. Outside the ground lies a plain; the images hold nothing beyond it.
    """
    whole, images = _imaged(pass_, ground, seed)
    epoch = pass_.start.replace(tzinfo=UTC) - timedelta(seconds=whole.first_line_s)
    cuts = np.rint(np.linspace(0, whole.lines, pass_.slices + 1)).astype(int).tolist()
    products = []
    for number, (first, last) in enumerate(pairwise(cuts), start=1):
        piece = Slice(pass_, whole.part(first, last), epoch, number, tuple(images))
        lines = {polarisation: image[first:last] for polarisation, image in images.items()}
        if pass_.damage == "zero_filled" and number == 1:
            lines = {polarisation: np.zeros_like(image) for polarisation, image in lines.items()}
        products.append(write_slice(piece, lines, tie_points(piece.frame, ground), bucket))
    if pass_.damage == "missing_annotation":
        victim = next(file for file in products[0].files if file.asset.startswith("schema-calibration"))
        (bucket / victim.path).unlink()
    return products


def _imaged(
    pass_: RadarPass, ground: RadarGround, seed: int
) -> tuple[Frame, dict[Polarisation, npt.NDArray[np.uint16]]]:
    """The frame and the digital numbers of the whole datatake, per polarisation."""
    west, south, east, north = ground.grid.bounds
    place = to_geographic(ground.grid.epsg).transform((west + east) / 2, (south + north) / 2)
    orbit = orbit_over(*place, pass_.direction, incidence_deg(pass_.relative_orbit))
    cells = seen(ground, orbit)
    frame = framed(ground, orbit, cells)
    noise = noise_tables(frame).power(frame)
    images = {}
    for polarisation, beta0 in beta_nought(ground, frame, cells).items():
        key = f"{pass_.platform} {pass_.absolute_orbit} {pass_.datatake} {polarisation}"
        random = np.random.default_rng([seed, zlib.crc32(key.encode())])
        images[polarisation] = with_swath_edges(digital_numbers(beta0, noise, random), random)
    return frame, images


def radar_item(stored: RadarStored, pass_: RadarPass) -> dict[str, Any]:
    """The item of a slice: every file of the product is an asset."""
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [f"https://stac-extensions.github.io/{name}/schema.json" for name in _EXTENSIONS],
        "id": stored.name,
        "collection": RADAR_COLLECTION,
        "geometry": mapping(shapely.set_precision(stored.footprint, 1e-6)),
        "bbox": [round(value, 6) for value in stored.footprint.bounds],
        "properties": _properties(stored, pass_),
        "links": [],
        "assets": {file.asset: _asset(file) for file in stored.files},
    }


def _properties(stored: RadarStored, pass_: RadarPass) -> dict[str, Any]:
    published = _utc(stored.stop + timedelta(hours=3))
    return {
        "clearground:simulated": True,
        "datetime": _utc(stored.start),
        "start_datetime": _utc(stored.start),
        "end_datetime": _utc(stored.stop),
        "created": published,
        "updated": published,
        "published": published,
        "platform": f"sentinel-{pass_.platform[1:].lower()}",
        "constellation": "sentinel-1",
        "instruments": ["sar"],
        "gsd": 20,
        "product:type": "IW_GRDH_1S",
        "product:timeliness_category": "Fast-24h",
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "sar:polarizations": [asset.upper() for asset in (file.asset for file in stored.files) if len(asset) == 2],
        "sar:observation_direction": "right",
        "sar:pixel_spacing_range": 10.0,
        "sar:pixel_spacing_azimuth": 10.0,
        "sar:looks_range": 5,
        "sar:looks_azimuth": 1,
        "sat:orbit_state": pass_.direction,
        "sat:absolute_orbit": pass_.absolute_orbit,
        "sat:relative_orbit": pass_.relative_orbit,
        "sat:anx_datetime": _utc(stored.node),
        "processing:level": "L1",
        "processing:version": PROCESSOR[1],
        "processing:software": {PROCESSOR[0]: PROCESSOR[1]},
        "processing:datetime": published,
        "processing:facility": "Clearground simulator",
        "eopf:datatake_id": str(int(pass_.datatake, 16)),
        "eopf:instrument_mode": "IW",
        "order:status": "succeeded",
    }


def _asset(file: StoredFile) -> dict[str, Any]:
    common = {
        "href": f"s3://{BUCKET}/{file.path}",
        "file:size": file.size,
        "file:checksum": f"1220{file.sha256}",
        "file:local_path": file.path.split("/", 6)[-1],
    }
    if not file.path.endswith(".tiff"):
        return {**common, "type": "application/xml", "roles": ["metadata"], "title": file.path.rsplit("/", 1)[-1]}
    return {
        **common,
        "type": "image/tiff; application=geotiff",
        "roles": ["data"],
        "sar:polarizations": [file.asset.upper()],
        "data_type": "uint16",
        "nodata": 0,
    }


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"
