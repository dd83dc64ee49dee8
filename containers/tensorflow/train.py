"""Train the land-cover network on the labelled periods of a cube."""

import itertools
import math
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.legend import CLASSES
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, progress, side_dir
from containers.tensorflow.card import ModelCard, TrainingDomain, legend, scores, versions
from containers.tensorflow.contract.train import LandCoverModel, TrainParams, TrainResult
from containers.tensorflow.cube_reader import Cube
from containers.tensorflow.figures import draw_confusion, draw_curves
from containers.tensorflow.network import compiled, prepare_backend, unet_mini
from containers.tensorflow.normalisation import Normalisations, fit_normalisation
from containers.tensorflow.parts import Parts, period_normalisations, read_parts
from containers.tensorflow.patches import LabelledWindow, PatchDrawer, TileBatches, batch_of, cover


def fit(
    model: keras.Model, parts: Parts, normalisations: Normalisations, params: TrainParams
) -> dict[str, list[float]]:
    """Train until the validation loss stops falling; the model keeps its best weights. Returns the history."""
    drawer = PatchDrawer(parts["train"], normalisations, params.patch_px, params.radiometric_jitter, params.seed)
    tiles = [tile for window in parts["validation"] for tile in cover(window, params.patch_px) if tile.codes.any()]
    most = max(1, params.patches_per_epoch // 4)
    chosen = np.random.default_rng(params.seed).permutation(len(tiles))[:most]
    history = model.fit(
        drawer.batches(params.batch),
        shuffle=False,
        steps_per_epoch=_steps_per_epoch(params),
        epochs=params.max_epochs,
        validation_data=TileBatches([tiles[index] for index in chosen], normalisations, params.batch),
        callbacks=_callbacks(params),
        verbose=0,
    )
    if not np.isfinite(history.history["val_loss"]).any():
        raise StepError(
            "bad_parameters", f"The loss diverged at learning_rate={params.learning_rate}.", "Lower learning_rate."
        )
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def confusion_of(
    model: keras.Model, windows: list[LabelledWindow], normalisations: Normalisations, params: TrainParams
) -> NDArray[np.int64]:
    """Cells by label (row) and prediction (column) over all labelled cells of the windows."""
    tiles = (tile for window in windows for tile in cover(window, params.patch_px) if tile.codes.any())
    matrix = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    while chunk := list(itertools.islice(tiles, params.batch)):
        batch = batch_of(chunk, normalisations)
        known = batch.weights > 0
        predicted = model.predict_on_batch(batch.inputs).argmax(axis=-1)[known]
        np.add.at(matrix, (batch.targets.argmax(axis=-1)[known], predicted), 1)
    return matrix


def domain_of(cube: Cube, content_id: str) -> TrainingDomain:
    return TrainingDomain(
        simulated=cube.simulated,
        epsg=cube.grid.epsg,
        bounds=cube.grid.bounds,
        resolution_m=cube.grid.resolution_m,
        periods=cube.labelled,
        cube=content_id,
    )


def run(params: TrainParams, out: Path) -> TrainResult:
    prepare_backend(threads=params.execution.threads, seed=params.seed)
    with Cube(local_path(params.cube)) as cube:
        parts, split = read_parts(cube, params)
        bands, domain = cube.bands, domain_of(cube, params.cube.content_id)
        normalisation = fit_normalisation([window.reflectance for window in parts["train"]])
        by_period = dict.fromkeys(cube.labelled, normalisation) | period_normalisations(cube, split.inner["train"])
    model = compiled(
        unet_mini(len(bands), params.network),
        learning_rate=params.learning_rate,
        steps=params.max_epochs * _steps_per_epoch(params),
        label_smoothing=params.label_smoothing,
    )
    history = fit(model, parts, by_period, params)
    card = ModelCard(
        bands=bands,
        normalisation=normalisation,
        period_normalisation=by_period,
        legend=legend(),
        network=params.network,
        patch_px=params.patch_px,
        domain=domain,
        split=split,
        scores=tuple(
            scores(name, confusion_of(model, parts[name], by_period, params)) for name in ("validation", "test")
        ),
        epochs=len(history["val_loss"]),
        best_epoch=1 + int(np.nanargmin(history["val_loss"])),
        versions=versions(),
    )
    return _published(model, card, history, out)


def _published(model: keras.Model, card: ModelCard, history: dict[str, list[float]], out: Path) -> TrainResult:
    model.save(out / "model.keras")
    (out / "card.json").write_text(card.model_dump_json(indent=1))
    test = card.scores[-1]
    draw_curves(history, card, out / "curves.png")
    draw_confusion(test, card, out / "confusion.png")
    return TrainResult(
        model=LandCoverModel(weights=output_file(out / "model.keras"), card=output_file(out / "card.json")),
        test_accuracy=test.accuracy,
        f1=test.f1,
        figures={name: output_file(out / f"{name}.png") for name in ("curves", "confusion")},
    )


def _steps_per_epoch(params: TrainParams) -> int:
    return math.ceil(params.patches_per_epoch / params.batch)


def _callbacks(params: TrainParams) -> list[keras.callbacks.Callback]:
    logs = side_dir()

    def tell(epoch: int, values: dict[str, float]) -> None:
        progress(epoch + 1, params.max_epochs, ", ".join(f"{name} {value:.3f}" for name, value in values.items()))

    callbacks = [
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=params.patience, restore_best_weights=True),
        keras.callbacks.CSVLogger(str(logs / "epochs.csv")),
        keras.callbacks.LambdaCallback(on_epoch_end=tell),
    ]
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(str(logs), write_graph=False))
    return callbacks


if __name__ == "__main__":
    main(TrainParams, run)
