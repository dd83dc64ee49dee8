"""One slice of a Sentinel-1 product on disk: the SAFE folder with its annotation, tables, images and manifest."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.control import GroundControlPoint
from shapely import Polygon

from containers.base.contract.radar import Polarisation
from containers.eodata.product import StoredFile, stored
from containers.eodata.radar_annotation import annotation_xml
from containers.eodata.radar_calibration import calibration_xml, noise_xml
from containers.eodata.radar_manifest import Member, manifest_xml
from containers.eodata.radar_noise import noise_tables
from containers.eodata.radar_slice import Slice
from containers.eodata.radar_ties import TiePoints, corners


class RadarStored(NamedTuple):
    """One slice in the archive."""

    name: str
    """Product name without .SAFE."""
    folder: str
    """Key of the .SAFE folder in the bucket."""
    files: list[StoredFile]
    """Every file that the catalogue lists."""
    footprint: Polygon
    """EPSG:4326."""
    start: datetime
    stop: datetime
    node: datetime
    """When the satellite had passed the equator northward."""


def write_slice(
    piece: Slice, images: dict[Polarisation, npt.NDArray[np.uint16]], ties: TiePoints, bucket: Path
) -> RadarStored:
    """Write one slice below `bucket`."""
    folder = bucket / piece.folder
    tables = noise_tables(piece.frame)
    members = []
    for polarisation, image in images.items():
        moments = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))
        stem = piece.stem(polarisation)
        texts = {
            Member(f"schema-product-{polarisation}", "Product", f"annotation/{stem}.xml"): annotation_xml(
                piece, polarisation, ties, tables.swaths, moments
            ),
            Member(
                f"schema-calibration-{polarisation}", "Calibration", f"annotation/calibration/calibration-{stem}.xml"
            ): calibration_xml(piece, polarisation),
            Member(f"schema-noise-{polarisation}", "Noise", f"annotation/calibration/noise-{stem}.xml"): noise_xml(
                piece, polarisation, tables
            ),
        }
        for member, text in texts.items():
            _put(folder / member.path, text)
        measurement = Member(polarisation, "Measurement", f"measurement/{stem}.tiff")
        _write_image(folder / measurement.path, image, ties)
        members += [*texts, measurement]
    outline = corners(piece.frame)
    _put(folder / "manifest.safe", manifest_xml(piece, members, outline, folder))
    members.append(Member("safe_manifest", "Manifest", "manifest.safe"))
    files = [stored(bucket, f"{piece.folder}/{member.path}", member.asset) for member in members]
    node = piece.at(piece.frame.orbit.node_s)
    return RadarStored(piece.name, piece.folder, files, Polygon(outline), piece.start, piece.stop, node)


def _put(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def _write_image(path: Path, image: npt.NDArray[np.uint16], ties: TiePoints) -> None:
    """The image with the tie points as ground control points; as in real products nothing says that 0 is no data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    points = [
        GroundControlPoint(row=line, col=sample, x=longitude, y=latitude, z=height)
        for line, sample, longitude, latitude, height in zip(
            ties.line.tolist(), ties.sample.tolist(), *(each.tolist() for each in ties.place[:3]), strict=True
        )
    ]
    profile = {
        "driver": "GTiff", "width": image.shape[1], "height": image.shape[0], "count": 1, "dtype": "uint16",
        "gcps": points, "crs": "EPSG:4326",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.update_tags(TIFFTAG_IMAGEDESCRIPTION="Simulated by Clearground: no satellite has seen this.")
        target.write(image, 1)
