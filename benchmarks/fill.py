"""Gap filling of 65,536 cells on 70 dates with gaps, by every way, on two cores.

Floor: `harmonic`, our least squares with 12 unknowns. `batched` is the batched normal equations in numpy, `lstsq` the
prototype's loop over pixels: the same unknowns and, as the tests show, the same values. `whittaker` is our smoother,
`eilers` the rival library with daily nodes. `default` is all that the default engine does for a cell: undetected
clouds, curve, quality, uncertainty. `step` fills a slice as wide as a tile from file to file: its memory is a tile's.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.legend import INDEX_NODATA
from containers.gdal.contract.fill import Filling, FillParams
from containers.gdal.fill import fill_cells, run
from containers.gdal.harmonic import basis
from containers.gdal.normal_equations import solve
from containers.gdal.series_file import CHUNK_PX, EPOCH, Header, chunk_windows, create_series
from containers.gdal.smoothers import whittaker
from containers.gdal.uncertainty import Calibration

Array = NDArray[np.float64]
CELLS, BATCH, THREADS, ORDER = 65_536, 1024, 2, 5
DAYS = np.linspace(17_600, 17_964, 70).astype(np.int32)
OUT_DAYS = np.arange(17_600, 17_965, 10, dtype=np.int32)
SPAN = (int(DAYS[0]), int(DAYS[-1]))
SLICE = Grid(epsg=32633, resolution_m=10, west_m=300_000, north_m=5_500_000, width=10_980, height=128)


def observations(n_cells: int, seed: int = 1) -> NDArray[np.int16]:
    """A season with noise under random clouds, (date, cell)."""
    rng = np.random.default_rng(seed)
    curve = 4500 + 3000 * np.sin(DAYS[:, np.newaxis] / 58 + rng.normal(0, 0.4, n_cells))
    values = (curve + rng.normal(0, 300, curve.shape)).astype(np.int16)
    values[rng.random(values.shape, dtype=np.float32) < 0.4] = INDEX_NODATA
    return values


def prepare(folder: Path) -> None:
    path = series_path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(folder / "fill.npy", observations(CELLS))
    with create_series(path, Header(SLICE, "ndvi", DAYS), ("values", "land")) as sink:
        for number, window in enumerate(chunk_windows(SLICE, CHUNK_PX, 16 * CHUNK_PX)):
            shape = int(window.height), int(window.width)
            cells = observations(shape[0] * shape[1], number).reshape(len(DAYS), *shape)
            sink.write(sink.packed("values", window, cells))
            sink.write(sink.packed("land", window, np.ones(shape, np.uint8)))


def series_path(folder: Path) -> Path:
    return folder / "store" / "gdal.series" / "key" / "1" / "series.h5"


def by_batches(folder: Path, function: Callable[[NDArray[np.int16]], object]) -> None:
    values = np.load(folder / "fill.npy")
    parts = [values[:, first : first + BATCH] for first in range(0, CELLS, BATCH)]
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(function, parts))


def _weighted(values: NDArray[np.int16]) -> tuple[Array, Array]:
    seen = values != INDEX_NODATA
    return np.where(seen, values * 1e-4, 0.0), seen.astype(np.float64)


def harmonic(folder: Path) -> None:
    columns, out = basis(DAYS, ORDER, SPAN), basis(OUT_DAYS, ORDER, SPAN)

    def fill(values: NDArray[np.int16]) -> Array:
        index, weights = _weighted(values)
        fitted: Array = out @ solve(columns, weights, index).coefficients
        return fitted

    by_batches(folder, fill)


def batched(folder: Path) -> None:
    columns, out = basis(DAYS, ORDER, SPAN), basis(OUT_DAYS, ORDER, SPAN)
    products = (columns[:, :, np.newaxis] * columns[:, np.newaxis]).reshape(len(DAYS), -1)

    def fill(values: NDArray[np.int16]) -> Array:
        index, weights = _weighted(values.T)
        normal = (weights @ products).reshape(len(weights), columns.shape[1], -1)
        right = (weights * index) @ columns
        fitted: Array = np.linalg.solve(normal, right[..., np.newaxis])[..., 0] @ out.T
        return fitted

    by_batches(folder, fill)


def lstsq(folder: Path) -> None:
    columns, out = basis(DAYS, ORDER, SPAN), basis(OUT_DAYS, ORDER, SPAN)
    values = np.load(folder / "fill.npy").T
    for cell in values:
        seen = cell != INDEX_NODATA
        out @ np.linalg.lstsq(columns[seen], cell[seen] * 1e-4, rcond=None)[0]


def smooth(folder: Path) -> None:
    by_batches(folder, lambda values: whittaker(DAYS, OUT_DAYS, *_weighted(values), 10_000.0))


def eilers(folder: Path) -> None:
    from whittaker_eilers import WhittakerSmoother

    values = np.load(folder / "fill.npy").T
    daily = np.arange(SPAN[0], SPAN[1] + 1)
    smoother = WhittakerSmoother(10_000.0, 2, len(daily), weights=[1.0] * len(daily))
    weights, series = np.zeros(len(daily)), np.zeros(len(daily))
    for cell in values:
        index, weight = _weighted(cell)
        series[DAYS - SPAN[0]], weights[DAYS - SPAN[0]] = index, weight
        smoother.update_weights(weights.tolist())
        smoother.smooth(series.tolist())


def default(folder: Path) -> None:
    calibration = Calibration(0.03**2, np.array([5.0, 50.0]), np.array([1.0, 2.0]))
    by_batches(folder, lambda values: fill_cells(Filling(), calibration, DAYS, OUT_DAYS, values))


def step(folder: Path) -> None:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    path = series_path(folder)
    file = File(href="store:gdal.series/key/1/series.h5", content_id=sha256_of(path), size=path.stat().st_size)
    first, last = (EPOCH + timedelta(days=int(day)) for day in SPAN)
    run(FillParams(series=file, first=first, last=last), folder / "fill" / "step")


CASES: dict[str, Case] = {
    "harmonic": harmonic,
    "batched": batched,
    "lstsq": lstsq,
    "whittaker": smooth,
    "eilers": eilers,
    "default": default,
    "step": step,
}


if __name__ == "__main__":
    main("benchmarks.fill", CASES, prepare)
