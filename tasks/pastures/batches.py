"""Which stencils were cut together, from one run to the next: a new pasture is cut alone, the others are reused."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import geopandas
import shapely
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from tasks.records import SCENES_FOLDER
from tasks.store import Store

Members = Mapping[str, str]
"""Stencil to the hash of its geometry."""
FLOW: Final = "pasture_types"
_HASH_LENGTH: Final = 16


class StencilBatch(Contract):
    """Stencils of one tile that are cut together."""

    file: File = Field(description="GeoParquet: id, geometry")
    members: dict[str, str] = Field(description="Stencil to the hash of its geometry")
    wanted: tuple[str, ...] = Field(default=(), description="Those that this run takes from this batch")


class _Known(Contract):
    """What is remembered of one tile."""

    batches: tuple[StencilBatch, ...] = ()


def batches_of(known: Sequence[Members], wanted: Members) -> tuple[Members, ...]:
    """Batches that hold every wanted stencil: known ones that still serve, then one with all that is new.

    A known batch serves while it holds a wanted stencil, unchanged, that no earlier one holds; what else it holds is
    left in it, because a batch without it would be cut anew.

    >>> batches_of([{"a": "1", "b": "1"}], {"a": "1", "b": "2", "c": "1"})
    ({'a': '1', 'b': '1'}, {'b': '2', 'c': '1'})
    """
    left, kept = dict(wanted), []
    for batch in known:
        served = {name for name, digest in batch.items() if left.get(name) == digest}
        if served:
            kept.append(batch)
            left = {name: digest for name, digest in left.items() if name not in served}
    new = [dict(sorted(left.items()))] if left else []
    return (*kept, *new)


def remembered_batches(store: Store, job: str, tile: str, stencils: geopandas.GeoDataFrame) -> tuple[StencilBatch, ...]:
    """The batches of a tile's stencils (columns `id` and geometry), as remembered and with what is new.

    `job` tells runs apart that have nothing to do with each other, such as two products.
    """
    path = f"{SCENES_FOLDER}/{FLOW}/batches-{job}/{tile}.json"
    wanted = dict(zip(stencils["id"], hashes(stencils), strict=True))
    while True:
        document = store.shelf.read(path)
        known = _Known.model_validate_json(document.text) if document else _Known()
        there = [batch for batch in known.batches if store.shelf.size(batch.file.store_path) == batch.file.size]
        batches = tuple(_written(store, stencils, there, batches_of([batch.members for batch in there], wanted)))
        text = _Known(batches=batches).model_dump_json()
        if document is None:
            is_written = store.shelf.create(path, text)
        else:
            is_written = document.text == text or store.shelf.replace(path, text, document.version)
        if is_written:
            return tuple(_shared_out(batches, wanted))


def hashes(stencils: geopandas.GeoDataFrame) -> list[str]:
    """Of each geometry and its coordinate system."""
    crs = stencils.crs.to_wkt() if stencils.crs else ""
    return [
        hashlib.sha256(crs.encode() + shapely.to_wkb(geometry)).hexdigest()[:_HASH_LENGTH]
        for geometry in stencils.geometry.normalize()
    ]


def write_stencils(stencils: geopandas.GeoDataFrame, path: Path) -> Path:
    """GeoParquet in the order of ids: equal stencils are equal bytes."""
    ordered = stencils[["id", "geometry"]].sort_values("id", kind="stable").reset_index(drop=True)
    ordered.assign(geometry=ordered.geometry.normalize()).to_parquet(path, index=False, compression="zstd")
    return path


def _written(
    store: Store, stencils: geopandas.GeoDataFrame, known: Sequence[StencilBatch], batches: Sequence[Members]
) -> Iterator[StencilBatch]:
    for members in batches:
        batch = next((batch for batch in known if batch.members == members), None)
        if batch is None:
            store.scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=store.scratch) as folder:
                chosen = stencils[stencils["id"].isin(list(members))]
                file = store.import_file(write_stencils(chosen, Path(folder) / "stencils.parquet"))
            batch = StencilBatch(file=file, members=dict(members))
        yield batch


def _shared_out(batches: Sequence[StencilBatch], wanted: Members) -> Iterator[StencilBatch]:
    """Each wanted stencil in the first batch that holds it unchanged."""
    left = dict(wanted)
    for batch in batches:
        served = tuple(sorted(name for name, digest in batch.members.items() if left.get(name) == digest))
        left = {name: digest for name, digest in left.items() if name not in served}
        yield batch.model_copy(update={"wanted": served})
