"""Offsets from real metadata, and known pairs of digital numbers and reflectance."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from containers.base.sentinel2 import BANDS, parse_product_metadata, parse_product_name, settled_offset_dn
from tasks.catalogue.item import candidate_from_item

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("product", "level", "baseline", "offset_dn"),
    [
        ("esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500", "L2A", "02.14", 0),
        ("S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126", "L2A", "04.00", -1000),
        ("S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248", "L1C", "03.01", 0),
    ],
)
def test_product_metadata_and_its_stac_item_agree(sample_data, product, level, baseline, offset_dn):
    folder = sample_data / f"stactools-sentinel2/tests/data-files/{product}.SAFE"
    facts = parse_product_metadata((folder / f"MTD_MSI{level}.xml").read_bytes())
    assert (facts.level, facts.baseline, facts.quantification) == (level, baseline, 10_000)
    assert facts.offsets_dn == {band.name: offset_dn for band in BANDS}
    assert (facts.nodata_dn, facts.saturated_dn) == (0, 65535)
    candidate = candidate_from_item(json.loads((folder / "expected_output.json").read_text()))
    assert candidate.product == parse_product_name(product.removeprefix("esa_"))
    stated = {asset.offset_dn for asset in candidate.assets if asset.number != "SCL"}
    assert stated == {offset_dn}
    assert {settled_offset_dn(value, baseline) for value in stated} == {offset_dn}


@pytest.mark.parametrize(
    ("name", "nodata_dn"),
    [
        ("S2B_MSIL1C_20200406T101559_N0209_R065_T32UPC_20200406T130159", 0),
        ("S2B_MSIL1C_20220615T101559_N0400_R065_T32UPC_20220615T122549", 65535),  # as the excerpt declares
    ],
)
def test_known_pairs_of_digital_numbers_and_reflectance(sample_data: Path, name, nodata_dn):
    folder = sample_data / "ukis-pysat/tests/testfiles/satellite_data"
    facts = parse_product_metadata((folder / f"{name}_MTD.xml").read_bytes())
    with rasterio.open(folder / f"{name}.tif") as dn_file, rasterio.open(folder / f"{name}_toa.tif") as toa_file:
        dn, toa = dn_file.read().astype("float64"), toa_file.read()
    offsets = np.array([facts.offsets_dn[band.name] for band in BANDS])[:, None, None]
    valid = dn != nodata_dn
    assert valid.mean() > 0.5
    reflectance = (dn + offsets) / facts.quantification
    np.testing.assert_allclose(reflectance[valid], toa[valid], atol=1e-7)
