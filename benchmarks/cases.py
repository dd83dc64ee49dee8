"""Cases of one benchmark, each measured in a process of its own, so that memory and caches do not mix; or, where they
share what is made ready once, such as a compiled model, in turns within one process."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from containers.base.step import peak_mb
from tasks import checkout

Case = Callable[[Path], None]
Ready = Callable[[Path], AbstractContextManager[dict[str, Callable[[], object]]]]
"""Makes ready what the cases share, and names them; the first is the floor."""
_ROUNDS = 9
SAMPLES = Path(os.environ.get("SAMPLE_DATA", checkout.ROOT.parent / "shared" / "data"))
"""Third-party samples."""


class Measured(NamedTuple):
    """What one case took."""

    benchmark: str
    case: str
    seconds: float
    ratio: float
    """To the benchmark's floor, its first case; of cases in turns the median over rounds."""
    peak_mb: float
    size_mb: float
    """Of what it wrote."""


def measure(module: str, cases: dict[str, Case], folder: Path, rounds: int = 2) -> list[Measured]:
    """The best of some rounds, so that a busy minute does not hit one case only; the first case is the floor."""
    benchmark = module.rsplit(".", 1)[-1]
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for case in cases:
            (folder / benchmark / case).mkdir(parents=True, exist_ok=True)
            seconds, peak_mb = _child(module, case, folder)
            best[case] = min(best.get(case, (seconds, peak_mb)), (seconds, peak_mb))
    floor = next(iter(best.values()))[0]
    return [
        Measured(benchmark, case, seconds, seconds / floor, peak_mb, _size_mb(folder / benchmark / case))
        for case, (seconds, peak_mb) in best.items()
    ]


def main(module: str, cases: dict[str, Case], prepare: Case) -> None:
    """`<folder>`: measure every case there, print a table and keep it as JSON. `<case> <folder>`: that case here."""
    *case, folder = sys.argv[1:]
    if not case:
        _child(module, "prepare", Path(folder))
        rows = measure(module, cases, Path(folder))
        print_table(rows)
        result_path(module, Path(folder)).write_text(json.dumps([row._asdict() for row in rows]))
        return
    start = time.perf_counter()
    (cases | {"prepare": prepare})[case[0]](Path(folder))
    print(json.dumps([time.perf_counter() - start, peak_mb()]))


def main_in_turns(module: str, ready: Ready, prepare: Case) -> None:
    """`<folder>`: measure the cases in turns, print a table and keep it as JSON."""
    *case, folder = sys.argv[1:]
    if not case:
        _child(module, "prepare", Path(folder))
        command = [sys.executable, "-m", module, "turns", folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows = [Measured(*row) for row in json.loads(done.stdout.splitlines()[-1])]
        print_table(rows)
        result_path(module, Path(folder)).write_text(json.dumps([row._asdict() for row in rows]))
    elif case == ["turns"]:
        with ready(Path(folder)) as cases:
            print(json.dumps(in_turns(module.rsplit(".", 1)[-1], cases)))
    else:
        prepare(Path(folder))
        print(json.dumps([0.0, peak_mb()]))


def in_turns(benchmark: str, cases: dict[str, Callable[[], object]], rounds: int = _ROUNDS) -> list[Measured]:
    """Case after case, round after round, the order reversed each time; a first round warms up and does not count.

    What else the machine does hits neighbours alike, so each round gives a ratio. Peak memory is that of all together.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name in list(cases)[:: 1 if number % 2 else -1]:
            start = time.perf_counter()
            cases[name]()
            seconds[name].append(time.perf_counter() - start)
    counted = {name: values[1:] for name, values in seconds.items()}
    floor = next(iter(counted.values()))
    return [
        Measured(
            benchmark,
            name,
            statistics.median(values),
            statistics.median(value / least for value, least in zip(values, floor, strict=True)),
            peak_mb(),
            0.0,
        )
        for name, values in counted.items()
    ]


def result_path(module: str, folder: Path) -> Path:
    """Where the rows of a benchmark are kept."""
    return folder / f"{module.rsplit('.', 1)[-1]}.json"


def _child(module: str, case: str, folder: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", module, case, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds, peak_mb = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak_mb


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def print_table(rows: list[Measured]) -> None:
    print(f"{'benchmark':<10} {'case':<12} {'seconds':>8} {'ratio':>6} {'peak MB':>8} {'MB out':>7}")
    for row in rows:
        numbers = f"{row.seconds:>8.2f} {row.ratio:>6.2f} {row.peak_mb:>8.0f} {row.size_mb:>7.1f}"
        print(f"{row.benchmark:<10} {row.case:<12} {numbers}")
