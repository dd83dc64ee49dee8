"""A radar product as a catalogue lists it: from a STAC item, or from an entry of OData."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, get_args

from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.contract.radar import Direction
from tasks.catalogue.candidate import utc_time
from tasks.catalogue.coverage import usable_footprint
from tasks.catalogue.item import Json, asset_file, is_online, s3_href, safe_href
from tasks.catalogue.odata import attributes_of, footprint_of
from tasks.catalogue.odata import safe_href as odata_safe_href
from tasks.radar_catalogue.product_name import RadarName, parse_radar_name

_PROCESSED: Final = ("processing:datetime", "processingDate", "published", "created", "PublicationDate")
"""Where catalogues say how new a product is, the best first."""


@dataclass(frozen=True)
class RadarCandidate:
    """What the rules look at. `product` is None where the name cannot be read."""

    name: str
    product: RadarName | None
    acquired: datetime | None
    """When its first line was sensed."""
    stop: datetime | None
    footprint: BaseGeometry | None
    """EPSG:4326, not crossing the antimeridian; None where the catalogue gives no usable one."""
    direction: Direction | None
    relative_orbit: int | None
    processed: datetime | None
    online: bool
    properties: Json
    """Everything that the catalogue says of it, by its own names."""
    safe_href: str | None
    """The product's folder on S3."""
    stated: dict[str, File | None] = field(default_factory=dict)
    """Path below the folder to the object, as far as the catalogue names them; None without size or checksum."""
    simulated: bool = False


def candidate_from_item(item: Json) -> RadarCandidate:
    """The product that a STAC item describes. Nothing is refused here."""
    properties: Json = item.get("properties") or {}
    names = (item.get("id"), properties.get("title"))
    product = next((parsed for name in names if name and (parsed := parse_radar_name(str(name)))), None)
    folder = safe_href(item)
    return RadarCandidate(
        name=product.name if product else str(item.get("id")),
        product=product,
        acquired=utc_time(properties.get("start_datetime") or properties.get("datetime")),
        stop=utc_time(properties.get("end_datetime")),
        footprint=usable_footprint(item.get("geometry")),
        direction=_direction(properties.get("sat:orbit_state")),
        relative_orbit=_number(properties.get("sat:relative_orbit")),
        processed=_processed(properties),
        online=is_online(item),
        properties=properties,
        safe_href=folder,
        stated=_stated(item, folder) if folder else {},
        simulated=bool(properties.get("clearground:simulated", False)),
    )


def candidate_from_odata(entry: Json) -> RadarCandidate:
    """The product of one entry. Its files are looked up in its folder on S3 later."""
    attributes = attributes_of(entry)
    product = parse_radar_name(entry["Name"])
    content = entry.get("ContentDate") or {}
    return RadarCandidate(
        name=product.name if product else entry["Name"],
        product=product,
        acquired=utc_time(content.get("Start")),
        stop=utc_time(content.get("End")),
        footprint=footprint_of(entry),
        direction=_direction(attributes.get("orbitDirection")),
        relative_orbit=_number(attributes.get("relativeOrbitNumber")),
        processed=_processed({**entry, **attributes}),
        online=bool(entry.get("Online", True)),
        properties=attributes,
        safe_href=odata_safe_href(entry),
    )


def _stated(item: Json, folder: str) -> dict[str, File | None]:
    assets = [asset for asset in item["assets"].values() if s3_href(asset).startswith(f"{folder}/")]
    return {s3_href(asset).removeprefix(f"{folder}/"): asset_file(asset) for asset in assets}


def _direction(value: Any) -> Direction | None:
    return next((known for known in get_args(Direction) if known == str(value).lower()), None)


def _number(value: Any) -> int | None:
    return int(value) if str(value).isdigit() else None


def _processed(facts: Json) -> datetime | None:
    return next((time for name in _PROCESSED if (time := utc_time(facts.get(name)))), None)
