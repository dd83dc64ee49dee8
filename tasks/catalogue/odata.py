"""Search in the OData catalogue of CDSE or Creodias: products with their `S3Path`, for that path cannot be guessed."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import shapely
from shapely.geometry.base import BaseGeometry

from containers.base.contract.step import StepError
from containers.base.sentinel2 import datastrip_start, parse_product_name
from tasks.catalogue import session
from tasks.catalogue.answer import RawAnswer
from tasks.catalogue.candidate import Candidate, utc_time
from tasks.catalogue.coverage import normalised, usable_footprint
from tasks.catalogue.request import CatalogueRequest, SearchRequest
from tasks.periods import covering_ranges

T = TypeVar("T")
PAGE_PRODUCTS = 200
_PRODUCT_TYPE = {"L1C": "S2MSI1C", "L2A": "S2MSI2A"}


def find(request: SearchRequest) -> tuple[list[Candidate], list[RawAnswer]]:
    """Every product of the level that meets the request's area and days, and the raw pages.

    `collection` is SENTINEL-2 here whatever the request says: OData knows the mission as one collection.
    """
    return search(request, "SENTINEL-2", (_PRODUCT_TYPE[request.level],), candidate_from_odata)


def search(
    request: CatalogueRequest, mission: str, kinds: Sequence[str], read: Callable[[dict[str, Any]], T]
) -> tuple[list[T], list[RawAnswer]]:
    """What `read` makes of every product of these types, and the raw pages."""
    pages = list(_pages(request, _of_kind(mission, kinds)))
    raw = [RawAnswer(f"page-{i:04}.json", page) for i, page in enumerate(pages)]
    return [read(product) for page in pages for product in _parsed(page, request)["value"]], raw


def filter_text(of_kind: str, area: BaseGeometry, start: object, end: object) -> str:
    """The `$filter` for one area and interval of days. Everything else is judged here, not there."""
    wkt = shapely.to_wkt(area, rounding_precision=6)
    return " and ".join(
        (
            of_kind,
            f"OData.CSC.Intersects(area=geography'SRID=4326;{wkt}')",
            f"ContentDate/Start ge {start}T00:00:00.000Z",
            f"ContentDate/Start le {end}T23:59:59.999Z",
        )
    )


def candidate_from_odata(product: dict[str, Any]) -> Candidate:
    """The product of one entry. Its files and offsets are read from its folder on S3 later."""
    attributes = attributes_of(product)
    parsed = parse_product_name(product["Name"])
    acquired = (product.get("ContentDate") or {}).get("Start")
    cloud = attributes.get("cloudCover")
    return Candidate(
        name=parsed.name if parsed else product["Name"],
        product=parsed,
        acquired=utc_time(acquired),
        footprint=footprint_of(product),
        cloud_cover=None if cloud is None else float(cloud),
        online=bool(product.get("Online", True)),
        datastrip=datastrip_start(str(attributes.get("datastripId", ""))),
        safe_href=safe_href(product),
    )


def attributes_of(product: dict[str, Any]) -> dict[str, Any]:
    """What the catalogue knows of a product, by name; asked for with `$expand=Attributes`."""
    return {entry["Name"]: entry.get("Value") for entry in product.get("Attributes") or ()}


def footprint_of(product: dict[str, Any]) -> BaseGeometry | None:
    """The outline of a product's data in EPSG:4326."""
    return usable_footprint(product.get("GeoFootprint")) or _from_footprint(product.get("Footprint"))


def safe_href(product: dict[str, Any]) -> str | None:
    """A product's folder on S3."""
    path = product.get("S3Path")
    return f"s3:/{path}" if path else None


def _of_kind(mission: str, kinds: Sequence[str]) -> str:
    is_kind = (
        "Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'productType' and "
        f"att/OData.CSC.StringAttribute/Value eq '{kind}')"
        for kind in kinds
    )
    either = " or ".join(is_kind)
    return f"Collection/Name eq '{mission}' and " + (f"({either})" if len(kinds) > 1 else either)


def _pages(request: CatalogueRequest, of_kind: str) -> Iterator[bytes]:
    http = session.open_session()
    url = f"{request.endpoint.rstrip('/')}/Products"
    for start, end in covering_ranges(request.periods):
        for area in request.query_areas:
            params = {
                "$filter": filter_text(of_kind, area, start, end),
                "$orderby": "ContentDate/Start asc",
                "$expand": "Attributes",
                "$top": str(PAGE_PRODUCTS),
            }
            page = session.get_bytes(http, url, params)
            yield page
            while next_url := _parsed(page, request).get("@odata.nextLink"):
                page = session.get_bytes(http, next_url)
                yield page


def _parsed(page: bytes, request: CatalogueRequest) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(page)
        if not isinstance(parsed["value"], list):
            raise TypeError("`value` is no list")
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{request.endpoint} answered what is no OData page: {page[:200]!r}."
        raise StepError("bad_parameters", reason, "Check the endpoint.") from error
    return parsed


def _from_footprint(text: str | None) -> BaseGeometry | None:
    """`geography'SRID=4326;POLYGON ((…))'`, which older entries have alone."""
    wkt = (text or "").partition(";")[2].rstrip("'")
    return normalised(shapely.from_wkt(wkt)) if wkt else None
