"""A map that nobody has checked says so: in the report and in the ledger."""

from pathlib import Path

import pandas as pd
import pytest

from tasks import checkout, ledger
from tasks.impervious.publish import findings_of, warn_unvalidated
from tasks.impervious.report import render_report
from tasks.impervious.validation import LABELS, NOTHING, REFERENCE, checks
from tasks.settings import get_settings
from tasks.store import open_store
from tests.tasks.made_product import Shelf, made_evidence, made_product


def test_the_best_check_of_each_period_is_named() -> None:
    accuracy = pd.DataFrame({"period": [2018, 2018], "measure": ["overall", "users"]})
    assert checks(("2018", "2019", "2020"), accuracy, ("2018", "2019")) == {
        "2018": REFERENCE,
        "2019": LABELS,
        "2020": NOTHING,
    }
    assert set(checks(("2018", "2019"), None, ()).values()) == {NOTHING}


def test_the_report_says_which_periods_are_not_validated(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "store")
    product = made_product(shelf)
    evidence = made_evidence(shelf, sampled=False).model_copy(update={"labelled": ("2018",)})
    page = render_report(product, findings_of(product, evidence, shelf.path_of, ()))
    for period, basis in {"2018": LABELS, "2019": NOTHING, "2020": NOTHING}.items():
        assert f'<tr><th scope="row">{period}</th><td>{basis}</td></tr>' in page
    assert "not validated" in NOTHING


def test_the_ledger_says_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE", "SCRATCH"):
        monkeypatch.setenv(f"CLEARGROUND_{name}", str(tmp_path / name.lower()))
    monkeypatch.setattr(checkout, "STATE", tmp_path)
    get_settings.cache_clear()
    shelf = Shelf(open_store(get_settings()).local_root)
    evidence = made_evidence(shelf, sampled=False).model_copy(update={"labelled": ("2018",)})
    warn_unvalidated(made_product(shelf), evidence, shelf.path_of)
    rows = [row for row in ledger.rows() if row.code == "unvalidated"]
    assert [(row.status, row.subject) for row in rows] == [
        ("warning", "land cover 2019"),
        ("warning", "land cover 2020"),
    ]
    assert all("reference.sample" in row.hint for row in rows)
    get_settings.cache_clear()
