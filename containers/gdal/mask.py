"""What hides the ground in one acquisition: an engine's clouds, then shadow, snow and dilation; in the tile's grid."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.legend import PROBABILITY_NODATA, PROBABILITY_SCALE, Sky
from containers.base.contract.step import StepWarning
from containers.base.raster import write_cog
from containers.base.step import main
from containers.gdal.contract.mask import COMPONENTS, MaskParams, MaskResult
from containers.gdal.darkness import AGAINST_OTHER_DATES, AGAINST_SURROUNDINGS, BANDS, darker_than, surroundings
from containers.gdal.engines import Case, Verdict, choose, is_cloudy, verdict
from containers.gdal.features import Bands
from containers.gdal.mask_forest import UNKNOWN
from containers.gdal.shadow import Ground, cast_shadows, shadow_shift
from containers.gdal.sky import grown_sky, shares
from containers.gdal.snow import is_snow, may_be_snow

_NEEDED: Final = {"shadow": BANDS, "snow": ("green", "nir", "swir16")}


def run(params: MaskParams, out: Path) -> MaskResult:
    case = Case(params)
    engine = choose(case)
    found = verdict(case, engine)
    sky = _with_shadow_and_snow(case, found)
    reach_m = {str(name): metres for name, metres in params.rules.dilate_m.items()}
    mask = grown_sky(sky, reach_m, case.scene.grid.resolution_m)
    path = write_cog(out / "mask.tif", mask, case.scene.grid, nodata=Sky.NODATA, bands=("sky",), overviews="mode")
    return MaskResult(
        scene_id=params.observation.scene_id,
        engine=engine,
        grid=case.scene.grid,
        mask=output_file(path),
        probability=_written_probability(case, found, out),
        components=_written_components(case, out),
        shares=shares(mask),
        warnings=tuple(case.warnings),
    )


def scaled_probability(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probability as uint8 × 1/250, 255 where it is not known; (y, x)."""
    scaled = np.rint(np.nan_to_num(probability) / PROBABILITY_SCALE)
    return np.where(np.isnan(probability), PROBABILITY_NODATA, scaled).astype(np.uint8)


def _with_shadow_and_snow(case: Case, found: Verdict) -> NDArray[np.uint8]:
    """What the engine does not tell itself is looked for: snow, then shadow among cells without cloud.

    Snow in a shadow is shadow: its index is that of snow, but its reflectance is not.
    """
    sky = found.sky.copy()
    bands = _named(case.scene.whole("green", "nir", "nir08", "cirrus", "swir16"))
    if case.rules.snow and not found.has_snow and _has(case, bands, "snow"):
        sky[is_snow(bands) & may_be_snow(sky, bands)] = Sky.SNOW
    if case.rules.shadow and not found.has_shadow and _has(case, bands, "shadow"):
        sky[_shadows(case, bands, sky)] = Sky.SHADOW
    return sky


def _named(bands: Bands) -> Bands:
    """The bands for shadow and snow; `nir` is B8A where there is one, as fine as the SWIR bands."""
    names = {"green": "green", "cirrus": "cirrus", "nir": "nir08" if "nir08" in bands else "nir", "swir16": "swir16"}
    return {name: bands[band] for name, band in names.items() if band in bands}


def _has(case: Case, bands: Bands, what: str) -> bool:
    """Whether the bands are there; a warning where they are not."""
    missing = [name for name in _NEEDED[what] if name not in bands]
    if missing:
        reason = f"No {what} was looked for: the bands {', '.join(missing)} are not among the mask's."
        case.warnings.append(
            StepWarning(code=f"no_{what}", reason=reason, hint="Add them to mask_bands, or switch it off in the rules.")
        )
    return not missing


def _shadows(case: Case, bands: Bands, sky: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Cells in the shadow of a cloud: darker than on other dates where there is a background, else than around."""
    grid, cloud = case.scene.grid, is_cloudy(sky)
    if not cloud.any():
        return np.zeros(sky.shape, dtype=bool)
    now = {name: bands[name] for name in BANDS}
    background = case.backgrounds.get("least_cloudy") or case.backgrounds.get("nearest")
    if background is not None:
        expected = _named(dict(zip(background.names, background.on(grid), strict=True)))
        darkness = AGAINST_OTHER_DATES
    else:
        expected = {name: surroundings(values, sky == Sky.CLEAR, grid.resolution_m) for name, values in now.items()}
        darkness = AGAINST_SURROUNDINGS
    hidden = cloud | (sky == Sky.NODATA)
    dark, very_dark = (darker_than(now, expected, part) & ~hidden for part in darkness)
    shift = shadow_shift(grid, case.params.observation.acquired)
    return cast_shadows(cloud, Ground(dark, very_dark, hidden), shift)


def _written_probability(case: Case, found: Verdict, out: Path) -> File | None:
    if found.probability is None:
        return None
    probability = np.where(case.valid, found.probability, np.nan).astype(np.float32)
    path = write_cog(
        out / "probability.tif",
        scaled_probability(probability),
        case.scene.grid,
        nodata=PROBABILITY_NODATA,
        bands=("probability",),
        scale=PROBABILITY_SCALE,
    )
    return output_file(path)


def _written_components(case: Case, out: Path) -> File | None:
    if not case.params.keep_components:
        return None
    path = write_cog(out / "components.tif", case.components, case.scene.grid, nodata=UNKNOWN, bands=COMPONENTS)
    return output_file(path)


if __name__ == "__main__":
    main(MaskParams, run)
