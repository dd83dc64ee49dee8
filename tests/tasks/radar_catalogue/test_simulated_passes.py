"""Products of the simulated archive: found, located, refused where they are damaged, and paired across their seam."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely

from containers.base import storage
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.eodata.radar_ground import RadarGround
from containers.eodata.radar_pass import RadarPass, absolute_orbit
from containers.eodata.radar_products import radar_item, write_radar
from tasks.cloud_removal.pairing import find_pairs
from tasks.cloud_removal.radar_passes import OpticalDate, PairRules

START = datetime(2020, 5, 11, 5, 10)
CELLS = 200
GRID = Grid(epsg=3035, resolution_m=10, west_m=4_600_000, north_m=2_800_000, width=CELLS, height=CELLS)


@pytest.fixture(scope="module")
def ground() -> RadarGround:
    flat = np.full((CELLS, CELLS), 400, dtype=np.float32)
    return RadarGround(GRID, flat, {"vv": flat / 4000, "vh": flat / 20000})


@pytest.fixture
def simulated(ground: RadarGround, tmp_path: Path, s3_server):
    """Writes a pass and puts what lies in its bucket folder into the archive; its items."""

    def write(**fields):
        pass_ = RadarPass(START, "S1A", absolute_orbit("S1A", 22, START), 22, "descending", "03C3F4", **fields)
        bucket = tmp_path / "eodata"
        stored = write_radar(pass_, ground, 7, bucket)
        for path in bucket.rglob("*"):
            if path.is_file():
                key = path.relative_to(bucket).as_posix()
                storage.client().put_object(Bucket="eodata", Key=key, Body=path.read_bytes())
        return [radar_item(each, pass_) for each in stored]

    return write


def where(items) -> str:
    outline = shapely.union_all([shapely.geometry.shape(item["geometry"]) for item in items])
    return ",".join(map(str, outline.bounds))


def test_two_slices_contain_what_lies_across_their_seam(simulated, search_items) -> None:
    items = simulated(slices=2)
    products = search_items(*items, aoi=where(items), check_objects=True).products
    assert [each.id for each in products] == [item["id"] for item in items]
    for product in products:
        assert product.simulated
        assert len(product.files) == 9
        assert all(file.content_id.startswith("sha256:") for file in product.files.values())
    outlines = [shapely.from_wkt(each.footprint) for each in products]
    seam = shapely.centroid(shapely.union_all(outlines)).buffer(0.002)
    image = OpticalDate(name="day", acquired=products[0].start + timedelta(hours=5))
    (paired,) = find_pairs([image], seam, products, PairRules(max_gap_days=1)).passes
    assert paired.slices == products
    assert paired.gap_hours == pytest.approx(-5, abs=0.01)
    with pytest.raises(StepError, match="does not contain the zone"):
        find_pairs([image], seam, products[:1], PairRules(max_gap_days=1))


def test_a_product_whose_calibration_is_missing(simulated, search_items) -> None:
    (item,) = simulated(damage="missing_annotation")
    answer = search_items(item, aoi=where([item]), check_objects=True)
    assert answer.products == ()
    assert [row.code for row in answer.refused] == ["missing_annotation"]
    assert "calibration" in answer.refused[0].reason
