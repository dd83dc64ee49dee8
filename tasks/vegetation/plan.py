"""What a run of `vegetation_productivity` will cost, before anything is read."""

from typing import Final

from pydantic import Field

from containers.base.contract.model import Contract
from tasks.catalogue.coverage import area_m2
from tasks.catalogue.plan import CDSE_QUOTA_BYTES, Plan, bytes_of
from tasks.catalogue.rules import Acquisition, footprint_of
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.scene_memory import scene_ledger
from tasks.vegetation.intake import SeriesInputs
from tasks.vegetation.scenes import index_bands, mask_bands, require_acquisitions, search_series

_STORED_BYTES_PER_VALUE: Final = 1.25
_TILE_CELLS: Final = 109_800.0**2


class SeriesRates(Contract):
    """Rates on two cores, to be replaced by those of the machine (`make bench`); the archive's by CDSE's quota."""

    archive_mb_s_per_connection: float = Field(default=20.0, gt=0, description="Megabytes per second and connection")
    connections: int = Field(default=4, ge=1, description="Connections to the archive at once")
    observe_mpx_s: float = Field(default=7.0, gt=0, description="Decode, reduce, warp: source megapixels per second")
    mask_mpx_s: float = Field(default=1.0, gt=0, description="Mask: megapixels of the mask per second")
    series_mpx_s: float = Field(default=15.0, gt=0, description="Index: megapixels per second and date")
    fill_mpx_s: float = Field(default=20.0, gt=0, description="Gap filling: megapixels per second and date")
    seasons_mpx_s: float = Field(default=2.0, gt=0, description="Season metrics: megapixels per second and year")
    jp2_bytes_per_value: float = Field(default=1.12, gt=0, description="Reflectance in a JP2 of the archive")


def plan_series(params: VegetationProductivityParams, inputs: SeriesInputs, rates: SeriesRates | None = None) -> Plan:
    """Scenes, bytes, minutes and quota share. Raises `no_scenes` and `bad_dates` like the run itself."""
    found: list[Acquisition] = []
    refused, known = 0, scene_ledger(inputs).acquisitions()
    for acquired, rows in search_series(params, inputs, known, keep_answers=False):
        found += acquired
        refused += len(rows)
    found = list(require_acquisitions(found, params, inputs))
    parts = [part for acquisition in found for part in acquisition]
    read = bytes_of(parts)
    grid = inputs.grid
    index_mpx = sum(cells_of(acquisition, grid.resolution_m, grid.width * grid.height) for acquisition in found) / 1e6
    mask_mpx = sum(cells_of(acquisition, params.visibility.resolution_m) for acquisition in found) / 1e6
    stored = (index_mpx * (len(index_bands(params)) + 2) + mask_mpx * len(mask_bands(params))) * 1e6
    return Plan(
        scenes=len(parts),
        acquisitions=len(found),
        tiles=len({part.tile for part in parts}),
        periods=len(inputs.years),
        refused=refused,
        bytes_to_read=read,
        bytes_to_store=round(stored * _STORED_BYTES_PER_VALUE),
        minutes=_minutes(read, index_mpx, mask_mpx, _map_mpx(inputs), rates or SeriesRates()),
        quota_share=read / CDSE_QUOTA_BYTES,
    )


def _map_mpx(inputs: SeriesInputs) -> float:
    return len(inputs.years) * inputs.grid.width * inputs.grid.height / 1e6


def _minutes(read: int, index_mpx: float, mask_mpx: float, map_mpx: float, rates: SeriesRates) -> dict[str, float]:
    seconds = {
        "download": read / 1e6 / (rates.archive_mb_s_per_connection * rates.connections),
        "observe": read / rates.jp2_bytes_per_value / 1e6 / rates.observe_mpx_s,
        "mask": mask_mpx / rates.mask_mpx_s,
        "series": index_mpx / rates.series_mpx_s,
        "fill": index_mpx / rates.fill_mpx_s,
        "seasons": map_mpx / rates.seasons_mpx_s,
    }
    return {stage: value / 60 for stage, value in seconds.items()}


def cells_of(parts: Acquisition, resolution_m: float, most: float = _TILE_CELLS) -> float:
    """Cells of that size that an acquisition fills, at most `most`."""
    return min(sum(area_m2(footprint_of(part)) for part in parts) / resolution_m**2, most)
