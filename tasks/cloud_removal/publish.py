"""The last task of `cloud_removal`: tables, catalogue, report and maps in one folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tasks.cloud_removal.product import MAP, RemovalProducts, pictures, product_of
from tasks.cloud_removal.report import RemovalEvidence, date_rows, render_removal
from tasks.ledger import Row
from tasks.parameters.cloud_removal import CloudRemovalParams
from tasks.publishing.edition import Edition, publish_product
from tasks.publishing.headlines import headline_rows
from tasks.publishing.pictures import draw
from tasks.publishing.product import Product, Publication
from tasks.publishing.publication import CATALOGUED, IllustrationFile, PathOf
from tasks.publishing.tables import Figures, read_figures, write_tables

_PICTURE_PX: Final = 700


def publish_cloud_removal(params: CloudRemovalParams, products: RemovalProducts) -> Publication:
    """Draw the pictures and publish. To be called inside the flow."""
    shown = draw(pictures(products), simulated=products.simulated, side_px=_PICTURE_PX)
    evidence = evidence_of(products, (*shown, *_figures_of(products)))
    return publish_product(product_of(params, products), evidence, EDITION, params.output)


def figures_of(product: Product, evidence: RemovalEvidence, path_of: PathOf) -> Figures:
    """Burned area per region and of the whole grid."""
    return read_figures(
        path_of(evidence.estimates), path_of(evidence.regions), product.grid, simulated=product.simulated
    )


def evidence_of(products: RemovalProducts, illustrations: tuple[IllustrationFile, ...]) -> RemovalEvidence:
    """Where the figures of the report are."""
    burns, judgement = products.burns, products.judgement
    return RemovalEvidence(
        dates=tuple(date_rows(products.paired)),
        estimates=burns.areas.estimates,
        regions=burns.counts.regions,
        severity=burns.restored.areas,
        shares=burns.shares.shares,
        scores=judgement.scores if judgement else None,
        gains=judgement.gains if judgement else None,
        burn_scores=burns.comparison.scores if burns.comparison else None,
        true_burn_scores=burns.best_possible.scores if burns.best_possible else None,
        card=products.model.card,
        radar_engine=f"{products.pair.radar_t1.engine} {products.pair.radar_t1.engine_version}",
        illustrations=illustrations,
        map_picture=MAP,
    )


def _figures_of(products: RemovalProducts) -> Sequence[IllustrationFile]:
    """Plots that steps have drawn themselves."""
    plots = [
        ("training", "training", products.training.figures if products.training else {}),
        ("quality", "quality", products.judgement.figures if products.judgement else {}),
        ("burn", "burn", {"confusion": products.burns.comparison.figure} if products.burns.comparison else {}),
    ]
    return [
        IllustrationFile(section=section, name=f"{prefix}-{name}", caption=name.replace("_", " "), file=file)
        for section, prefix, figures in plots
        for name, file in figures.items()
    ]


def _write_tables(product: Product, evidence: RemovalEvidence, path_of: PathOf, folder: Path) -> None:
    write_tables(figures_of(product, evidence, path_of), folder)


def _report(product: Product, evidence: RemovalEvidence, path_of: PathOf, rows: Sequence[Row]) -> str:
    return render_removal(product, evidence, figures_of(product, evidence, path_of), path_of, rows)


def _headlines(product: Product, evidence: RemovalEvidence, path_of: PathOf) -> list[dict[str, str]]:
    return headline_rows(figures_of(product, evidence, path_of))


EDITION: Final = Edition(
    own_code=(
        "cloud_removal/product.py", "cloud_removal/publish.py", "cloud_removal/report.py",
        "publishing/headlines.py", "publishing/tables.py",
        "templates/cloud_removal.html.j2",
    ),
    write_tables=_write_tables,
    report=_report,
    headlines=_headlines,
    catalogued=CATALOGUED,
)  # fmt: skip
