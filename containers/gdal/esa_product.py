"""ESA's products from the archive: bands as digital numbers in JP2 files, masks as SCL or as quality masks of L1C."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.scene import BandName
from containers.base.contract.step import StepError
from containers.base.raster import open_raster
from containers.gdal.contract.cut import LAYERS, CutParams, LayerName
from containers.gdal.cut_product import MaskLayer
from containers.gdal.l1c_masks import layers_of, mask_layers
from containers.gdal.layer_tables import rules_of, tables_of
from containers.gdal.source import SCL, Source, fetched, open_source
from containers.gdal.tile_layer import Read, TileLayer


class EsaProduct:
    """One product, or the halves of one datatake, joined: where they overlap, the first with data wins."""

    def __init__(self, params: CutParams, archive: Executor) -> None:
        self._parts, self._quality_masks, self._archive = params.parts, params.quality_masks, archive
        if self._quality_masks and len(self._quality_masks) != len(self._parts):
            raise StepError(
                "bad_masks",
                f"{len(self._parts)} parts have {len(self._quality_masks)} quality masks.",
                "Give one quality mask per part, in their order.",
            )

    @property
    def facts(self) -> dict[str, Any]:
        first = self._parts[0]
        same = ("platform", "tile", "level", "orbit", "baseline")
        return {name: getattr(first, name) for name in same} | {
            "source": "esa",
            "product_ids": tuple(part.id for part in self._parts),
            "acquired": first.datetime,
            "simulated": any(part.simulated for part in self._parts),
        }

    @cached_property
    def masked(self) -> frozenset[LayerName]:
        if self._scl:
            return frozenset(LAYERS)
        told = [layers_of(file) for file in self._quality_masks]
        return frozenset.intersection(*told) if told else frozenset()

    @property
    def _scl(self) -> tuple[File, ...]:
        found = tuple(part.scl for part in self._parts if part.scl)
        return found if len(found) == len(self._parts) else ()

    def bands(self, names: Sequence[BandName]) -> Iterator[TileLayer]:
        for part in self._parts:
            if missing := [name for name in names if name not in part.bands]:
                raise StepError(
                    "unknown_band",
                    f"{part.id} has no {', '.join(missing)}; it has {', '.join(sorted(part.bands))}.",
                    "Search products with these bands, or cut fewer.",
                )
        first, *others = names
        yield self._joined(first, self._paths(part.bands[first] for part in self._parts))
        # Asked for after the first has shown that the stencils lie in the tile.
        waiting = {name: [self._archive.submit(fetched, part.bands[name]) for part in self._parts] for name in others}
        for name, files in waiting.items():
            yield self._joined(name, tuple(file.result() for file in files))

    def masks(self, tile: Grid) -> Iterator[MaskLayer]:
        if self._scl:
            yield MaskLayer(self._joined(SCL, self._paths(self._scl)), tables_of(rules_of("scl")))
        else:
            for path in self._paths(self._quality_masks):
                yield from mask_layers(path, tile)

    def _paths(self, files: Any) -> tuple[Path, ...]:
        return tuple(self._archive.map(fetched, files))

    def _joined(self, name: str, paths: tuple[Path, ...]) -> TileLayer:
        source = open_source(name, paths, self._parts)
        with open_raster(paths[0]) as dataset:
            block = dataset.block_shapes[0]
        return TileLayer(name, source.grid(), block, lambda: _opened(source), is_parallel=True)


@contextmanager
def _opened(source: Source) -> Iterator[Read]:
    yield source.read
