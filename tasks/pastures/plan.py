"""What a run of `pasture_types` will cost, before anything is read."""

from typing import Final

from pydantic import Field

from containers.base.contract.model import Contract
from tasks.catalogue.coverage import area_m2
from tasks.catalogue.plan import CDSE_QUOTA_BYTES, Plan, bytes_of
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.intake import PastureInputs
from tasks.pastures.scenes import TileProducts, look_up
from tasks.pastures.stencils import CELL_M

_STORED_BYTES_PER_CELL: Final = 16.0
"""Ten bands of int16 with three layers, compressed."""
_FEATURE_BYTES_PER_CELL: Final = 250.0


class PastureRates(Contract):
    """Rates on two cores, to be replaced by those of the machine (`make bench`); the archive's by CDSE's quota."""

    archive_mb_s_per_connection: float = Field(default=20.0, gt=0, description="Megabytes per second and connection")
    connections: int = Field(default=4, ge=1, description="Connections to the archive at once")
    cut_mpx_s: float = Field(default=1.0, gt=0, description="Cut: megapixels of stencils, ten bands, per second")
    features_mpx_s: float = Field(default=0.1, gt=0, description="Features: megapixels of pasture and year per second")
    map_mpx_s: float = Field(default=0.05, gt=0, description="Types: megapixels of pasture and year per second")


def plan_pastures(params: PastureTypesParams, inputs: PastureInputs, rates: PastureRates | None = None) -> Plan:
    """Products, bytes, minutes and quota share. Raises `no_scenes` like the run itself."""
    rates = rates or PastureRates()
    tiles, refused = look_up(params, inputs, keep_answers=False)
    read, online = _bytes(tiles)
    cells = area_m2(inputs.area) / CELL_M**2
    acquisitions = sum(len(tile.acquisitions) + len(tile.maja) for tile in tiles)
    cut = cells * acquisitions / len(tiles)
    mapped = cells * len(inputs.years)
    seconds = {
        "download": online / 1e6 / (rates.archive_mb_s_per_connection * rates.connections),
        "cut": cut / 1e6 / rates.cut_mpx_s,
        "features": mapped / 1e6 / rates.features_mpx_s,
        "types": mapped / 1e6 / rates.map_mpx_s,
    }
    return Plan(
        scenes=sum(len(parts) for tile in tiles for parts in tile.acquisitions) + sum(len(t.maja) for t in tiles),
        acquisitions=acquisitions,
        tiles=len(tiles),
        periods=len(inputs.years),
        refused=len(refused),
        bytes_to_read=read,
        bytes_to_store=round(cut * _STORED_BYTES_PER_CELL + mapped * _FEATURE_BYTES_PER_CELL),
        minutes={stage: value / 60 for stage, value in seconds.items()},
        quota_share=online / CDSE_QUOTA_BYTES,
    )


def _bytes(tiles: tuple[TileProducts, ...]) -> tuple[int, int]:
    """Bytes to read, and how many of them come from the archive."""
    online = bytes_of(part for tile in tiles for parts in tile.acquisitions for part in parts)
    zips = [file for tile in tiles for product in tile.maja for file in (product.archive, product.snow) if file]
    return online + sum(file.size for file in zips), online
