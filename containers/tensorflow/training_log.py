"""What people look at while a network learns: a table and TensorBoard's files in the side folder."""

import csv
from pathlib import Path

import keras


def write_table(history: dict[str, list[float]], path: Path) -> None:
    """One row per epoch, written whole each time, so that a resumed training leaves the same file."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["epoch", *history])
        writer.writerows([number, *row] for number, row in enumerate(zip(*history.values(), strict=True), start=1))


class TensorBoardLog:
    """Scalars of every epoch, and pictures. Does nothing where TensorFlow is not the backend."""

    def __init__(self, folder: Path) -> None:
        self._writer = None
        if keras.backend.backend() == "tensorflow":
            import tensorflow

            self._writer = tensorflow.summary.create_file_writer(str(folder))

    def scalars(self, epoch: int, history: dict[str, list[float]]) -> None:
        """The last value of every column."""
        if self._writer is not None:
            import tensorflow

            with self._writer.as_default(step=epoch):
                for name, values in history.items():
                    tensorflow.summary.scalar(name, values[-1])
            self._writer.flush()

    def picture(self, epoch: int, path: Path) -> None:
        """A PNG file."""
        if self._writer is not None:
            import tensorflow

            with self._writer.as_default(step=epoch):
                image = tensorflow.io.decode_png(path.read_bytes(), channels=3)
                tensorflow.summary.image("validation tiles", image[None])
            self._writer.flush()
