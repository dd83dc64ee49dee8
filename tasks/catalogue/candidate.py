"""A product as a catalogue lists it, before anybody has looked into the archive."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.sentinel2 import QUANTIFICATION, ProductName


def utc_time(value: str | datetime | None) -> datetime | None:
    """A catalogue's time in UTC, which is also what is meant where no zone is stated; None where it is none."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return None if time is None else time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


class Asset(NamedTuple):
    """One raster of a product."""

    number: str
    """Such as B02 or SCL."""
    resolution_m: float
    href: str
    file: File | None
    """None where the catalogue states no checksum or size: the archive is asked for them."""
    offset_dn: float | None = None
    """None where the catalogue does not say."""
    quantification: float = QUANTIFICATION


@dataclass(frozen=True)
class Candidate:
    """What the rules look at. `product` is None where the name cannot be read."""

    name: str
    product: ProductName | None
    acquired: datetime | None
    footprint: BaseGeometry | None
    """EPSG:4326, not crossing the antimeridian; None where the catalogue gives no usable one."""
    cloud_cover: float | None = None
    online: bool = True
    datastrip: datetime | None = None
    tile_outline: BaseGeometry | None = None
    """EPSG:4326; None: the nominal outline of the MGRS tile."""
    assets: tuple[Asset, ...] = ()
    """Empty where only the product's folder is known."""
    safe_href: str | None = None
    """The product's folder on S3."""
    simulated: bool = False
