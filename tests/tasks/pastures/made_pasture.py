"""Tables of one pasture as the steps write them: seven years, twelve types, two of them not on the map."""

import csv
import math
import struct
import zlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from containers.base.contract.files import File
from containers.tensorflow.contract.types import MapTypesResult
from tasks.pastures.sheet import SheetFiles

YEARS = range(2018, 2025)
TYPES = (
    "mat-grass", "rich pasture", "snowbed", "dry sward", "tall herbs", "dwarf shrub", "scree", "wet meadow", "shrub",
    "alpine sward with sedges and much else", "wood", "rock",
)  # fmt: skip
CELLS = (4000, 2600, 1500, 900, 700, 500, 300, 120, 60, 20, 0, 0)
HOSTILE = '<img src=x onerror=alert(1)>"&'


def write_csv(path: Path, columns: str, rows: list[tuple[Any, ...]]) -> Path:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(columns.split(", "))
        table.writerows(rows)
    return path


def made_files(folder: Path, *, estimated: bool = True, types: tuple[str, ...] = TYPES) -> SheetFiles:
    return SheetFiles(
        events=write_csv(folder / "events.csv", "pasture_id, year, event, day, lower, upper, basis, doubt", events()),
        curve=write_csv(
            folder / "curve.csv",
            "pasture_id, date, observed, ndvi, lower, upper, p10, p90, clear_share, snow_share",
            [row for year in YEARS for row in curve(year)],
        ),
        trend=write_csv(
            folder / "trend.csv",
            "pasture_id, event, years, slope_days_per_year, lower, upper, p_value",
            [
                ("A1", "snow_free", 7, -0.62, -1.05, -0.2, 0.01),
                ("A1", "greening", 7, -0.3, -0.9, 0.35, 0.3),
                ("A1", "peak", 7, "", "", "", ""),
                ("B2", "peak", 7, 5, 4, 6, 0.01),
            ],
        ),
        estimates=write_csv(folder / "estimates.csv", ESTIMATES, estimates(estimated, types)),
        picture=picture(folder / "types.png"),
    )


ESTIMATES = (
    "region_id, period, indicator, value, lower, upper, standard_error, unit, interval_basis, pixel_count_ha, "
    "unknown_share, n_points, n_change_points"
)


def estimates(estimated: bool, types: tuple[str, ...] = TYPES) -> list[tuple[Any, ...]]:
    rows = []
    for name, cells in zip((*types, "other types"), (*CELLS, *[30] * (len(types) - len(CELLS)), 0), strict=True):
        area = cells * 0.01
        if estimated:
            told = (round(area * 1.04 + 0.2, 6), round(area * 0.8, 6), round(area * 1.3 + 1, 6), 0.5)
            rows.append(("ALL", 2024, name, *told, "ha", "stratified_sample", area, 0.02, 150, 12))
        else:
            rows.append(("ALL", 2024, name, area, "", "", "", "ha", "none", area, 0.02, 0, 0))
    return rows


def events() -> list[tuple[Any, ...]]:
    rows = []
    for year in YEARS:
        shift = 2 * (year - 2021)
        days = {"snow_free": 121 - shift, "greening": 140, "peak": 190 + shift, "drying": 250, "forage_days": 110}
        if year == 2024:
            days |= {"snow_free": 108, "greening": 141, "forage_days": 97}
        rows += [("A1", year, name, day, day - 3, day + 4, "observations", "") for name, day in days.items()]
    rows = [row for row in rows if row[1:3] != (2024, "drying")]
    rows.append(("A1", 2024, "drying", "", "", "", "", "no clear view between 3 September and 9 October"))
    return [*rows, ("B2", 2024, "peak", 100, 99, 101, "observations", "")]


def curve(year: int) -> list[tuple[Any, ...]]:
    rows = []
    for number in range(0, 365, 5):
        day = date(year, 1, 1) + timedelta(days=number)
        height = 0.1 + 0.62 * math.exp(-(((number - 195 - (year - 2021)) / 52) ** 2))
        seen = number % 15 == 0 and not (year == 2024 and 245 < number < 283)
        value = round(height, 4)
        rows.append(
            ("A1", day, int(seen), value, value - 0.02, value + 0.02, round(height * 0.7, 4), round(height * 1.2, 4),
             0.9, 0.0)
        )  # fmt: skip
    return rows


def picture(path: Path, width: int = 300, height: int = 240) -> Path:
    """A PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + b"\x11\x77\x33" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def made_map(types: tuple[str, ...] = TYPES, **fields: Any) -> MapTypesResult:
    file = File(href="store:tensorflow.map_types/key/1/types.tif", content_id="sha256:0", size=1)
    counts = dict(zip(types, (*CELLS[: len(types)], *[30] * (len(types) - len(CELLS))), strict=True))
    facts: dict[str, Any] = {
        "types": file,
        "confidence": file,
        "style": file,
        "counts": file,
        "pasture_id": "A1",
        "year": 2024,
        "legend": {str(code): name for code, name in enumerate(types, start=1)},
        "colours": {str(code): f"#{code:02x}{255 - code:02x}88" for code in [*range(1, len(types) + 1), 254, 255]},
        "cells": counts | {"doubtful": 600, "unknown": 200},
        "cell_area_ha": 0.01,
        "simulated": False,
    }
    return MapTypesResult.model_validate(facts | fields)
