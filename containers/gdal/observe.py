"""One acquisition read once: index bands on the analysis grid, and small pictures of all bands in the tile's own."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SCALE
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.raster import create_cog, write_cog
from containers.base.step import main, progress
from containers.gdal.acquisition import Aligned, layers, no_data, offset_warnings, on_grid, target_grid, valid_share
from containers.gdal.contract.observe import Image, Observation, ObserveParams
from containers.gdal.control_grid import Geometry
from containers.gdal.picture import block_mean, block_mode, blocks_of, covering
from containers.gdal.source import SCL, Source, decode, fetched, open_source
from containers.gdal.warp import Warp, plan_warp


class Decoded(NamedTuple):
    """All of one layer, digital numbers settled."""

    source: Source
    flat: NDArray[Any]
    """Flattened, with one nodata value behind the last pixel."""

    @property
    def pixels(self) -> NDArray[Any]:
        """(y, x)."""
        pixels: NDArray[Any] = self.flat[:-1].reshape(self.source.geometry.shape)
        return pixels


def cloud_share(parts: tuple[Scene, ...]) -> float | None:
    """Cloud in percent by metadata, parts weighted by what they show; None where a part does not say."""
    covers = [part.cloud_cover for part in parts if part.cloud_cover is not None]
    if len(covers) < len(parts):
        return None
    weights = [max(part.valid_share, 1e-9) for part in parts]
    return float(np.average(covers, weights=weights))


def outline(parts: tuple[Scene, ...]) -> str:
    """The valid data of all parts together as WKT."""
    if len(parts) == 1:
        return parts[0].footprint
    return str(shapely.union_all([shapely.from_wkt(part.footprint) for part in parts]).wkt)


def run(params: ObserveParams, out: Path) -> Observation:
    with (
        ThreadPoolExecutor(params.resources.connections) as archive,
        ThreadPoolExecutor(params.execution.threads) as pool,
    ):
        decoded = _decoded(params, archive, pool)
        first = next(decoded)
        source = first.source
        warps = _Warps(target_grid(source, params.grid, params.block_px), pool)
        aligned: list[Aligned] = []
        all_layers = chain(iter([first]), decoded)
        del first  # A 10 m band of a tile is 240 MB: none is kept while the next ones are decoded.
        with _pictures(params, source.grid(), out) as pictures:
            for done, layer in enumerate(all_layers, start=1):
                name = layer.source.name
                if name in params.index_bands:
                    aligned.append(on_grid(layer.flat, layer.source, warps.of(layer.source), out))
                if name == SCL or name in params.mask_bands:
                    pictures.add(layer)
                progress(done, len(pictures.names) + len(set(params.index_bands) - set(pictures.names)), name)
                del layer
        warp = warps.of(source)
    head = params.parts[0]
    return Observation(
        scene_id=head.id,
        tile=head.tile,
        acquired=head.datetime,
        platform=head.platform,
        orbit=head.orbit,
        level=head.level,
        baseline=head.baseline,
        simulated=head.simulated,
        cloud_cover=cloud_share(params.parts),
        footprint=outline(params.parts),
        grid=warps.target,
        bands={layer.name: layer.file for layer in aligned},
        features=Image(file=output_file(out / "features.tif"), grid=pictures.features),
        background=Image(file=output_file(out / "background.tif"), grid=pictures.background),
        valid_share=valid_share(aligned, warp, head.id),
        warnings=tuple(offset_warnings(params.parts, params.index_bands, [layer.lowest for layer in aligned])),
    )


class _Warps:
    """One warp per source geometry."""

    def __init__(self, target: Grid, pool: Executor) -> None:
        self.target, self._pool = target, pool
        self._known: dict[Geometry, Warp] = {}

    def of(self, source: Source) -> Warp:
        if source.geometry not in self._known:
            warp = plan_warp(self.target, source.geometry, self._pool, whole=True)
            if warp is None:
                raise no_data(source.paths[0].name, "the grid's window does not touch it")
            self._known[source.geometry] = warp
        return self._known[source.geometry]


class _Pictures:
    """Features, written band by band, and the background, which is made of them and small enough to keep."""

    def __init__(self, names: tuple[str, ...], features: Grid, background: Grid, tile: Grid, sink: Any) -> None:
        self.names, self.features, self.background = names, features, background
        self._tile, self._sink = tile, sink
        self.backgrounds: dict[str, NDArray[np.int16]] = {}

    def add(self, layer: Decoded) -> None:
        source = layer.source
        own = source.grid()
        if own.bounds != self._tile.bounds:
            raise StepError(
                "grid_mismatch",
                f"{source.paths[0].name} covers {tuple(own.bounds)}, the acquisition's other bands "
                f"{tuple(self._tile.bounds)}.",
                "Give the bands of one tile.",
            )
        blocks = blocks_of(own, self.features)
        if source.name == SCL:
            picture = block_mode(layer.pixels, blocks, source.nodata).astype(np.int16)
            picture[picture == source.nodata] = REFLECTANCE_NODATA
        else:
            picture = block_mean(layer.pixels, blocks, source.nodata)
            nested = blocks_of(self.features, self.background)
            self.backgrounds[source.name] = block_mean(picture, nested, source.nodata)
        self._sink.write(picture, 1 + self.names.index(source.name))


@contextmanager
def _pictures(params: ObserveParams, tile: Grid, out: Path) -> Iterator[_Pictures]:
    """Where pictures of layers go; on leaving, both files are written."""
    features, background = (
        covering(tile, resolution_m) for resolution_m in (params.mask_resolution_m, params.background_resolution_m)
    )
    names = tuple(name for name, _ in layers(params.parts, params.mask_bands))
    with create_cog(
        out / "features.tif",
        features,
        dtype="int16",
        nodata=REFLECTANCE_NODATA,
        bands=names,
        threads=params.execution.threads,
    ) as sink:
        sink.scales = tuple(1.0 if name == SCL else REFLECTANCE_SCALE for name in names)
        pictures = _Pictures(names, features, background, tile, sink)
        yield pictures
    write_cog(
        out / "background.tif",
        np.stack([pictures.backgrounds[band] for band in params.mask_bands]),
        background,
        nodata=REFLECTANCE_NODATA,
        bands=params.mask_bands,
        scale=REFLECTANCE_SCALE,
    )


def _decoded(params: ObserveParams, archive: Executor, pool: Executor) -> Iterator[Decoded]:
    """Layer after layer: one is decoded while the reader works on the one before, and later ones are fetched."""
    bands = tuple(dict.fromkeys((*params.index_bands, *params.mask_bands)))
    downloads = {name: [archive.submit(fetched, file) for file in files] for name, files in layers(params.parts, bands)}
    waiting: tuple[Decoded, list[Future[None]]] | None = None
    for name, files in downloads.items():
        source = open_source(name, tuple(file.result() for file in files), params.parts)
        height, width = source.geometry.shape
        flat, reads = decode(source, Window(0, 0, width, height), pool)
        if waiting:
            yield _complete(*waiting)
        waiting = Decoded(source, flat), reads
    if waiting:
        yield _complete(*waiting)


def _complete(layer: Decoded, reads: list[Future[None]]) -> Decoded:
    for read in reads:
        read.result()
    return layer


if __name__ == "__main__":
    main(ObserveParams, run)
