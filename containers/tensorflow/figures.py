"""Pictures of a training: learning curves and the confusion matrix, as PNG."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from containers.tensorflow.card import ModelCard, Scores

_DPI = 120


def draw_curves(history: dict[str, list[float]], card: ModelCard, path: Path) -> None:
    """Loss and accuracy per epoch of training and validation blocks; the kept epoch is marked."""
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    epochs = np.arange(1, card.epochs + 1)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, history[quantity], label="training patches")
        axes.plot(epochs, history[f"val_{quantity}"], label="validation blocks")
        axes.axvline(card.best_epoch, color="grey", linestyle=":", label="kept")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
    figure.suptitle(_title("Training", card))
    figure.savefig(path, dpi=_DPI)


def draw_confusion(scores: Scores, card: ModelCard, path: Path) -> None:
    """Cells by label (row) and prediction (column), with the share of the label's cells."""
    matrix = np.array(scores.confusion)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = list(card.legend)
    figure = Figure(figsize=(5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="predicted", ylabel="label", xticks=range(len(names)), yticks=range(len(names)))
    axes.set_xticklabels(names)
    axes.set_yticklabels(names)
    for (row, col), share in np.ndenumerate(shares):
        text = f"{share:.1%}\n{matrix[row, col]:,}"
        axes.text(col, row, text, ha="center", va="center", color="white" if share > 0.5 else "black")
    figure.suptitle(_title(f"Agreement on {scores.part} blocks {scores.accuracy:.1%}", card))
    figure.savefig(path, dpi=_DPI)


def _title(text: str, card: ModelCard) -> str:
    return f"{text} (simulated)" if card.domain.simulated else text
