"""A store with small cubes, in the layout of docs/cube.md, whose three classes can be told apart."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from containers.base.contract.files import File, sha256_of
from containers.base.contract.legend import CLASSES, REFLECTANCE_NODATA

MEANS = np.array([(0, 0, 0), (2500, 2600, 2400), (400, 1900, 900), (900, 300, 200)])
"""Reflectance × 10 000 by code and band."""
HAZE = 600
"""What the second period is brighter by, beside a fifth of its signal."""


class CubeStore:
    size = 256
    empty_rows = slice(200, 203)
    """Rows without data in the first band."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def true_codes(self, cell: int = 8) -> np.ndarray:
        """Random squares of the three classes."""
        small = np.random.default_rng(1).choice(np.array(CLASSES, np.uint8), (self.size // cell,) * 2)
        return np.kron(small, np.ones((cell, cell), np.uint8))

    def file(self, path: Path) -> File:
        return File(href=f"store:{path.relative_to(self.root)}", content_id=sha256_of(path), size=path.stat().st_size)

    def write_cube(
        self,
        name: str,
        *,
        bands: tuple[str, ...] = ("red", "swir16", "swir22"),
        labels: np.ndarray | None = None,
        simulated: bool = True,
        resolution_m: float = 20.0,
        epsg: int = 3035,
    ) -> File:
        rng, path, periods = np.random.default_rng(0), self.root / name, ("2017", "2018")
        with h5py.File(path, "w") as file:
            file.attrs.update(
                clearground_cube=1,
                epsg=epsg,
                transform=(4_000_000.0, resolution_m, 0.0, 3_000_000.0, 0.0, -resolution_m),
                resolution_m=resolution_m,
                simulated=int(simulated),
                provenance="{}",
                periods=list(periods),
                bands=list(bands),
            )
            file["x"] = 4_000_000 + resolution_m * (np.arange(self.size) + 0.5)
            file["y"] = 3_000_000 - resolution_m * (np.arange(self.size) + 0.5)
            for period in periods:
                noise = rng.normal(0, 150, (len(bands), self.size, self.size))
                values = np.moveaxis(MEANS[self.true_codes()], -1, 0) + noise
                if period == "2018":
                    values = 1.2 * values + HAZE
                values[0, self.empty_rows] = REFLECTANCE_NODATA
                file.create_dataset(f"reflectance/{period}", data=values.astype(np.int16), chunks=(1, 64, 64))
            if labels is not None:
                file["labels/2017"] = labels
        return self.file(path)


@pytest.fixture(scope="module")
def cube_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CubeStore]:
    root = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARGROUND_STORE", str(root))
        patch.setenv("CLEARGROUND_SIDE", str(tmp_path_factory.mktemp("side")))
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("scratch")))
        yield CubeStore(root)


@pytest.fixture
def removal_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of an empty store, with the folders that a training needs beside it."""
    root = tmp_path / "store"
    for name, variable in (("store", "STORE"), ("side", "SIDE"), ("partials", "PARTIALS")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"CLEARGROUND_{variable}", str(tmp_path / name))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return root
