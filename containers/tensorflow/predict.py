"""Predict class probabilities of one period of a cube."""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES, PROBABILITY_NODATA, PROBABILITY_SCALE, LandCover
from containers.base.contract.step import StepError, StepWarning
from containers.base.raster import create_cog
from containers.base.step import local_path, main, progress
from containers.tensorflow.blending import Predict, Strip, Windows, blended_rows
from containers.tensorflow.card import ModelCard, legend, read_card
from containers.tensorflow.contract.predict import PredictParams, PredictResult
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.network import prepare_backend
from containers.tensorflow.normalisation import has_data, normalise


def as_layers(
    probabilities: NDArray[np.float32], known: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Probabilities float (class, y, x) as the three products: probabilities uint8 × 1/250 (class, y, x), classes
    (y, x) with 0 where unknown, confidence uint8 × 1/250 (y, x); nodata 255."""
    scaled = np.rint(probabilities / PROBABILITY_SCALE).astype(np.uint8)
    scaled[:, ~known] = PROBABILITY_NODATA
    codes = np.array(CLASSES, np.uint8)[probabilities.argmax(axis=0)]
    return scaled, np.where(known, codes, np.uint8(LandCover.UNKNOWN)), scaled.max(axis=0)


def averaged(predict: Predict, orientations: int) -> Predict:
    """A prediction that is the mean over so many ways of laying the windows: turned by quarters, then mirrored too."""

    def over_orientations(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        total = np.zeros((*windows.shape[:3], len(CLASSES)), np.float32)
        for number in range(orientations):
            quarters, mirror = number % 4, slice(None, None, -1 if number >= 4 else 1)
            laid = np.ascontiguousarray(np.rot90(windows, quarters, axes=(1, 2))[:, :, mirror])
            total += np.rot90(predict(laid)[:, :, mirror], -quarters, axes=(1, 2)) / np.float32(orientations)
        return total

    return over_orientations if orientations > 1 else predict


def check_model(card: ModelCard, cube: Cube, *, allow_simulated: bool) -> tuple[StepWarning, ...]:
    """Raises `bad_model` where the model cannot or must not predict the cube; warns outside its training area."""
    domain = card.domain
    if missing := sorted(set(card.bands) - set(cube.bands)):
        raise _bad_model(
            f"The model reads {', '.join(card.bands)}; the cube has {', '.join(cube.bands)}: no {', '.join(missing)}.",
            "Make the cube with the model's bands.",
        )
    if domain.resolution_m != cube.grid.resolution_m:
        raise _bad_model(
            f"The model was trained at {domain.resolution_m} m, the cube has {cube.grid.resolution_m} m.",
            "Use the model's resolution, or train a model at this one.",
        )
    if domain.simulated and not cube.simulated and not allow_simulated:
        raise _bad_model(
            "The model was trained on simulated data, the cube holds real scenes.",
            "Train on real labels, or set allow_simulated_model and do not trust the map.",
        )
    if domain.epsg == cube.grid.epsg and domain.bounds.intersects(cube.grid.bounds):
        return ()
    return (
        StepWarning(
            code="outside_training_area",
            reason=f"The model was trained in EPSG:{domain.epsg} {tuple(domain.bounds)}, the cube lies elsewhere.",
            hint="Check the map against a reference sample before its areas are used.",
        ),
    )


def load_weights(path: Path) -> keras.Model:
    """Raises `bad_model` where the file is no Keras 3 model."""
    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        raise _bad_model(
            f"{path.name} is no Keras 3 model: {error}", "Give the .keras file that train wrote."
        ) from error


def run(params: PredictParams, out: Path) -> PredictResult:
    prepare_backend(threads=params.execution.threads)
    card, model = read_card(local_path(params.model.card)), load_weights(local_path(params.model.weights))
    if params.window_px % (multiple := 2 ** len(card.network.filters)):
        raise StepError(
            "bad_parameters",
            f"window_px={params.window_px} is not a multiple of {multiple}, which this model needs.",
            f"Set window_px to a multiple of {multiple}.",
        )
    with Cube(local_path(params.cube)) as cube:
        warnings = check_model(card, cube, allow_simulated=params.allow_simulated_model)
        _require_period(cube, params.period)
        paths = write_maps(cube, card, model, params, out)
    return PredictResult(
        warnings=warnings, period=params.period, **{name: output_file(path) for name, path in paths.items()}
    )


def write_maps(cube: Cube, card: ModelCard, model: keras.Model, params: PredictParams, out: Path) -> dict[str, Path]:
    """Predict strip by strip into the three products; returns their paths by name."""
    height, width = cube.grid.shape

    normalisation = card.normalisation_of(cube.grid, params.period)

    def read(row: int, rows: int) -> Strip:
        values = cube.reflectance(params.period, card.bands, slice(row, row + rows), slice(0, width))
        return Strip(normalise(values, normalisation), has_data(values))

    paths = {name: out / f"{name}_{params.period}.tif" for name in ("probabilities", "classes", "confidence")}
    windows = Windows(params.window_px, params.overlap_px, params.batch)
    with ExitStack() as stack:
        sinks = [
            stack.enter_context(_create(name, path, cube.grid, params.execution.threads))
            for name, path in paths.items()
        ]
        predict = averaged(model.predict_on_batch, params.orientations)
        for done in blended_rows((height, width), read, predict, windows, len(CLASSES)):
            window = Window(0, done.row, width, done.rows)
            for sink, layer in zip(sinks, as_layers(done.layers, done.strip.known[: done.rows]), strict=True):
                sink.write(layer if layer.ndim == 3 else layer[np.newaxis], window=window)
            until = done.row + done.rows
            progress(until, height, f"{params.period}: {until} of {height} rows")
    return paths


def _create(name: str, path: Path, grid: Grid, threads: int) -> AbstractContextManager[Any]:
    if name == "classes":
        return create_cog(path, grid, dtype="uint8", nodata=LandCover.UNKNOWN, overviews="mode", threads=threads)
    return create_cog(
        path,
        grid,
        dtype="uint8",
        nodata=PROBABILITY_NODATA,
        bands=tuple(legend()) if name == "probabilities" else (name,),
        scale=PROBABILITY_SCALE,
        overviews="average",
        threads=threads,
    )


def _require_period(cube: Cube, period: str) -> None:
    if period not in cube.periods:
        raise StepError(
            "bad_dates", f"The cube has no period {period}; it has {', '.join(cube.periods)}.", "Choose one of these."
        )


def _bad_model(reason: str, hint: str) -> StepError:
    return StepError("bad_model", reason, hint)


if __name__ == "__main__":
    main(PredictParams, run)
