"""Small simulated archives, made once per test session."""

import json
from pathlib import Path
from typing import Any

import pytest

from containers.base.contract.step import Execution
from containers.eodata.contract.simulate import ArchiveParams, Tile
from containers.eodata.simulate import run

TILES = (
    Tile(id="32UQV", column=-1, row=-1),
    Tile(id="33UTQ", column=0, row=-1),
    Tile(id="32UQU", column=-1, row=0),
    Tile(id="33UTP", column=0, row=0),
)


def archive_params(**changes: Any) -> ArchiveParams:
    """Four tiles of 128 cells in two zones, three years, three dates, every trap."""
    small = {
        "tiles": TILES, "tile_px": 128, "years": (2018, 2019, 2020), "dates_per_year": 3,
        "bands": ("B04_20m", "B11_20m", "B12_20m"), "regions": 5, "execution": Execution(threads=2),
    }  # fmt: skip
    return ArchiveParams.model_validate(small | changes)


@pytest.fixture(scope="session")
def archive_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    run(archive_params(), folder)
    return folder


@pytest.fixture(scope="session")
def archive_items(archive_folder: Path) -> dict[str, dict[str, Any]]:
    """Product name to STAC item."""
    return {item["id"]: item for item in json.loads((archive_folder / "items.json").read_text())["features"]}


@pytest.fixture(scope="session")
def archive_traps(archive_folder: Path) -> dict[str, list[str]]:
    """Kind of trap to the names of its products."""
    traps: dict[str, list[str]] = {}
    for trap in json.loads((archive_folder / "simulation.json").read_text())["traps"]:
        traps.setdefault(trap["kind"], []).append(trap["product"])
    return traps
