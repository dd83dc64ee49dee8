"""Change maps and the from–to matrix equal numpy; the project can be opened again."""

import csv
import os
import subprocess
import tarfile

import numpy as np
import pytest
import rasterio

from containers.base.contract.legend import LandCover
from containers.base.contract.step import StepError
from containers.grass.change import map_name, newly, run
from containers.grass.contract.change import ChangeParams


def random_history(shape, periods=3):
    return np.random.default_rng(3).integers(0, 4, (periods, *shape)).astype("uint8")


def expected_change(earlier, later, cover):
    changed = ((later == cover) & (earlier != cover)).astype("uint8")
    return np.where((earlier == 0) | (later == 0), 255, changed)


@pytest.fixture
def history(grass_grid):
    return random_history(grass_grid.shape)


@pytest.fixture
def change_params(history, stored_raster):
    periods = ("2018", "2019-05", "2020")
    return ChangeParams(classes={p: stored_raster(f"{p}.tif", a) for p, a in zip(periods, history, strict=True)})


def test_change_equals_numpy_cell_by_cell_with_unknown_kept(change_params, history, step_out):
    result = run(change_params, step_out)
    for pair, later in enumerate(("2019-05", "2020")):
        for files, cover in ((result.new_impervious, 1), (result.new_green, 2)):
            with rasterio.open(step_out / files[later].href) as change:
                assert change.nodata == 255
                np.testing.assert_array_equal(change.read(1), expected_change(history[pair], history[pair + 1], cover))


def test_transitions_equal_numpy_and_cover_every_cell(change_params, history, step_out, grass_grid):
    result = run(change_params, step_out)
    with (step_out / result.transitions.href).open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * 16
    for row in rows:
        pair = ("2018", "2019-05").index(row["from_period"])
        one, two = int(row["from_class"]), int(row["to_class"])
        cells = np.count_nonzero((history[pair] == one) & (history[pair + 1] == two))
        assert int(row["cells"]) == cells
        assert float(row["area_ha"]) == pytest.approx(cells * 0.04)
    assert sum(int(row["cells"]) for row in rows) == 2 * grass_grid.width * grass_grid.height


def test_the_project_opens_again_with_every_map(change_params, history, step_out, tmp_path):
    result = run(change_params, step_out)
    with tarfile.open(step_out / result.project.href) as archive:
        assert {(entry.mtime, entry.uid, entry.uname) for entry in archive} == {(0, 0, "")}
        archive.extractall(tmp_path / "opened", filter="data")
    command = ["grass", str(tmp_path / "opened" / "clearground" / "PERMANENT"), "--exec"]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    listed = subprocess.run(
        [*command, "g.list", "type=raster"], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()
    assert {"classes_2018", "new_impervious_2019_05", "new_green_2020"} <= set(listed)
    report = subprocess.run(
        [*command, "r.stats", "-cl", "input=classes_2018", "separator=comma"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    ).stdout.split()
    names = ("unknown", "impervious", "green", "other")
    assert report == [f"{code},{name},{np.count_nonzero(history[0] == code)}" for code, name in enumerate(names)]


def test_rasters_on_different_grids_are_refused(stored_raster, history, grass_grid, step_out):
    smaller = grass_grid.model_copy(update={"width": 39})
    params = ChangeParams(
        classes={"1": stored_raster("1.tif", history[0]), "2": stored_raster("2.tif", history[1][:, :39], grid=smaller)}
    )
    with pytest.raises(StepError) as raised:
        run(params, step_out)
    assert raised.value.code == "grid_mismatch"


def test_map_names_and_expressions():
    assert map_name("classes", "2018-JJA") == "classes_2018_JJA"
    assert newly(LandCover.IMPERVIOUS, "a", "b") == "if(a == 0 || b == 0, null(), b == 1 && a != 1)"
