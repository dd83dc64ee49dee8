"""The Sentinel-2 step with a stand-in for gpt: digital numbers become reflectance, on the product's own lattice."""

import numpy as np
import pytest
import rasterio

from containers.base.contract.radar import SafeFolder
from containers.base.contract.step import StepError
from containers.snap.contract.resample import ResampleParams
from containers.snap.resample import reflectance, run

METADATA = """<a><PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL><PROCESSING_BASELINE>{}</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>{}
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
</Special_Values><Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values></a>"""
OFFSETS = "".join(f'<BOA_ADD_OFFSET band_id="{number}">-1000</BOA_ADD_OFFSET>' for number in range(13))


@pytest.fixture
def resample_params(snap_store):
    def make(baseline: str = "05.10", **facts) -> ResampleParams:
        xml = METADATA.format(baseline, OFFSETS if baseline >= "04.00" else "")
        folder = SafeFolder(id="S2A_X", files={"MTD_MSIL2A.xml": snap_store.text("MTD_MSIL2A.xml", xml)})
        return ResampleParams(**({"product": folder, "bands": ("red", "nir08", "swir22")} | facts))

    return make


@pytest.mark.parametrize(("baseline", "offset"), [("05.10", -1000), ("02.14", 0)])
@pytest.mark.parametrize("size", [10, 20])
def test_bands_by_name(resample_params, snap_out, gpt, baseline: str, offset: int, size: int) -> None:
    result = run(resample_params(baseline, resolution_m=size), snap_out)
    assert (result.engine_version, result.grid.resolution_m, result.grid.shape) == ("13.0.0", size, (30, 40))
    for number, name in enumerate(("red", "nir08", "swir22"), start=1):
        with rasterio.open(snap_out / result.bands[name].href) as band:
            values = band.read(1)
            assert (band.descriptions, band.nodata, band.crs.to_epsg()) == ((name,), -32768, 32633)
        assert (values[:, 0] == -32768).all()
        assert (values[:, 1:] == 1000 * number + offset).all()


def test_numbers_to_reflectance() -> None:
    numbers = np.array([0, 1, 999, 1000, 33_767, 33_768, 65_535], np.uint16)
    assert reflectance(numbers, -1000, 10_000).tolist() == [-32768, -999, -1, 0, 32_767, 32_767, 32_767]


def test_floats_are_refused(resample_params, snap_out, gpt) -> None:
    gpt("floats")
    with pytest.raises(StepError) as raised:
        run(resample_params(), snap_out)
    assert raised.value.code == "crashed"
    assert "float32" in raised.value.reason


def test_without_output(resample_params, snap_out, gpt) -> None:
    gpt("writes nothing")
    with pytest.raises(StepError) as raised:
        run(resample_params(), snap_out)
    assert raised.value.code == "crashed"


def test_without_metadata(resample_params, snap_store, snap_out, gpt) -> None:
    folder = SafeFolder(id="S2A_X", files={"manifest.safe": snap_store.text("manifest.safe")})
    with pytest.raises(StepError) as raised:
        run(resample_params(product=folder), snap_out)
    assert raised.value.code == "missing_file"


@pytest.mark.parametrize("aoi", ["POLYGON ((15 47, 16", "POINT (15 47)", "15,47,16,48"])
def test_an_area_that_is_none(resample_params, snap_out, gpt, aoi: str) -> None:
    with pytest.raises(StepError) as raised:
        run(resample_params(aoi=aoi), snap_out)
    assert raised.value.code == "bad_aoi"


def test_what_gpt_said_is_printed_on_demand(resample_params, snap_out, gpt, capsys) -> None:
    run(resample_params(execution={"verbose": True}), snap_out)
    assert "Executing processing graph" in capsys.readouterr().out


def test_a_band_that_l2a_lacks(resample_params, snap_out, gpt) -> None:
    with pytest.raises(StepError) as raised:
        run(resample_params(bands=("cirrus",)), snap_out)
    assert raised.value.code == "unknown_band"
