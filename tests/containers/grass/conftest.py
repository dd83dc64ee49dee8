"""A folder store with rasters in it, as the runner stages them for a step."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.raster import write_cog

GRASS_GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=40, height=30)

needs_grass = pytest.mark.skipif(
    shutil.which("grass") is None, reason="GRASS is not installed (apt install grass-core)"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stored_raster" in getattr(item, "fixturenames", ()):
            item.add_marker(needs_grass)


@pytest.fixture
def grass_grid() -> Grid:
    return GRASS_GRID


@pytest.fixture
def step_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's root; scratch lies in a folder with a blank in its name, as a user's may."""
    store, scratch = tmp_path / "store", tmp_path / "scratch folder"
    store.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("CLEARGROUND_STORE", str(store))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return store


@pytest.fixture
def stored_raster(step_store: Path, grass_grid: Grid) -> Callable[..., File]:
    def store(name: str, array: NDArray[Any], *, grid: Grid = grass_grid, nodata: int | None = 0) -> File:
        path = write_cog(step_store / name, array, grid, nodata=nodata)
        return output_file(path).model_copy(update={"href": f"store:{name}"})

    return store


@pytest.fixture
def step_out(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    return out
