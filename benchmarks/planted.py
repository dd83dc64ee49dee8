"""What became of the archive's planted traps, by the run's ledger and by what was read."""

import json
from typing import NamedTuple

from benchmarks.job import FinishedJob
from containers.gdal.contract.align import AlignParams
from tasks.ledger import Row

REFUSED = {
    "duplicate": "superseded", "ghost": "ghost", "offline": "offline", "sliver": "sliver",
    "test_baseline": "test_baseline", "wrong_size": "wrong_size",
}  # fmt: skip
"""Kind of trap to the code under which its product must be skipped."""


class Trap(NamedTuple):
    """A planted product and what the job did with it."""

    kind: str
    product: str
    code: str
    """Of its row in the ledger; `joined` or `replaces <product>` where it was to be used; empty where it was missed."""

    @property
    def is_caught(self) -> bool:
        return bool(self.code)


def planted_traps(job: FinishedJob) -> list[Trap]:
    """Every trap that the archive says it holds."""
    traps = json.loads((job.archive.folder / "simulation.json").read_text())["traps"]
    return [Trap(trap["kind"], trap["product"], _found(trap["kind"], trap["product"], job)) for trap in traps]


def _found(kind: str, product: str, job: FinishedJob) -> str:
    skipped = {row.subject: row for row in job.rows if row.status == "skipped"}
    if code := REFUSED.get(kind):
        return code if product in skipped and skipped[product].code == code else ""
    if kind == "corrupt":
        return _refused_when_read(product, job.rows)
    if product in skipped:
        return ""
    return "joined" if kind == "halves" and _is_joined(product, job) else _replaced(product, skipped)


def _refused_when_read(product: str, rows: tuple[Row, ...]) -> str:
    """The decoder's refusal names the tile and the day."""
    place = f"align {_tile(product)} {product[11:15]}-{product[15:17]}-{product[17:19]}"
    return next((row.code for row in rows if row.status == "failed" and row.subject == place), "")


def _is_joined(product: str, job: FinishedJob) -> bool:
    """Whether it was read together with another part of its datatake."""
    read = (AlignParams.model_validate(record.params) for record in job.records if record.step == AlignParams.step)
    return any(product in {part.id for part in each.parts} and len(each.parts) > 1 for each in read)


def _replaced(product: str, skipped: dict[str, Row]) -> str:
    """The refused product of the same tile and moment that this one supersedes."""
    for other, row in skipped.items():
        if row.code == "superseded" and (_tile(other), other[11:26]) == (_tile(product), product[11:26]):
            return f"supersedes {other}"
    return ""


def _tile(product: str) -> str:
    return product.split("_")[5].removeprefix("T")
