"""Bad input ends with its code, reason and hint, and before anything is computed wherever that can be known."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import rasterio
from prefect import flow

from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.contract.composite import CompositeParams, CompositeResult
from containers.gdal.contract.labels import LabelsParams, LabelsResult
from flows.foreground import flow_params
from flows.impervious_change import clear_images, impervious_change
from tasks import ledger
from tasks.impervious.intake import take_in
from tasks.impervious.scenes import find_scenes
from tasks.local_runner import LocalRunner
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.runner import run_step, use_runner
from tasks.settings import get_settings
from tasks.store import open_store
from tasks.stub_runner import StubRunner
from tests.conftest import S3Server
from tests.fault_proxy import fault_proxy
from tests.small_archive import OUTLINE, SmallArchive

TINY_DISK = 2 << 20


class Failure(NamedTuple):
    """How a run ended: its error, and the rows of its ledger."""

    error: StepError
    rows: list[ledger.Row]

    def subjects(self, code: str) -> list[str]:
        return [row.subject for row in self.rows if row.code == code]


def run(params: ImperviousChangeParams, job: Any = impervious_change) -> Failure:
    state = job(params, return_state=True)
    error = state.result(raise_on_failure=False)
    assert isinstance(error, StepError), error
    assert error.reason
    assert error.hint
    return Failure(error, ledger.rows(str(state.state_details.flow_run_id)))


def attempts(step: str = "*.*") -> list[Path]:
    """What any run has begun to compute into the store."""
    return list(Path(get_settings().store).glob(f"{step}/*/*"))


def refused(params: ImperviousChangeParams) -> Failure:
    """The failure of a run that must not start a single step."""
    with use_runner(StubRunner({})) as runner:
        failure = run(params)
    assert isinstance(runner, StubRunner)
    assert runner.asked == []
    assert attempts() == []
    return failure


FAR_WEST, BRAZIL = "-3.9,48.1,-3.8,48.2", "-50,-12,-49.9,-11.9"
BOW_TIE = "POLYGON ((12.97 48.22, 12.99 48.23, 12.99 48.22, 12.97 48.23, 12.97 48.22))"


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"aoi": FAR_WEST}, "no_scenes", "nothing was found"),
        ({"time__years": [2031, 2032], "labels__period": "2031-MJ"}, "no_scenes", "nothing was found"),
        ({"aoi": BRAZIL}, "bad_aoi", "area of use"),
        ({"aoi": BOW_TIE}, "bad_aoi", "Self-intersection"),
        ({"aoi": "48.22,12.97,48.23,12.99", "epsg": 32633}, "bad_aoi", "swapped"),
        ({"aoi": "12.99,48.23,12.97,48.22"}, "bad_aoi", "no area"),
        ({"time__months": [6, 5]}, "bad_dates", "consecutive"),
        ({"time__months": [13]}, "bad_dates", "1 to 12"),
        ({"time__years": [20188]}, "bad_dates", "2015 to 2099"),
        ({"labels__period": "2031-MJ"}, "bad_dates", "labels.period names '2031-MJ'"),
        ({"reference__truth": {"2031": "truth.tif"}}, "bad_dates", "no period of this run"),
        ({"bands": ["cirrus"]}, "unknown_band", "cirrus"),
        ({"bands": ["red", "swir16"]}, "no_scenes", "2 missing_band"),
        ({"epsg": 4326}, "bad_grid", "not in metres"),
        ({"epsg": 999_999}, "bad_grid", "unknown"),
        ({"labels__map": "nowhere.tif"}, "missing_file", "nowhere.tif"),
        ({"regions__path": "nowhere.gpkg", "aoi": ",".join(map(str, OUTLINE))}, "missing_file", "nowhere.gpkg"),
        ({"model_href": "nowhere"}, "missing_file", "nowhere"),
        ({"selection__max_cloud": 4}, "no_scenes", "2 too_cloudy"),
    ],
)
def test_refused_before_any_step(archive: SmallArchive, changes: dict[str, Any], code: str, said: str) -> None:
    archive.add("20180510")
    archive.add("20190510")
    failure = refused(archive.form(**changes))
    assert failure.error.code == code
    assert said in str(failure.error)


def test_band_that_no_satellite_has_is_refused_with_the_form(archive: SmallArchive) -> None:
    with pytest.raises(StepError, match=r"bands\.0.*'red'") as caught:
        flow_params("impervious_change", archive.params() | {"bands": ["purple"]})
    assert caught.value.code == "bad_parameters"


def test_empty_catalogue(archive: SmallArchive) -> None:
    failure = refused(archive.form())
    assert failure.error.code == "no_scenes"
    assert "2018-05-01 to 2019-06-30" in failure.error.reason


def test_years_without_a_common_tile(archive: SmallArchive) -> None:
    archive.add("20180510", tile="33UUP")
    archive.add("20190510", tile="33UUQ")
    failure = refused(archive.form())
    assert failure.error.code == "no_common_tile"
    assert "1 in 2018-MJ, 1 in 2019-MJ" in failure.error.reason
    assert sorted(failure.subjects("no_acquisition")) == ["33UUP 2019-MJ", "33UUQ 2018-MJ"]


def test_wrong_keys_end_the_run_before_any_step(
    archive: SmallArchive, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add("20180510")
    archive.add("20190510")
    with fault_proxy(s3_server.host) as proxy:
        monkeypatch.setenv("AWS_S3_ENDPOINT", proxy.host)
        proxy.plan.extend(["forbidden"] * 2)
        failure = refused(archive.form(source__check_objects=True))
    assert failure.error.code == "access_denied"
    assert "AWS_ACCESS_KEY_ID" in failure.error.hint
    assert failure.subjects("ghost") == []


class TestLabels:
    """Real label steps: they are run first, so that nothing was read from the archive when they refuse."""

    @pytest.mark.parametrize(
        ("codes", "is_elsewhere", "code", "said"),
        [
            ((62, 73), True, "bad_labels", "lies elsewhere"),
            ((62, 199), False, "unknown_label", "199 ("),
            ((0,), False, "bad_labels", "labels no cell"),
        ],
    )
    def test_unfit_labels_end_the_run_before_the_archive_is_read(
        self, archive: SmallArchive, codes: tuple[int, ...], is_elsewhere: bool, code: str, said: str
    ) -> None:
        archive.add("20180510")
        archive.add("20190510")
        archive.write_labels(codes, is_elsewhere=is_elsewhere)
        with use_runner(LocalRunner()):
            failure = run(archive.form())
        assert failure.error.code == code
        assert said in failure.error.reason
        assert attempts("gdal.align") == []


@flow
def images_of(params: ImperviousChangeParams) -> dict[str, tuple[CompositeResult, ...]]:
    """The flow as far as the clear images."""
    inputs = take_in(params)
    return clear_images(params, inputs, find_scenes.submit(params, inputs).result().choices)


def _clouded(period: str, tile: str) -> Callable[[CompositeParams, Path], CompositeResult]:
    """A composite step that finds no clear cell in one tile and period."""

    def answer(params: CompositeParams, out: Path) -> CompositeResult:
        if (params.period, params.tile) == (period, tile):
            raise StepError("no_valid_pixels", f"{params.tile} has no clear cell.", "Widen the period.")
        first = params.acquisitions[0]
        return CompositeResult(
            tile=params.tile,
            period=params.period,
            grid=first.grid,
            bands=first.bands,
            observations=first.bands["red"],
            source_date=first.bands["red"],
            clear_share=1.0,
        )

    return answer


def _aligned(params: AlignParams, out: Path) -> AlignResult:
    part: Scene = params.parts[0]
    file = part.bands["red"].model_copy(update={"href": "red.tif"})
    return AlignResult(
        tile=part.tile, acquired=part.datetime, grid=params.grid, bands={"red": file}, scl=None, valid_share=1.0
    )


class TestNothingClear:
    def test_a_tile_without_a_clear_cell_is_dropped_everywhere(self, archive: SmallArchive) -> None:
        for day in ("20180510", "20190510"):
            for tile in ("33UUP", "33UUQ"):
                archive.add(day, tile=tile)
        answers = {AlignParams: _aligned, CompositeParams: _clouded("2019-MJ", "33UUQ")}
        with use_runner(StubRunner(answers)):
            state = images_of(archive.form(), return_state=True)
        images = state.result()
        assert {period: [image.tile for image in found] for period, found in images.items()} == {
            "2018-MJ": ["33UUP"],
            "2019-MJ": ["33UUP"],
        }
        rows = ledger.rows(str(state.state_details.flow_run_id))
        assert {(row.subject, row.code) for row in rows if row.code} == {
            ("composite 33UUQ 2019-MJ", "no_valid_pixels"),
            ("33UUQ", "not_in_all_periods"),
        }

    def test_a_period_without_any_tile_is_not_passed_over(self, archive: SmallArchive) -> None:
        for day in ("20180510", "20190510", "20200510"):
            archive.add(day)
        answers = {AlignParams: _aligned, CompositeParams: _clouded("2019-MJ", "33UUP")}
        with use_runner(StubRunner(answers)):
            failure = run(archive.form(time__years=[2018, 2019, 2020]), images_of)
        assert failure.error.code == "no_common_tile"
        assert "'2019-MJ': []" in failure.error.reason


class TestDamagedScenes:
    """Real steps on real pixels."""

    def test_a_spare_takes_the_place_of_a_truncated_or_empty_scene(
        self, archive: SmallArchive, s3_server: S3Server
    ) -> None:
        archive.add_scene("20180510", 3000, "truncated", cloud=1.0)
        archive.add_scene("20180520", 3000, "empty", cloud=2.0)
        archive.add_scene("20180530", 4000, cloud=3.0)
        archive.add_scene("20190510", 5000)
        get_settings.cache_clear()
        with use_runner(LocalRunner()):
            state = images_of(archive.form(source__check_objects=True), return_state=True)
        images = state.result()
        store = open_store(get_settings())
        for period, dn in (("2018-MJ", 4000), ("2019-MJ", 5000)):
            with rasterio.open(store.path_of(images[period][0].bands["red"])) as raster:
                red = raster.read(1)
            known = red[red != REFLECTANCE_NODATA]
            assert known.size > 5000
            assert set(np.unique(known)) == {dn - 1000, dn - 999}
        rows = ledger.rows(str(state.state_details.flow_run_id))
        assert {(row.subject, row.code) for row in rows if row.status == "failed"} == {
            ("align 33UUP 2018-05-10", "corrupt_file"),
            ("align 33UUP 2018-05-20", "no_valid_pixels"),
        }

    def test_without_a_spare_the_period_is_missed(self, archive: SmallArchive, s3_server: S3Server) -> None:
        archive.add_scene("20180510", 3000, "truncated")
        archive.add_scene("20190510", 5000, "cloudy")
        get_settings.cache_clear()
        with use_runner(LocalRunner()):
            failure = run(archive.form(source__check_objects=True), images_of)
        assert failure.error.code == "no_common_tile"
        assert failure.subjects("corrupt_file") == ["align 33UUP 2018-05-10"]
        assert failure.subjects("no_valid_pixels") == ["composite 33UUP 2019-MJ"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", f"size={TINY_DISK}", "tmpfs", str(folder)]
    if (outcome := subprocess.run(command, capture_output=True, text=True)).returncode:
        pytest.skip(f"a small disk cannot be mounted here: {outcome.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until there is no byte left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"x" * 4096)
    return ballast


class TestFullDisk:
    def test_inputs_do_not_fit(self, archive: SmallArchive, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        archive.add("20180510")
        form = archive.form()
        monkeypatch.setenv("CLEARGROUND_STORE", str(tiny_disk / "store"))
        get_settings.cache_clear()
        (tiny_disk / "store").mkdir()
        ballast = fill(tiny_disk)
        with pytest.raises(StepError, match="no space is left") as caught:
            take_in(form)
        assert caught.value.code == "disk_full"
        ballast.unlink()
        assert take_in(form).label_map is not None

    def test_outputs_do_not_fit(self, archive: SmallArchive, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        archive.add("20180510")
        inputs = take_in(archive.form())
        assert inputs.label_map is not None
        monkeypatch.setenv("CLEARGROUND_STORE", str(tiny_disk / "store"))
        get_settings.cache_clear()
        params = LabelsParams(source=take_in(archive.form()).label_map, grid=inputs.grid)
        ballast = fill(tiny_disk)
        with pytest.raises(StepError) as caught, use_runner(LocalRunner()):
            run_step(params)
        assert caught.value.code == "disk_full"
        assert attempts("gdal.labels") == []
        ballast.unlink()
        with use_runner(LocalRunner()):
            result: LabelsResult = run_step(params)
        assert set(result.counts) == {62, 73, 121}
