"""Search in a STAC API: CDSE v1 (`https://stac.dataspace.copernicus.eu/v1`), Creodias, or the local EODATA."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from shapely.geometry import mapping

from tasks.catalogue import session
from tasks.catalogue.answer import RawAnswer
from tasks.catalogue.candidate import Candidate
from tasks.catalogue.item import candidate_from_item
from tasks.catalogue.request import CatalogueRequest, SearchRequest
from tasks.periods import covering_ranges

T = TypeVar("T")
PAGE_ITEMS = 200
"""An item of CDSE takes 65 kB."""


def find(request: SearchRequest) -> tuple[list[Candidate], list[RawAnswer]]:
    """Every product of the collection that meets the request's area and days, and the raw pages."""
    return search(request, candidate_from_item)


def search(request: CatalogueRequest, read: Callable[[dict[str, Any]], T]) -> tuple[list[T], list[RawAnswer]]:
    """What `read` makes of every item of the answer, and the raw pages."""
    try:
        pages = list(_pages(request))
    except APIError as error:
        # The status is missing where no answer came.
        raise session.status_error(request.endpoint, getattr(error, "status_code", None), str(error)[:300]) from error
    raw = [RawAnswer(f"page-{i:04}.json", json.dumps(page).encode()) for i, page in enumerate(pages)]
    return [read(item) for page in pages for item in page["features"]], raw


def _pages(request: CatalogueRequest) -> Iterator[dict[str, Any]]:
    client = Client.open(request.endpoint, stac_io=StacApiIO(max_retries=session.retry(), timeout=session.TIMEOUT_S))
    for start, end in covering_ranges(request.periods):
        for area in request.query_areas:
            yield from client.search(
                collections=[request.collection],
                intersects=mapping(area),
                datetime=f"{start}T00:00:00Z/{end}T23:59:59.999Z",
                limit=PAGE_ITEMS,
            ).pages_as_dicts()
