"""Sentinel-1 IW GRDH products of a pass over the area."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from shapely import Polygon

from containers.eodata.product import StoredFile
from containers.eodata.radar_ground import RadarGround
from containers.eodata.radar_pass import RadarPass


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


def write_radar(pass_: RadarPass, ground: RadarGround, seed: int, bucket: Path) -> list[RadarStored]:
    """Image the ground on one pass and write a product per slice below `bucket`: the same bytes for the same seed."""
    raise NotImplementedError


def radar_item(stored: RadarStored, pass_: RadarPass) -> dict[str, Any]:
    """STAC item of a slice in the structure that CDSE serves collection `sentinel-1-grd` in."""
    raise NotImplementedError
