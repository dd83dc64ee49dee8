"""Puts an item collection into the STAC server's database, in place of what it holds."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods

from containers.base.step import progress
from containers.eodata.stac_collections import Json, collections_of


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
