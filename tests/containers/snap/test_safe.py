"""Products as folders, and what is refused before gpt starts."""

import numpy as np
import pytest
from rasterio.transform import from_origin

from containers.base.contract.step import StepError
from containers.base.safe_folder import laid_out
from containers.snap.safe import measured_size, metadata_file, require_radar_files

PLACE = {"crs": None, "transform": from_origin(0, 0, 1, 1)}


def test_layout_equals_the_product(snap_store, tmp_path) -> None:
    folder = snap_store.product("S1A_X")
    root = laid_out(folder, tmp_path / "scratch")
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert root.name == "S1A_X.SAFE"
    assert found == set(folder.files)
    assert all(path.is_symlink() for path in root.rglob("*") if path.is_file())
    assert measured_size(root, ("vv", "vh")) == (120, 90)


@pytest.mark.parametrize("name", ["../outside.xml", "/etc/passwd", "measurement/../../x"])
def test_names_that_leave_the_folder(snap_store, tmp_path, name: str) -> None:
    folder = snap_store.product("S1A_X")
    bad = folder.model_copy(update={"files": {name: folder.files["manifest.safe"]}})
    with pytest.raises(StepError) as raised:
        laid_out(bad, tmp_path / "scratch")
    assert raised.value.code == "bad_parameters"


@pytest.mark.parametrize("part", ["manifest.safe", "measurement/", "annotation/s1a", "calibration-", "noise-"])
def test_missing_parts_are_named(snap_store, part: str) -> None:
    folder = snap_store.product("S1A_X")
    kept = {name: file for name, file in folder.files.items() if part not in name}
    with pytest.raises(StepError) as raised:
        require_radar_files(folder.model_copy(update={"files": kept}), ("vv", "vh"), noise=True)
    assert raised.value.code == "missing_file"
    assert part.rstrip("/").replace("s1a", "s1") in raised.value.reason
    require_radar_files(folder, ("vv", "vh"), noise=True)


def test_noise_is_not_asked_for_where_it_is_not_removed(snap_store) -> None:
    folder = snap_store.product("S1A_X")
    kept = {name: file for name, file in folder.files.items() if "noise-" not in name}
    require_radar_files(folder.model_copy(update={"files": kept}), ("vv", "vh"), noise=False)


def test_zeros_are_refused(snap_store, tmp_path) -> None:
    root = laid_out(snap_store.product("S1A_X", value=0), tmp_path / "scratch")
    with pytest.raises(StepError) as raised:
        measured_size(root, ("vv",))
    assert raised.value.code == "corrupt_file"
    assert "only zeros" in raised.value.reason


def test_a_truncated_measurement_is_refused(snap_store, tmp_path) -> None:
    root = laid_out(snap_store.product("S1A_X"), tmp_path / "scratch")
    path = next((root / "measurement").glob("*-vv-*.tiff")).resolve()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StepError) as raised:
        measured_size(root, ("vv",))
    assert raised.value.code == "corrupt_file"


def test_a_dark_image_with_one_bright_line_is_no_zero_file(snap_store, tmp_path) -> None:
    folder = snap_store.product("S1A_X")
    pixels = np.zeros((120, 90), np.uint16)
    pixels[7] = 1
    name = next(name for name in folder.files if "measurement" in name)
    file = snap_store.raster("bright.tiff", pixels, **PLACE)
    root = laid_out(folder.model_copy(update={"files": {name: file}}), tmp_path / "scratch")
    assert measured_size(root, ("vv",)) == (120, 90)


def test_metadata_of_sentinel_2(snap_store, tmp_path) -> None:
    with pytest.raises(StepError) as raised:
        metadata_file(tmp_path)
    assert raised.value.code == "missing_file"
