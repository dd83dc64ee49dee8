"""Names, bands, offsets and metadata of Sentinel-2."""

import pytest

from containers.base.contract.step import StepError
from containers.base.sentinel2 import (
    BANDS,
    SceneClass,
    band,
    band_of_number,
    datastrip_start,
    parse_product_metadata,
    parse_product_name,
    parse_xml,
    settled_offset_dn,
    stac_offset_dn,
)


def metadata(level="Level-2A", baseline="05.00", offsets="", scale="BOA_QUANTIFICATION_VALUE", more="") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <n1:Product xmlns:n1="urn:x"><PROCESSING_LEVEL>{level}</PROCESSING_LEVEL>
    <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
    <Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
    <Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
    <{scale} unit="none">10000</{scale}>{offsets}{more}</n1:Product>""".encode()


def test_product_names():
    name = parse_product_name("S2C_MSIL2A_20250105T101559_N0511_R065_T32TNT_20250105T175912.SAFE")
    assert name is not None
    assert name.name == "S2C_MSIL2A_20250105T101559_N0511_R065_T32TNT_20250105T175912"
    assert (name.platform, name.level, name.baseline, name.orbit, name.tile) == ("S2C", "L2A", "05.11", 65, "32TNT")
    assert name.datatake.isoformat() == "2025-01-05T10:15:59+00:00"
    assert name.processed.isoformat() == "2025-01-05T17:59:12+00:00"


@pytest.mark.parametrize(
    "name",
    [
        "S2E_MSIL2A_20250105T101559_N0511_R065_T32TNT_20250105T175912",
        "S2A_OPER_PRD_MSIL1C_PDMC_20160101T000000_R065_V20160101T000000_20160101T000000",
        "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036202_043ED0_8255",
        "S2A_MSIL3A_20250105T101559_N0511_R065_T32TNT_20250105T175912",
        "",
    ],
)
def test_other_names_are_none(name):
    assert parse_product_name(name) is None


def test_bands_by_name_and_number():
    assert " ".join(item.number for item in BANDS) == "B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B10 B11 B12"
    assert band("nir08").number == "B8A"
    assert band("swir16", "L2A").resolution_m == 20
    assert band_of_number("B10").name == "cirrus"
    assert band_of_number("B13") is None
    assert SceneClass.CLOUD_SHADOW == 3


@pytest.mark.parametrize(("name", "level"), [("B04", "L2A"), ("cirrus", "L2A"), ("infrared", "L1C")])
def test_unknown_bands_are_named_with_the_known_ones(name, level):
    with pytest.raises(StepError) as caught:
        band(name, level)
    assert caught.value.code == "unknown_band"
    assert "swir22" in caught.value.hint


@pytest.mark.parametrize(
    ("stated_dn", "baseline", "expected"),
    [(None, "02.14", 0), (None, "03.01", 0), (None, "04.00", -1000), (None, "05.10", -1000), (-1000, "05.00", -1000),
     (0, "02.14", 0), (-2000, "06.00", -2000)],
)  # fmt: skip
def test_the_baseline_decides_whether_and_the_metadata_how_much(stated_dn, baseline, expected):
    assert settled_offset_dn(stated_dn, baseline) == expected


@pytest.mark.parametrize(("stated_dn", "baseline"), [(0.0, "04.00"), (-1000.0, "03.01")])
def test_a_contradiction_is_not_settled(stated_dn, baseline):
    with pytest.raises(ValueError, match=baseline):
        settled_offset_dn(stated_dn, baseline)


def test_stac_offsets_are_in_reflectance():
    assert stac_offset_dn(-0.1, 0.0001) == -1000
    assert str(stac_offset_dn(-0.0, 0.0001)) == "0.0"


@pytest.mark.parametrize(
    "name",
    ["S2B_OPER_MSI_L2A_DS_S2RP_20230530T175912_S20200705T101917_N05.00", "DS_S2RP_20230530T175912_S20200705T101917"],
)
def test_datastrips(name):
    assert datastrip_start(name).isoformat() == "2020-07-05T10:19:17+00:00"
    assert datastrip_start("something") is None


def test_metadata_of_both_levels():
    l2a = parse_product_metadata(metadata(offsets='<BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>'))
    assert (l2a.level, l2a.baseline, l2a.quantification) == ("L2A", "05.00", 10_000)
    assert set(l2a.offsets_dn.values()) == {-1000.0}
    assert (l2a.nodata_dn, l2a.saturated_dn) == (0, 65535)
    l1c = parse_product_metadata(
        metadata("Level-1C", "04.00", '<RADIO_ADD_OFFSET band_id="10">-1000</RADIO_ADD_OFFSET>', "QUANTIFICATION_VALUE")
    )
    assert (l1c.level, l1c.offsets_dn["cirrus"]) == ("L1C", -1000)
    old = parse_product_metadata(metadata(baseline="02.14"))
    assert set(old.offsets_dn.values()) == {0.0}


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<a>",
        b"<a/>",
        metadata().replace(b"NODATA", b"NONE"),
        metadata(offsets='<BOA_ADD_OFFSET band_id="3">x</BOA_ADD_OFFSET>'),
        metadata(offsets='<BOA_ADD_OFFSET band_id="3">0</BOA_ADD_OFFSET>'),
        b"\xff\xfe<\x00a\x00",
    ],
)
def test_broken_metadata(xml):
    with pytest.raises(StepError) as caught:
        parse_product_metadata(xml)
    assert caught.value.code == "corrupt_file"


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"),
    ],
)
def test_documents_with_a_type_declaration_are_refused(xml):
    with pytest.raises(StepError, match="corrupt_file"):
        parse_xml(xml)
