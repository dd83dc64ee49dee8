"""The STAC collections that items belong to: one per mission and level."""

from datetime import datetime
from typing import Any

Json = dict[str, Any]
_WHOLE_WORLD = [-180.0, -90.0, 180.0, 90.0]


def collection_of(name: str, items: list[Json]) -> Json:
    """The smallest valid STAC collection that holds the items."""
    times = [datetime.fromisoformat(item["properties"]["datetime"]) for item in items]
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": name,
        "description": f"{name}: {len(items)} simulated items",
        "license": "other",
        "links": [],
        "extent": {
            "spatial": {"bbox": [_WHOLE_WORLD]},
            "temporal": {"interval": [[min(times).isoformat(), max(times).isoformat()]]},
        },
    }


def collections_of(items: list[Json]) -> list[Json]:
    """One collection per name that the items give."""
    names = sorted({item["collection"] for item in items})
    return [collection_of(name, [item for item in items if item["collection"] == name]) for name in names]
