"""Every benchmark, one after another: a table of each, the bars, and all of it as JSON.

`python -m benchmarks.run [benchmark …]`. Figures are ratios within one run; each benchmark's first case is its floor.
Exits with 1 where a bar is missed.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.cases import SAMPLES, Measured, result_path
from tasks import checkout

BENCHMARKS = (
    "align", "mask", "cube", "predict", "zonal", "fill", "productivity", "forest", "burn", "dataset",
    "sarsen", "removal_training", "removal_prediction", "download", "cut", "site_dataset", "step",
)  # fmt: skip


NEED_SAMPLES = {"sarsen"}


class Bar(NamedTuple):
    """A ratio of two cases, or a figure of one, and the most it may be."""

    benchmark: str
    meaning: str
    case: str
    quantity: str
    most: float
    to: str = ""


BARS = (
    Bar("align", "seconds to bare decode (target)", "clearground", "seconds", 1.25, to="decode"),
    Bar("align", "seconds to bare decode (failure)", "clearground", "seconds", 1.5, to="decode"),
    Bar("align", "seconds to the prototype's way", "clearground", "seconds", 1.0, to="prototype"),
    Bar("align", "seconds to odc-stac", "clearground", "seconds", 1.0, to="odc_stac"),
    Bar("align", "peak memory, MB", "clearground", "peak_mb", 2048),
    Bar("mask", "seconds to bare decode", "clearground", "seconds", 2.0, to="decode"),
    Bar("mask", "peak memory, MB", "clearground", "peak_mb", 3072),
    Bar("cube", "seconds to the prototype's way", "clearground", "seconds", 0.2, to="prototype"),
    Bar("cube", "size to the prototype's", "clearground", "size_mb", 0.75, to="prototype"),
    Bar("cube", "peak memory, MB", "clearground", "peak_mb", 1024),
    Bar("predict", "seconds to the same windows in memory", "clearground", "ratio", 1 / 0.9),
    Bar("predict", "peak memory, MB", "clearground", "peak_mb", 2048),
    Bar("fill", "seconds to the best batched numpy", "harmonic", "seconds", 1.25, to="batched"),
    Bar("fill", "seconds to the loop over pixels", "harmonic", "seconds", 0.1, to="lstsq"),
    Bar("fill", "seconds of the smoother to whittaker-eilers", "whittaker", "seconds", 0.2, to="eilers"),
    Bar("fill", "peak memory, MB", "step", "peak_mb", 3072),
    Bar("zonal", "peak memory of GRASS, MB", "grass", "peak_mb", 2048),
    Bar("zonal", "peak memory of exactextract, MB", "exactextract", "peak_mb", 2048),
    Bar("productivity", "seconds to one cell at a time", "clearground", "seconds", 0.5, to="per_pixel"),
    Bar("productivity", "peak memory of a strip as wide as a tile, MB", "wide", "peak_mb", 2048),
    Bar("burn", "peak memory of a strip as wide as a tile, MB", "all_indices", "peak_mb", 2048),
    Bar("burn", "peak memory of the change map, MB", "change", "peak_mb", 2048),
    Bar("forest", "seconds to predict_proba of the same forest", "table", "seconds", 0.02, to="predict_proba"),
    Bar("dataset", "seconds to the prototype's way", "clearground", "seconds", 1.0, to="prototype"),
    Bar("dataset", "peak memory, MB", "clearground", "peak_mb", 1024),
    Bar("site_dataset", "641 sites: seconds to bare decode", "clearground_641", "seconds", 1.5, to="decode_641"),
    Bar("site_dataset", "33,860 sites: seconds to bare decode", "clearground_33860", "seconds", 1.5, to="decode_33860"),
    Bar("site_dataset", "641 sites: peak memory, MB", "clearground_641", "peak_mb", 1024),
    Bar("site_dataset", "33,860 sites: peak memory, MB", "clearground_33860", "peak_mb", 1024),
    Bar("sarsen", "seconds to plain sarsen", "clearground", "seconds", 1.25, to="plain"),
    Bar("sarsen", "seconds to plain sarsen, without a speckle filter", "unfiltered", "seconds", 1.0, to="plain"),
    Bar("sarsen", "peak memory, MB", "clearground", "peak_mb", 6144),
    Bar("removal_training", "seconds to the same steps in memory", "clearground", "ratio", 1 / 0.9),
    Bar("removal_training", "peak memory, MB", "clearground", "peak_mb", 2048),
    Bar("removal_prediction", "seconds to the same windows in memory", "clearground", "ratio", 1 / 0.9),
    Bar("removal_prediction", "peak memory, MB", "clearground", "peak_mb", 2048),
    Bar("download", "seconds to the line rate of four connections", "clearground", "seconds", 1.25, to="line"),
    Bar("download", "seconds to one object after another", "clearground", "seconds", 0.5, to="single"),
    Bar("download", "peak memory, MB", "clearground", "peak_mb", 512),
    Bar("cut", "seconds to decoding the blocks touched", "clearground", "seconds", 1.5, to="decode"),
    Bar("cut", "seconds to the prototype's way", "clearground", "seconds", 1.0, to="prototype"),
    Bar("cut", "peak memory, MB", "clearground", "peak_mb", 1024),
)


def measured(benchmark: str, folder: Path) -> list[Measured]:
    module = f"benchmarks.{benchmark}"
    subprocess.run([sys.executable, "-m", module, str(folder)], check=True, cwd=checkout.ROOT)
    return [Measured(**row) for row in json.loads(result_path(module, folder).read_text())]


def held(bar: Bar, rows: list[Measured]) -> float:
    """The figure that the bar is for."""
    of = {row.case: float(getattr(row, bar.quantity)) for row in rows if row.benchmark == bar.benchmark}
    return of[bar.case] / of[bar.to] if bar.to else of[bar.case]


def main() -> None:
    console, folder = Console(), checkout.STATE / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = sys.argv[1:] or BENCHMARKS
    if not SAMPLES.is_dir() and (left_out := NEED_SAMPLES & set(chosen)):
        console.print(f"Left out, since there are no third-party samples at {SAMPLES}: {', '.join(sorted(left_out))}")
        chosen = [benchmark for benchmark in chosen if benchmark not in NEED_SAMPLES]
    rows = [row for benchmark in chosen for row in measured(benchmark, folder)]
    table = Table("benchmark", "bar", "at most", "measured", "", title="Bars")
    outcomes = [(bar, held(bar, rows)) for bar in BARS if bar.benchmark in chosen]
    for bar, value in outcomes:
        word = "[green]pass[/]" if value <= bar.most else "[bold red]FAIL[/]"
        table.add_row(bar.benchmark, bar.meaning, f"{bar.most:.3g}", f"{value:.3g}", word)
    console.print(table)
    document = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "cases": [row._asdict() for row in rows],
        "bars": [{**bar._asdict(), "value": value, "passed": value <= bar.most} for bar, value in outcomes],
    }
    path = checkout.STATE / "benchmarks.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    console.print(f"Figures: {path}")
    sys.exit(0 if all(value <= bar.most for bar, value in outcomes) else 1)


if __name__ == "__main__":
    main()
