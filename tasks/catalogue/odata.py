"""Search in the OData catalogue of CDSE or Creodias: products with their `S3Path`, for that path cannot be guessed."""

import json
from collections.abc import Iterator
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from containers.base.contract.step import StepError
from containers.base.sentinel2 import datastrip_start, parse_product_name
from tasks.catalogue import session
from tasks.catalogue.answer import RawAnswer
from tasks.catalogue.candidate import Candidate, utc_time
from tasks.catalogue.coverage import normalised, usable_footprint
from tasks.catalogue.request import SearchRequest
from tasks.periods import covering_ranges

PAGE_PRODUCTS = 200
_PRODUCT_TYPE = {"L1C": "S2MSI1C", "L2A": "S2MSI2A"}


def find(request: SearchRequest) -> tuple[list[Candidate], list[RawAnswer]]:
    """Every product of the level that meets the request's area and days, and the raw pages.

    `collection` is SENTINEL-2 here whatever the request says: OData knows the mission as one collection.
    """
    pages = list(_pages(request))
    raw = [RawAnswer(f"page-{i:04}.json", page) for i, page in enumerate(pages)]
    return [candidate_from_odata(product) for page in pages for product in _parsed(page, request)["value"]], raw


def filter_text(request: SearchRequest, area: BaseGeometry, start: object, end: object) -> str:
    """The `$filter` for one area and interval of days. Cloud and duplicates are judged here, not there."""
    wkt = shapely.to_wkt(area, rounding_precision=6)
    kind = _PRODUCT_TYPE[request.level]
    return " and ".join(
        (
            "Collection/Name eq 'SENTINEL-2'",
            "Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'productType' and "
            f"att/OData.CSC.StringAttribute/Value eq '{kind}')",
            f"OData.CSC.Intersects(area=geography'SRID=4326;{wkt}')",
            f"ContentDate/Start ge {start}T00:00:00.000Z",
            f"ContentDate/Start le {end}T23:59:59.999Z",
        )
    )


def candidate_from_odata(product: dict[str, Any]) -> Candidate:
    """The product of one entry. Its files and offsets are read from its folder on S3 later."""
    attributes = {entry["Name"]: entry.get("Value") for entry in product.get("Attributes") or ()}
    parsed = parse_product_name(product["Name"])
    acquired = (product.get("ContentDate") or {}).get("Start")
    path = product.get("S3Path")
    cloud = attributes.get("cloudCover")
    return Candidate(
        name=parsed.name if parsed else product["Name"],
        product=parsed,
        acquired=utc_time(acquired),
        footprint=usable_footprint(product.get("GeoFootprint")) or _from_footprint(product.get("Footprint")),
        cloud_cover=None if cloud is None else float(cloud),
        online=bool(product.get("Online", True)),
        datastrip=datastrip_start(str(attributes.get("datastripId", ""))),
        safe_href=f"s3:/{path}" if path else None,
    )


def _pages(request: SearchRequest) -> Iterator[bytes]:
    http = session.open_session()
    url = f"{request.endpoint.rstrip('/')}/Products"
    for start, end in covering_ranges(request.periods):
        for area in request.query_areas:
            params = {
                "$filter": filter_text(request, area, start, end),
                "$orderby": "ContentDate/Start asc",
                "$expand": "Attributes",
                "$top": str(PAGE_PRODUCTS),
            }
            page = session.get_bytes(http, url, params)
            yield page
            while next_url := _parsed(page, request).get("@odata.nextLink"):
                page = session.get_bytes(http, next_url)
                yield page


def _parsed(page: bytes, request: SearchRequest) -> dict[str, Any]:
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
