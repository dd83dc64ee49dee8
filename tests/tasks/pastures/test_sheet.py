"""The sheet of a pasture: what stands on it, in which words, and that data cannot become markup."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tasks.pastures.sheet import make_sheet, render_sheet
from tasks.pastures.sheet_doubts import ModelSkill
from tests.tasks.pastures.made_pasture import CELLS, HOSTILE, TYPES, events, made_files, made_map, write_csv

SKILL = ModelSkill(0.52, 0.45, 0.6, 456, 71)
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def sheet_of(folder: Path, *, estimated: bool = True, types=TYPES, files=None, **options):
    files = files or made_files(folder, estimated=estimated, types=types)
    named = {"name": "Alpe du Grand Serre", "tile": "31TGK", "source": "esa", "skill": SKILL}
    fields = {name: options.pop(name) for name in list(options) if name not in named}
    return make_sheet(made_map(types, **fields), files, **(named | options))


def text_of(page: str) -> str:
    """What a reader reads, tags taken out."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_areas_of_types_with_their_intervals_and_shares(tmp_path) -> None:
    sheet = sheet_of(tmp_path)
    first = sheet.types.rows[0]
    # 4000 cells of 0.01 ha, and the estimate of made_pasture; the pasture has 11 500 cells.
    assert (first.name, first.area, first.interval, first.share) == ("mat-grass", "41.8", "32.0–53.0", "36 %")
    assert first.colour == "#01fe88"
    assert sheet.area == "115"
    areas = [float(row.area) for row in sheet.types.rows[:5]]
    assert areas == sorted(areas, reverse=True)
    rows = {row.name: row for row in sheet.types.rows}
    assert (rows["not known"].area, rows["not known"].share) == ("(6.0)", "5 %")
    assert (rows["not seen"].area, rows["not seen"].share) == ("2.0", "2 %")
    assert rows["other types"].colour == ""


def test_counts_say_that_they_are_counts(tmp_path) -> None:
    sheet = sheet_of(tmp_path, estimated=False)
    assert not sheet.types.is_estimated
    assert {row.interval for row in sheet.types.rows} == {""}
    assert [row.name for row in sheet.types.rows] == [
        *TYPES[: sum(cells > 0 for cells in CELLS)],
        "not known",
        "not seen",
    ]
    assert {row.name: row.area for row in sheet.types.rows}["not known"] == "6.0"
    page = text_of(render_sheet(sheet))
    assert "nobody has checked it" in page
    assert " between " not in page[: page.index("How green")]


def test_many_types_are_told_together(tmp_path) -> None:
    types = (*TYPES, *(f"more {number}" for number in range(8)))
    sheet = sheet_of(tmp_path, types=types)
    shown = [row for row in sheet.types.rows if row.colour or row.name.endswith("smaller types")]
    assert len(sheet.types.rows) == 14 + 2
    together = sheet.types.rows[13]
    assert together.name == "8 smaller types"
    whole = sheet_of(tmp_path, types=types).types.pasture_ha
    assert whole == pytest.approx((sum(CELLS) + 8 * 30 + 800) * 0.01)
    assert together in shown


def test_the_year_against_the_other_years(tmp_path) -> None:
    rows = {row.name: row for row in sheet_of(tmp_path).events}
    free = rows["Free of snow"]
    # 108 is 17 April; the other years' median is 122, between 119 and 126, so the ends are 14 ± √(3² + 4²) days.
    assert (free.when, free.interval, free.usual) == ("17 April", "14–21 April", "1 May")
    assert free.against_usual == "14 days earlier (9–19)"
    assert free.trend == "6 days earlier in ten years (2–10)"
    assert rows["Turns green"].against_usual == "as usual (−4 to +6)"
    assert rows["Turns green"].trend == "none told (7 years)"
    assert rows["Greenest"].against_usual == "7 days later (2–12)"
    assert rows["Greenest"].trend == "too few years"
    assert (rows["Dries"].when, rows["Dries"].against_usual) == ("not told", "")
    assert (rows["Days of green forage"].when, rows["Days of green forage"].against_usual) == (
        "97",
        "13 days fewer (8–18)",
    )


def test_one_year_alone_has_nothing_to_be_compared_with(tmp_path) -> None:
    columns = "pasture_id, year, event, day, lower, upper, basis, doubt"
    alone = [row for row in events() if row[1] == 2024]
    files = replace(made_files(tmp_path), events=write_csv(tmp_path / "alone.csv", columns, alone))
    rows = {row.name: row for row in sheet_of(tmp_path, files=files).events}
    assert (rows["Greenest"].against_usual, rows["Greenest"].usual) == ("too few years", "")


def test_doubts_in_plain_words(tmp_path) -> None:
    page = text_of(render_sheet(sheet_of(tmp_path)))
    for said in (
        "named the type right at 52 of 100 places (45 to 60; tried at 456 places of 71 pastures or groups)",
        "estimated from the map and 150 places",
        "On 5 % of the pasture the model cannot tell",
        "2 % of the pasture was seen too seldom",
        "was seen on 12 days; nothing was seen from 28 August to 12 October",
        "Dries: no clear view between 3 September and 9 October.",
        "ESA's own processing",
        "Contains modified Copernicus Sentinel data 2024, processed by ESA.",
    ):
        assert said.replace("'", "&#39;") in page


def test_few_views_are_told_as_few(tmp_path) -> None:
    columns = "pasture_id, date, observed, ndvi, lower, upper, p10, p90, clear_share, snow_share"
    seen = [("A1", f"2024-{month:02}-15", 1, 0.5, 0.4, 0.6, 0.3, 0.7, 0.9, 0.0) for month in range(4, 11)]
    files = replace(made_files(tmp_path), curve=write_csv(tmp_path / "few.csv", columns, seen))
    page = text_of(render_sheet(sheet_of(tmp_path, files=files)))
    assert "was seen on only 7 days; nothing was seen from 15 May to 15 June" in page


def test_simulated_data_say_so(tmp_path) -> None:
    plain, simulated = (render_sheet(sheet_of(tmp_path, simulated=simulated)) for simulated in (False, True))
    assert "imulated" not in plain
    assert "SIMULATED DATA" in simulated
    assert "Everything here is simulated" in simulated
    assert "Copernicus" not in simulated


def test_data_cannot_become_markup(tmp_path) -> None:
    types = (HOSTILE, *TYPES[1:])
    files = made_files(tmp_path, types=types)
    columns = "pasture_id, year, event, day, lower, upper, basis, doubt"
    rows = [*events(), ("A1", 2024, "odd", "", "", "", "", HOSTILE)]
    files = replace(files, events=write_csv(tmp_path / "hostile.csv", columns, rows))
    page = render_sheet(sheet_of(tmp_path, types=types, files=files, name=HOSTILE, tile=HOSTILE, source="esa"))
    assert "<img src=x" not in page
    assert page.count("<img ") == 1
    assert page.count("&lt;img src=x") >= 5
    assert "<script" not in page


def test_the_page_stands_alone(tmp_path) -> None:
    page = render_sheet(sheet_of(tmp_path))
    assert "default-src 'none'" in page
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []
    assert "size: A4" in page


def test_the_curve_is_drawn_with_its_events(tmp_path) -> None:
    svg = ElementTree.fromstring(str(sheet_of(tmp_path).chart))
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in svg.iter(f"{space}text")]
    assert "free of snow 17 April" in texts
    assert "mean of 2018–2023" in texts
    # Every third of 73 days, but for the gap; one more dot explains them.
    dots = list(svg.iter(f"{space}circle"))
    assert len(dots) == 1 + 25 - 2


def test_a_year_without_a_curve_says_so(tmp_path) -> None:
    columns = "pasture_id, date, observed, ndvi, lower, upper, p10, p90, clear_share, snow_share"
    files = replace(made_files(tmp_path), curve=write_csv(tmp_path / "none.csv", columns, []))
    sheet = sheet_of(tmp_path, files=files)
    assert sheet.chart is None
    page = text_of(render_sheet(sheet))
    assert "not seen often enough in 2024 for a curve" in page
    assert "seen on only 0 days; nothing was seen from 1 April to 31 October" in page


@pytest.mark.skipif(BROWSER is None, reason="no headless browser here")
def test_it_prints_on_one_page(tmp_path) -> None:
    types = (*TYPES, *(f"another type of vegetation {number}" for number in range(8)))
    columns = "pasture_id, year, event, day, lower, upper, basis, doubt"
    doubts = [("A1", 2024, event, "", "", "", "", "hidden by clouds " * 12) for event in ("peak", "drying", "greening")]
    files = replace(
        made_files(tmp_path, types=types), events=write_csv(tmp_path / "long.csv", columns, [*events(), *doubts])
    )
    page = render_sheet(sheet_of(tmp_path, types=types, files=files, simulated=True, name="Alpe " * 30))
    (tmp_path / "sheet.html").write_text(page)
    command = [str(BROWSER), "--headless", "--no-sandbox", f"--print-to-pdf={tmp_path / 'sheet.pdf'}"]
    subprocess.run([*command, str(tmp_path / "sheet.html")], check=True, timeout=120, capture_output=True)
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "sheet.pdf").read_bytes())) == 1


def test_a_model_of_unknown_skill_says_so(tmp_path) -> None:
    assert "is not known" in text_of(render_sheet(sheet_of(tmp_path, skill=None)))
