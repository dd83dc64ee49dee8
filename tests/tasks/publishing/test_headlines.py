"""The wording of figures."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from tasks.publishing.headlines import headlines, interval, number, print_table, table_for_terminal
from tasks.publishing.tables import read_figures, write_tables
from tests.tasks.made_product import (
    ESTIMATE_COLUMNS,
    GRID,
    HOSTILE,
    REGIONS,
    Shelf,
    estimate_rows,
    regions_file,
    table,
)


def figures_in_words(tmp_path: Path, *, sampled: bool, names: dict[str, str] = REGIONS):
    shelf = Shelf(tmp_path / "store")
    estimates = shelf.put("estimates.csv", table(ESTIMATE_COLUMNS, estimate_rows(sampled=sampled)))
    return read_figures(shelf.path_of(estimates), shelf.path_of(regions_file(shelf, names)), GRID, simulated=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.044, "0.04"),
        (3.14159, "3.1"),
        (99.94, "99.9"),
        (100.4, "100"),
        (1234567.8, "1,234,568"),
        (-2.5, "-2.5"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_a_headline_says_everything(tmp_path: Path) -> None:
    first = headlines(figures_in_words(tmp_path, sampled=True).regional)[0]
    assert first == (
        "AT11", "Burgenland Süd", "2019", "newly impervious", "11.0 ha", "9.0 to 14.0", "22.0 ha", "12.5 %",
    )  # fmt: skip


def test_a_pixel_count_is_never_called_an_estimate(tmp_path: Path) -> None:
    first = headlines(figures_in_words(tmp_path, sampled=False).regional)[0]
    assert (first.estimate, first.interval) == ("not estimated", "no interval: no reference sample")
    assert first.pixel_count == "22.0 ha"


def test_too_few_points_are_told() -> None:
    row = SimpleNamespace(value=5.0, lower=float("nan"), upper=float("nan"), interval_basis="none", n_points=12)
    assert interval(row) == "no interval: only 12 reference points"


def printed(renderable: object, width: int = 200) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(renderable)
    return stream.getvalue()


def test_terminal_shows_regions_and_the_whole_area(tmp_path: Path) -> None:
    text = printed(table_for_terminal(figures_in_words(tmp_path, sampled=True), "Title"))
    assert "Burgenland Süd" in text
    assert text.index("Burgenland Süd") < text.index("Whole area")
    assert "9.0 to 14.0" in text


def test_narrow_terminal_cuts_no_word(tmp_path: Path) -> None:
    text = printed(table_for_terminal(figures_in_words(tmp_path, sampled=True), "Title"), width=80)
    assert "impervious" in text
    assert "…" not in text
    assert "unknown\n" in "\n".join(line.rstrip() for line in text.splitlines()), "the last column is whole"


def test_terminal_takes_names_that_look_like_markup(tmp_path: Path) -> None:
    names = {"AT11": "[bold red]Alert[/bold red]", "NA": "a[/]b"}
    text = printed(table_for_terminal(figures_in_words(tmp_path, sampled=True, names=names), "Title"))
    assert "[bold red]Alert[/bold red]" in text
    assert "a[/]b" in text


def test_terminal_says_what_it_leaves_out(tmp_path: Path) -> None:
    text = printed(table_for_terminal(figures_in_words(tmp_path, sampled=True), "Title", max_rows=3))
    assert "and 5 more rows" in text


def test_a_published_table_is_printed_from_its_folder(tmp_path: Path) -> None:
    write_tables(figures_in_words(tmp_path, sampled=True), tmp_path)
    stream = io.StringIO()
    print_table(SimpleNamespace(folder=str(tmp_path), name="made"), Console(file=stream, width=220))
    assert "made (simulated data)" in stream.getvalue()
    assert HOSTILE in stream.getvalue()
