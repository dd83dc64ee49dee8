"""Real Sentinel-1 products: their files are found by name, and one without pixels is refused before SNAP starts."""

import zipfile
from pathlib import Path

import pytest

from containers.base.contract.files import File, output_file
from containers.base.contract.radar import SafeFolder
from containers.base.contract.step import StepError
from containers.base.safe_folder import laid_out
from containers.snap.safe import measured_size, require_radar_files

pytestmark = pytest.mark.real
FILE = File(href="store:x", content_id="sha256:0", size=1)


def test_a_product_of_2021_lacks_only_what_was_taken_out_of_it(sample_data: Path) -> None:
    (archive,) = sample_data.glob("pyrosar/tests/data/S1A_IW_GRDH*.zip")
    names = [name.partition(".SAFE/")[2] for name in zipfile.ZipFile(archive).namelist()]
    files = {name: FILE for name in names if name and not name.endswith("/")}
    folder = SafeFolder(id=archive.stem, files=files)
    with pytest.raises(StepError) as raised:
        require_radar_files(folder, ("vv", "vh"), noise=True)
    assert raised.value.code == "missing_file"
    assert "lacks measurement/*-vv-*.tiff, measurement/*-vh-*.tiff." in raised.value.reason
    measured = {f"measurement/s1a-iw-grd-{each}-20210119t031653-cog.tiff": FILE for each in ("vv", "vh")}
    require_radar_files(folder.model_copy(update={"files": files | measured}), ("vv", "vh"), noise=True)


def test_a_product_of_zeros_is_refused(sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = sample_data.glob("sarsen-rome/tests/data/*.SAFE")
    monkeypatch.setenv("CLEARGROUND_STORE", str(source.parent))
    files = {
        str(path.relative_to(source)): output_file(path).model_copy(
            update={"href": f"store:{path.relative_to(source.parent)}"}
        )
        for path in source.rglob("*")
        if path.is_file()
    }
    folder = SafeFolder(id=source.stem, files=files)
    require_radar_files(folder, ("vv",), noise=True)
    with pytest.raises(StepError) as raised:
        measured_size(laid_out(folder, tmp_path), ("vv",))
    assert raised.value.code == "corrupt_file"
    assert "only zeros" in raised.value.reason
