"""Season metrics of three years on 320² cells, from curves of 110 dates.

Floor: reading the curves and the observations, and nothing else. Rivals: one cell at a time in numpy, and TIMESAT's own
program where it is installed (its licence allows research only: it is no dependency), which also fits its spline. The
case `wide` is a strip as wide as a tile, for the memory.
"""

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.gdal.contract.productivity import ProductivityParams, Season
from containers.gdal.productivity import index_values, run
from containers.gdal.season import first_of_january
from containers.gdal.series_file import CHUNK_PX, Header, chunk_windows, create_series, open_series

YEARS = (2019, 2020, 2021)
GRID = Grid(epsg=32633, resolution_m=10, west_m=400_000, north_m=5_300_000, width=320, height=320)
WIDE = GRID.model_copy(update={"width": 10_980, "height": 128})
DAYS = np.arange(first_of_january(YEARS[0]), first_of_january(YEARS[-1] + 1), 10, dtype=np.int32)
NODATA = -32768


def path_of(folder: Path, grid: Grid, name: str) -> Path:
    return folder / "store" / f"gdal.{name}" / str(grid.width) / "1" / f"{name}.h5"


def prepare(folder: Path) -> None:
    """Double logistics of every cell's own dates with noise; six of ten dates are seen."""
    for grid in (GRID, WIDE):
        for name in ("fill", "series"):
            path = path_of(folder, grid, name)
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, grid, seen_share=1.0 if name == "fill" else 0.6)


def _write(path: Path, grid: Grid, seen_share: float) -> None:
    rng = np.random.default_rng(1)
    with create_series(path, Header(grid, "ndvi", DAYS), ("values",)) as writer:
        for window in chunk_windows(grid, CHUNK_PX, 8 * CHUNK_PX):
            shape = (int(window.height), int(window.width))
            rise, fall = rng.normal(115, 12, shape), rng.normal(270, 12, shape)
            values = rng.normal(0.2, 0.01, (len(DAYS), *shape))
            for year in YEARS:
                day = (DAYS - first_of_january(year) + 1)[:, np.newaxis, np.newaxis]
                values += 0.6 * (1 / (1 + np.exp((rise - day) / 9)) - 1 / (1 + np.exp((fall - day) / 12)))
            stored = np.where(rng.random(values.shape) < seen_share, np.rint(values * 1e4), NODATA).astype(np.int16)
            writer.write(writer.packed("values", window, stored))


def read(folder: Path) -> None:
    for name in ("fill", "series"):
        with open_series(path_of(folder, GRID, name)) as series:
            for window in chunk_windows(GRID, CHUNK_PX, 8 * CHUNK_PX):
                series.read("values", window)


def clearground(folder: Path) -> None:
    _step(folder, GRID, "clearground")


def wide(folder: Path) -> None:
    _step(folder, WIDE, "wide")


def _step(folder: Path, grid: Grid, case: str) -> None:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")

    def stored(name: str) -> File:
        path = path_of(folder, grid, name)
        return File(
            href=f"store:{path.relative_to(folder / 'store')}", content_id=sha256_of(path), size=path.stat().st_size
        )

    params = ProductivityParams(filled=stored("fill"), series=stored("series"), years=YEARS)
    run(params, folder / "productivity" / case)


def curves(folder: Path) -> NDArray[np.floating]:
    """(time, cell)."""
    with open_series(path_of(folder, GRID, "fill")) as filled:
        blocks = [filled.read("values", window).reshape(len(DAYS), -1) for window in chunk_windows(GRID, CHUNK_PX, 512)]
    return index_values(np.concatenate(blocks, axis=1))


def per_pixel(folder: Path) -> None:
    """Straight between dates, each cell and year by itself: what one writes first."""
    season, day = Season(), np.arange(DAYS[0], DAYS[-1] + 1)
    values = curves(folder)
    found = np.full((values.shape[1], len(YEARS), 5), np.nan, dtype=np.float32)
    for cell, column in enumerate(values.T):
        curve = np.interp(day, DAYS, column)
        for number, year in enumerate(YEARS):
            first = first_of_january(year) - day[0]
            found[cell, number] = _one_season(curve[max(first, 0) : first + 366], season)
    np.save(folder / "productivity" / "per_pixel" / "seasons.npy", found)


def _one_season(curve: NDArray[np.floating], season: Season) -> tuple[float, ...]:
    """Start, peak, end, amplitude and integral of a daily curve."""
    top = int(curve.argmax())
    left, right = curve[: top + 1].min(), curve[top:].min()
    start = int(np.argmax(curve[: top + 1] >= left + season.start_share * (curve[top] - left)))
    above = np.flatnonzero(curve[top:] >= right + season.end_share * (curve[top] - right))
    end = top + int(above[-1])
    return start, top, end, float(curve[top] - (left + right) / 2), float(curve[start:end].sum())


def timesat(folder: Path) -> None:
    import timesat as rival

    values = curves(folder).T.reshape(*GRID.shape, len(DAYS)).astype(np.float32)
    dates = DAYS.astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    stamps = (years.astype(int) + 1970) * 1000 + (dates - years.astype("datetime64[D]")).astype(int) + 1

    def everywhere(value: float, dtype: Any = np.int32) -> Any:
        return np.full(255, value, dtype=dtype)

    found = rival.tsfprocess(
        len(YEARS), np.asfortranarray(values), np.ones_like(values, order="F"), stamps.astype(np.int32),
        np.ones(GRID.shape, dtype=np.int32, order="F"), 1, everywhere(1), np.arange(1, 1096, 10, dtype=np.int32), 0,
        np.array([-1.0, 1.0]), 0, everywhere(2), everywhere(10.0, float), -9999.0, 45, 0, everywhere(1),
        everywhere(1.0, float), everywhere(1), np.asfortranarray(np.tile([0.25, 0.15], (255, 1))),
        everywhere(0.0, float), everywhere(0), 0, everywhere(1), everywhere(0.5, float), everywhere(0), everywhere(0),
        everywhere(1.0, float), 1,
    )  # fmt: skip
    np.save(folder / "productivity" / "timesat" / "seasons.npy", found[0])


CASES: dict[str, Case] = {"read": read, "clearground": clearground, "wide": wide, "per_pixel": per_pixel}
if importlib.util.find_spec("timesat"):
    CASES["timesat"] = timesat


if __name__ == "__main__":
    main("benchmarks.productivity", CASES, prepare)
