"""The page says what was found, in words that data cannot break, and needs nothing but itself."""

import base64
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from tasks.impervious.publish import findings_of
from tasks.impervious.report import render_report, transition_matrices
from tasks.ledger import Row
from tasks.publishing.report_page import Illustration, embed
from tests.tasks.made_product import HOSTILE, Shelf, made_evidence, made_product, picture_file

VOID = {"meta", "img", "line", "path", "circle", "br"}


class Page(HTMLParser):
    """Elements with their attributes, and whether every one is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def made_page(tmp_path: Path, *, sampled: bool = True, simulated: bool = True, ledger: tuple[Row, ...] = ()) -> str:
    shelf = Shelf(tmp_path / "store")
    product, evidence = made_product(shelf, simulated=simulated), made_evidence(shelf, sampled=sampled)
    return render_report(product, findings_of(product, evidence, shelf.path_of, ledger))


def test_figures_stand_with_their_intervals(tmp_path: Path) -> None:
    page = made_page(tmp_path)
    row = re.search(r"<tr><th scope=\"row\">Burgenland Süd</th>.*?</tr>", page)
    assert row is not None
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row.group())
    assert cells == [
        "Burgenland Süd", "AT11", "2019", "newly impervious", "11.0 ha", "9.0 to 14.0", "22.0 ha", "12.5 %",
    ]  # fmt: skip
    assert "No intervals." not in page


def test_without_a_sample_nothing_is_called_an_estimate(tmp_path: Path) -> None:
    page = made_page(tmp_path, sampled=False)
    assert "<strong>No intervals.</strong>" in page
    assert page.count("not estimated") == 12
    assert page.count("no interval: no reference sample") == 12
    assert "No reference sample was given: the accuracy of these maps is not known." in page
    assert 'class="dot" cx="20"' in page, "the key"
    assert len(re.findall(r'<circle class="dot"', page)) == 1, "no estimate in the charts"
    assert len(re.findall(r'<path class="count"', page)) == 1 + 8


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    row = Row(at=datetime.now(UTC), status="skipped", subject=HOSTILE, code="ghost", reason=HOSTILE, hint=HOSTILE)
    page = made_page(tmp_path, ledger=(row,))
    assert "<script" not in page
    assert Page(page).text.count("<script>alert('x')</script>") >= 6
    assert not Page(page).all("script")


@pytest.mark.parametrize("sampled", [True, False])
def test_page_is_well_formed_and_accessible(tmp_path: Path, sampled: bool) -> None:
    page = Page(made_page(tmp_path, sampled=sampled))
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in page.all("img"))
    assert all(header.get("scope") in {"row", "col"} for header in page.all("th"))
    assert all(drawing.get("aria-labelledby") or drawing.get("aria-hidden") == "true" for drawing in page.all("svg"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [str(link["href"]).removeprefix("#") for link in page.all("a") if str(link["href"]).startswith("#")]
    assert set(targets) <= set(ids)
    assert len(page.all("main")) == len(page.all("h1")) == 1


def test_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    page = Page(made_page(tmp_path))
    sources = [str(value) for _, found in page.elements for name, value in found.items() if name in {"src", "srcset"}]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not {"link", "script", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not any("://" in str(link["href"]) for link in page.all("a"))


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("foreground", "background"),
    [("#1b1b1b", "#fff"), ("#4a4a4a", "#fff"), ("#0b57a4", "#fff"), ("#fff", "#7a0177"), ("#1b1b1b", "#fff4f0")],
)
def test_text_meets_wcag_aa(tmp_path: Path, foreground: str, background: str) -> None:
    page = made_page(tmp_path)
    assert {foreground, background} <= set(re.findall(r"#[0-9a-f]{3,6}", page))
    lighter, darker = sorted((luminance(foreground), luminance(background)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_simulated_data_are_named_everywhere(tmp_path: Path) -> None:
    page = made_page(tmp_path)
    assert "SIMULATED DATA" in page
    assert "<title>Change per region (simulated data)</title>" in page
    assert "Copernicus" not in page
    assert all("simulated data" in str(image["alt"]) for image in Page(page).all("img"))


def test_real_data_are_credited(tmp_path: Path) -> None:
    page = made_page(tmp_path, simulated=False)
    assert "Contains modified Copernicus Sentinel data 2018–2020." in page
    assert "SIMULATED" not in page
    assert "simulated data" not in page


def test_ledger_is_summed_up_by_status_and_code(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    rows = [Row(at=now, status="done", subject="cube")] * 3 + [Row(at=now, status="reused", subject="align")] * 5
    refused = [Row(at=now, status="skipped", subject="S2A_X", code="ghost", reason="absent", hint="report")] * 2
    page = Page(made_page(tmp_path, ledger=(*rows, *refused)))
    assert "3 done, 5 reused, 2 skipped" in page.text
    assert "ghostskipped2" in re.sub(r"\s", "", page.text)


def test_accuracy_names_its_source(tmp_path: Path) -> None:
    text = Page(made_page(tmp_path)).text
    assert "Source: the reference sample of this run, read from the simulated truth." in text
    assert "0.9123" in text
    assert "Test blocks: overall agreement 93.1 %, 6 blocks of 256 cells" in text


def test_matrix_puts_unknown_last_and_absent_pairs_to_zero() -> None:
    columns = ["from_period", "to_period", "from_class", "to_class", "cells", "area_ha"]
    table = pd.DataFrame([("2018", "2019", 2, 1, 700, 28.0), ("2018", "2019", 0, 3, 25, 1.0)], columns=columns)
    (matrix,) = transition_matrices(table)
    assert matrix.classes == ("impervious", "green", "other", "unknown")
    assert matrix.rows[1] == ("green", ("28.0", "0.00", "0.00", "0.00"))
    assert matrix.rows[3] == ("unknown", ("0.00", "0.00", "1.0", "0.00"))


def test_pictures_are_embedded_until_the_budget_is_spent(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    paths = [shelf.path_of(picture_file(shelf, f"{side}.png", side)) for side in (20, 80, 10)]
    sizes = [len(base64.b64encode(path.read_bytes())) for path in paths]
    pictures = [Illustration("change", path.stem, path.stem, path) for path in paths]
    shown = [found for _, found in embed(pictures, budget=sizes[0] + sizes[2])]
    assert [found.embedded for found in shown] == [True, False, True]
    assert shown[1].source == "pictures/80.png"
    assert (
        sum(len(found.source) - len("data:image/png;base64,") for found in shown if found.embedded)
        == sizes[0] + sizes[2]
    )
    assert base64.b64decode(shown[0].source.split(",")[1]) == paths[0].read_bytes()
