"""Search in a DHuS-style hub through `sentinelsat`, for mirrors that still speak its OpenSearch.

ESA's own hub (SciHub, apihub.copernicus.eu) was closed in October 2023, and `sentinelsat` cannot talk to its
successor CDSE: use `stac` or `odata` there. A hub does not say where products lie on S3: the request's `safe_path`
does, and products that are not there are refused as ghosts. User name and password: DHUS_USER and DHUS_PASSWORD.
"""

import json
import os
from typing import Any

import shapely
from sentinelsat import SentinelAPI
from sentinelsat.exceptions import SentinelAPIError
from shapely.geometry.base import BaseGeometry

from containers.base.sentinel2 import ProductName, datastrip_start, parse_product_name
from tasks.catalogue import session
from tasks.catalogue.answer import RawAnswer
from tasks.catalogue.candidate import Candidate, utc_time
from tasks.catalogue.coverage import normalised
from tasks.catalogue.request import SearchRequest
from tasks.periods import covering_ranges

PAGE_PRODUCTS = 100
"""The most that hubs give at once."""
_PRODUCT_TYPE = {"L1C": "S2MSI1C", "L2A": "S2MSI2A"}


def find(request: SearchRequest) -> tuple[list[Candidate], list[RawAnswer]]:
    """Every product of the level that meets the request's area and days, and the hub's entries."""
    api = SentinelAPI(
        os.environ.get("DHUS_USER"), os.environ.get("DHUS_PASSWORD"), request.endpoint, show_progressbars=False
    )
    api.page_size = PAGE_PRODUCTS
    session.open_session(api.session)
    answers: list[dict[str, dict[str, Any]]] = []
    for start, end in covering_ranges(request.periods):
        for area in request.query_areas:
            with session.coded_errors(request.endpoint):
                answers.append(_query(api, request, area, f"[{start}T00:00:00Z TO {end}T23:59:59.999Z]"))
    raw = [
        RawAnswer(f"answer-{i:04}.json", json.dumps(answer, default=str).encode()) for i, answer in enumerate(answers)
    ]
    return [candidate_from_hub(entry, request) for answer in answers for entry in answer.values()], raw


def _query(api: SentinelAPI, request: SearchRequest, area: BaseGeometry, interval: str) -> dict[str, dict[str, Any]]:
    try:
        answer: dict[str, dict[str, Any]] = api.query(
            area=shapely.to_wkt(area, rounding_precision=4),
            raw=f"beginposition:{interval}",
            platformname="Sentinel-2",
            producttype=_PRODUCT_TYPE[request.level],
        )
    except SentinelAPIError as error:
        raise session.status_error(request.endpoint, error.response.status_code, error.msg[:300]) from error
    return answer


def candidate_from_hub(entry: dict[str, Any], request: SearchRequest) -> Candidate:
    """The product of one entry."""
    name = str(entry.get("title") or entry.get("identifier"))
    product = parse_product_name(name)
    footprint = entry.get("footprint")
    cloud = entry.get("cloudcoverpercentage")
    return Candidate(
        name=product.name if product else name,
        product=product,
        acquired=utc_time(entry.get("beginposition")),
        footprint=normalised(shapely.from_wkt(footprint)) if footprint else None,
        cloud_cover=None if cloud is None else float(cloud),
        online=str(entry.get("ondemand", "false")).lower() != "true",
        datastrip=datastrip_start(str(entry.get("datastripidentifier", ""))),
        safe_href=_safe_href(product, request) if product else None,
    )


def _safe_href(product: ProductName, request: SearchRequest) -> str:
    return request.safe_path.format(level=product.level, date=product.datatake, name=product.name)
