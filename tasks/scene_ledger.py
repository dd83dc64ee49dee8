"""What is known of every scene from one run to the next: done, failed, out of the area; 25,000 of them are a few MB.

An entry is a small file that is never changed, one per call of `note`; readers fold them, the latest word on a scene
counts. So any number of processes can write at once, in a folder or in a bucket, and a kill loses nothing written.
Reading many entries replaces them by one.
"""

import hashlib
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import Field

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from tasks.records import SCENES_FOLDER
from tasks.shelf import Shelf

SceneStatus = Literal["done", "failed", "out_of_area", "skipped"]
_GRAVITY: Final[dict[SceneStatus, int]] = {"out_of_area": 0, "skipped": 1, "done": 2, "failed": 3}
"""What the halves of one acquisition amount to: one that failed must be tried again, one outside says nothing."""
_MANY_ENTRIES: Final = 64
_SUFFIX: Final = ".jsonl"
"""Of entries; half-written ones have another."""
_NAME = re.compile(
    r"(?P<level>S2[A-D]_MSIL\w\w_)?(?P<datatake>\d{8}T\d{6})_(?:N\d{4}_R\d{3}|\d{8}T\d{6})_T(?P<tile>\d{2}[A-Z]{3})"
)


class SceneRecord(Contract):
    """The latest word on one scene."""

    scene_id: str = Field(description="Product name, or an Earth Engine index such as 20180101T105441_…_T31UDT")
    status: SceneStatus
    code: str = Field(default="", description="Of the error or of the rule")
    at: datetime

    @property
    def is_settled(self) -> bool:
        """Whether the next run leaves the scene as it is; a failure is tried again."""
        return self.status != "failed"

    @property
    def acquisition(self) -> str:
        return acquisition_of(self.scene_id)


def acquisition_of(scene_id: str) -> str:
    """Datatake and tile, which all halves and processings of a scene share.

    >>> acquisition_of("S2A_MSIL1C_20180101T105441_N0206_R051_T31UDT_20180101T111622")
    '20180101T105441_T31UDT'
    >>> acquisition_of("20180101T105441_20180101T105435_T31UDT")
    '20180101T105441_T31UDT'

    Raises `bad_ledger` for other names.
    """
    name = _NAME.match(scene_id)
    if name is None:
        raise bad_ledger(f"{scene_id!r} names no Sentinel-2 scene", "Give product names or Earth Engine indices.")
    return f"{name['datatake']}_T{name['tile']}"


class SceneLedger:
    """The scenes of one flow over one area; what is out of one area may be in another."""

    def __init__(self, shelf: Shelf, flow: str, area: str = "") -> None:
        """`area` is whatever identifies it, such as the WKT or the content id of the land geometry."""
        self._shelf = shelf
        self._folder = f"{SCENES_FOLDER}/{flow}/{hashlib.sha256(area.encode()).hexdigest()[:16]}"

    def note(self, records: Iterable[SceneRecord]) -> None:
        """Add what has become known, in one entry: call it per batch, not per scene."""
        lines = [record.model_dump_json() for record in records]
        if lines:
            self._shelf.create(
                f"{self._folder}/{time.time_ns():020d}-{uuid.uuid4().hex[:8]}{_SUFFIX}", "\n".join(lines)
            )

    def records(self) -> dict[str, SceneRecord]:
        """Scene to the latest word on it."""
        while True:
            paths = [entry.path for entry in self._shelf.entries(self._folder) if entry.path.endswith(_SUFFIX)]
            found = self._folded(paths)
            if found is not None:
                break  # else another process has replaced entries by one
        if len(paths) > _MANY_ENTRIES:
            self.note(found.values())
            for path in paths:
                self._shelf.delete(path)
        return found

    def acquisitions(self) -> dict[str, SceneRecord]:
        """Acquisition to the latest word on it; of halves noted together, the gravest."""
        found: dict[str, SceneRecord] = {}
        for record in self.records().values():
            known = found.get(record.acquisition)
            if known is None or (known.at, _GRAVITY[known.status]) < (record.at, _GRAVITY[record.status]):
                found[record.acquisition] = record
        return found

    def _folded(self, paths: list[str]) -> dict[str, SceneRecord] | None:
        """The latest record of each scene; None where an entry went away meanwhile."""
        found: dict[str, SceneRecord] = {}
        for path in paths:
            document = self._shelf.read(path)
            if document is None:
                return None
            for record in _parsed(document.text):
                if record.scene_id not in found or found[record.scene_id].at <= record.at:
                    found[record.scene_id] = record
        return found


def noted_now(scene_id: str, status: SceneStatus, code: str = "") -> SceneRecord:
    return SceneRecord(scene_id=scene_id, status=status, code=code, at=datetime.now(UTC))


def bad_ledger(reason: str, hint: str) -> StepError:
    return StepError("bad_ledger", f"{reason}.", hint)


def _parsed(text: str) -> Iterator[SceneRecord]:
    return (SceneRecord.model_validate_json(line) for line in text.splitlines())
