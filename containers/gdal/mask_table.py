"""Labelled pixels of masked scenes, as many cloudy as clear ones of each: the table that the mask is trained on."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import reproject

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError, StepWarning
from containers.base.grid import crs_of, require_grid, transform_of
from containers.base.raster import open_raster
from containers.base.step import local_path, main, progress
from containers.gdal import pixel_table
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_model import LabelledScene, MaskTableParams, MaskTableResult
from containers.gdal.mask_forest import UNKNOWN
from containers.gdal.pixel_table import bad_labels, write_pixels

CLOUDY: Final = ("cloud", "cirrus")
CLEAR: Final = ("shadow", "snow", "clear")
UNLABELLED: Final = 0
"""Of label rasters on the mask's grid."""


def balanced_draw(
    is_cloudy: NDArray[np.bool_], is_labelled: NDArray[np.bool_], pixels: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Flat indices of labelled cells in ascending order, half of them cloudy: `pixels` at most, none of a lone kind."""
    kinds = [np.flatnonzero(is_labelled & is_cloudy), np.flatnonzero(is_labelled & ~is_cloudy)]
    each = min(pixels // 2, *map(len, kinds))
    return np.sort(np.concatenate([rng.choice(kind, each, replace=False) for kind in kinds]))


def run(params: MaskTableParams, out: Path) -> MaskTableResult:
    """Write `pixels.parquet`. Raises `bad_labels` where no scene has both kinds, `grid_mismatch`, `corrupt_file`."""
    rng = np.random.default_rng(params.seed)
    tables: list[pd.DataFrame] = []
    warnings: list[StepWarning] = []
    for done, scene in enumerate(params.scenes, start=1):
        table = pixels_of(scene, params.pixels_per_scene, rng)
        progress(done, len(params.scenes), f"{len(table)} pixels of {scene.observation.scene_id}")
        if table.empty:
            warnings.append(_one_kind(scene))
        else:
            tables.append(table)
    if not tables:
        raise bad_labels(
            f"none of the {len(params.scenes)} scenes has labelled cloud and labelled clear ground",
            "Check the label codes, and label scenes that are partly cloudy.",
        )
    path = write_pixels(pd.concat(tables, ignore_index=True), out / "pixels.parquet")
    return MaskTableResult(
        table=output_file(path), pixels=sum(map(len, tables)), scenes=len(tables), warnings=tuple(warnings)
    )


def pixels_of(scene: LabelledScene, pixels: int, rng: np.random.Generator) -> pd.DataFrame:
    """The rows of one scene; none where all its labelled cells are cloudy, or all clear.

    Cells of which no component is known are left out.
    """
    grid, facts = scene.mask.grid, scene.observation
    components = _components(scene)
    codes = labels_on(local_path(scene.labels), grid)
    meanings = _meanings(scene)
    is_labelled = np.isin(codes, list(meanings)) & (components != UNKNOWN).any(axis=0)
    cloudy_codes = [code for code, meaning in meanings.items() if meaning in CLOUDY]
    chosen = balanced_draw(np.isin(codes, cloudy_codes), is_labelled, pixels, rng)
    rows, cols = np.unravel_index(chosen, grid.shape)
    labels = [meanings[code] for code in codes.ravel()[chosen].tolist()]
    columns: dict[str, Any] = {
        pixel_table.SCENE: facts.scene_id,
        pixel_table.TILE: facts.tile,
        pixel_table.ACQUIRED: facts.acquired.isoformat(),
        pixel_table.LEVEL: facts.level,
        pixel_table.BASELINE: facts.baseline,
        pixel_table.SIMULATED: facts.simulated,
        pixel_table.RESOLUTION_M: grid.resolution_m,
        "epsg": grid.epsg,
        "x_m": grid.west_m + (cols + 0.5) * grid.resolution_m,
        "y_m": grid.north_m - (rows + 0.5) * grid.resolution_m,
        pixel_table.LABEL: labels,
        pixel_table.CLOUD: np.isin(labels, CLOUDY).astype(np.uint8),
        **{name: layer.ravel()[chosen] for name, layer in zip(COMPONENTS, components, strict=True)},
    }
    return pd.DataFrame(columns, index=range(len(chosen)))


def labels_on(path: Path, grid: Grid) -> NDArray[np.int32]:
    """The label at each cell's centre; 0 beyond the raster and where it is nodata. Raises `bad_labels` without CRS."""
    codes: NDArray[np.int32] = np.full(grid.shape, UNLABELLED, np.int32)
    with open_raster(path) as source:
        if source.crs is None:
            raise bad_labels(f"{path.name} has no coordinate reference system", "Write one into the file.")
        reproject(
            rasterio.band(source, 1),  # read in parts: label rasters may be larger than masks
            codes,
            src_nodata=UNLABELLED if source.nodata is None else int(source.nodata),
            dst_transform=transform_of(grid),
            dst_crs=crs_of(grid),
            dst_nodata=UNLABELLED,
            resampling=Resampling.nearest,
        )
    return codes


def _components(scene: LabelledScene) -> NDArray[np.uint8]:
    if scene.mask.components is None:
        raise StepError(
            "bad_parameters",
            f"the mask of {scene.mask.scene_id} has no components.",
            "Mask it with engine multitemporal and keep_components.",
        )
    with open_raster(local_path(scene.mask.components)) as source:
        require_grid(source, scene.mask.grid)
        layers: NDArray[np.uint8] = source.read()
    if len(layers) != len(COMPONENTS):
        raise bad_labels(f"{scene.mask.components.name} has {len(layers)} bands, not {len(COMPONENTS)}", "Mask again.")
    return layers


def _meanings(scene: LabelledScene) -> dict[int, str]:
    """Label code to its meaning, of the codes in use. Raises `unknown_label` where a meaning is unheard of."""
    for code, meaning in scene.codes.items():
        if meaning.split("/")[0] not in (*CLOUDY, *CLEAR) or code == UNLABELLED:
            raise StepError(
                "unknown_label",
                f"label code {code} means {meaning!r}.",
                f"Meanings are {', '.join((*CLOUDY, *CLEAR))} or clear/<surface>; code {UNLABELLED} is no label.",
            )
    return scene.codes


def _one_kind(scene: LabelledScene) -> StepWarning:
    return StepWarning(
        code="one_kind_of_label",
        reason=f"{scene.observation.scene_id} has no labelled cloud, or no labelled clear ground: it was left out.",
        hint="Its pixels would teach which scene they are of.",
    )


if __name__ == "__main__":
    main(MaskTableParams, run)
