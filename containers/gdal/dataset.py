"""Tiles of all pairs in one HDF5 file, and the scalers that its training part asks for."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError
from containers.base.raster import raise_if_full
from containers.base.scalers import Channel, Scaler
from containers.base.step import local_path, main, progress
from containers.gdal.chunks import pack
from containers.gdal.contract.dataset import PARTS, DatasetParams, DatasetResult
from containers.gdal.dataset_layout import LAYERS, Axes, create_part, describe, json_of
from containers.gdal.pair_files import require_pair
from containers.gdal.pair_tile import PairTile, is_seen, read_pair, require_layers
from containers.gdal.pipeline import in_order
from containers.gdal.scaler_fit import RADAR_UNIT, Histograms
from containers.gdal.tile_table import Tile, read_tiles


class Sample(NamedTuple):
    """One tile, ready to be written."""

    tile: Tile
    values: PairTile
    packed: dict[str, bytes]


Parts = dict[str, list[Tile]]
_RUN_PX = 2048
"""So wide a window is read at once: opening rasters for every tile costs more than reading it."""


def add_to_fit(
    histograms: Histograms, tile: PairTile, channels: tuple[Channel, ...], bands: tuple[Channel, ...]
) -> None:
    """Radar counts wherever it has data, optical images where the ground is seen."""
    n_radar = sum(channel.unit == RADAR_UNIT for channel in channels)
    everywhere = np.ones(tile.sky_t0.shape, bool)
    histograms.add(tile.inputs[..., :n_radar], channels[:n_radar], everywhere)
    histograms.add(tile.inputs[..., n_radar:], channels[n_radar:], is_seen(tile.sky_t0))
    histograms.add(tile.target, bands, is_seen(tile.sky_t1))


def runs(tiles: Sequence[Tile], tile_px: int) -> Iterator[list[Tile]]:
    """Tiles that are read together: neighbours in one row of a pair, from west to east."""
    last: list[Tile] = []
    for tile in sorted(tiles, key=lambda tile: (tile.pair, tile.row_px, tile.col_px)):
        if last:
            same_row = (tile.pair, tile.row_px) == (last[0].pair, last[0].row_px)
            if not same_row or tile.col_px + tile_px - last[0].col_px > max(_RUN_PX, tile_px):
                yield last
                last = []
        last.append(tile)
    if last:
        yield last


def run(params: DatasetParams, out: Path) -> DatasetResult:
    """Write `dataset.h5` and `scalers.json`.

    Raises `bad_dataset`, `grid_mismatch`, `unknown_band`, `disk_full`.
    """
    for pair in params.pairs:
        require_pair(pair, params.grid)
        require_layers(pair, params.polarisations, params.bands)
    parts = _parts(params)
    path, draft = out / "dataset.h5", out / ".dataset.h5.part"
    try:
        with h5py.File(draft, "w") as file:
            scalers, filled = _write_parts(file, params, parts)
            describe(file, params, scalers, filled)
        draft.replace(path)
    except OSError as error:
        raise_if_full(out, cause=error)
        raise
    finally:
        draft.unlink(missing_ok=True)
    (out / "scalers.json").write_text(json_of(scalers) + "\n")
    return DatasetResult(
        dataset=output_file(path),
        scalers=output_file(out / "scalers.json"),
        channels=tuple(channel.name for channel in Axes.of(params).channels),
        bands=params.bands,
        tiles={part: len(tiles) for part, tiles in parts.items()},
        filled=filled,
    )


def _parts(params: DatasetParams) -> Parts:
    pairs = [pair.label for pair in params.pairs]
    tiles = read_tiles(local_path(params.tiles), params.grid, params.tile_px)
    if unknown := sorted({tile.pair for tile in tiles} - set(pairs)):
        raise _refused(f"tiles are of the pairs {', '.join(unknown)}; given are {', '.join(pairs)}")
    parts = {part: sorted((t for t in tiles if t.part == part), key=lambda t: (t.pair, t.id)) for part in PARTS}
    if empty := [part for part, own in parts.items() if not own]:
        raise _refused(f"there is no tile for {', '.join(empty)}")
    return parts


def _write_parts(file: Any, params: DatasetParams, parts: Parts) -> tuple[dict[str, Scaler], dict[str, int]]:
    """Tile by tile; the scalers, and the closed gaps of each radar channel."""
    channels, bands = Axes.of(params)
    for part, tiles in parts.items():
        create_part(file, part, tiles, params.tile_px, {"inputs": len(channels), "target": len(bands)})
    place = {(tile.pair, tile.id): number for tiles in parts.values() for number, tile in enumerate(tiles)}
    histograms, filled, done = Histograms(), np.zeros(2 * len(params.polarisations), np.int64), 0
    with ThreadPoolExecutor(params.execution.threads) as pool:
        every = list(chain.from_iterable(parts.values()))
        items = runs(every, params.tile_px)
        for samples in in_order(pool, partial(_read, params), items, waiting=params.execution.threads + 1):
            for sample in samples:
                _write(file, sample, place[sample.tile.pair, sample.tile.id])
                if sample.tile.part == "train":
                    add_to_fit(histograms, sample.values, channels, bands)
                filled += sample.values.filled
            done += len(samples)
            progress(done, len(every), f"{samples[0].tile.pair} {samples[0].tile.id}")
    names = (channel.name for channel in channels)
    return histograms.scalers(params.scaling), dict(zip(names, filled.tolist(), strict=False))


def _read(params: DatasetParams, tiles: Sequence[Tile]) -> list[Sample]:
    first, last, size = tiles[0], tiles[-1], params.tile_px
    pair = next(pair for pair in params.pairs if pair.label == first.pair)
    window = Window(first.col_px, first.row_px, last.col_px + size - first.col_px, size)
    rows = read_pair(pair, *Axes.of(params), window)
    samples = []
    for tile in tiles:
        left = tile.col_px - first.col_px
        values = rows.tile(slice(left, left + size))
        samples.append(Sample(tile, values, {layer: pack(_layer(values, layer)) for layer in LAYERS}))
    return samples


def _layer(values: PairTile, name: str) -> NDArray[Any]:
    layer: NDArray[Any] = getattr(values, name)
    return layer


def _write(file: Any, sample: Sample, place: int) -> None:
    for layer, data in sample.packed.items():
        dataset = file[f"{sample.tile.part}/{layer}"]
        dataset.id.write_direct_chunk((place,) + (0,) * (dataset.ndim - 1), data)


def _refused(reason: str) -> StepError:
    return StepError(
        "bad_dataset",
        f"{reason[0].upper()}{reason[1:]}.",
        "Give the tiles that gdal.tiles made of these pairs, with the same tile size and grid.",
    )


if __name__ == "__main__":
    main(DatasetParams, run)
