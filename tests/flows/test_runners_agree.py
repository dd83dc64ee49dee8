"""Containers and local processes give the same answer from the same archive and model."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import rasterio

from tests.demo_run import Demo, newest_folder

pytestmark = [pytest.mark.container, pytest.mark.slow]
AREA_TOLERANCE_HA = 2.0
"""Five cells of 20 m are 0.2 ha; the sample is drawn from maps that may differ in one cell of a thousand."""


def test_steps_ran_in_containers(contained: Demo) -> None:
    tools = [json.loads(path.read_text())["tools"] for path in (contained.state / "store").glob("*/*/result.json")]
    assert len(tools) > 20
    assert all(tool.startswith("docker") for tool in tools)


def test_cubes_agree(demo: Demo, contained: Demo) -> None:
    """Nearest neighbours differ only where a cell's centre meets the edge of two source cells."""
    with (
        h5py.File(newest_folder(demo, "gdal.cube") / "cube.h5") as here,
        h5py.File(newest_folder(contained, "gdal.cube") / "cube.h5") as there,
    ):
        assert list(here["reflectance"]) == list(there["reflectance"])
        for period, values in here["reflectance"].items():
            assert np.mean(values[:] != there["reflectance"][period][:]) < 0.001


def test_classes_agree(demo: Demo, contained: Demo) -> None:
    compared = 0
    for path in sorted((demo.product / "rasters").glob("land-cover-*.tif")):
        with rasterio.open(path) as here, rasterio.open(contained.product / "rasters" / path.name) as there:
            assert (here.crs, here.transform, here.shape) == (there.crs, there.transform, there.shape)
            assert np.mean(here.read(1) == there.read(1)) >= 0.999, path.name
            compared += 1
    assert compared == 6  # three periods, smoothed and not


def test_areas_agree(demo: Demo, contained: Demo) -> None:
    keys = ["nuts_id", "period", "indicator"]
    here, there = (
        pd.read_csv(run.product / "regional_data.csv").set_index(keys).sort_index() for run in (demo, contained)
    )
    assert list(here.index) == list(there.index)
    assert (here["pixel_count_ha"] - there["pixel_count_ha"]).abs().max() <= AREA_TOLERANCE_HA


def test_no_secret_is_left(contained: Demo) -> None:
    """The gateway's secret is in its key file and in the file for the user's shell, and nowhere else."""
    secret = contained.variables["AWS_SECRET_ACCESS_KEY"].encode()
    holders = set()
    for folder, _, names in os.walk(contained.state):
        for name in names:
            path = Path(folder) / name
            if path.is_file() and secret in path.read_bytes():
                holders.add(path.name)
    assert holders <= {"gateway.key", "eodata.env"}
