"""The way in and out of a step: exit codes, result or error file, progress."""

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepError, StepParams, StepResult, Usage
from containers.base.step import local_path, main, progress, scratch_dir, side_dir


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
    assert sorted(path.name for path in out.iterdir()) == ["count.txt", "result.json", "usage.json"]


def test_usage_is_no_part_of_the_result(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(out, monkeypatch, '{"limit": 3}')
    assert Usage.model_validate_json((out / "usage.json").read_text()).peak_mb > 1
    assert "peak" not in (out / "result.json").read_text()


TELL = "from containers.base.step import peak_mb; print(peak_mb())"
CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"


def fill(mb: int) -> str:
    return f"held = b'x' * ({mb} << 20)"


@pytest.mark.parametrize(
    ("script", "least", "most"),
    [
        (f"{fill(300)}; del held; {TELL}", 300, 450),
        (f"{CHILD}; {TELL}", 300, 450),
        (f"import sys; sys.argv[1] = 'pass'; {CHILD}; {TELL}", 10, 200),
    ],
    ids=["of itself, though freed", "of a program it ran", "without"],
)
def test_peak_memory(script: str, least: float, most: float) -> None:
    """Each in a process of its own, started from a large one: what that one holds is not counted."""
    large = f"import subprocess, sys; {fill(600)}; subprocess.run([sys.executable, *sys.argv[1:]], check=True)"
    command = [sys.executable, "-c", large, "-c", script, fill(300)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert least < float(done.stdout) < most


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


def test_side_folder_is_the_one_that_the_runner_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARGROUND_SIDE", str(tmp_path))
    assert side_dir() == tmp_path
