"""The first half of `cloud_removal`: dates with their radar passes, products in the store, images on one grid."""

from datetime import datetime
from itertools import pairwise

from prefect.futures import PrefectFuture

from containers.base.contract.grid import Grid
from containers.base.contract.pair import Pair
from containers.base.contract.radar import BackscatterResult, SafeFolder
from containers.gdal.contract.dem import DemParams, DemResult
from containers.gdal.contract.download import DownloadParams
from containers.gdal.contract.optical import OpticalResult
from containers.sarsen.contract.backscatter import SarsenBackscatterParams
from containers.snap.contract.backscatter import SnapBackscatterParams
from tasks import gdal, ledger, sarsen, snap
from tasks.cloud_removal.choice import choose_image, taken_at
from tasks.cloud_removal.images import ImageRequest, see_image
from tasks.cloud_removal.intake import RemovalInputs, removal_grid
from tasks.cloud_removal.paired import PairedDate, PairedDates
from tasks.cloud_removal.passes import find_passes
from tasks.cloud_removal.scenes import ImageCandidates, TiledImage, find_images
from tasks.elevation import area_of, stored_tiles, tile_hrefs
from tasks.parameters.cloud_removal import CloudRemovalParams

Folders = dict[str, SafeFolder]
"""Product name to its files in the store."""


def pair_dates(params: CloudRemovalParams, inputs: RemovalInputs) -> PairedDates:
    """An image per date, clear enough by its mask, and the radar pass that belongs to it."""
    candidates = find_images.submit(params, inputs.aoi).result()
    if inputs.aoi:
        grid = removal_grid(inputs.aoi, params.area)
        chosen = choose_images(params, candidates, grid)
        passes = find_passes.submit(params, inputs.aoi, tuple(image for image, _ in chosen)).result()
    else:  # every product is named, and the zone is what all products show
        images = tuple(each.images[0] for each in candidates)
        passes = find_passes.submit(params, "", images).result()
        grid = removal_grid(passes.zone, params.area)
        chosen = tuple((image, see(params, image, grid)) for image in images)
    return PairedDates(
        zone=passes.zone,
        grid=grid,
        dates=tuple(
            PairedDate(tiles=image, optical=optical, radar=radar)
            for (image, optical), radar in zip(chosen, passes.passes, strict=True)
        ),
    )


def choose_images(
    params: CloudRemovalParams, candidates: tuple[ImageCandidates, ...], grid: Grid
) -> tuple[tuple[TiledImage, OpticalResult], ...]:
    """The image of each date with its bands on the grid, in the order of time. What was left out is a row."""
    seen: dict[datetime, OpticalResult] = {}
    chosen: list[TiledImage] = []

    def hidden_share(image: TiledImage) -> float:
        seen[taken_at(image)] = see(params, image, grid)
        return seen[taken_at(image)].hidden_share

    for found, window in zip(candidates, params.dates, strict=True):
        choice = choose_image(found, window, hidden_share, after=taken_at(chosen[-1]) if chosen else None)
        for row in choice.refused:
            ledger.skip(row.scene_id, row.code, row.reason, row.hint)
        chosen.append(choice.image)
    return tuple((image, seen[taken_at(image)]) for image in chosen)


def see(params: CloudRemovalParams, image: TiledImage, grid: Grid) -> OpticalResult:
    """One image on the grid, with what hides the ground."""
    optical: OpticalResult = see_image.submit(
        ImageRequest(tiles=image, bands=params.bands, grid=grid, rules=params.mask)
    ).result()
    return optical


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
    margin_m = params.radar.dem_margin_m
    tiles = inputs.dem or stored_tiles(tile_hrefs(area_of(paired.grid, margin_m))).files
    result: DemResult = gdal.join_dem.submit(
        DemParams(
            tiles=tiles, heights=params.radar.dem_heights, geoid=inputs.geoid, grid=paired.grid, margin_m=margin_m
        )
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
    return sarsen.compute_backscatter.submit(SarsenBackscatterParams.model_validate(asked))
