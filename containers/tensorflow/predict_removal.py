"""Rebuild the image of a second date over the whole grid."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import (
    PROBABILITY_NODATA,
    PROBABILITY_SCALE,
    REFLECTANCE_NODATA,
    REFLECTANCE_SCALE,
)
from containers.base.contract.pair import Pair
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import create_cog
from containers.base.scalers import stored
from containers.base.step import local_path, main, progress
from containers.tensorflow.blending import Strip, Windows, blended_rows
from containers.tensorflow.confidence import Calibration, over_turns, spread_of
from containers.tensorflow.contract.removal import PredictRemovalParams, PredictRemovalResult
from containers.tensorflow.network import prepare_backend
from containers.tensorflow.pair_reader import PairReader, pair_reader
from containers.tensorflow.predict import load_weights
from containers.tensorflow.recipe import Recipe, Scene
from containers.tensorflow.removal_card import RemovalCard, read_removal_card
from containers.tensorflow.removal_scores import telling

REPLACED_NODATA: Final = 255


class Rebuilt(NamedTuple):
    """The products of some rows: simulated and restored int16 × 1e-4 (band, y, x), replaced uint8 and confidence uint8
    × 1/250 (y, x)."""

    simulated: NDArray[np.int16]
    restored: NDArray[np.int16]
    replaced: NDArray[np.uint8]
    confidence: NDArray[np.uint8]


def rebuilt(moments: NDArray[np.float32], scene: Scene, recipe: Recipe, calibration: Calibration) -> Rebuilt:
    """From blended moments (band + 1, y, x), see `confidence.over_turns`, and what was seen.

    Without data in an input channel nothing is predicted; what was seen at t1 is restored even there.
    """
    told = np.where(scene.known, moments[:-1], np.nan)
    simulated = np.moveaxis(stored(np.moveaxis(told, 0, -1), recipe.bands), -1, 0)
    seen = scene.seen_t1
    restored = np.where(seen, np.moveaxis(scene.target, -1, 0), simulated)
    replaced = np.where(seen, np.uint8(0), np.where(scene.known, np.uint8(1), np.uint8(REPLACED_NODATA)))
    share = calibration.confidence(spread_of(moments, axis=0))
    confidence = np.where(scene.known, np.rint(share / PROBABILITY_SCALE), PROBABILITY_NODATA).astype(np.uint8)
    return Rebuilt(simulated, restored.astype(np.int16), replaced, confidence)


def check_pair(card: RemovalCard, pair: Pair, grid: Grid, *, allow_simulated: bool) -> tuple[StepWarning, ...]:
    """Raises `grid_mismatch` where an image is not on the grid, `bad_model` where the model must not predict the pair;
    warns outside its training area."""
    images = {name: getattr(pair, name) for name in ("radar_t0", "radar_t1", "optical_t0", "optical_t1")}
    for name, image in images.items():
        if image.grid != grid:
            raise StepError("grid_mismatch", f"{name} is on {image.grid}, not on {grid}.", "Make the pair again.")
    domain = card.domain
    if domain.resolution_m != grid.resolution_m:
        raise StepError(
            "bad_model",
            f"The model was trained at {domain.resolution_m} m, the pair has {grid.resolution_m} m.",
            "Use the model's resolution, or train a model at this one.",
        )
    if domain.simulated and not (pair.radar_t0.simulated and pair.radar_t1.simulated) and not allow_simulated:
        raise StepError(
            "bad_model",
            "The model was trained on simulated data, the pair holds real scenes.",
            "Train on real scenes, or set allow_simulated_model and do not trust the image.",
        )
    if domain.epsg == grid.epsg and domain.bounds.intersects(grid.bounds):
        return ()
    return (
        StepWarning(
            code="outside_training_area",
            reason=f"The model was trained in EPSG:{domain.epsg} {tuple(domain.bounds)}, the pair lies elsewhere.",
            hint="Check the image on cells that were seen at both dates before it is used.",
        ),
    )


def run(params: PredictRemovalParams, out: Path) -> PredictRemovalResult:
    prepare_backend(threads=params.execution.threads)
    card = read_removal_card(local_path(params.model.card))
    if 2 * params.overlap_px > card.tile_px:
        raise StepError(
            "bad_parameters",
            f"overlap_px={params.overlap_px} is more than half of the model's windows of {card.tile_px} cells.",
            f"Set overlap_px to {card.tile_px // 2} at most.",
        )
    warnings = check_pair(card, params.pair, params.grid, allow_simulated=params.allow_simulated_model)
    reader = pair_reader(params.pair, card.recipe, params.grid.shape)
    model = load_weights(local_path(params.model.weights))
    paths = rebuild(reader, card, model, params, out)
    bands = [band.name for band in card.recipe.bands]
    return PredictRemovalResult(
        warnings=warnings,
        simulated={band: output_file(paths[f"simulated_{band}"]) for band in bands},
        restored={band: output_file(paths[f"restored_{band}"]) for band in bands},
        replaced=output_file(paths["replaced"]),
        confidence=output_file(paths["confidence"]),
    )


@dataclass(frozen=True)
class SceneStrip(Strip):
    """A strip, and the scene that it shows."""

    scene: Scene


def rebuild(
    reader: PairReader, card: RemovalCard, model: keras.Model, params: PredictRemovalParams, out: Path
) -> dict[str, Path]:
    """Predict strip by strip into all products; returns their paths by name."""
    recipe, (height, width) = card.recipe, params.grid.shape

    def read(row: int, rows: int) -> SceneStrip:
        scene = reader.scene(row, rows)
        visible = scene.seen_t1 if recipe.visible_t1 else np.zeros(scene.known.shape, bool)
        return SceneStrip(recipe.network_input(scene, visible), scene.known, scene)

    windows = Windows(card.tile_px, params.overlap_px, params.batch)
    predict = over_turns(telling(model, recipe))
    with _products(out, params.grid, [band.name for band in recipe.bands], params.execution.threads) as sinks:
        for done in blended_rows((height, width), read, predict, windows, len(recipe.bands) + 1):
            products = rebuilt(done.layers, done.strip.scene.upper(done.rows), recipe, card.calibration)
            layers = [*products.simulated, *products.restored, products.replaced, products.confidence]
            for sink, layer in zip(sinks.values(), layers, strict=True):
                sink.write(layer[np.newaxis], window=Window(0, done.row, width, done.rows))
            until = done.row + done.rows
            progress(until, height, f"{until} of {height} rows")
    return {name: out / f"{name}.tif" for name in sinks}


@contextmanager
def _products(out: Path, grid: Grid, bands: list[str], threads: int) -> Iterator[dict[str, Any]]:
    """All rasters to write by name: simulated and restored by band, replaced, confidence."""
    reflectance = {"dtype": "int16", "nodata": REFLECTANCE_NODATA, "scale": REFLECTANCE_SCALE, "overviews": "average"}
    options: dict[str, dict[str, Any]] = {
        f"{kind}_{band}": reflectance | {"bands": (band,)} for kind in ("simulated", "restored") for band in bands
    }
    options["replaced"] = {"dtype": "uint8", "nodata": REPLACED_NODATA, "overviews": "nearest", "bands": ("replaced",)}
    options["confidence"] = {
        "dtype": "uint8",
        "nodata": PROBABILITY_NODATA,
        "scale": PROBABILITY_SCALE,
        "overviews": "average",
        "bands": ("confidence",),
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(create_cog(out / f"{name}.tif", grid, threads=threads, **each))
            for name, each in options.items()
        }


if __name__ == "__main__":
    main(PredictRemovalParams, run)
