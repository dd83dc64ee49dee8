"""The last task of `cloud_removal`: tables, catalogue, report and maps in one folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from containers.base.contract.step import files_in
from tasks import checkout, ledger
from tasks.cloud_removal.product import MAP, RemovalProducts, pictures, product_of
from tasks.cloud_removal.report import RemovalEvidence, date_rows, render_removal
from tasks.parameters.cloud_removal import CloudRemovalParams
from tasks.publishing.announcement import announce_product
from tasks.publishing.headlines import headlines
from tasks.publishing.pictures import draw
from tasks.publishing.product import Product, Publication
from tasks.publishing.publication import CATALOGUED, IllustrationFile, PathOf, content_id_of, write_product
from tasks.publishing.tables import Figures, read_figures, write_tables
from tasks.settings import get_settings
from tasks.store import open_store

_PICTURE_PX: Final = 700
OWN_CODE: Final = (
    "cloud_removal/product.py", "cloud_removal/publish.py", "cloud_removal/report.py",
    "publishing/headlines.py", "publishing/tables.py",
    "templates/cloud_removal.html.j2",
)  # fmt: skip


def publish_cloud_removal(params: CloudRemovalParams, products: RemovalProducts) -> Publication:
    """Draw the pictures and publish. To be called inside the flow."""
    shown = draw(pictures(products), simulated=products.simulated, side_px=_PICTURE_PX)
    return publish_removal(
        product_of(params, products), evidence_of(products, (*shown, *_figures_of(products))), params.output
    )


@task(name="publish", task_run_name="publish {product.name}", cache_policy=NO_CACHE, persist_result=True)
def publish_removal(product: Product, evidence: RemovalEvidence, output: str) -> Publication:
    """Publish into `output` (default: the checkout's products), announce it in Prefect, pin its files in the store."""
    store = open_store(get_settings())
    folder = Path(output) if output else checkout.STATE / "products"
    publication = write_removal_publication(product, evidence, folder, store.path_of, ledger.rows())
    figures = figures_of(product, evidence, store.path_of)
    rows = [row._asdict() for part in (figures.whole, figures.regional) for row in headlines(part)]
    announce_product(product, rows, publication)
    store.publish(product.name, [file for file in files_in(product) if file.in_store])
    return publication


def write_removal_publication(
    product: Product, evidence: RemovalEvidence, output: Path, path_of: PathOf, rows: Sequence[ledger.Row]
) -> Publication:
    """Write the product's folder. The same content again changes nothing."""

    def write_findings(folder: Path) -> None:
        figures = figures_of(product, evidence, path_of)
        write_tables(figures, folder)
        (folder / "report.html").write_text(render_removal(product, evidence, figures, path_of, rows))

    return write_product(
        product,
        evidence.illustrations,
        output,
        content_id_of((product, evidence), OWN_CODE),
        path_of=path_of,
        map_picture=MAP,
        write_findings=write_findings,
        catalogued=CATALOGUED,
    )


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
