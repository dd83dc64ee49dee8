"""Search in a file: a STAC item collection as JSON, or stac-geoparquet."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow
import shapely
from pyarrow import ArrowInvalid, compute, parquet
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from containers.base.contract.step import StepError
from tasks.catalogue.answer import RawAnswer
from tasks.catalogue.candidate import Candidate
from tasks.catalogue.item import candidate_from_item
from tasks.catalogue.request import CatalogueRequest, SearchRequest
from tasks.periods import Period

_TOP_LEVEL = {"type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "links", "assets", "collection"}


class Placed(Protocol):
    """What is known of an item's time and place."""

    @property
    def acquired(self) -> datetime | None: ...
    @property
    def footprint(self) -> BaseGeometry | None: ...


C = TypeVar("C", bound=Placed)


def find(request: SearchRequest) -> tuple[list[Candidate], list[RawAnswer]]:
    """What a server would answer from the items of the file. Raises `missing_file`, `corrupt_file`."""
    return search(request, candidate_from_item)


def search(request: CatalogueRequest, read: Callable[[dict[str, Any]], C]) -> tuple[list[C], list[RawAnswer]]:
    """What `read` makes of every item that a server would answer, and the answer."""
    path = Path(request.endpoint)
    if not path.is_file():
        raise StepError("missing_file", f"There is no item collection {path}.", "Check the endpoint.")
    is_parquet = path.suffix in (".parquet", ".geoparquet")
    items = _read_parquet(path, request.periods) if is_parquet else _read_json(path)
    answered: list[dict[str, Any]] = []
    found: list[C] = []
    for item in items:
        candidate = read(item)
        if item.get("collection", request.collection) == request.collection and _is_asked(candidate, request):
            answered.append(item)
            found.append(candidate)
    answer = {"type": "FeatureCollection", "features": answered}
    return found, [RawAnswer(f"{path.stem}.json", json.dumps(answer).encode())]


def _is_asked(candidate: Placed, request: CatalogueRequest) -> bool:
    """Broken entries pass: the rules refuse them by name, a filter would hide them."""
    in_time = candidate.acquired is None or any(candidate.acquired in period for period in request.periods)
    return in_time and (candidate.footprint is None or candidate.footprint.intersects(request.area))


def _read_json(path: Path) -> list[dict[str, Any]]:
    try:
        parsed = json.loads(path.read_bytes())
        items = parsed["features"] if parsed["type"] == "FeatureCollection" else [parsed]
        return [dict(item) for item in items]
    except (ValueError, KeyError, TypeError) as error:
        raise _corrupt(path, error) from error


def _read_parquet(path: Path, periods: Sequence[Period]) -> list[dict[str, Any]]:
    """Items from stac-geoparquet: properties are columns, the geometry is WKB, absent assets are null.

    Only rows of the periods are read, and those without a time, so that a large archive never lies in memory whole.
    """
    try:
        kind = parquet.read_schema(path).field("datetime").type
        is_comparable = pyarrow.types.is_timestamp(kind) and kind.tz is not None
        rows = parquet.read_table(path, filters=_in_time(periods) if is_comparable else None).to_pylist()
        return [_item_of_row(row) for row in rows]
    except (ArrowInvalid, KeyError, shapely.errors.ShapelyError) as error:
        raise _corrupt(path, error) from error


def _in_time(periods: Sequence[Period]) -> compute.Expression:
    field = compute.field("datetime")
    first = datetime.combine(min(period.start for period in periods), time.min, UTC)
    end = datetime.combine(max(period.end for period in periods) + timedelta(days=1), time.min, UTC)
    return field.is_null() | ((field >= first) & (field < end))


def _item_of_row(row: dict[str, Any]) -> dict[str, Any]:
    properties = {key: _plain(value) for key, value in row.items() if key not in _TOP_LEVEL and value is not None}
    geometry = row["geometry"]
    return {
        "id": row["id"],
        **({"collection": row["collection"]} if row.get("collection") else {}),
        "geometry": mapping(shapely.from_wkb(geometry)) if geometry is not None else None,
        "properties": properties,
        "assets": {key: _without_nulls(asset) for key, asset in row["assets"].items() if asset is not None},
    }


def _without_nulls(asset: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asset.items() if value is not None}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | date) else value


def _corrupt(path: Path, error: Exception) -> StepError:
    return StepError("corrupt_file", f"{path} is no item collection: {error!r}.", "Give GeoJSON or stac-geoparquet.")
