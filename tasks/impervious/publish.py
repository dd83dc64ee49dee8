"""The last task of a run: what it found becomes tables, catalogue, report and maps in one folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import files_in
from tasks import checkout, ledger
from tasks.impervious.intake import Inputs
from tasks.impervious.product import CHANGE_MAP, Products, model_of, pictures, product_of
from tasks.impervious.report import Findings, render_report
from tasks.impervious.validation import NOTHING, checks
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.publishing.announcement import announce
from tasks.publishing.pictures import draw
from tasks.publishing.product import Product, Publication
from tasks.publishing.publication import CATALOGUED, IllustrationFile, PathOf, content_id_of, write_product
from tasks.publishing.report_page import Illustration
from tasks.publishing.tables import Figures, read_figures, write_tables
from tasks.settings import get_settings
from tasks.store import open_store

__all__ = ["Products", "Publication", "publish_impervious_change"]

OWN_CODE: Final = (
    "impervious/product.py", "impervious/publish.py", "impervious/report.py", "impervious/validation.py",
    "publishing/headlines.py", "publishing/interval_chart.py", "publishing/tables.py",
    "templates/impervious_change.html.j2", "templates/interval_chart.svg.j2",
)  # fmt: skip
"""Modules that word this product beside the shared ones."""


class Evidence(Contract):
    """Where the figures of a product are."""

    estimates: File
    accuracy: File | None
    regions: File
    transitions: File
    card: File
    illustrations: tuple[IllustrationFile, ...]
    labelled: tuple[str, ...] = Field(default=(), description="Periods whose labels trained this run's own network")
    sqlite: bool = Field(default=False, description="Also write regional_data.sqlite")


def publish_impervious_change(params: ImperviousChangeParams, inputs: Inputs, products: Products) -> Publication:
    """Draw the pictures and publish. To be called inside the flow."""
    shown = draw(pictures(products, params.bands), simulated=products.simulated, regions=products.counts.regions)
    if products.training:
        shown += [
            IllustrationFile(section="training", name=f"training-{name}", caption=f"Training: {name}", file=file)
            for name, file in products.training.figures.items()
        ]
    evidence = Evidence(
        estimates=products.areas.estimates,
        accuracy=products.areas.accuracy,
        regions=products.counts.regions,
        transitions=products.change.transitions,
        card=model_of(inputs, products).card,
        illustrations=tuple(shown),
        labelled=(params.labels.period,) if products.training else (),
    )
    return publish_product(product_of(params, inputs, products), evidence, params.output)


@task(name="publish", task_run_name="publish {product.name}", cache_policy=NO_CACHE, persist_result=True)
def publish_product(product: Product, evidence: Evidence, output: str) -> Publication:
    """Publish into `output` (default: the checkout's products), announce it in Prefect, pin its files in the store."""
    store = open_store(get_settings())
    folder = Path(output) if output else checkout.STATE / "products"
    for period, basis in findings_of(product, evidence, store.path_of, ()).checked.items():
        if basis == NOTHING:
            _warn_unvalidated(period)
    publication = write_publication(product, evidence, folder, store.path_of, ledger.rows())
    figures = _figures(product, evidence, store.path_of)
    announce(product, figures, publication)
    store.publish(product.name, [file for file in files_in(product) if file.in_store])
    return publication


def _warn_unvalidated(period: str) -> None:
    ledger.add(
        "warning",
        f"land cover {period}",
        code="unvalidated",
        reason="It was predicted without labels of that period, and no reference sample tells how good it is.",
        hint="Give reference.sample, or reference.truth of that period.",
    )


def write_publication(
    product: Product, evidence: Evidence, output: Path, path_of: PathOf, rows: Sequence[ledger.Row]
) -> Publication:
    """Write the product's folder. The same content again changes nothing: its first report and ledger stay."""

    def write_findings(folder: Path) -> None:
        findings = findings_of(product, evidence, path_of, rows)
        write_tables(findings.figures, folder, sqlite=evidence.sqlite)
        (folder / "report.html").write_text(render_report(product, findings))

    return write_product(
        product,
        evidence.illustrations,
        output,
        content_id_of((product, evidence), OWN_CODE),
        path_of=path_of,
        map_picture=CHANGE_MAP,
        write_findings=write_findings,
        catalogued=CATALOGUED,
    )


def _figures(product: Product, evidence: Evidence, path_of: PathOf) -> Figures:
    return read_figures(
        path_of(evidence.estimates), path_of(evidence.regions), product.grid, simulated=product.simulated
    )


def findings_of(product: Product, evidence: Evidence, path_of: PathOf, rows: Sequence[ledger.Row]) -> Findings:
    """Read what the report speaks of."""
    accuracy = pd.read_csv(path_of(evidence.accuracy)) if evidence.accuracy else None
    return Findings(
        figures=_figures(product, evidence, path_of),
        accuracy=accuracy,
        transitions=pd.read_csv(path_of(evidence.transitions), dtype={"from_period": str, "to_period": str}),
        card=json.loads(path_of(evidence.card).read_text()),
        illustrations=[
            Illustration(shown.section, shown.name, shown.caption, path_of(shown.file))
            for shown in evidence.illustrations
        ],
        ledger=rows,
        checked=checks((period.label for period in product.periods), accuracy, evidence.labelled),
    )
