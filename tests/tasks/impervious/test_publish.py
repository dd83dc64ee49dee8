"""From results to a folder that people open, and the same again for nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pystac
import pytest
from prefect import flow
from prefect.client.orchestration import get_client

from containers.base.contract.files import File
from tasks.impervious.publish import EDITION
from tasks.ledger import Row
from tasks.publishing.announcement import links
from tasks.publishing.edition import publish_product, write_publication
from tasks.publishing.product import Publication
from tasks.publishing.publication import content_id_of
from tasks.settings import get_settings
from tests.tasks.made_product import Shelf, made_evidence, made_product


@pytest.fixture
def made_shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "store")


def published(shelf: Shelf, output: Path, **options: bool) -> Publication:
    return write_publication(made_product(shelf), made_evidence(shelf, **options), EDITION, output, shelf.path_of, [])


def test_everything_is_where_the_publication_says(made_shelf: Shelf, tmp_path: Path) -> None:
    publication = published(made_shelf, tmp_path / "out", sqlite=True)
    for place in (publication.report, publication.map, publication.catalogue, publication.tables):
        assert Path(place).is_file(), place
    folder = Path(publication.folder)
    assert {path.name for path in folder.iterdir()} == {
        "documents", "pictures", "publication.json", "rasters", "regional_data.csv", "regional_data.duckdb",
        "regional_data.parquet", "regional_data.sqlite", "report.html", "stac", "whole_area.csv", "whole_area.parquet",
    }  # fmt: skip
    assert (
        len(json.loads((folder / "publication.json").read_text())["files"])
        == len([path for path in folder.rglob("*") if path.is_file()]) - 1
    )


def test_rasters_cost_no_second_copy(made_shelf: Shelf, tmp_path: Path) -> None:
    product = made_product(made_shelf)
    publication = write_publication(
        product, made_evidence(made_shelf), EDITION, tmp_path / "out", made_shelf.path_of, []
    )
    for layer in product.layers:
        assert (Path(publication.folder) / "rasters" / f"{layer.name}.tif").samefile(made_shelf.path_of(layer.file))


def test_the_same_again_changes_nothing(made_shelf: Shelf, tmp_path: Path) -> None:
    product, evidence = made_product(made_shelf), made_evidence(made_shelf)
    first = write_publication(product, evidence, EDITION, tmp_path / "out", made_shelf.path_of, [])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    row = Row(at=datetime.now(UTC), status="reused", subject="everything")
    second = write_publication(product, evidence, EDITION, tmp_path / "out", made_shelf.path_of, [row])
    assert (first.is_new, second.is_new) == (True, False)
    assert first.content_id == second.content_id
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_other_figures_are_another_version(made_shelf: Shelf, tmp_path: Path) -> None:
    first = published(made_shelf, tmp_path / "out")
    old = Path(first.folder).resolve()
    second = published(made_shelf, tmp_path / "out", sampled=False)
    assert second.is_new
    assert "No intervals." in Path(second.report).read_text()
    assert "No intervals." not in (old / "report.html").read_text()


def test_identity_is_of_contents_not_of_places(made_shelf: Shelf) -> None:
    product, evidence = made_product(made_shelf), made_evidence(made_shelf)
    elsewhere = evidence.model_copy(
        update={"estimates": evidence.estimates.model_copy(update={"href": "store:gdal.areas/k/another/estimates.csv"})}
    )
    changed = evidence.model_copy(
        update={"estimates": evidence.estimates.model_copy(update={"content_id": "sha256:" + "0" * 64})}
    )
    assert content_id_of((product, elsewhere), EDITION.own_code) == content_id_of((product, evidence), EDITION.own_code)
    assert content_id_of((product, changed), EDITION.own_code) != content_id_of((product, evidence), EDITION.own_code)


def test_version_in_the_catalogue_is_that_of_the_folder(made_shelf: Shelf, tmp_path: Path) -> None:
    publication = published(made_shelf, tmp_path / "out")
    items = list(pystac.Catalog.from_file(publication.catalogue).get_items(recursive=True))
    assert {item.properties["version"] for item in items} == {publication.content_id.removeprefix("sha256:")[:12]}


def test_report_stays_small(made_shelf: Shelf, tmp_path: Path) -> None:
    assert Path(published(made_shelf, tmp_path / "out").report).stat().st_size < 200_000


def test_links_are_markdown_to_existing_files(made_shelf: Shelf, tmp_path: Path) -> None:
    product = made_product(made_shelf)
    publication = published(made_shelf, tmp_path / "out")
    text = links(product, Path(publication.folder))
    assert "SIMULATED DATA" in text
    places = [line.split("](file://")[1].removesuffix(")") for line in text.splitlines() if "](file://" in line]
    assert len(places) == 5
    assert all(Path(place).is_file() for place in places)


def test_a_run_announces_its_product(
    made_shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: None
) -> None:
    monkeypatch.setenv("CLEARGROUND_STORE", str(made_shelf.root))
    monkeypatch.setenv("CLEARGROUND_SCRATCH", str(tmp_path / "scratch"))
    get_settings.cache_clear()
    product, evidence = made_product(made_shelf, name="Made.2020"), made_evidence(made_shelf)

    @flow
    def publishing() -> Publication:
        return publish_product(product, evidence, EDITION, str(tmp_path / "out"))

    publication = publishing()
    get_settings.cache_clear()
    assert publication.is_new
    pinned = json.loads((made_shelf.root / "published" / "Made.2020.json").read_text())
    assert {layer.file.href for layer in product.layers} <= set(pinned["hrefs"])

    with get_client(sync_client=True) as client:
        artifacts = {artifact.key: artifact for artifact in client.read_artifacts()}
    table = json.loads(artifacts["made-2020-figures"].data)
    assert table[0] == {
        "region_id": "ALL", "region": "Whole area", "period": "2019", "indicator": "newly impervious",
        "estimate": "19.0 ha", "interval": "17.0 to 22.0", "pixel_count": "38.0 ha", "unknown": "12.5 %",
    }  # fmt: skip
    assert len(table) == 12
    assert "report.html" in artifacts["made-2020-files"].data
    assert artifacts["made-2020-map"].data.startswith("data:image/png;base64,")


def test_archive_hrefs_belong_to_the_identity(made_shelf: Shelf) -> None:
    product, evidence = made_product(made_shelf), made_evidence(made_shelf)
    scene = product.scenes["2018"][0]
    moved = scene.model_copy(
        update={"bands": {"red": File(href="s3://elsewhere/B04.jp2", content_id="etag:1", size=1)}}
    )
    other = product.model_copy(update={"scenes": {**product.scenes, "2018": (moved,)}})
    assert content_id_of((other, evidence), EDITION.own_code) != content_id_of((product, evidence), EDITION.own_code)
