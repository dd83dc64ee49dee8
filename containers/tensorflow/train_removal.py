"""Train a network that rebuilds the image of a second date."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, partials_dir, progress, side_dir
from containers.tensorflow.card import versions
from containers.tensorflow.checkpoint import Progress
from containers.tensorflow.cloud_shapes import CloudShapes
from containers.tensorflow.confidence import Calibration, calibrated, over_turns, spread_of
from containers.tensorflow.contract.removal import RemovalModel, TrainRemovalParams, TrainRemovalResult
from containers.tensorflow.devices import prepared
from containers.tensorflow.learners import Regression
from containers.tensorflow.model_file import save_model
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.removal_card import RemovalCard, RemovalDomain
from containers.tensorflow.removal_config import RemovalConfig, load_config
from containers.tensorflow.removal_dataset import RemovalDataset
from containers.tensorflow.removal_figures import TILES, draw_removal_curves, draw_tiles
from containers.tensorflow.removal_scores import RemovalScores, Tell, scores_of, t0_copies, telling
from containers.tensorflow.removal_training import Training, learner_of, train
from containers.tensorflow.training_log import TensorBoardLog, write_table

_CALIBRATED_TILES: Final = 256
_CALIBRATED_CELLS: Final = 200_000
"""Most validation tiles and cells that confidence is counted on."""


def training_of(dataset: RemovalDataset, config: RemovalConfig, params: TrainRemovalParams) -> Training:
    """What is to be learnt. Raises `bad_config` where network and tiles do not fit, `bad_dataset` where nothing could
    be judged."""
    if dataset.tile_px % (multiple := config.network.multiple_px):
        raise StepError(
            "bad_config",
            f"Tiles of {dataset.tile_px} cells are no multiple of {multiple}, which network.filters needs.",
            "Use fewer levels in network.filters, or other tiles.",
        )
    recipe = recipe_of(dataset.channels, dataset.bands, dataset.scalers, params.inputs, config)
    names = [channel.name for channel in dataset.channels]
    positions = [names.index(channel.name) for channel in recipe.channels]
    parts = {name: part.seeing(positions) for name, part in dataset.parts.items()}
    tiles = np.random.default_rng(params.seed).permutation(len(parts["train"]))[: params.max_tiles]
    training = Training(parts, np.sort(tiles), recipe, config, CloudShapes(parts["train"]), params.seed)
    if not any(tile.counted.any() for tile in training.judge.judged(lambda windows: windows, parts["validation"])):
        raise StepError(
            "bad_dataset",
            "No validation tile has a cell that was seen at both dates under an artificial cloud.",
            "Use more tiles, or tiles with fewer hidden cells.",
        )
    return training


def calibration_of(tell: Tell, training: Training) -> Calibration:
    """Confidence, counted on hidden cells of validation tiles."""
    tiles = training.judge.judged(over_turns(tell), training.parts["validation"], _CALIBRATED_TILES)
    spreads, errors = [], []
    for tile in tiles:
        spreads.append(spread_of(tile.told, axis=-1)[tile.counted])
        errors.append(np.abs(tile.told[..., :-1] - tile.truth)[tile.counted].mean(axis=-1))
    spread, error = np.concatenate(spreads), np.concatenate(errors)
    step = -(-len(spread) // _CALIBRATED_CELLS)
    return calibrated(spread[::step], error[::step])


def all_scores(tell: Tell, training: Training) -> tuple[RemovalScores, ...]:
    """The model's scores on validation and test tiles, beside those of doing nothing where t0 is an input."""
    found = []
    for name in ("validation", "test"):
        judged = training.judge.judged(tell, training.parts[name])
        found.append(scores_of(judged, name, "model"))
        if len(training.recipe.optical) == len(training.recipe.bands):
            found.append(scores_of(t0_copies(training.judge, training.parts[name]), name, "t0_copy"))
    return tuple(found)


def run(params: TrainRemovalParams, out: Path) -> TrainRemovalResult:
    config = load_config(params.preset, params.overrides)
    setting = config.training
    with (
        RemovalDataset(local_path(params.dataset)) as dataset,
        prepared(
            threads=params.execution.threads, seed=params.seed, precision=setting.precision, devices=setting.devices
        ),
    ):
        training = training_of(dataset, config, params)
        learner = learner_of(training)
        pictures = partials_dir() / "pictures"
        pictures.mkdir(exist_ok=True)
        after_epoch = _after_epoch(learner, training, pictures)
        done = train(learner, training, partials_dir() / "checkpoint.npz", after_epoch)
        tell = telling(learner.generator, training.recipe)
        card = RemovalCard(
            recipe=training.recipe,
            inputs=params.inputs,
            preset=params.preset,
            config=config,
            tile_px=dataset.tile_px,
            tiles={name: len(part) for name, part in training.parts.items()} | {"train": len(training.tiles)},
            seed=params.seed,
            domain=_domain(dataset, params.dataset),
            scores=all_scores(tell, training),
            calibration=calibration_of(tell, training),
            epochs=done.epoch,
            best_epoch=done.best_epoch,
            versions=versions(),
        )
        _draw(tell, training, pictures / "kept.png", f"Kept: epoch {done.best_epoch}", part="test")
    return _published(learner, card, done, pictures, out)


def _after_epoch(learner: Regression, training: Training, pictures: Path) -> Callable[[Progress], None]:
    """Tell, log and picture an epoch."""
    folder, log = side_dir(), TensorBoardLog(side_dir())
    setting, tell = training.config.training, telling(learner.generator, training.recipe)

    def after_epoch(done: Progress) -> None:
        write_table(done.history, folder / "epochs.csv")
        log.scalars(done.epoch, done.history)
        if done.epoch % setting.picture_interval == 0:
            path = pictures / f"epoch_{done.epoch:05d}.png"
            _draw(tell, training, path, f"Epoch {done.epoch}", part="validation")
            log.picture(done.epoch, path)
        last = ", ".join(f"{name} {values[-1]:.4f}" for name, values in done.history.items())
        progress(done.epoch, setting.epochs, last)

    return after_epoch


def _draw(tell: Tell, training: Training, path: Path, title: str, *, part: str) -> None:
    judged = training.judge.judged(tell, training.parts[part], TILES)
    draw_tiles(list(itertools.islice(judged, TILES)), training.recipe, f"{title}, {part} tiles", path)


def _domain(dataset: RemovalDataset, file: File) -> RemovalDomain:
    grid = dataset.grid
    return RemovalDomain(
        simulated=dataset.simulated,
        epsg=grid.epsg,
        bounds=grid.bounds,
        resolution_m=grid.resolution_m,
        dataset=file.content_id,
    )


def _published(learner: Regression, card: RemovalCard, done: Progress, pictures: Path, out: Path) -> TrainRemovalResult:
    save_model(learner.generator, out / "generator.keras")
    (out / "card.json").write_text(card.model_dump_json(indent=1))
    title = f"{card.preset}, inputs {card.inputs}" + (" (simulated)" if card.domain.simulated else "")
    draw_removal_curves(done.history, done.best_epoch, title, out / "curves.png")
    figures = {"curves": output_file(out / "curves.png")}
    for picture in sorted(pictures.glob("*.png")):
        shutil.copyfile(picture, out / picture.name)
        figures[picture.stem] = output_file(out / picture.name)
    test = next(each for each in card.scores if (each.part, each.method) == ("test", "model"))
    return TrainRemovalResult(
        model=RemovalModel(
            weights=output_file(out / "generator.keras"),
            card=output_file(out / "card.json"),
        ),
        epochs=done.epoch,
        best_epoch=done.best_epoch,
        scores=test.scores,
        figures=figures,
    )


if __name__ == "__main__":
    main(TrainRemovalParams, run)
