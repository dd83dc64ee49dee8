"""The way in and out of a step: exit codes, result or error file, progress."""

import json
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepError, StepParams, StepResult
from containers.base.step import local_path, main, progress, scratch_dir


class CountResult(StepResult):
    count: File


class CountParams(StepParams):
    step: ClassVar[str] = "fake.count"
    result: ClassVar[type[StepResult]] = CountResult

    limit: int = Field(ge=1)


def count(params: CountParams, out: Path) -> CountResult:
    if params.limit > 9:
        raise StepError("no_valid_pixels", f"limit is {params.limit}.", "Use at most 9.")
    if params.limit > 8:
        raise RuntimeError("a defect")
    (out / "count.txt").write_text(" ".join(map(str, range(params.limit))))
    return CountResult(count=output_file(out / "count.txt"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def start(out: Path, monkeypatch: pytest.MonkeyPatch, params: str) -> None:
    (out.parent / "params.json").write_text(params)
    monkeypatch.setattr(sys, "argv", ["step", str(out.parent / "params.json"), str(out)])
    main(CountParams, count)


def exit_code(out: Path, monkeypatch: pytest.MonkeyPatch, params: str) -> object:
    with pytest.raises(SystemExit) as caught:
        start(out, monkeypatch, params)
    return caught.value.code


def test_result_is_written_last_and_whole(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(out, monkeypatch, '{"limit": 3}')
    result = CountResult.model_validate_json((out / "result.json").read_text())
    assert result.count.href == "count.txt"
    assert sorted(path.name for path in out.iterdir()) == ["count.txt", "result.json"]


@pytest.mark.parametrize(
    ("params", "named"),
    [('{"limit": 0}', "limit"), ('{"limit": 1, "limt": 2}', "limt"), ("{", "JSON"), ("{}", "limit")],
)
def test_bad_parameters_are_named(out: Path, monkeypatch: pytest.MonkeyPatch, params: str, named: str) -> None:
    assert exit_code(out, monkeypatch, params) == 2
    error = json.loads((out / "error.json").read_text())
    assert error["code"] == "bad_parameters"
    assert named in error["reason"]


def test_step_error_is_written(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert exit_code(out, monkeypatch, '{"limit": 10}') == 3
    assert json.loads((out / "error.json").read_text()) == {
        "code": "no_valid_pixels",
        "reason": "limit is 10.",
        "hint": "Use at most 9.",
    }
    assert not (out / "result.json").exists()


def test_defect_is_not_hidden(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        start(out, monkeypatch, '{"limit": 9}')
    assert list(out.iterdir()) == []


def test_progress_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    progress(1, 4, "bands")
    assert json.loads(capsys.readouterr().out) == {"event": "progress", "done": 1, "total": 4, "message": "bands"}


def test_input_lies_below_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    (tmp_path / "gdal.a").mkdir()
    (tmp_path / "gdal.a" / "x.tif").write_text("pixels")
    assert local_path(File(href="store:gdal.a/x.tif", content_id="sha256:1", size=6)).read_text() == "pixels"
    with pytest.raises(StepError, match="missing_file"):
        local_path(File(href="store:gdal.a/y.tif", content_id="sha256:1", size=6))


def test_scratch_is_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert scratch_dir() == tmp_path
