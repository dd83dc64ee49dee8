"""What the machinery costs: one small step, ten times, each with parameters of its own.

Floor: the same step as a bare process. `call` is the step without a process, `reused` finds it in the store.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.gdal.areas import run
from containers.gdal.contract.areas import AreasParams
from tasks.runner import run_step

TIMES = 10


def prepare(folder: Path) -> None:
    path = counts(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"R{number},R{number},2020,new_green,{number},0,1000" for number in range(100)]
    path.write_text("region_id,region_name,period,indicator,cells,unknown_cells,total_cells\n" + "\n".join(rows))


def counts(folder: Path) -> Path:
    return folder / "store" / "user" / "counts" / "counts.csv"


def params(folder: Path, number: int) -> AreasParams:
    path = counts(folder)
    file = File(href="store:user/counts/counts.csv", content_id=sha256_of(path), size=path.stat().st_size)
    return AreasParams(counts=file, cell_area_ha=0.04, confidence=0.6 + number / 10_000)


def use_store(folder: Path) -> None:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    os.environ["CLEARGROUND_SCRATCH"] = str(folder / "scratch")
    os.environ["CLEARGROUND_RUNNER"] = "local"


def bare_process(folder: Path) -> None:
    use_store(folder)
    for number in range(TIMES):
        out = Path(tempfile.mkdtemp(dir=folder / "step" / "bare_process"))
        (out / "params.json").write_text(params(folder, number).model_dump_json())
        command = [sys.executable, "-m", "containers.gdal.areas", str(out / "params.json"), str(out)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def run_by_runner(folder: Path) -> None:
    use_store(folder)
    offset = len(list((folder / "store" / "gdal.areas").glob("*")))
    for number in range(TIMES):
        run_step(params(folder, offset + number))


def reused(folder: Path) -> None:
    use_store(folder)
    run_step(params(folder, 0))
    for _ in range(TIMES):
        run_step(params(folder, 0))


def call(folder: Path) -> None:
    use_store(folder)
    for number in range(TIMES):
        run(params(folder, number), folder / "step" / "call")


CASES: dict[str, Case] = {"bare_process": bare_process, "run_step": run_by_runner, "reused": reused, "call": call}


if __name__ == "__main__":
    main("benchmarks.step", CASES, prepare)
