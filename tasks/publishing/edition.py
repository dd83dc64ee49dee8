"""The last task of a flow: what it found becomes a folder, an announcement, and a pin in the store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from containers.base.contract.step import files_in
from tasks import ledger
from tasks.publishing.announcement import announce_product
from tasks.publishing.product import Product, Publication
from tasks.publishing.product_folder import output_folder
from tasks.publishing.publication import Evidence, PathOf, content_id_of, write_product
from tasks.settings import get_settings
from tasks.store import open_store

E = TypeVar("E", bound=Evidence)


@dataclass(frozen=True)
class Edition(Generic[E]):
    """How a flow words what it found: all in which its publishing differs from that of other flows."""

    own_code: tuple[str, ...]
    """Modules and templates under `tasks/` that word this product beside the shared ones."""
    write_tables: Callable[[Product, E, PathOf, Path], None]
    """Fills the product's folder with tables."""
    report: Callable[[Product, E, PathOf, Sequence[ledger.Row]], str]
    """The page."""
    headlines: Callable[[Product, E, PathOf], Sequence[Mapping[str, str]]]
    """The rows of the table that Prefect shows."""
    catalogued: Mapping[str, tuple[str, str]]
    """Files of the folder that the catalogue lists, with media type and role."""


@task(name="publish", task_run_name="publish {product.name}", cache_policy=NO_CACHE, persist_result=True)
def publish_product(product: Product, evidence: Evidence, edition: Edition[Any], output: str) -> Publication:
    """Publish into `output` (default: the checkout's products), announce it in Prefect, pin its files in the store."""
    store = open_store(get_settings())
    publication = write_publication(product, evidence, edition, output_folder(output), store.path_of, ledger.rows())
    announce_product(product, edition.headlines(product, evidence, store.path_of), publication)
    store.publish(product.name, [file for file in files_in(product) if file.in_store])
    return publication


def write_publication(
    product: Product, evidence: E, edition: Edition[E], output: Path, path_of: PathOf, rows: Sequence[ledger.Row]
) -> Publication:
    """Write the product's folder. The same content again changes nothing: its first report and ledger stay."""

    def write_findings(folder: Path) -> None:
        edition.write_tables(product, evidence, path_of, folder)
        (folder / "report.html").write_text(edition.report(product, evidence, path_of, rows))

    return write_product(
        product,
        evidence.illustrations,
        output,
        content_id_of((product, evidence), edition.own_code),
        path_of=path_of,
        map_picture=evidence.map_picture,
        write_findings=write_findings,
        catalogued=edition.catalogued,
    )
