"""One Sentinel-1 pass as terrain-flattened gamma nought on the grid, by sarsen's geometry, in bounded memory."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sarsen
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.radar import BackscatterResult
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import part_of
from containers.base.raster import create_cog, open_raster, tile_windows
from containers.base.step import local_path, main, progress
from containers.sarsen.contract.backscatter import SarsenBackscatterParams
from containers.sarsen.flattening import looked, sampled
from containers.sarsen.footprint import require_utm
from containers.sarsen.geometry import Seen, cells_around
from containers.sarsen.slices import EDGE, Flattened, flatten, open_slices, seen_with_edge
from containers.sarsen.terrain import require_heights

_SHADOW_DEG = 90.0


def run(params: SarsenBackscatterParams, out: Path) -> BackscatterResult:
    require_utm(params.grid)
    slices = open_slices(params)
    with open_raster(local_path(params.dem)) as dem:
        require_heights(dem, cells_around(params.grid, EDGE))
        parts = [part for part in (flatten(each, dem, params) for each in slices) if part]
        valid_share = _write(parts, dem, params, out)
    first = params.slices[0]
    if not valid_share:
        raise StepError(
            "no_valid_pixels",
            f"No cell of the grid {tuple(params.grid.bounds)} holds data in the slices of {first.datatake}.",
            "Take a pass that sees the area: only its edge, border noise or radar shadow lies there.",
        )
    return BackscatterResult(
        engine="sarsen",
        engine_version=sarsen.__version__,
        acquired=first.start,
        direction=first.direction,
        relative_orbit=first.relative_orbit,
        platform=first.platform,
        grid=params.grid,
        bands={band: output_file(out / f"gamma0_{band}.tif") for band in params.polarisations},
        incidence=output_file(out / "incidence.tif"),
        valid_share=valid_share,
        simulated=any(each.simulated for each in params.slices),
        warnings=_warnings(parts),
    )


class Block(NamedTuple):
    """One block of the grid; (band, y, x) and (y, x), float32."""

    gamma: NDArray[np.float32]
    incidence: NDArray[np.float32]


def block_of(parts: list[Flattened], part: Grid, dem: Any, params: SarsenBackscatterParams) -> Block:
    """Where two slices see a cell, the earlier one counts; cells that face away from the satellite are NaN."""
    gamma = np.full((len(params.polarisations), *part.shape), np.nan, dtype=np.float32)
    incidence = np.full(part.shape, np.nan, dtype=np.float32)
    for each in parts:
        seen = Seen(*(layer[EDGE:-EDGE, EDGE:-EDGE] for layer in seen_with_edge(each.view, part, dem)))
        row, col = (
            looked(position, params.multilook) - first
            for position, first in ((seen.row, each.window.row_off), (seen.col, each.window.col_off))
        )
        lit = seen.incidence_deg < _SHADOW_DEG
        for layer, band in zip(gamma, params.polarisations, strict=True):
            np.copyto(layer, sampled(each.gamma[band], row, col), where=lit & np.isnan(layer))
        np.copyto(incidence, seen.incidence_deg.astype(np.float32), where=np.isnan(incidence))
    return Block(gamma, incidence)


def _write(parts: list[Flattened], dem: Any, params: SarsenBackscatterParams, out: Path) -> float:
    """The share of the grid's cells that hold data in every polarisation."""
    windows, valid = list(tile_windows(params.grid.shape, params.chunk_px)), 0
    with ExitStack() as files:
        layers = {"incidence": "local incidence angle in degrees"} | {
            f"gamma0_{band}": f"gamma nought {band}, linear power" for band in params.polarisations
        }
        sinks = {
            name: files.enter_context(
                create_cog(
                    out / f"{name}.tif", params.grid, dtype="float32", nodata=np.nan, bands=(what,),
                    overviews="average", threads=params.execution.threads,
                )
            )
            for name, what in layers.items()
        }  # fmt: skip
        for done, window in enumerate(windows, start=1):
            block = block_of(parts, part_of(params.grid, window), dem, params)
            sinks["incidence"].write(block.incidence, 1, window=window)
            for layer, band in zip(block.gamma, params.polarisations, strict=True):
                sinks[f"gamma0_{band}"].write(layer, 1, window=window)
            valid += int((~np.isnan(block.gamma)).all(axis=0).sum())
            progress(done, len(windows), "grid")
    return valid / (params.grid.width * params.grid.height)


def _warnings(parts: list[Flattened]) -> tuple[StepWarning, ...]:
    share = max(part.filled_share for part in parts) if parts else 0.0
    if not share:
        return ()
    return (
        StepWarning(
            code="filled_from_neighbours",
            reason=f"{share:.2%} of the image held no power after noise removal and were filled from pixels around.",
            hint="Expected over calm water and shadow; where it is much, the noise table may not fit the image.",
        ),
    )


if __name__ == "__main__":
    main(SarsenBackscatterParams, run)
