"""Gamma nought of one radar pass on the analysis grid, by SNAP."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.radar import BackscatterResult
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.safe_folder import laid_out
from containers.base.step import main, progress, scratch_dir
from containers.snap.backscatter_graph import Inputs, backscatter_graph, output_bands
from containers.snap.contract.backscatter import SnapBackscatterParams
from containers.snap.gpt import memory_limit_mb, run_gpt, snap_version, user_folder
from containers.snap.gpt_log import warnings_of
from containers.snap.on_grid import offset_on, read_on
from containers.snap.orbits import install_orbits
from containers.snap.power import MARGIN, positive_power
from containers.snap.safe import measured_size, require_radar_files
from containers.snap.terrain import prepared_dem, region_around, require_overlap, require_zone

_INCIDENCE: Final = "incidence"
_GPT_SHARE: Final = 0.9
_MANY_FILLED: Final = 0.01


def run(params: SnapBackscatterParams, out: Path) -> BackscatterResult:
    require_zone(params.grid)
    require_overlap(params.grid, params.slices)
    for folder in params.folders:
        require_radar_files(folder, params.polarisations, noise=params.noise_removal)
    home = scratch_dir() / "snap"
    version = snap_version(home)
    inputs = _inputs(params, home)
    memory_mb = memory_limit_mb(params.resources.memory_mb)
    graph = backscatter_graph(params, inputs)
    log = run_gpt(graph, home, memory_mb=memory_mb, threads=params.execution.threads, share=_GPT_SHARE)
    if params.execution.verbose:
        print(log, flush=True)
    counts = _written(params, inputs.output, out)
    first = params.slices[0]
    return BackscatterResult(
        engine="snap",
        engine_version=version,
        acquired=first.start,
        direction=first.direction,
        relative_orbit=first.relative_orbit,
        platform=first.platform,
        grid=params.grid,
        bands={name: output_file(out / f"gamma0_{name}.tif") for name in params.polarisations},
        incidence=output_file(out / f"{_INCIDENCE}.tif"),
        valid_share=counts.valid / (params.grid.width * params.grid.height),
        simulated=any(product.simulated for product in params.slices),
        warnings=(*warnings_of(log), *counts.warnings()),
    )


class _Counts:
    """What a pass over the output found, in cells."""

    def __init__(self) -> None:
        self.valid, self.filled, self.cells = 0, 0, 0

    def warnings(self) -> Iterator[StepWarning]:
        if self.filled > _MANY_FILLED * self.cells:
            share = self.filled / self.cells
            yield StepWarning(
                code="filled_from_neighbours",
                reason=f"{share:.1%} of the cells had no positive power and hold the mean of their neighbours.",
                hint="Choose BILINEAR_INTERPOLATION for the image; a cubic one overshoots.",
            )


def _inputs(params: SnapBackscatterParams, home: Path) -> Inputs:
    """Lay out what gpt reads."""
    products = tuple(laid_out(folder, home) for folder in params.folders)
    sizes = [measured_size(product, params.polarisations) for product in products]
    relief_m = prepared_dem(params.dem, params.grid, home / "dem.tif")
    return Inputs(
        products=products,
        dem=home / "dem.tif",
        region=region_around(params.grid, relief_m),
        output=home / "gamma.tif",
        swath=(sum(lines for lines, _ in sizes), min(samples for _, samples in sizes)),
        orbits=install_orbits(params.orbit_files, params.slices, user_folder(home)),
    )


def _written(params: SnapBackscatterParams, source: Path, out: Path) -> _Counts:
    """One COG per polarisation and one of the incidence angle, from gpt's output, block by block.

    Raises `crashed` without output, `grid_mismatch`, `corrupt_file` where it is cut short, `no_valid_pixels`.
    """
    if not source.is_file():
        raise StepError("crashed", f"gpt ended without an error and without {source.name}.", "See the step's log.")
    counts, names = _Counts(), [*(f"gamma0_{name}" for name in params.polarisations), _INCIDENCE]
    with ExitStack() as stack:
        dataset = stack.enter_context(open_raster(source))
        if dataset.count != len(names):
            reason = f"SNAP wrote {dataset.count} bands instead of {', '.join(output_bands(params))}"
            raise StepError("crashed", f"{reason}.", "Report this with the step's log.")
        offset = offset_on(params.grid, dataset)
        sinks = {name: stack.enter_context(_sink(params, name, out)) for name in names}
        for window in row_windows(params.grid.shape):
            for name, layer in zip(names, _block(read_on(dataset, offset, window, MARGIN), counts), strict=True):
                sinks[name].write(layer, 1, window=window)
            progress(100 * (_GPT_SHARE + 0.1 * (window.row_off + window.height) / params.grid.height), 100, "cells")
        if not counts.valid:
            reason = "no cell of the grid holds backscatter in all polarisations"
            raise StepError("no_valid_pixels", f"{reason}.", "Check that products and DEM cover the area.")
    return counts


def _block(cells: NDArray[np.float32], counts: _Counts) -> list[NDArray[np.float32]]:
    """The layers of one block: power per polarisation, then incidence, NaN where there is no power at all."""
    powers = [positive_power(band) for band in cells[:-1]]
    inner = cells[-1, MARGIN:-MARGIN, MARGIN:-MARGIN]
    seen = [np.isfinite(power) for power, _ in powers]
    counts.valid += int(np.logical_and.reduce(seen).sum())
    counts.filled += sum(filled for _, filled in powers)
    counts.cells += sum(int(valid.sum()) for valid in seen)
    incidence = np.where((inner > 0) & np.logical_or.reduce(seen), inner, np.nan).astype(np.float32)
    return [*(power for power, _ in powers), incidence]


def _sink(params: SnapBackscatterParams, name: str, out: Path) -> Any:
    return create_cog(
        out / f"{name}.tif",
        params.grid,
        dtype="float32",
        nodata=np.nan,
        bands=(name,),
        overviews="average",
        threads=params.execution.threads,
    )


if __name__ == "__main__":
    main(SnapBackscatterParams, run)
