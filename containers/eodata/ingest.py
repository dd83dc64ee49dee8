"""Puts an item collection into the STAC server's database, in place of what it holds."""

import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods

from containers.base.step import progress

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


def ingest(items: list[Json], database: PgstacDB) -> None:
    """Load collections and items; what the database held before is dropped."""
    for (name,) in list(database.query("SELECT id FROM pgstac.collections")):
        database.query_one("SELECT pgstac.delete_collection(%s)", (name,))
    loader = Loader(database)
    with TemporaryDirectory() as folder:
        for kind, records, load in (
            ("collections", collections_of(items), loader.load_collections),
            ("items", items, loader.load_items),
        ):
            path = Path(folder) / f"{kind}.ndjson"
            path.write_bytes(b"\n".join(orjson.dumps(record) for record in records))
            load(str(path), insert_mode=Methods.insert)
    progress(len(items), max(len(items), 1), "items in the catalogue")


if __name__ == "__main__":
    with PgstacDB() as connected:
        ingest(orjson.loads(Path(sys.argv[1]).read_bytes())["features"], connected)
