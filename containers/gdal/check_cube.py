"""Read every chunk of a cube: structure, ranges, nodata shares, checksums."""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from containers.base.contract.files import output_file
from containers.base.contract.legend import LandCover
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, progress
from containers.gdal.audit import Summary, check_dataset, corrupt
from containers.gdal.contract.cube import CheckCubeParams, CheckCubeResult
from containers.gdal.cube_layout import LAYOUT_VERSION

RANGES = {
    "reflectance": (-10_000, 32_767),
    "observations": (0, 255),
    "source_date": (16_609, 47_481),
    "labels": (min(LandCover) + 1, max(LandCover)),
}
"""Values that a group may hold beside its nodata; dates run from Sentinel-2A's launch to 2099."""
COLUMNS = ("dataset", "band", "shape", "dtype", "minimum", "maximum", "nodata_share", "sha256")


def structure_faults(cube: Any) -> Iterator[str]:
    """What is missing or of the wrong shape, one sentence each."""
    if cube.attrs.get("clearground_cube") != LAYOUT_VERSION:
        yield f"its layout is {cube.attrs.get('clearground_cube')}, not {LAYOUT_VERSION}"
        return
    for period in cube.attrs["periods"]:
        if f"reflectance/{period}" not in cube:
            yield f"reflectance/{period} is missing"
    plane = (cube["y"].size, cube["x"].size)
    for dataset in datasets(cube):
        expected = (len(cube.attrs["bands"]), *plane) if dataset.name.startswith("/reflectance/") else plane
        if dataset.shape != expected:
            yield f"{dataset.name} has the shape {dataset.shape}, not {expected}"
        if "sha256" not in dataset.attrs:
            yield f"{dataset.name} has no checksum: its writing was interrupted"


def datasets(cube: Any) -> list[Any]:
    """Every raster dataset, in a stable order."""
    return [dataset for group in RANGES if group in cube for dataset in cube[group].values()]


def require_range(name: str, band: Summary) -> None:
    """Raises `corrupt_file` where valid cells hold what the group cannot hold."""
    lowest, highest = RANGES[name.split("/")[1]]
    if band.nodata_share < 1 and not lowest <= band.minimum <= band.maximum <= highest:
        raise corrupt(f"{name} holds {band.minimum} to {band.maximum}; {lowest} to {highest} are possible")


def run(params: CheckCubeParams, out: Path) -> CheckCubeResult:
    table: list[tuple[object, ...]] = []
    shares: dict[str, float] = {}
    with _opened(local_path(params.cube)) as cube, ThreadPoolExecutor(params.execution.threads) as pool:
        if faults := list(structure_faults(cube)):
            raise corrupt("; ".join(faults))
        found = datasets(cube)
        for done, dataset in enumerate(found, start=1):
            group, period = dataset.name.strip("/").split("/")
            names = list(cube.attrs["bands"]) if group == "reflectance" else [group]
            for name, band in zip(names, check_dataset(dataset, pool, params.execution.threads), strict=True):
                require_range(dataset.name, band)
                table.append(_line(dataset, name, band))
                if group == "reflectance":
                    shares[f"{period}/{name}"] = band.nodata_share
            progress(done, len(found), dataset.name)
    _require_data(shares, params.max_nodata_share)
    return CheckCubeResult(nodata_share=shares, report=output_file(_write_report(out / "cube.csv", table)))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with h5py.File(path) as cube:
            yield cube
    except (OSError, RuntimeError) as error:
        raise corrupt(f"{path} cannot be read: {error}") from error


def _line(dataset: Any, name: str, band: Summary) -> tuple[object, ...]:
    shape = "x".join(map(str, dataset.shape))
    extremes = (band.minimum, band.maximum) if band.nodata_share < 1 else ("", "")
    return (dataset.name, name, shape, dataset.dtype, *extremes, f"{band.nodata_share:.6f}", dataset.attrs["sha256"])


def _require_data(shares: dict[str, float], max_share: float) -> None:
    empty = [f"{name} ({share:.1%})" for name, share in shares.items() if share > max_share]
    if empty:
        raise StepError(
            "no_valid_pixels",
            f"More than {max_share:.1%} of these layers is nodata: {', '.join(empty)}.",
            "Widen the period, raise the cloud limit, or leave the period out.",
        )


def _write_report(path: Path, table: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as stream:
        report = csv.writer(stream)
        report.writerow(COLUMNS)
        report.writerows(table)
    return path


if __name__ == "__main__":
    main(CheckCubeParams, run)
