"""A publication in the Prefect UI: a table, links and the change map on the page of the run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact

from tasks.publishing.product import Product, Publication
from tasks.publishing.report_page import data_uri
from tasks.step_log import in_prefect_run

MAX_ROWS: Final = 500
MAX_IMAGE_BYTES: Final = 1_000_000
"""An artifact is a row of the server's database."""


def announce_product(product: Product, rows: Sequence[Mapping[str, str]], publication: Publication) -> None:
    """Create the artifacts; outside a run, do nothing."""
    if not in_prefect_run():
        return
    key = _key(product.name)
    create_table_artifact(
        table=[dict(row) for row in rows[:MAX_ROWS]],
        key=f"{key}-figures",
        description=f"{product.title} ({min(len(rows), MAX_ROWS)} of {len(rows)} rows)",
    )
    create_markdown_artifact(
        markdown=links(product, Path(publication.folder)), key=f"{key}-files", description="Where the product is"
    )
    picture = Path(publication.map)
    if picture.is_file() and picture.stat().st_size * 4 / 3 <= MAX_IMAGE_BYTES:
        create_image_artifact(image_url=data_uri(picture), key=f"{key}-map", description="The product's map")


def links(product: Product, folder: Path) -> str:
    """Markdown with the places of report, tables and catalogue."""
    files = {
        "Report": "report.html",
        "Table (CSV)": "regional_data.csv",
        "Table with outlines (GeoParquet)": "regional_data.parquet",
        "Table (DuckDB)": "regional_data.duckdb",
        "STAC catalogue": "stac/catalog.json",
    }
    heading = f"# {product.title}{' (SIMULATED DATA)' if product.simulated else ''}"
    lines = [f"- [{label}]({(folder / name).absolute().as_uri()})" for label, name in files.items()]
    return "\n".join([heading, "", *lines, "", f"Folder: `{folder.absolute()}`"])


def _key(name: str) -> str:
    """Artifact keys hold lower-case letters, digits and dashes only."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
