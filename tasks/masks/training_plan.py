"""What a run of `cloud_mask_model` will cost, before anything is read."""

from typing import Final

from tasks.catalogue.plan import CDSE_QUOTA_BYTES, Plan, bytes_of
from tasks.catalogue.rules import Acquisition
from tasks.masks.training import mask_bands, require_labelled, search_tiles, take_in_labels
from tasks.parameters.cloud_mask_model import CloudMaskModelParams
from tasks.vegetation.plan import SeriesRates, cells_of

_STORED_BYTES_PER_VALUE: Final = 1.25
_TRAINING_MINUTES: Final = 0.5
"""500 trees on 200,000 pixels."""


def plan_training(params: CloudMaskModelParams, rates: SeriesRates | None = None) -> Plan:
    """Scenes, bytes, minutes and quota share; with a finished table nothing is read. Raises as the run itself does."""
    if params.labels.table:
        return _plan([], 0, params, set(), rates or SeriesRates())
    inputs = take_in_labels(params)
    found: list[Acquisition] = []
    refused = 0
    for acquired, rows in search_tiles(params, inputs, keep_answers=False):
        found += acquired
        refused += len(rows)
    found = list(require_labelled(found, params, inputs))
    return _plan(found, refused, params, set(inputs.labels), rates or SeriesRates())


def _plan(
    found: list[Acquisition], refused: int, params: CloudMaskModelParams, labelled: set[str], rates: SeriesRates
) -> Plan:
    parts = [part for acquisition in found for part in acquisition]
    read = bytes_of(parts)
    seen_mpx = sum(cells_of(acquisition, params.resolution_m) for acquisition in found) / 1e6
    masked_mpx = sum(cells_of(each, params.resolution_m) for each in found if each[0].id in labelled) / 1e6
    seconds = {
        "download": read / 1e6 / (rates.archive_mb_s_per_connection * rates.connections),
        "observe": read / rates.jp2_bytes_per_value / 1e6 / rates.observe_mpx_s,
        "mask": masked_mpx / rates.mask_mpx_s,
    }
    return Plan(
        scenes=len(parts),
        acquisitions=len(found),
        tiles=len({part.tile for part in parts}),
        periods=1,
        refused=refused,
        bytes_to_read=read,
        bytes_to_store=round(seen_mpx * len(mask_bands(params)) * 1e6 * _STORED_BYTES_PER_VALUE),
        minutes={stage: value / 60 for stage, value in seconds.items()} | {"train": _TRAINING_MINUTES},
        quota_share=read / CDSE_QUOTA_BYTES,
    )
