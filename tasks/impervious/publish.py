"""The last task of a run: what it found becomes tables, catalogue, report and maps in one folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from pydantic import Field

from containers.base.contract.files import File
from tasks import ledger
from tasks.impervious.intake import Inputs
from tasks.impervious.product import CHANGE_MAP, Products, model_of, pictures, product_of
from tasks.impervious.report import Findings, render_report
from tasks.impervious.validation import NOTHING, checks
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.publishing.edition import Edition, publish_product
from tasks.publishing.headlines import headline_rows
from tasks.publishing.pictures import draw
from tasks.publishing.product import Product, Publication
from tasks.publishing.publication import CATALOGUED, Evidence, IllustrationFile, PathOf
from tasks.publishing.tables import Figures, read_figures, write_tables
from tasks.settings import get_settings
from tasks.store import open_store

__all__ = ["Products", "Publication", "publish_impervious_change"]


class ImperviousEvidence(Evidence):
    """Where the figures of a product are."""

    estimates: File
    accuracy: File | None
    regions: File
    transitions: File
    card: File
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
    evidence = ImperviousEvidence(
        estimates=products.areas.estimates,
        accuracy=products.areas.accuracy,
        regions=products.counts.regions,
        transitions=products.change.transitions,
        card=model_of(inputs, products).card,
        illustrations=tuple(shown),
        map_picture=CHANGE_MAP,
        labelled=(params.labels.period,) if products.training else (),
    )
    product = product_of(params, inputs, products)
    warn_unvalidated(product, evidence, open_store(get_settings()).path_of)
    return publish_product(product, evidence, EDITION, params.output)


def warn_unvalidated(product: Product, evidence: ImperviousEvidence, path_of: PathOf) -> None:
    """A ledger row for each map that nothing was compared with."""
    for period, basis in checked_of(product, evidence, path_of).items():
        if basis == NOTHING:
            ledger.add(
                "warning",
                f"land cover {period}",
                code="unvalidated",
                reason="It was predicted without labels of that period, and no reference sample tells how good it is.",
                hint="Give reference.sample, or reference.truth of that period.",
            )


def figures_of(product: Product, evidence: ImperviousEvidence, path_of: PathOf) -> Figures:
    """Change per region and of the whole grid."""
    return read_figures(
        path_of(evidence.estimates), path_of(evidence.regions), product.grid, simulated=product.simulated
    )


def findings_of(
    product: Product, evidence: ImperviousEvidence, path_of: PathOf, rows: Sequence[ledger.Row]
) -> Findings:
    """Read what the report speaks of."""
    return Findings(
        figures=figures_of(product, evidence, path_of),
        accuracy=_accuracy(evidence, path_of),
        transitions=pd.read_csv(path_of(evidence.transitions), dtype={"from_period": str, "to_period": str}),
        card=json.loads(path_of(evidence.card).read_text()),
        illustrations=evidence.shown(path_of),
        ledger=rows,
        checked=checked_of(product, evidence, path_of),
    )


def checked_of(product: Product, evidence: ImperviousEvidence, path_of: PathOf) -> dict[str, str]:
    """Period to what its map was compared with."""
    return checks((period.label for period in product.periods), _accuracy(evidence, path_of), evidence.labelled)


def _accuracy(evidence: ImperviousEvidence, path_of: PathOf) -> pd.DataFrame | None:
    return pd.read_csv(path_of(evidence.accuracy)) if evidence.accuracy else None


def _write_tables(product: Product, evidence: ImperviousEvidence, path_of: PathOf, folder: Path) -> None:
    write_tables(figures_of(product, evidence, path_of), folder, sqlite=evidence.sqlite)


def _report(product: Product, evidence: ImperviousEvidence, path_of: PathOf, rows: Sequence[ledger.Row]) -> str:
    return render_report(product, findings_of(product, evidence, path_of, rows))


def _headlines(product: Product, evidence: ImperviousEvidence, path_of: PathOf) -> list[dict[str, str]]:
    return headline_rows(figures_of(product, evidence, path_of))


EDITION: Final = Edition(
    own_code=(
        "impervious/product.py", "impervious/publish.py", "impervious/report.py", "impervious/validation.py",
        "publishing/headlines.py", "publishing/interval_chart.py", "publishing/tables.py",
        "templates/impervious_change.html.j2", "templates/interval_chart.svg.j2",
    ),
    write_tables=_write_tables,
    report=_report,
    headlines=_headlines,
    catalogued=CATALOGUED,
)  # fmt: skip
