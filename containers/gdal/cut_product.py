"""What a product must tell and give to be cut, whoever made it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from containers.base.contract.grid import Grid
from containers.base.contract.scene import BandName
from containers.base.contract.step import StepError
from containers.gdal.contract.cut import LAYERS, LayerName
from containers.gdal.layer_tables import Tables
from containers.gdal.tile_layer import TileLayer


class MaskLayer(NamedTuple):
    """A mask of a product, and which layers its codes speak of."""

    codes: TileLayer
    tables: Tables


class Product(Protocol):
    """One acquisition of one tile. Files are fetched and opened as they are asked for."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a `Slice` says of its source, by the names of its fields."""

    @property
    def masked(self) -> frozenset[LayerName]:
        """Layers that its masks speak of."""

    def bands(self, names: Sequence[BandName]) -> Iterator[TileLayer]:
        """Reflectance × 10 000, int16, nodata −32768, in the order of the names. Raises `unknown_band`."""

    def masks(self, tile: Grid) -> Iterator[MaskLayer]:
        """Its masks on that tile; several may speak of one layer."""


def unmasked(product: Product, missing_masks: str) -> tuple[LayerName, ...]:
    """The layers that no mask speaks of. Raises `bad_masks` unless they may be told to be not known."""
    lacking = tuple(layer for layer in LAYERS if layer not in product.masked)
    if lacking and missing_masks != "flag":
        raise StepError(
            "bad_masks",
            f"{', '.join(product.facts['product_ids'])}: no mask tells {' and '.join(lacking)}.",
            "Add the masks (SCL; MSK_CLASSI or MSK_CLOUDS; CLM, MG2 or a snow product), or choose missing_masks=flag: "
            "these layers are then told to be not known, never to be clear.",
        )
    return lacking
