"""The whole step with a stand-in for gpt: what it is told, and what becomes of what it writes."""

import numpy as np
import pytest
import rasterio

from containers.base.contract.step import StepError
from containers.base.raster import row_windows
from containers.snap import backscatter
from containers.snap.backscatter import run
from tests.containers.snap.conftest import GRID
from tests.containers.snap.fake_gpt import value_at
from tests.containers.snap.test_orbits import PRECISE


def expected(band: int) -> np.ndarray:
    """What the stand-in holds in the cells of the grid."""
    col, row = np.meshgrid(np.arange(GRID.width) + 0.5, np.arange(GRID.height) + 0.5)
    return value_at(GRID.west_m + 10 * col, GRID.north_m - 10 * row, band)


def read(out, file) -> np.ndarray:
    with rasterio.open(out / file.href) as dataset:
        assert dataset.transform[:6] == (10, 0, GRID.west_m, 0, -10, GRID.north_m)
        assert (dataset.crs.to_epsg(), dataset.shape, dataset.dtypes) == (32633, GRID.shape, ("float32",))
        assert np.isnan(dataset.nodata)
        return dataset.read(1)


@pytest.mark.parametrize("rows", [16, 256])
def test_every_cell_comes_from_its_own_place(snap_params, snap_out, gpt, monkeypatch, rows: int) -> None:
    monkeypatch.setattr(backscatter, "row_windows", lambda shape: row_windows(shape, rows))
    result = run(snap_params(), snap_out)
    for band, name in enumerate(("vv", "vh")):
        np.testing.assert_allclose(read(snap_out, result.bands[name]), expected(band), rtol=1e-6)
    assert (read(snap_out, result.incidence) == np.float32(38.5)).all()
    assert (result.engine, result.engine_version, result.valid_share) == ("snap", "13.0.0", 1.0)
    assert (result.platform, result.direction, result.relative_orbit) == ("S1A", "descending", 22)
    assert result.acquired.isoformat() == "2021-01-19T05:10:01+00:00"
    assert result.warnings == ()
    assert not result.simulated


def test_order_of_polarisations_is_the_callers(snap_params, snap_out, gpt) -> None:
    result = run(snap_params(polarisations=("vh", "vv")), snap_out)
    np.testing.assert_allclose(read(snap_out, result.bands["vh"]), expected(0), rtol=1e-6)
    np.testing.assert_allclose(read(snap_out, result.bands["vv"]), expected(1), rtol=1e-6)


def test_edges_stay_and_holes_are_filled(snap_params, snap_out, gpt) -> None:
    gpt("edge and holes")
    result = run(snap_params(), snap_out)
    power = read(snap_out, result.bands["vv"])
    unknown = np.isnan(power)
    assert (unknown == np.isnan(read(snap_out, result.bands["vh"]))).all(), "holes filled, edge not moved"
    assert 0 < unknown.mean() < 1
    assert (unknown == np.isnan(read(snap_out, result.incidence))).all()
    assert result.valid_share == pytest.approx(1 - unknown.mean())
    changed = ~unknown & (np.abs(power - expected(0)) > 1e-6)
    assert changed.sum() <= 3
    assert np.abs(power - expected(0))[~unknown].max() < 0.01
    assert (power[~unknown] > 0).all()


def test_the_same_parameters_make_the_same_bytes(snap_params, tmp_path, gpt, monkeypatch) -> None:
    params, results = snap_params(), []
    for name in ("a", "b"):
        scratch, out = tmp_path / f"scratch-{name}", tmp_path / name
        scratch.mkdir()
        out.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(scratch))
        results.append(run(params, out))
    assert results[0] == results[1]


def test_two_slices_and_an_orbit(snap_params, radar_slice, snap_store, snap_out, gpt, tmp_path) -> None:
    slices = (radar_slice("S1A_A"), radar_slice("S1A_B"))
    run(snap_params(slices=slices, orbit_files=(snap_store.text(PRECISE),)), snap_out)
    graph = (tmp_path / "scratch" / "snap" / "graph.xml").read_text()
    assert "<operator>SliceAssembly</operator>" in graph
    assert "Sentinel Precise (Auto Download)" in graph
    assert "S1A_B.SAFE/manifest.safe" in graph
    assert list((tmp_path / "scratch" / "snap" / ".snap" / "auxdata").rglob(PRECISE))


def test_an_orbit_that_gpt_ignored_is_told(snap_params, snap_store, snap_out, gpt) -> None:
    gpt("ignores the orbit")
    result = run(snap_params(orbit_files=(snap_store.text(PRECISE),)), snap_out)
    assert [warning.code for warning in result.warnings] == ["orbit_ignored"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("off the lattice", "grid_mismatch"),
        ("empty", "no_valid_pixels"),
        ("writes half", "corrupt_file"),
        ("writes nothing", "crashed"),
        ("a band short", "crashed"),
        ("says java.lang.NullPointerException", "crashed"),
        ("is killed", "out_of_memory"),
    ],
)
def test_what_gpt_does_wrong_has_a_code_and_leaves_no_raster(snap_params, snap_out, gpt, how: str, code: str) -> None:
    gpt(how)
    with pytest.raises(StepError) as raised:
        run(snap_params(), snap_out)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"grid": GRID.model_copy(update={"epsg": 3035})}, "bad_grid"),
        ({"grid": GRID.model_copy(update={"north_m": 5_900_040.0})}, "bad_aoi"),
        ({"grid": GRID.model_copy(update={"west_m": 539_980.0})}, "bad_grid"),
    ],
    ids=["no zone", "beyond the footprint", "beyond the DEM"],
)
def test_bad_input_is_refused_before_gpt_works(snap_params, snap_out, gpt, tmp_path, facts, code: str) -> None:
    with pytest.raises(StepError) as raised:
        run(snap_params(**facts), snap_out)
    assert raised.value.code == code
    assert not (tmp_path / "scratch" / "snap" / "graph.xml").exists()


def test_a_product_of_zeros_is_refused_before_gpt_works(snap_params, snap_store, radar_slice, snap_out, gpt) -> None:
    with pytest.raises(StepError) as raised:
        run(snap_params(folders=(snap_store.product(radar_slice().id, value=0),)), snap_out)
    assert raised.value.code == "corrupt_file"
