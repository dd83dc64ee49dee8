"""The last part of `cloud_removal`: what burned, and how well the rebuilt image tells it."""

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.pair import Pair
from containers.gdal.contract.areas import AreasParams, AreasResult, SampleClassesParams
from containers.gdal.contract.burn import (
    BURN_CLASSES,
    BurnParams,
    BurnResult,
    ChangeMapParams,
    ChangeMapResult,
    CompareBurnsParams,
    CompareBurnsResult,
    Reflectances,
    SharesParams,
    SharesResult,
)
from containers.gdal.contract.dem import DemResult
from containers.gdal.contract.fit_image import FitImageParams
from containers.grass.contract.zonal import ZonalLayer, ZonalParams, ZonalResult
from tasks import gdal, grass
from tasks.cloud_removal.intake import RemovalInputs, regions_file
from tasks.cloud_removal.paired import PairedDates
from tasks.cloud_removal.product import Burns
from tasks.parameters.cloud_removal import CloudRemovalParams

BURNED = "burned"


def tell_burns(
    params: CloudRemovalParams,
    inputs: RemovalInputs,
    paired: PairedDates,
    pair: Pair,
    terrain: DemResult,
    images: tuple[dict[str, File], dict[str, File]],
) -> Burns:
    """Burned area by the restored image, the first of the images, and by the true one where it is known."""
    restored_bands, true_bands = images
    restored = map_burn(params, pair, restored_bands, paired)
    true = map_burn(params, pair, true_bands, paired) if true_bands else None
    known = true_burn(inputs, paired.grid)
    counts = count_per_region(params, inputs, paired, restored)
    return Burns(
        restored=restored,
        true=true,
        comparison=compare(true, known, restored, pair) if true else None,
        best_possible=compare(true, known, true, pair) if true and known else None,
        change=map_change(pair, restored_bands),
        shares=shares(params, inputs, restored, terrain, paired.grid),
        counts=counts,
        areas=estimate_areas(params, inputs, paired, restored, counts),
    )


def map_burn(params: CloudRemovalParams, pair: Pair, after: dict[str, File], paired: PairedDates) -> BurnResult:
    """Indices, severity, burned cells and perimeters between the pair's first date and an image of its second."""
    burn: BurnResult = gdal.map_burn.submit(
        BurnParams(
            before=Reflectances(bands=pair.optical_t0.bands),
            after=Reflectances(bands=after),
            grid=paired.grid,
            rules=params.burn,
            period=paired.dates[-1].label,
        )
    ).result()
    return burn


def true_burn(inputs: RemovalInputs, grid: Grid) -> File | None:
    """What is known to have burned, on the grid."""
    if inputs.true_burn is None:
        return None
    burned: File = (
        gdal.fit_image.submit(FitImageParams(image=inputs.true_burn, bands=(BURNED,), grid=grid)).result().bands[BURNED]
    )
    return burned


def compare(true: BurnResult, known: File | None, mapped: BurnResult, pair: Pair) -> CompareBurnsResult:
    """A map against the true image's severity, and against what is known to have burned, else the true image's."""
    comparison: CompareBurnsResult = gdal.compare_burns.submit(
        CompareBurnsParams(
            truth_severity=true.severity,
            truth_burned=known or true.burned,
            severity=mapped.severity,
            burned=mapped.burned,
            sky=pair.optical_t1.sky,
        )
    ).result()
    return comparison


def map_change(pair: Pair, after: dict[str, File]) -> ChangeMapResult:
    change: ChangeMapResult = gdal.map_change.submit(
        ChangeMapParams(before=Reflectances(bands=pair.optical_t0.bands), after=Reflectances(bands=after))
    ).result()
    return change


def shares(
    params: CloudRemovalParams, inputs: RemovalInputs, burn: BurnResult, terrain: DemResult, grid: Grid
) -> SharesResult:
    """Severity by land cover, slope and aspect."""
    result: SharesResult = gdal.severity_shares.submit(
        SharesParams(
            severity=burn.severity,
            grid=grid,
            slope=terrain.slope,
            aspect=terrain.aspect,
            land_cover=inputs.land_cover,
            land_cover_names=params.land_cover_names,
        )
    ).result()
    return result


def count_per_region(
    params: CloudRemovalParams, inputs: RemovalInputs, paired: PairedDates, burn: BurnResult
) -> ZonalResult:
    """Burned cells per region: counts, which are no estimates yet."""
    counts: ZonalResult = grass.count_per_region.submit(
        ZonalParams(
            layers=(ZonalLayer(indicator=BURNED, period=paired.dates[-1].label, raster=burn.burned),),
            regions=regions_file(inputs, paired.zone, params.name),
            region_id_field=params.regions.id_field,
            region_name_field=params.regions.name_field,
        )
    ).result()
    return counts


def estimate_areas(
    params: CloudRemovalParams, inputs: RemovalInputs, paired: PairedDates, burn: BurnResult, counts: ZonalResult
) -> AreasResult:
    """Design-based areas where it is known what burned; else counts and no interval."""
    sample = None
    if inputs.true_burn:
        sample = gdal.sample_classes.submit(
            SampleClassesParams(
                mapped=burn.burned,
                classes=BURN_CLASSES,
                beside=BURNED,
                period=paired.dates[-1].label,
                reference=inputs.true_burn,
                regions=counts.regions,
                points=params.truth.points,
                seed=params.truth.seed,
            )
        ).result()
    areas: AreasResult = gdal.estimate_areas.submit(
        AreasParams(
            classes=BURN_CLASSES,
            counts=counts.counts,
            cell_area_ha=paired.grid.cell_area_ha,
            sample=sample.sample if sample else None,
            strata=sample.strata if sample else None,
        )
    ).result()
    return areas
