"""What `vegetation_productivity` remembers of scenes from run to run, and what it does with it.

A scene that was out of the area stays out, also where an earlier system found it so by its pixels; a failed one is
tried again; what is done is found in the store, and counted here.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from containers.base.contract.scene import Scene
from containers.gdal.contract.observe import Observation
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.rules import Acquisition
from tasks.scene_ledger import SceneLedger, SceneRecord, acquisition_of, noted_now
from tasks.settings import get_settings
from tasks.store import open_store
from tasks.vegetation.intake import SeriesInputs

FLOW: Final = "vegetation_productivity"
OFF_LAND: Final = "off_land"
_UNREADABLE: Final = "unreadable"


def scene_ledger(inputs: SeriesInputs) -> SceneLedger:
    """The ledger of this flow over this land, or over this area where no land is given."""
    return SceneLedger(open_store(get_settings()).shelf, FLOW, inputs.land_outline or inputs.aoi)


def split_by_memory(
    scenes: Iterable[Scene], known: dict[str, SceneRecord]
) -> tuple[tuple[Scene, ...], tuple[Refusal, ...]]:
    """Scenes that may show the area, and rows for those known not to; `known` is the ledger by acquisition."""
    kept: list[Scene] = []
    rows: list[Refusal] = []
    for scene in scenes:
        record = known.get(acquisition_of(scene.id))
        if record is None or record.status != "out_of_area":
            kept.append(scene)
        else:
            rows.append(refusal(scene.id, OFF_LAND, f"It was out of the area on {record.at:%Y-%m-%d}."))
    return tuple(kept), tuple(rows)


def remember_off_land(ledger: SceneLedger, rows: Iterable[Refusal], known: dict[str, SceneRecord]) -> None:
    """Note the scenes that are off the land and were not known to be."""
    ledger.note(
        noted_now(row.scene_id, "out_of_area", OFF_LAND)
        for row in rows
        if row.code == OFF_LAND and acquisition_of(row.scene_id) not in known
    )


def remember_read(
    ledger: SceneLedger, acquisitions: Iterable[Acquisition], observations: Iterable[Observation]
) -> None:
    """Note what was read and what could not be, where that is news."""
    seen, known = {observation.scene_id for observation in observations}, ledger.records()
    ledger.note(record for record in _outcomes(acquisitions, seen) if _is_news(record, known))


def _outcomes(acquisitions: Iterable[Acquisition], seen: set[str]) -> Iterator[SceneRecord]:
    for parts in acquisitions:
        is_read = parts[0].id in seen
        yield noted_now(parts[0].id, "done") if is_read else noted_now(parts[0].id, "failed", _UNREADABLE)


def _is_news(record: SceneRecord, known: dict[str, SceneRecord]) -> bool:
    before = known.get(record.scene_id)
    return before is None or before.status != record.status
