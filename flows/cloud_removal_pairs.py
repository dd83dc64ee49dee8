"""The first half of `cloud_removal`: dates with their radar passes, products in the store, images on one grid."""

from itertools import pairwise

from prefect.futures import PrefectFuture
from tasks.elevation import elevation_tiles

from containers.base.contract.grid import Grid
from containers.base.contract.pair import Pair
from containers.base.contract.radar import BackscatterResult, SafeFolder
from containers.gdal.contract.dem import DemParams, DemResult
from containers.gdal.contract.download import DownloadParams
from containers.sarsen.contract.backscatter import SarsenBackscatterParams
from containers.snap.contract.backscatter import SnapBackscatterParams
from tasks import gdal, sarsen, snap
from tasks.cloud_removal.intake import RemovalInputs
from tasks.cloud_removal.paired import PairedDate, PairedDates
from tasks.parameters.cloud_removal import CloudRemovalParams

Folders = dict[str, SafeFolder]
"""Product name to its files in the store."""


def download(paired: PairedDates) -> Folders:
    """The radar products, whole, each once."""
    products = {each.id: each for date in paired.dates for each in date.radar.slices}
    futures = {
        name: gdal.download_product.submit(DownloadParams(product_id=name, files=product.files))
        for name, product in products.items()
    }
    return {name: future.result().folder for name, future in futures.items()}


def heights(params: CloudRemovalParams, inputs: RemovalInputs, paired: PairedDates) -> DemResult:
    """Heights above the ellipsoid, slope and aspect."""
    tiles = inputs.dem or elevation_tiles(paired.zone)
    result: DemResult = gdal.join_heights.submit(
        DemParams(tiles=tiles, heights=params.radar.dem_heights, geoid=inputs.geoid, grid=paired.grid)
    ).result()
    return result


def join_pairs(
    params: CloudRemovalParams,
    inputs: RemovalInputs,
    paired: PairedDates,
    folders: Folders,
    terrain: DemResult,
) -> tuple[Pair, ...]:
    """Radar and optical images of each date and the next, on the grid."""
    futures = [backscatter(params, inputs, date, folders, paired.grid, terrain) for date in paired.dates]
    radar = [future.result() for future in futures]
    return tuple(
        Pair(
            label=f"{before.label}_{after.label}",
            radar_t0=radar_before,
            radar_t1=radar_after,
            optical_t0=before.optical.image,
            optical_t1=after.optical.image,
        )
        for (before, radar_before), (after, radar_after) in pairwise(zip(paired.dates, radar, strict=True))
    )


def backscatter(
    params: CloudRemovalParams,
    inputs: RemovalInputs,
    date: PairedDate,
    folders: Folders,
    grid: Grid,
    terrain: DemResult,
) -> PrefectFuture[BackscatterResult]:
    """Gamma nought of one date, by the engine that the form names."""
    asked = {
        "slices": date.radar.slices,
        "folders": tuple(folders[each.id] for each in date.radar.slices),
        "polarisations": params.pairing.polarisations,
        "grid": grid,
        "dem": terrain.dem,
        "speckle": params.radar.speckle,
        "multilook": params.radar.multilook,
    }
    if params.radar.engine == "snap":
        return snap.snap_backscatter.submit(
            SnapBackscatterParams.model_validate({**asked, "orbit_files": inputs.orbit_files})
        )
    return sarsen.backscatter.submit(SarsenBackscatterParams.model_validate(asked))
