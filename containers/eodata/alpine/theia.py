"""The same acquisitions as THEIA distributes them: MAJA's L2A and the snow maps of LIS, each a ZIP.

Names, members and mask bits follow THEIA's descriptions of its Sentinel-2 L2A format
(labo.obs-mip.fr/multitemp/sentinel-2/theias-sentinel-2-l2a-product-format) and of its snow product. FRE is SRE with the
light on slopes taken out by a smooth DEM, so a part of it is left.
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from containers.eodata.acquisitions import Acquisition
from containers.eodata.alpine.theia_files import Raster, metadata, raster_bytes, write_zip
from containers.eodata.camera import MARGIN
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.hills import light_on_slopes
from containers.eodata.noise import FloatArray
from containers.eodata.place import FINE_M, PIXEL_M
from containers.eodata.product import cell_m
from containers.eodata.scl import Scl
from containers.eodata.season_scene import DIFFUSE, SLOPES_LEFT, SeasonScene
from containers.eodata.world import World

ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
NODATA: Final = -10000
SNOW, NO_SNOW, SNOW_CLOUD, SNOW_NODATA = 100, 0, 205, 254
"""Codes of the snow map."""
CLM: Final = {"hidden": 1, "cloud": 2, "single_date": 4, "thin": 16, "shadow": 32, "cirrus": 128}
"""Bits of the cloud mask: any cloud but the thinnest or shadow; any cloud but the thinnest; found on one date;
thinnest clouds; shadow of a cloud that was found; high clouds found at 1.38 µm."""
MG2: Final = {"water": 1, "cloud": 2, "snow": 4, "shadow": 8}
"""Bits of the geophysical mask."""
_LEFT_IN_FRE: Final = 0.15
"""Power of the light on slopes that is left in FRE."""
_DILATED_PX: Final = 2
"""Cells of 20 m by which clouds are widened."""


class Masks(NamedTuple):
    """What MAJA maps, on cells of 20 m."""

    cloud: BoolArray
    thin: BoolArray
    shadow: BoolArray
    snow: BoolArray
    water: BoolArray
    outside: BoolArray


def chosen_for_theia(acquisitions: list[Acquisition], params: ArchiveParams) -> list[Acquisition]:
    """Of each year's acquisitions of the first tile the clearest one of as many strata as dates are wanted."""
    count = params.pastures.theia_dates if params.pastures else 0
    found: list[Acquisition] = []
    for year in params.years if count else ():
        whole = [
            each for each in acquisitions
            if (each.tile, each.start.year, each.part, each.level) == (params.tiles[0], year, "whole", "L2A")
            and each.in_archive and not each.damage
        ]  # fmt: skip
        first_of = {each.start: each for each in sorted(whole, key=lambda each: (each.start, each.name), reverse=True)}
        dates = [first_of[start] for start in sorted(first_of)]
        for part in np.array_split(np.arange(len(dates)), min(count, len(dates))):
            found.append(min((dates[index] for index in part), key=lambda each: each.clouds))
    return found


def theia_name(acquisition: Acquisition, product: str = "L2A") -> str:
    """Name of the product without .zip, such as SENTINEL2A_20220410-103021-460_L2A_T31TGK_D_V1-4."""
    at = acquisition.strip_start
    satellite = acquisition.platform.replace("S", "SENTINEL", 1)
    return f"{satellite}_{at:%Y%m%d-%H%M%S}-{at.microsecond // 1000:03d}_{product}_T{acquisition.tile.id}_D_V1-4"


def write_theia(
    acquisition: Acquisition, images: dict[str, npt.NDArray[np.generic]], world: World, scene: SeasonScene, out: Path
) -> None:
    """Both ZIPs of an acquisition, below `theia/` and `theia_snow/`, made of what the L2A product shows."""
    masks = _mapped(images["truth"])
    name, members = theia_name(acquisition), {}
    for asset in sorted(asset for asset in images if asset.startswith("B")):
        surface, flat = _reflectances(acquisition, images[asset], asset, world, scene)
        number = asset[:3].replace("B0", "B")
        for kind, values in (("SRE", surface), ("FRE", flat)):
            members[f"{name}_{kind}_{number}.tif"] = raster_bytes(
                Raster(values, cell_m(asset), NODATA), acquisition.grid
            )
    cloud_bits, ground_bits = _bits(masks)
    for mask, bits in (("CLM", cloud_bits), ("MG2", ground_bits), ("EDG", masks.outside.astype(np.uint8))):
        fine = Raster(_on(bits, FINE_M), FINE_M, None)
        members[f"MASKS/{name}_{mask}_R1.tif"] = raster_bytes(fine, acquisition.grid)
    members[f"{name}_MTD_ALL.xml"] = metadata(acquisition, name)
    write_zip(out / "theia" / f"{name}.zip", name, members)
    snow_name = theia_name(acquisition, "L2B-SNOW")
    snow_map = raster_bytes(Raster(_snow_codes(masks), PIXEL_M, SNOW_NODATA), acquisition.grid)
    write_zip(out / "theia_snow" / f"{snow_name}.zip", snow_name, {f"{snow_name}_SNW_R2.tif": snow_map})


def _mapped(truth: npt.NDArray[np.generic]) -> Masks:
    """Clouds are widened, and what stands in their way is not seen."""
    cloud = binary_dilation(np.isin(truth, (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH)), iterations=_DILATED_PX)
    shadow = binary_dilation(truth == Scl.SHADOW) & ~cloud
    thin = (truth == Scl.CIRRUS) & ~cloud
    outside = truth == Scl.NODATA
    seen = ~cloud & ~outside
    return Masks(
        cloud & ~outside, thin, shadow & ~outside, (truth == Scl.SNOW) & seen, (truth == Scl.WATER) & seen, outside
    )


def _bits(masks: Masks) -> tuple[ByteArray, ByteArray]:
    """The cloud mask and the geophysical mask, on cells of 20 m."""
    clouds = {
        "hidden": masks.cloud | masks.shadow, "cloud": masks.cloud, "single_date": masks.cloud, "thin": masks.thin,
        "shadow": masks.shadow, "cirrus": masks.thin,
    }  # fmt: skip
    ground = {"water": masks.water, "cloud": masks.cloud, "snow": masks.snow, "shadow": masks.shadow}
    cloud_bits, ground_bits = (
        np.sum([bits[name] * where.astype(np.uint8) for name, where in layers.items()], axis=0).astype(np.uint8)
        for bits, layers in ((CLM, clouds), (MG2, ground))
    )
    return cloud_bits, ground_bits


def _snow_codes(masks: Masks) -> ByteArray:
    codes = np.where(masks.snow, SNOW, NO_SNOW)
    codes = np.where(masks.cloud, SNOW_CLOUD, codes)
    return np.where(masks.outside, SNOW_NODATA, codes).astype(np.uint8)


def _reflectances(
    acquisition: Acquisition, numbers: npt.NDArray[np.generic], asset: str, world: World, scene: SeasonScene
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """SRE and FRE × 10 000: the ground as lit, and as if it were level."""
    values = numbers.astype(np.float32) + acquisition.offset_dn
    light = _light(acquisition, asset, world, scene)
    surface, flat = (
        np.where(numbers == 0, NODATA, np.rint(values * light**power)).astype(np.int16)
        for power in (1 - SLOPES_LEFT, _LEFT_IN_FRE - SLOPES_LEFT)
    )
    return surface, flat


def _light(acquisition: Acquisition, asset: str, world: World, scene: SeasonScene) -> FloatArray:
    """Light on the slopes of the band's cells."""
    slopes = world.slopes_under(acquisition.grid, 0, acquisition.grid.height)
    fine = light_on_slopes(*slopes, scene.sky.sun, DIFFUSE[asset[:3]])[MARGIN:-MARGIN, MARGIN:-MARGIN]
    scale = cell_m(asset) // FINE_M
    rows, columns = fine.shape
    light: FloatArray = fine.reshape(rows // scale, scale, columns // scale, scale).mean(axis=(1, 3))
    return np.clip(light, 0.15, None)


def _on(values: ByteArray, cell: int) -> ByteArray:
    """Cells of 20 m as smaller ones."""
    scale = PIXEL_M // cell
    return values.repeat(scale, axis=0).repeat(scale, axis=1)
