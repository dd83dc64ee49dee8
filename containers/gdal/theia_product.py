"""THEIA's products: slope-corrected reflectance (FRE) by band names, CLM and MG2 of MAJA, SNW of Let-it-snow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from containers.base.contract.grid import Grid
from containers.base.contract.scene import BandName
from containers.base.contract.step import StepError
from containers.base.grid import grid_of
from containers.base.raster import open_raster
from containers.base.sentinel2 import TheiaName, band, parse_theia_name
from containers.gdal.contract.cut import LayerName, MajaProduct
from containers.gdal.cut_product import MaskLayer
from containers.gdal.layer_tables import rules_of, tables_of
from containers.gdal.reflectance import by_table, class_table, reflectance_table
from containers.gdal.source import fetched
from containers.gdal.theia_archive import TheiaArchive
from containers.gdal.tile_layer import Read, TileLayer

_MOST_CELLS: Final = 10_980**2
"""Of a tile at 10 m."""
_MASKS: Final = "MASKS/"


class TheiaProduct:
    """One product and the snow product of its date."""

    def __init__(self, product: MajaProduct) -> None:
        self._product = product
        self._archive = TheiaArchive(fetched(product.archive), _name_of(product.id))
        self._metadata = self._archive.facts()

    @property
    def facts(self) -> dict[str, Any]:
        product, snow = self._product, self._product.snow
        return {
            "source": "maja",
            "product_ids": (product.id, snow.name.removesuffix(".zip")) if snow else (product.id,),
            "platform": product.platform,
            "tile": product.tile,
            "acquired": product.acquired,
            "level": "L2A",
            "orbit": self._metadata.orbit,
            "baseline": product.version,
            "simulated": product.simulated or self._metadata.simulated,
        }

    @property
    def masked(self) -> frozenset[LayerName]:
        return frozenset(layer for _, section in self._masks for layer in rules_of("maja")[section])

    @cached_property
    def _masks(self) -> list[tuple[Path, str]]:
        """Each mask with its section of the mapping: of the date's snow product where there is one, else MG2."""
        snow = self._snow()
        found = [
            (self._archive.raster("CLM_R1.tif", _MASKS), "clm"),
            (snow, "snw") if snow else (self._archive.raster("MG2_R1.tif", _MASKS), "mg2"),
        ]
        return [(path, section) for path, section in found if path]

    def _snow(self) -> Path | None:
        """Raises `corrupt_file` where the snow product is of another date or tile, or holds no mask."""
        file = self._product.snow
        if file is None:
            return None
        name = _name_of(file.name.removesuffix(".zip"))
        if (name.tile, name.acquired.date()) != (self._product.tile, self._product.acquired.date()):
            raise _lacks(file.name, f"snow of {self._product.tile} on {self._product.acquired:%Y-%m-%d}")
        found = TheiaArchive(fetched(file), name).raster("SNW_R2.tif")
        if found is None:
            raise _lacks(file.name, "SNW_R2.tif")
        return found

    def bands(self, names: Sequence[BandName]) -> Iterator[TileLayer]:
        for name in names:
            suffix = f"FRE_{band(name, 'L2A').number.replace('B0', 'B')}.tif"
            path = self._archive.raster(suffix)
            if path is None:
                raise _lacks(self._product.archive.name, suffix)
            yield _layer(name, path, self._table)

    def masks(self, tile: Grid) -> Iterator[MaskLayer]:
        for path, section in self._masks:
            yield MaskLayer(_layer(section, path, lambda _: class_table()), tables_of(rules_of("maja")[section]))

    def _table(self, dataset: Any) -> NDArray[Any]:
        """MAJA's 0 is a reflectance; what lies outside the swath is −10000."""
        return reflectance_table(
            0,
            self._metadata.quantification,
            dtype=dataset.dtypes[0],
            declared_nodata=dataset.nodata,
            nodata_dn=self._metadata.nodata_dn,
        )


def _layer(name: str, path: Path, table_of: Any) -> TileLayer:
    """A raster in the ZIP. One thread reads it, because each opening unpacks it from its beginning."""
    with open_raster(path) as dataset:
        if dataset.width * dataset.height > _MOST_CELLS:
            raise _lacks(path.name, f"a tile: it has {dataset.width} × {dataset.height} cells")
        grid, block, table = grid_of(dataset), dataset.block_shapes[0], table_of(dataset)

    @contextmanager
    def opened() -> Iterator[Read]:
        with open_raster(path) as dataset:
            yield lambda window: by_table(dataset.read(1, window=window), table)

    return TileLayer(name, grid, block, opened, is_parallel=False)


def _name_of(product_id: str) -> TheiaName:
    name = parse_theia_name(product_id)
    if name is None:
        raise StepError(
            "bad_parameters",
            f"{product_id!r} is no name of a THEIA product.",
            "Give ZIPs under their own names, such as SENTINEL2A_20170410-103021-460_L2A_T31TFJ_D_V1-4.zip.",
        )
    return name


def _lacks(name: str, what: str) -> StepError:
    return StepError("corrupt_file", f"{name} does not hold {what}.", "Download the product again from THEIA.")
