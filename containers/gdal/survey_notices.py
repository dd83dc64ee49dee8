"""What a survey's owner must know about single sites: a table, and the refusal that lists them."""

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepError

REFUSALS: Final = ("bad_geometry", "outside", "beyond_tile")
_SHOWN: Final = 20


class Notice(NamedTuple):
    """One row of the table; x and y as the file writes them, or metres of the tile for sites in a polygon."""

    code: str
    file: str
    site_id: str
    class_code: str
    x: float
    y: float
    reason: str

    def row(self) -> list[str]:
        places = (f"{value:.6f}".rstrip("0").rstrip(".") if math.isfinite(value) else "" for value in (self.x, self.y))
        return [*self[:4], *places, self.reason]


def write_notices(notices: Iterable[Notice], path: Path) -> File:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(Notice._fields)
        table.writerows(notice.row() for notice in notices)
    return output_file(path)


def require_none_refused(notices: Sequence[Notice]) -> None:
    """Raises `bad_sample` with the refused features as CSV lines, up to twenty of them."""
    refused = [notice for notice in notices if notice.code in REFUSALS]
    if not refused:
        return
    lines = [",".join(notice.row()) for notice in refused[:_SHOWN]]
    if len(refused) > _SHOWN:
        lines.append(f"and {len(refused) - _SHOWN} more")
    raise StepError(
        "bad_sample",
        f"{len(refused)} features are refused:\n{','.join(Notice._fields)}\n" + "\n".join(lines),
        "Correct their coordinates or the file's coordinate system, add the tile in which they lie, or remove them.",
    )
