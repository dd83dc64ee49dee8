"""A cube's chunks read as they lie in the file, unpacked by several threads, and held to their checksums."""

import hashlib
import itertools
import math
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from containers.base.contract.step import StepError
from containers.gdal.chunks import unpack
from containers.gdal.pipeline import in_order

Place = tuple[int, ...]
"""Where a chunk begins in its dataset."""


class Facts(NamedTuple):
    """A dataset's description, read once so that threads need not ask HDF5."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    nodata: int | None
    sha256: str


class Summary(NamedTuple):
    """What a part of a band holds inside the raster."""

    cells: int = 0
    nodata_cells: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf

    @property
    def nodata_share(self) -> float:
        return self.nodata_cells / self.cells

    def joined(self, other: "Summary") -> "Summary":
        return Summary(
            self.cells + other.cells,
            self.nodata_cells + other.nodata_cells,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )


def examine(facts: Facts, item: tuple[Place, bytes]) -> tuple[Place, bytes, Summary]:
    """Unpack one chunk and look at its cells. Raises `corrupt_file`, naming dataset and chunk."""
    place, packed = item
    try:
        unpacked = unpack(packed, facts.dtype, facts.chunks)
    except (zlib.error, ValueError) as error:
        raise corrupt(f"chunk {place} of {facts.name} does not unpack: {error}") from error
    cells = unpacked[tuple(slice(size - start) for start, size in zip(place, facts.shape, strict=True))]
    valid = cells[cells != facts.nodata]
    if not valid.size:
        return place, unpacked.tobytes(), Summary(cells.size, cells.size)
    summary = Summary(cells.size, cells.size - valid.size, int(valid.min()), int(valid.max()))
    return place, unpacked.tobytes(), summary


def packed_chunks(dataset: Any) -> Iterator[tuple[Place, bytes]]:
    """Every chunk as it lies in the file, in the order of the checksum."""
    starts = (range(0, size, step) for size, step in zip(dataset.shape, dataset.chunks, strict=True))
    for place in itertools.product(*starts):
        if dataset.id.get_chunk_info_by_coord(place).byte_offset is None:
            raise corrupt(f"chunk {place} of {dataset.name} was never written")
        try:
            _, packed = dataset.id.read_direct_chunk(place)
        except (OSError, RuntimeError) as error:
            raise corrupt(f"chunk {place} of {dataset.name} cannot be read: {error}") from error
        yield place, packed


def check_dataset(dataset: Any, pool: Executor, threads: int) -> list[Summary]:
    """A summary per band. Raises `corrupt_file` where the bytes are not those that were written."""
    facts = Facts(
        dataset.name,
        dataset.dtype,
        dataset.shape,
        dataset.chunks,
        int(dataset.attrs["_FillValue"]) if "_FillValue" in dataset.attrs else None,
        dataset.attrs["sha256"],
    )
    digest = hashlib.sha256()
    bands = [Summary() for _ in range(dataset.shape[0] if dataset.ndim == 3 else 1)]
    for place, unpacked, summary in in_order(pool, partial(examine, facts), packed_chunks(dataset), 4 * threads):
        digest.update(unpacked)
        band = place[0] if len(place) == 3 else 0
        bands[band] = bands[band].joined(summary)
    if digest.hexdigest() != facts.sha256:
        raise corrupt(f"{facts.name} has the checksum {digest.hexdigest()}, but {facts.sha256} was written")
    return bands


def corrupt(reason: str) -> StepError:
    return StepError("corrupt_file", f"The cube is damaged: {reason}.", "Remove it; the next run makes it anew.")
