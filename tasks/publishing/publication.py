"""What publishing is for every flow: the identity of a product, its folder, its catalogue."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from tasks.publishing.product import Product, Publication
from tasks.publishing.product_folder import link_or_copy, publish_folder
from tasks.publishing.report_page import Illustration
from tasks.publishing.stac_items import write_catalogue
from tasks.records import with_files

PathOf = Callable[[File], Path]
SHARED_CODE: Final = (
    "publishing/announcement.py", "publishing/edition.py", "publishing/pictures.py", "publishing/product.py",
    "publishing/publication.py", "publishing/report_page.py", "publishing/stac_items.py", "publishing/table_files.py",
    "templates/page.html.j2", "templates/page_parts.html.j2", "templates/report.css",
)  # fmt: skip
"""Modules that word every product, named in each product's identity."""
CATALOGUED: Final = {
    "regional_data.parquet": ("application/vnd.apache.parquet", "data"),
    "regional_data.csv": ("text/csv", "data"),
    "regional_data.duckdb": ("application/vnd.duckdb", "data"),
    "report.html": ("text/html", "overview"),
}
"""What the catalogue lists of every product with regional tables: file to media type and role."""
_VERSION_CHARACTERS: Final = 12


class IllustrationFile(Contract):
    """A picture for the report."""

    section: str = Field(description="Section of the report, such as change, cover, images, training")
    name: str
    caption: str
    file: File
    media_type: str = Field(default="image/png", pattern=r"^image/(png|gif)$")

    @property
    def path(self) -> str:
        """Where it lies in the product's folder."""
        return f"pictures/{self.name}.{self.media_type.removeprefix('image/')}"


class Evidence(Contract):
    """Where the figures of a product are; each flow names its own beside these."""

    illustrations: tuple[IllustrationFile, ...]
    map_picture: str = Field(description="Name of the illustration that stands for the product")

    def shown(self, path_of: PathOf) -> list[Illustration]:
        """The illustrations as a page takes them."""
        return [Illustration(each.section, each.name, each.caption, path_of(each.file)) for each in self.illustrations]


def content_id_of(parts: Sequence[Contract], own_code: Sequence[str]) -> str:
    """SHA-256 of the facts, the contents of all files wherever they lie, and the code that words them.

    The ledger is no part of it: a run that reuses everything publishes nothing new.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(with_files(part, _placeless).model_dump(mode="json"), sort_keys=True).encode())
    for name in (*SHARED_CODE, *own_code):
        digest.update((Path(__file__).parents[1] / name).read_bytes())
    return f"sha256:{digest.hexdigest()}"


def write_product(
    product: Product,
    illustrations: Sequence[IllustrationFile],
    output: Path,
    content_id: str,
    *,
    path_of: PathOf,
    map_picture: str,
    write_findings: Callable[[Path], None],
    catalogued: Mapping[str, tuple[str, str]],
) -> Publication:
    """Write the product's folder. The same content again changes nothing: its first report and ledger stay.

    `write_findings` writes the tables and `report.html`; `catalogued` names those of them that the catalogue lists,
    with media type and role.
    """

    def write(folder: Path) -> None:
        write_findings(folder)
        _link_files(product, illustrations, folder, path_of)
        thumbnails = {shown.name: shown.path for shown in illustrations}
        write_catalogue(
            product, content_id.removeprefix("sha256:")[:_VERSION_CHARACTERS], folder, thumbnails, catalogued
        )

    published = publish_folder(output, product.name, content_id, write)
    return Publication(
        name=product.name,
        folder=str(published.path),
        report=str(published.path / "report.html"),
        catalogue=str(published.path / "stac" / "catalog.json"),
        tables=str(published.path / "regional_data.duckdb"),
        map=str(published.path / "pictures" / f"{map_picture}.png"),
        content_id=content_id,
        is_new=published.is_new,
    )


def _placeless(file: File) -> File:
    """A file by its content: equal runs differ in the attempt that an href names."""
    return file.model_copy(update={"href": file.name}) if file.in_store else file


def _link_files(product: Product, illustrations: Sequence[IllustrationFile], folder: Path, path_of: PathOf) -> None:
    for layer in product.layers:
        link_or_copy(path_of(layer.file), folder / "rasters" / f"{layer.name}.tif")
    for shown in illustrations:
        link_or_copy(path_of(shown.file), folder / shown.path)
    for name, file in product.documents.items():
        link_or_copy(path_of(file), folder / name)
