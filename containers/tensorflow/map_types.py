"""Vegetation types of every cell of one pasture."""

import csv
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import PROBABILITY_NODATA, PROBABILITY_SCALE
from containers.base.raster import create_cog, tile_windows
from containers.base.step import local_path, main, progress
from containers.tensorflow.contract.types import (
    OTHER_TYPES,
    TYPE_DOUBTFUL,
    TYPE_NODATA,
    TYPE_OTHER,
    TYPE_UNSEEN,
    MapTypesParams,
    MapTypesResult,
)
from containers.tensorflow.feature_map import FeatureMap, open_feature_map
from containers.tensorflow.type_legend import colours_of, write_style
from containers.tensorflow.type_model import TrainedTypes, bad_model, read_trained, require_fit

_BLOCK_PX: Final = 128
Probabilities = Callable[[NDArray[np.float32]], NDArray[np.floating]]
"""Features (n, feature) to probabilities (n, type)."""


def mapped(
    features: NDArray[np.float32], inside: NDArray[np.bool_], probabilities_of: Probabilities, trust: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Types and confidence (uint8 × 1/250), (y, x), from features (feature, y, x), NaN where seen too seldom.

    Below the probability `trust` the type stays open. Equal probabilities give the first type.
    """
    known = inside & np.isfinite(features).all(axis=0)
    types = np.where(inside, np.uint8(TYPE_UNSEEN), np.uint8(TYPE_NODATA))
    confidence = np.full(inside.shape, PROBABILITY_NODATA, np.uint8)
    if known.any():
        probabilities = probabilities_of(np.ascontiguousarray(features[:, known].T))
        highest = probabilities.max(axis=1)
        types[known] = np.where(highest < trust, TYPE_DOUBTFUL, probabilities.argmax(axis=1) + 1)
        confidence[known] = np.rint(highest / PROBABILITY_SCALE)
    return types, confidence


def run(params: MapTypesParams, out: Path) -> MapTypesResult:
    """Write `types.tif`, `types.qml`, `confidence.tif` and `counts.csv`. Raises `bad_model`, `corrupt_file`."""
    trained = read_trained(params.model)
    if taken := {"doubtful", "unknown", OTHER_TYPES} & set(trained.classes):
        raise bad_model(f"types are called {sorted(taken)}, as what has no type", "Give them other names (`grouping`).")
    with open_feature_map(local_path(params.features)) as features:
        require_fit(
            trained.card,
            names=features.names,
            source=features.source,
            simulated=features.simulated,
            allow_simulated=params.allow_simulated_model,
            recipe=features.recipe,
        )
        cells = _write(features, trained, params, out)
    types, colours = trained.classes, colours_of(trained.classes)
    return MapTypesResult(
        types=output_file(out / "types.tif"),
        confidence=output_file(out / "confidence.tif"),
        style=write_style(out / "types.qml", types, colours),
        counts=_write_counts(out / "counts.csv", types, cells, features.year),
        pasture_id=features.pasture_id,
        year=features.year,
        legend={str(code): name for code, name in enumerate(types, start=1)},
        colours={str(code): colour for code, colour in colours.items()},
        cells=_named(types, cells),
        cell_area_ha=features.grid.cell_area_ha,
        simulated=features.simulated or trained.card.simulated,
    )


def _write(features: FeatureMap, trained: TrainedTypes, params: MapTypesParams, out: Path) -> NDArray[np.int64]:
    """Write both rasters block by block; cells of every code, (256,)."""
    grid, cells = features.grid, np.zeros(256, np.int64)
    tags = {f"TYPE_{code}": name for code, name in enumerate(trained.classes, start=1)}
    with ExitStack() as stack:
        types_sink, confidence_sink = (
            stack.enter_context(sink) for sink in _sinks(grid, out, tags, params.execution.threads)
        )
        for window in tile_windows(grid.shape, _BLOCK_PX):
            values, inside = features.read(window)
            types, confidence = mapped(values, inside, trained.probabilities, trained.trust)
            types_sink.write(types, 1, window=window)
            confidence_sink.write(confidence, 1, window=window)
            cells += np.bincount(types.ravel(), minlength=256)
            progress(window.row_off + window.height, grid.height, f"types of {features.pasture_id}")
    return cells


def _sinks(grid: Grid, out: Path, tags: dict[str, str], threads: int) -> tuple[AbstractContextManager[Any], ...]:
    return (
        create_cog(
            out / "types.tif", grid, dtype="uint8", nodata=TYPE_NODATA, bands=("type",), tags=tags, overviews="mode",
            threads=threads,
        ),
        create_cog(
            out / "confidence.tif", grid, dtype="uint8", nodata=PROBABILITY_NODATA, bands=("confidence",),
            scale=PROBABILITY_SCALE, overviews="average", threads=threads,
        ),
    )  # fmt: skip


def _named(types: Sequence[str], cells: NDArray[np.int64]) -> dict[str, int]:
    named = {name: int(cells[code]) for code, name in enumerate(types, start=1)}
    return named | {"doubtful": int(cells[TYPE_DOUBTFUL]), "unknown": int(cells[TYPE_UNSEEN])}


def _write_counts(path: Path, types: Sequence[str], cells: NDArray[np.int64], year: int) -> File:
    codes = {name: code for code, name in enumerate(types, start=1)} | {OTHER_TYPES: TYPE_OTHER}
    unknown, total = int(cells[TYPE_UNSEEN]), int(cells.sum() - cells[TYPE_NODATA])
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("region_id", "region_name", "period", "indicator", "cells", "unknown_cells", "total_cells"))
        for name, code in codes.items():
            table.writerow(("ALL", "all", year, name, int(cells[code]), unknown, total))
    return output_file(path)


if __name__ == "__main__":
    main(MapTypesParams, run)
