"""Figures against their bars: one table, one JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """A measured figure; without bounds it is told, not judged."""

    seed: int
    topic: str
    name: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def passed(self) -> bool | None:
        """None where there is no bar. What is not a number passes no bar."""
        if self.low is None and self.high is None:
            return None
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    @property
    def bar(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low:g} – {self.high:g}"
        if self.low is not None:
            return f"≥ {self.low:g}"
        return "" if self.high is None else f"≤ {self.high:g}"


_WORDS = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: ""}


def print_figures(figures: Sequence[Figure], console: Console) -> None:
    """A row per figure, a column per seed."""
    seeds = sorted({figure.seed for figure in figures})
    table = Table("", "figure", "bar", *(f"seed {seed}" for seed in seeds), title="Accuracy on simulated archives")
    topic = ""
    for figure in (each for each in figures if each.seed == seeds[0]):
        cells = [_cell(figures, seed, figure) for seed in seeds]
        if topic and figure.topic != topic:
            table.add_section()
        table.add_row("" if figure.topic == topic else figure.topic, figure.name, figure.bar, *cells)
        topic = figure.topic
    console.print(table)


def _cell(figures: Sequence[Figure], seed: int, like: Figure) -> str:
    found = [each for each in figures if (each.seed, each.topic, each.name) == (seed, like.topic, like.name)]
    return f"{found[0].value:.4g} {_WORDS[found[0].passed]}" if found else ""


def write_figures(figures: Sequence[Figure], context: dict[str, object], path: Path) -> None:
    rows = [{**figure._asdict(), "passed": figure.passed} for figure in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**context, "figures": rows}, indent=1) + "\n")
