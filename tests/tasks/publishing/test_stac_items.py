"""The catalogue is valid STAC, and says what the rasters hold. JSON schemas of extensions need the internet, so core
schemas are checked in full (PySTAC bundles them) and extensions by the values that a client reads."""

import json
from hashlib import sha256
from pathlib import Path

import odc.stac
import pystac
import pytest
import shapely
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import RasterExtension
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from tasks.publishing.publication import CATALOGUED
from tasks.publishing.stac_items import footprint, multihash, scene_href, write_catalogue
from tests.tasks.made_product import Shelf, made_product, made_scene

KINDS = {
    pystac.Catalog: pystac.STACObjectType.CATALOG,
    pystac.Collection: pystac.STACObjectType.COLLECTION,
    pystac.Item: pystac.STACObjectType.ITEM,
}


@pytest.fixture
def made_catalogue(tmp_path: Path) -> pystac.Catalog:
    shelf = Shelf(tmp_path / "store")
    product = made_product(shelf)
    for layer in product.layers:
        target = tmp_path / "out" / "rasters" / f"{layer.name}.tif"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(shelf.path_of(layer.file).read_bytes())
    pictures = {"land-cover-2019": "pictures/land-cover-2019.png", "no-such-layer": "pictures/other.png"}
    write_catalogue(product, "0123456789ab", tmp_path / "out", pictures, CATALOGUED)
    return pystac.Catalog.from_file(str(tmp_path / "out" / "stac" / "catalog.json"))


def item_named(catalogue: pystac.Catalog, name: str) -> pystac.Item:
    return next(item for item in catalogue.get_items(recursive=True) if item.id == f"made-{name}")


def test_every_object_obeys_the_core_schema(made_catalogue: pystac.Catalog) -> None:
    validator = JsonSchemaSTACValidator()
    items = list(made_catalogue.get_items(recursive=True))
    objects = [made_catalogue, *made_catalogue.get_children(), *items]
    for found in objects:
        document = json.loads(Path(found.self_href).read_text())
        assert validator.validate_core(document, KINDS[type(found)], "1.1.0") is not None
    assert len(items) == 3


def test_links_and_assets_are_relative_and_lead_somewhere(made_catalogue: pystac.Catalog) -> None:
    for item in made_catalogue.get_items(recursive=True):
        document = json.loads(Path(item.self_href).read_text())
        hrefs = [link["href"] for link in document["links"] if link["rel"] != "derived_from"]
        assert hrefs
        for href in [*hrefs, document["assets"]["data"]["href"]]:
            assert not href.startswith(("/", "file:"))
            assert (Path(item.self_href).parent / href).is_file(), href


def test_an_item_says_what_its_raster_is(made_catalogue: pystac.Catalog) -> None:
    item = item_named(made_catalogue, "new-impervious-2019")
    projection = ProjectionExtension.ext(item)
    assert (projection.code, projection.shape) == ("EPSG:3035", [20, 30])
    assert projection.transform == [20, 0, 4_321_000, 0, -20, 2_900_000]
    assert (item.properties["start_datetime"], item.properties["end_datetime"]) == (
        "2018-05-01T00:00:00Z",
        "2019-09-30T23:59:59Z",
    )
    (band,) = RasterExtension.ext(item.assets["data"]).bands
    assert (band.data_type, band.nodata, band.scale) == ("uint8", 255, None)
    meanings = ClassificationExtension.ext(item.assets["data"]).classes
    assert {found.value: found.description for found in meanings} == {0: "not newly impervious", 1: "newly impervious"}
    assert [found.name for found in meanings] == ["not-newly-impervious", "newly-impervious"]
    assert item.properties["version"] == "0123456789ab"
    assert item.properties["processing:software"] == {"clearground": "0.1.0"}
    assert item.properties["clearground:simulated"] is True
    assert "(simulated)" in item.properties["title"]


def test_scaled_bands_keep_their_scale_and_order(made_catalogue: pystac.Catalog) -> None:
    bands = RasterExtension.ext(item_named(made_catalogue, "probabilities-2020").assets["data"]).bands
    assert [band.properties["name"] for band in bands] == ["impervious", "green", "other"]
    assert {band.scale for band in bands} == {1 / 250}


def test_checksum_and_size_are_of_the_file(made_catalogue: pystac.Catalog) -> None:
    for item in made_catalogue.get_items(recursive=True):
        facts = FileExtension.ext(item.assets["data"])
        content = Path(item.assets["data"].get_absolute_href()).read_bytes()
        assert facts.size == len(content)
        assert facts.checksum == "1220" + sha256(content).hexdigest()


def test_sources_are_those_of_the_layers_periods(made_catalogue: pystac.Catalog) -> None:
    links = item_named(made_catalogue, "new-impervious-2019").get_links("derived_from")
    assert sorted((link.href.split("/")[4], link.href[-26:-21]) for link in links) == [
        ("2018", "33UUP"), ("2018", "33UUQ"), ("2019", "33UUP"), ("2019", "33UUQ"),
    ]  # fmt: skip
    assert all(link.href.startswith("s3://eodata/") and link.href.endswith(".SAFE") for link in links)


def test_a_client_opens_the_layer(made_catalogue: pystac.Catalog) -> None:
    loaded = odc.stac.load([item_named(made_catalogue, "land-cover-2019")], bands=["data"])
    assert loaded.odc.crs.epsg == 3035
    assert loaded["data"].shape == (1, 20, 30)
    assert loaded["data"].dtype == "uint8"
    assert (loaded["data"] == 1).all()


def test_the_thumbnail_belongs_to_its_layer(made_catalogue: pystac.Catalog) -> None:
    assert (
        item_named(made_catalogue, "land-cover-2019").assets["thumbnail"].href.endswith("pictures/land-cover-2019.png")
    )
    assert "thumbnail" not in item_named(made_catalogue, "probabilities-2020").assets


@pytest.mark.parametrize("simulated", [True, False])
def test_credits_are_given_for_real_data_only(tmp_path: Path, simulated: bool) -> None:
    product = made_product(Shelf(tmp_path / "store"), simulated=simulated)
    write_catalogue(product, "1", tmp_path, {}, CATALOGUED)
    (collection,) = pystac.Catalog.from_file(str(tmp_path / "stac" / "catalog.json")).get_children()
    assert any("Copernicus" in provider.name for provider in collection.providers) is not simulated
    assert ("simulated" in collection.keywords) is simulated
    assert collection.extent.temporal.intervals[0][0].year == 2018
    assert set(collection.assets) >= {"regional_data_parquet", "report_html"}


def test_footprint_follows_the_curved_edges() -> None:
    wide = Grid(epsg=3035, resolution_m=20, west_m=3_000_000, north_m=3_000_000, width=100_000, height=50_000)
    outline = footprint(wide)
    corners = shapely.Polygon(shapely.get_coordinates(outline)[:: len(outline.exterior.coords) // 4])
    assert outline.is_valid
    assert outline.exterior.is_ccw
    assert outline.area / corners.area > 1.005


def test_footprint_of_a_known_corner() -> None:
    # The false origin of EPSG:3035 is 10° E, 52° N.
    corner = Grid(epsg=3035, resolution_m=20, west_m=4_321_000, north_m=3_210_000, width=10, height=10)
    west, _, _, north = footprint(corner).bounds
    assert (west, north) == (pytest.approx(10.0, abs=1e-6), pytest.approx(52.0, abs=1e-6))


def test_scene_href_is_the_product_folder_where_there_is_one() -> None:
    scene = made_scene("33UUP", 2018)
    assert scene_href(scene) == f"s3://eodata/Sentinel-2/2018/{scene.id}.SAFE"
    patch = File(href="store:user/abc/patch.tif", content_id="sha256:ab", size=1)
    assert scene_href(scene.model_copy(update={"bands": {"red": patch}})) == "store:user/abc/patch.tif"


def test_multihash_needs_a_sha256() -> None:
    assert multihash(File(href="a.tif", content_id="sha256:" + "ab" * 32, size=1)) == "1220" + "ab" * 32
    with pytest.raises(ValueError, match="etag"):
        multihash(File(href="a.tif", content_id="etag:1", size=1))
