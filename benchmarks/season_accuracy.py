"""Truth: whole runs of `vegetation_productivity` over simulated archives, held against seasons that are known exactly.

`python -m benchmarks.season_accuracy [--seeds 51 52]`. The archive is that of the profile `vegetation`; the truth is
what an L1C sensor would see without clouds. Steps come from the store where it has them. Figures: docs/productivity.md.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from rich.console import Console

from benchmarks.bars import Figure, print_figures, write_figures
from tasks import checkout

SEEDS: Final = (51, 52)
"""Used for nothing else."""
PROFILE: Final = "vegetation"
NODATA, NO_INDEX = -9999, -32768
_SIGMAS: Final = 1.645
_DAYS_1970: Final = np.datetime64("1970-01-01", "D")

Bands = dict[str, NDArray[np.float64]]


class Finished(NamedTuple):
    """A published product, and the folder of the archive behind it."""

    product: Path
    archive: Path


def run_flow_on(seed: int, console: Console) -> Finished:
    """Simulate, serve and run with the demonstration's parameters."""
    from containers.eodata.contract.simulate import ArchiveResult
    from flows.demo import PARAMETERS
    from flows.foreground import read_parameters, run_flow
    from tasks import eodata
    from tasks.runner import run_step
    from tasks.settings import get_settings
    from tasks.store import open_store

    params = eodata.archive_params(PROFILE).model_copy(update={"seed": seed})
    simulated: ArchiveResult = run_step(params)
    archive = eodata.serve(open_store(get_settings()).path_of(simulated.simulation).parent)
    path = PARAMETERS / f"vegetation_productivity.{PROFILE}.yaml"
    values = read_parameters(path) | {"name": f"season-accuracy-{seed}"}
    publication = run_flow("vegetation_productivity", values, console)
    return Finished(Path(publication.folder), archive.folder)


def figures(seed: int, finished: Finished) -> Iterator[Figure]:
    """Errors of each year's seasons, and of the filled index every ten days."""
    for raster in sorted((finished.product / "rasters").glob("season-*.tif")):
        year = raster.stem.removeprefix("season-")
        found, true = read_both(raster, finished.archive / "truth" / "phenology" / f"{year}_toa.tif")
        yield from season_figures(seed, year, found, true)
        yield from value_figures(seed, year, finished)


def read_both(product: Path, truth: Path) -> tuple[Bands, Bands]:
    """Both on the product's grid, NaN for no data; truth may end earlier."""
    with rasterio.open(product) as of_product, rasterio.open(truth) as of_truth:
        window = of_truth.window(*of_product.bounds).round_offsets().round_lengths()
        true = of_truth.read(window=window, boundless=True, fill_value=NODATA).astype(float)
        return (
            dict(zip(of_product.descriptions, _known(of_product.read().astype(float)), strict=True)),
            dict(zip(of_truth.descriptions, _known(true), strict=True)),
        )


def season_figures(seed: int, year: str, found: Bands, true: Bands) -> Iterator[Figure]:
    """Over the cells that have a season in both."""
    seen = np.isfinite(found["quality"]) & np.isfinite(true["start_day"])
    both = seen & np.isfinite(found["start_day"])
    group = f"seasons {year}"
    yield Figure(seed, group, "share of true seasons that are found", float(both.sum() / seen.sum()))
    for name in ("start_day", "peak_day", "end_day"):
        error = np.abs(found[name] - true[name])[both]
        yield Figure(seed, group, f"{name}, median error in days", float(np.median(error)))
        yield Figure(seed, group, f"{name}, 90th percentile in days", float(np.percentile(error, 90)))
    relative = np.abs(found["integral"] / true["integral"] - 1)[both]
    yield Figure(seed, group, "integral, median relative error", float(np.median(relative)))


def value_figures(seed: int, year: str, finished: Finished) -> Iterator[Figure]:
    """The filled index against the true one every ten days, and how often the 90 % band holds it."""
    errors: list[NDArray[np.float64]] = []
    inside: list[NDArray[np.bool_]] = []
    with rasterio.open(finished.archive / "truth" / "ndvi" / f"{year}_toa.tif") as truth:
        days = [int((np.datetime64(day, "D") - _DAYS_1970).astype(int)) for day in truth.descriptions]
        for path in sorted((finished.product / "cubes").glob("filled-*.h5")):
            with h5py.File(path) as cube:
                window = window_of(cube, truth)
                for band, day in enumerate(days, start=1):
                    true = truth.read(band, window=window, boundless=True, fill_value=truth.nodata).astype(float)
                    value, deviation = on_day(cube, day)
                    known = (true != truth.nodata) & np.isfinite(value)
                    error = np.abs(value - true)[known] * 1e-4
                    errors.append(error)
                    inside.append(error <= _SIGMAS * deviation[known] * 1e-4)
    error = np.concatenate(errors)
    yield Figure(seed, f"index {year}", "RMSE of the filled index", float(np.sqrt((error**2).mean())))
    yield Figure(seed, f"index {year}", "share inside the 90 % band", float(np.concatenate(inside).mean()))


def window_of(cube: h5py.File, truth: Any) -> Window:
    """Where a cube lies in the truth, which has the same cells."""
    west, cell_m, _, north, _, _ = cube.attrs["transform"]
    height, width = cube["values"].shape[1:]
    return Window(round((west - truth.bounds.left) / cell_m), round((truth.bounds.top - north) / cell_m), width, height)


def on_day(cube: h5py.File, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Value and deviation of a day, straight between the two filled dates around it; NaN beyond them."""
    days = cube["days"][:]
    after = int(np.searchsorted(days, day))
    if after == len(days) or (after == 0 and days[0] != day):
        shape = cube["values"].shape[1:]
        return np.full(shape, np.nan), np.full(shape, np.nan)
    before = after if days[after] == day else after - 1
    weight = 0.0 if after == before else (day - days[before]) / (days[after] - days[before])

    def between(name: str) -> NDArray[np.float64]:
        layers = cube[name][before : after + 1].astype(float)
        layers[layers == NO_INDEX] = np.nan
        mixed: NDArray[np.float64] = layers[0] * (1 - weight) + layers[-1] * weight
        return mixed

    return between("values"), between("uncertainty")


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values == NODATA, np.nan, values)


def main() -> None:
    checkout.use_own_prefect()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="seeds of the archives")
    given, console = parser.parse_args(), Console()
    found = [figure for seed in given.seeds for figure in figures(seed, run_flow_on(seed, console))]
    print_figures(found, console)
    path = checkout.STATE / "season_accuracy.json"
    write_figures(found, {"measured": datetime.now(UTC).isoformat(timespec="seconds"), **vars(given)}, path)
    console.print(f"Figures: {path}")


if __name__ == "__main__":
    main()
