"""One acquisition of one tile, cut to stencils: bands, and layers of cloud, shadow and snow, on the tile's pixels."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SCALE
from containers.base.contract.step import StepError
from containers.base.raster import create_sparse
from containers.base.step import local_path, main, progress
from containers.gdal.contract.cut import LAYER_UNKNOWN, LAYERS, CutParams, LayerName, Slice
from containers.gdal.cut_product import MaskLayer, Product, unmasked
from containers.gdal.esa_product import EsaProduct
from containers.gdal.layer_tables import YES, combined
from containers.gdal.stencils import Cut, cut_of, place, read_stencils
from containers.gdal.theia_product import TheiaProduct
from containers.gdal.tile_layer import TileLayer, blocks_of, tile_grid


class Workers(NamedTuple):
    """Who reads blocks."""

    pool: Executor
    threads: int


def shares_of(cut: Cut, valid: NDArray[np.bool_], layers: dict[LayerName, int]) -> dict[str, float]:
    """Share of the stencils' cells with data, and of those the share that each layer says yes to.

    `valid` is (y, x); `layers` counts the valid cells of yes.
    """
    n_valid = int(valid.sum())
    return {"valid": n_valid / int(cut.inside.sum())} | {name: cells / n_valid for name, cells in layers.items()}


def require_valid(product: Product, cut: Cut, valid: NDArray[np.bool_]) -> None:
    """Raises `no_valid_pixels`, with places, where no cell that the stencils let through has data in every band."""
    if valid.any():
        return
    facts = product.facts
    raise StepError(
        "no_valid_pixels",
        f"{', '.join(facts['product_ids'])}: none of the {int(cut.inside.sum())} cells that the stencils let through "
        f"has data in every band. Tile {facts['tile']} lies at {place(cut.tile.bounds)} of EPSG:{cut.tile.epsg}, the "
        f"stencils' window at {place(cut.grid.bounds)}.",
        "The swath may miss the stencils on this date; where no date has data, check the stencils' coordinate system.",
    )


def run(params: CutParams, out: Path) -> Slice:
    threads = params.execution.threads
    with ThreadPoolExecutor(params.resources.connections) as archive, ThreadPoolExecutor(threads) as pool:
        product: Product = TheiaProduct(params.maja) if params.maja else EsaProduct(params, archive)
        lacking, workers = unmasked(product, params.missing_masks), Workers(pool, threads)
        bands = product.bands(params.bands)
        first = next(bands)
        tile = tile_grid(first)
        cut = cut_of(read_stencils(local_path(params.stencils), tile.epsg), tile, product.facts["tile"])
        valid = _write_bands(chain([first], bands), params.bands, cut, workers, out / "bands.tif")
        require_valid(product, cut, valid)
        counts = _write_layers(product, cut, valid, workers, out / "layers.tif")
    return Slice(
        **product.facts,
        grid=cut.grid,
        bands=output_file(out / "bands.tif"),
        layers=output_file(out / "layers.tif"),
        shares=shares_of(cut, valid, counts),
        unmasked=lacking,
    )


def _write_bands(
    bands: Iterator[TileLayer], names: Sequence[str], cut: Cut, workers: Workers, path: Path
) -> NDArray[np.bool_]:
    """Write what the stencils let through. Returns where every band has data, (y, x)."""
    valid = cut.inside.copy()
    with create_sparse(
        path,
        cut.grid,
        dtype="int16",
        nodata=REFLECTANCE_NODATA,
        bands=names,
        scale=REFLECTANCE_SCALE,
        filled=cut.filled,
        threads=workers.threads,
    ) as sink:
        for number, band in enumerate(bands, start=1):
            for window, inside, (values,) in blocks_of([band], cut, *workers):
                kept = np.where(inside, values, REFLECTANCE_NODATA).astype(np.int16)
                valid[window.toslices()] &= kept != REFLECTANCE_NODATA
                sink.write(kept, number, window=window)
            progress(number, len(names), band.name)
    return valid


def _write_layers(
    product: Product, cut: Cut, valid: NDArray[np.bool_], workers: Workers, path: Path
) -> dict[LayerName, int]:
    """Write the layers, not known where a band has no data. Returns how many cells each says yes to."""
    masks = list(product.masks(cut.tile))
    counts = dict.fromkeys(LAYERS, 0)
    with create_sparse(
        path,
        cut.grid,
        dtype="uint8",
        nodata=LAYER_UNKNOWN,
        bands=LAYERS,
        filled=cut.filled,
        threads=workers.threads,
    ) as sink:
        for window, _, codes in blocks_of([mask.codes for mask in masks], cut, *workers) if masks else ():
            for number, layer in enumerate(LAYERS, start=1):
                if told := _told(layer, masks, codes):
                    known = np.where(valid[window.toslices()], combined(told), LAYER_UNKNOWN).astype(np.uint8)
                    counts[layer] += int((known == YES).sum())
                    sink.write(known, number, window=window)
    return counts


def _told(layer: LayerName, masks: list[MaskLayer], codes: list[NDArray[Any]]) -> list[NDArray[np.uint8]]:
    """What each mask that speaks of a layer says, (y, x)."""
    return [mask.tables[layer].take(each) for mask, each in zip(masks, codes, strict=True) if layer in mask.tables]


if __name__ == "__main__":
    main(CutParams, run)
