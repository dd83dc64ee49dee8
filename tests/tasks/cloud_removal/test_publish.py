"""The product's folder, and a page that says what was found, in words that data cannot break."""

import json
import re
from pathlib import Path
from typing import Any

import geopandas

from containers.base.contract.files import File
from tasks.cloud_removal.publish import EDITION
from tasks.cloud_removal.report import DateRow, RemovalEvidence
from tasks.publishing.edition import write_publication
from tasks.publishing.headlines import headlines
from tasks.publishing.product import Publication
from tasks.publishing.publication import IllustrationFile
from tests.tasks.impervious.test_report import Page
from tests.tasks.made_product import (
    ESTIMATE_COLUMNS,
    HOSTILE,
    REGIONS,
    Shelf,
    made_product,
    picture_file,
    regions_file,
    table,
)

SCORES = ("method", "where", "cells", "mae", "rmse", "psnr_db", "ssim", "sam_deg")
GAINS = ("baseline", "where", "metric", "gain", "lower", "upper", "blocks")
BURN_SCORES = ("where", "precision", "recall", "f1", "iou", "accuracy", "kappa", "cells", "burned_cells")
SHARES = ("by", "class", "name", "severity", "cells", "area_ha", "share_of_class")


def made_evidence(shelf: Shelf, *, judged: bool = True) -> RemovalEvidence:
    def csv(name: str, columns: tuple[str, ...], *rows: tuple[Any, ...]) -> File:
        return shelf.put(name, table(columns, rows))

    estimates = [
        (region, "2020", "burned", 12.5, 10, 15.25, 1.2, "ha", "stratified_sample", 14, 0.125, 120, 31)
        for region in (*REGIONS, "ALL")
    ]
    burned = csv("burn.csv", BURN_SCORES, ("hidden", 0.9, 0.8, 0.847, 0.73, 0.97, "", 500, 90))
    return RemovalEvidence(
        dates=(
            DateRow(
                date="2020-05-11",
                optical=(HOSTILE,),
                hidden_share=0.012,
                radar=("S1A_1",),
                gap_hours=-11.6,
                track="95 descending",
            ),
        ),
        estimates=csv("estimates.csv", ESTIMATE_COLUMNS, *estimates),
        regions=regions_file(shelf),
        severity=csv("severity.csv", ("class", "name", "cells", "area_ha", "share"), (4, "moderate_low", 10, 0.1, 0.5)),
        shares=csv("shares.csv", SHARES, ("aspect", 8, "north", "high", 1, 0.01, "")),
        scores=csv("scores.csv", SCORES, ("t0_copy", "hidden", 9, 0.0416, 0.05, 22.5, "", 7.125)) if judged else None,
        gains=csv("gains.csv", GAINS, ("linear", "hidden", "psnr_db", 1.5, 0.25, 2.5, 40)) if judged else None,
        burn_scores=burned if judged else None,
        true_burn_scores=None,
        card=shelf.put("card.json", json.dumps({"epochs": 3})),
        radar_engine="sarsen 0.9.6",
        illustrations=(
            IllustrationFile(section="burn", name="severity", caption="Severity", file=picture_file(shelf, "s.png")),
        ),
        map_picture="severity",
    )


def published(tmp_path: Path, *, judged: bool = True) -> Publication:
    shelf = Shelf(tmp_path / "store")
    product, evidence = made_product(shelf), made_evidence(shelf, judged=judged)
    first, again = (
        write_publication(product, evidence, EDITION, tmp_path / "products", shelf.path_of, ()) for _ in range(2)
    )
    assert (first.is_new, again.is_new) == (True, False)
    return first


def cells_of(page: str, row: str) -> list[str]:
    found = re.search(rf'<tr><th scope="row">{row}</th>.*?</tr>', page)
    assert found is not None, row
    return re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", found.group())


def test_the_page_tells_areas_errors_gains_and_burn_scores(tmp_path: Path) -> None:
    page = Path(published(tmp_path).report).read_text()
    assert cells_of(page, "Burgenland Süd") == [
        "Burgenland Süd", "burned", "12.5 ha", "10.0 to 15.2", "14.0 ha", "12.5 %",
    ]  # fmt: skip
    assert cells_of(page, "copy of the date before") == [
        "copy of the date before", "hidden cells", "0.0416", "0.0500", "22.50", "–", "7.12", "9",
    ]  # fmt: skip
    assert cells_of(page, "linear regression")[2:5] == ["PSNR, dB", "1.5000", "0.2500 to 2.5000"]
    assert cells_of(page, "restored image")[1:5] == ["hidden cells", "0.900", "0.800", "0.847"]
    assert cells_of(page, "2020-05-11")[2:] == ["1.2 %", "S1A_1", "-12 h", "95 descending"]
    assert cells_of(page, "aspect")[1:] == ["north", "high", "0.01 ha", "–"]


def test_the_page_is_whole_and_what_data_say_stays_text(tmp_path: Path) -> None:
    text = Path(published(tmp_path).report).read_text()
    page = Page(text)
    assert page.open == []
    assert page.all("script") == []
    assert HOSTILE in page.text
    assert "SIMULATED DATA" in text


def test_without_a_judgement_nothing_is_said_of_quality(tmp_path: Path) -> None:
    text = Path(published(tmp_path, judged=False).report).read_text()
    assert "Errors of reflectance" not in text
    assert "against what is known to have burned" not in text


def test_tables_and_catalogue(tmp_path: Path) -> None:
    publication = published(tmp_path)
    folder = Path(publication.folder)
    regional = geopandas.read_parquet(folder / "regional_data.parquet")
    assert [row.indicator for row in headlines(regional)] == ["burned", "burned"]
    assert (folder / "stac" / "catalog.json").is_file()
    assert Path(publication.map).is_file()
