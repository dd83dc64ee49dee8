"""Recorded answers of real catalogues about Sentinel-1: read to the right products, or refused by the right rule."""

import json
import zipfile
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import box

from containers.base.contract.radar import RadarProduct
from containers.base.contract.step import StepError
from containers.base.storage import client
from tasks.cloud_removal.pairing import find_pairs
from tasks.cloud_removal.radar_passes import OpticalDate, PairRules
from tasks.periods import Period
from tasks.radar_catalogue.candidate import candidate_from_item, candidate_from_odata
from tasks.radar_catalogue.files import is_wanted
from tasks.radar_catalogue.product_name import parse_radar_name
from tasks.radar_catalogue.request import RadarRequest
from tasks.radar_catalogue.rules import refuse_at_sight, span_of
from tasks.radar_catalogue.search import search_radar
from tests.conftest import S3Server

pytestmark = pytest.mark.real
TITILER = "titiler-openeo-sar/tests/fixtures/sar/items"
EODAG = "eodag/tests/resources/eodag_search_result_creodias.json"
OPENSEARCH = "gfmap-cdse/tests/tests_integration/resources/{}_query_cdse_results.json"
ICELAND = "-23,67,-22.5,67.3"
JULY = Period(label="2026-07", start="2026-07-01", end="2026-07-31")


def read(sample_data: Path, name: str) -> Any:
    return json.loads((sample_data / name).read_text())


def request(**fields: Any) -> RadarRequest:
    return RadarRequest.model_validate({"aoi": ICELAND, "periods": (JULY,), "check_objects": False, **fields})


def test_every_recorded_name_is_read_as_its_catalogue_does(sample_data: Path) -> None:
    seen = 0
    for name in ("3c893698", "af8e6cd2", "f99c6557"):
        for feature in read(sample_data, OPENSEARCH.format(name))["features"]:
            facts = feature["properties"]
            if not facts["productType"].startswith("IW_GRDH"):
                continue
            parsed = parse_radar_name(facts["title"])
            assert parsed is not None
            assert (parsed.mode, parsed.kind) == ("IW", "GRDH")
            assert parsed.absolute_orbit == facts["orbitNumber"]
            # The catalogue gives all COGs to satellite A: the name knows better.
            assert parsed.platform == facts["title"][:3]
            assert parsed.is_cog == facts["productType"].endswith("-COG")
            start, stop = (datetime.fromisoformat(facts[each]) for each in ("startDate", "completionDate"))
            assert 0 <= (start - parsed.start).total_seconds() < 1
            assert 0 <= (stop - parsed.stop).total_seconds() < 1
            assert [each.upper() for each in parsed.polarisations] == facts["polarisation"].split("&")
            seen += 1
    assert seen == 182


def test_both_styles_of_a_slice_are_one_and_the_newer_is_kept(
    sample_data: Path, tmp_path: Path, s3_server: S3Server
) -> None:
    """CDSE lists every slice as SAFE and as COG."""
    features = read(sample_data, OPENSEARCH.format("3c893698"))["features"]
    items = [as_item(each) for each in features if each["properties"]["productType"].startswith("IW_GRDH")]
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    for item in items:
        put_safe(item["safe"])
    summer = Period(label="2023", start="2023-06-01", end="2023-10-31")
    aoi = ",".join(map(str, box(1.4, 49.2, 1.6, 49.4).bounds))
    answer = search_radar(request(provider="items", endpoint=str(path), aoi=aoi, periods=(summer,)))
    codes: dict[str, set[str]] = defaultdict(set)
    for row in answer.refused:
        codes[row.code].add(row.scene_id)
    starts = [each.start for each in answer.products]
    assert len(starts) == len(set(starts)) == len(codes["superseded"]) == 16
    assert {each.relative_orbit for each in answer.products} == {8, 110}
    assert all(each.id.endswith("_COG") for each in answer.products)


def as_item(feature: dict[str, Any]) -> dict[str, Any]:
    """An entry of CDSE's OpenSearch as an item of its STAC."""
    facts = feature["properties"]
    safe = f"s3:/{facts['productIdentifier']}"
    return {
        "id": facts["title"],
        "safe": safe,
        "geometry": feature["geometry"],
        "properties": {
            "start_datetime": facts["startDate"],
            "end_datetime": facts["completionDate"],
            "sat:orbit_state": facts["orbitDirection"].lower(),
            "sat:relative_orbit": facts["relativeOrbitNumber"],
            "published": facts["published"],
        },
        "assets": {"safe_manifest": {"href": f"{safe}/manifest.safe"}},
    }


def put_safe(safe: str) -> None:
    parsed = parse_radar_name(safe.rpartition("/")[2])
    assert parsed is not None
    stems = [f"{parsed.platform.lower()}-iw-grd-{polarisation}-001" for polarisation in parsed.polarisations]
    paths = ["manifest.safe"]
    for stem in stems:
        paths += [f"annotation/{stem}.xml", f"measurement/{stem}.tiff"]
        paths += [f"annotation/calibration/{kind}-{stem}.xml" for kind in ("noise", "calibration")]
    for path in paths:
        client().put_object(Bucket="eodata", Key=f"{safe.removeprefix('s3://eodata/')}/{path}", Body=b"x")


def test_an_item_of_cdse(sample_data: Path) -> None:
    item = read(sample_data, f"{TITILER}/cdse.json")
    # The recorded item was cut: the catalogue also tells the orbit.
    candidate = candidate_from_item(item)
    row = refuse_at_sight(candidate, request())
    assert row is not None
    assert row.code == "unknown_orbit"
    item["properties"] |= {"sat:orbit_state": "descending", "sat:relative_orbit": 12}
    candidate = candidate_from_item(item)
    assert refuse_at_sight(candidate, request()) is None
    assert candidate.safe_href == (
        "s3://eodata/Sentinel-1/SAR/IW_GRDH_1S-COG/2026/07/30/"
        "S1D_IW_GRDH_1SDV_20260730T185910_20260730T185937_003907_00710E_0863_COG.SAFE"
    )
    assert len(candidate.stated) == 6
    assert all(is_wanted(path) for path in candidate.stated)
    start, stop = span_of(candidate)
    assert (start, stop) == tuple(datetime(2026, 7, 30, 18, 59, second, tzinfo=UTC) for second in (10, 37))


@pytest.mark.parametrize(("name", "code"), [("earth_search", "unknown_orbit"), ("planetary_computer", "other_product")])
def test_items_of_other_archives(sample_data: Path, tmp_path: Path, name: str, code: str) -> None:
    item = read(sample_data, f"{TITILER}/{name}.json")
    path = tmp_path / "items.json"
    path.write_text(json.dumps(item))
    where = ",".join(map(str, item["bbox"]))
    answer = search_radar(request(provider="items", endpoint=str(path), aoi=where))
    assert [row.code for row in answer.refused] == [code]
    item["properties"] |= {"sat:orbit_state": "descending", "sat:relative_orbit": 12}
    path.write_text(json.dumps(item))
    answer = search_radar(request(provider="items", endpoint=str(path), aoi=where))
    # Their objects lie on other clouds, laid out otherwise than a SAFE folder.
    assert [row.code for row in answer.refused] == ["unreadable_href" if name == "earth_search" else code]


def slices_of_2014(sample_data: Path) -> list[RadarProduct]:
    """Ten consecutive slices of one datatake, as Creodias' OData describes them."""
    products = []
    for entry in read(sample_data, EODAG)["value"]:
        candidate = candidate_from_odata(entry)
        assert candidate.product is not None
        assert candidate.footprint is not None
        assert candidate.online
        assert (candidate.relative_orbit, candidate.direction) == (153, "ascending")
        assert candidate.safe_href == "s3:/" + entry["S3Path"]
        start, stop = span_of(candidate)
        products.append(
            RadarProduct(
                id=candidate.name,
                platform=candidate.product.platform,
                polarisations=candidate.product.polarisations,
                start=start,
                stop=stop,
                datatake=candidate.product.datatake,
                absolute_orbit=candidate.product.absolute_orbit,
                relative_orbit=153,
                direction="ascending",
                footprint=candidate.footprint.wkt,
            )
        )
    return products


def test_slices_of_a_real_datatake_contain_what_lies_across_their_seams(sample_data: Path) -> None:
    products = slices_of_2014(sample_data)
    image = OpticalDate(name="2014-10-05", acquired=datetime(2014, 10, 5, 17, tzinfo=UTC))
    for first, second in pairwise(products):
        seam = shapely.centroid(shapely.union(*(shapely.from_wkt(each.footprint) for each in (first, second))))
        (paired,) = find_pairs([image], seam.buffer(0.2), products, PairRules(max_gap_days=2)).passes
        assert [each.id for each in paired.slices] == [first.id, second.id]
        assert paired.covered_share == 1.0
        assert -41 < paired.gap_hours < -39
        with pytest.raises(StepError, match="does not contain the zone"):
            find_pairs([image], seam.buffer(0.2), [first], PairRules(max_gap_days=2))


@pytest.mark.parametrize(
    ("name", "style"),
    [("creodias_search_IW_GRDH_1S", "GRD"), ("creodias_search_IW_GRDH_1S-COG", "IW_GRDH_1S-COG")],
)
def test_the_folder_cannot_be_told_from_the_name(sample_data: Path, name: str, style: str) -> None:
    for feature in read(sample_data, f"eodm-creodias/tests/data/opensearch/{name}.json")["features"]:
        candidate = candidate_from_item(as_item(feature))
        assert candidate.safe_href is not None
        assert candidate.safe_href.split("/")[5] == style
        assert candidate.product is not None


def test_a_real_product_has_every_file_that_is_wanted(sample_data: Path) -> None:
    (path,) = (sample_data / "pyrosar/tests/data").glob("S1A_IW_GRDH*.zip")
    with zipfile.ZipFile(path) as archive:
        below = [name.partition(".SAFE/")[2] for name in archive.namelist()]
    wanted = sorted(filter(is_wanted, below))
    # The sample was handed over without its measurements.
    assert len(wanted) == 1 + 2 * 3
    assert not [name for name in wanted if name.startswith(("preview", "support"))]
