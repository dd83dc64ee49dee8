"""The Sentinel-2 chain, and SNAP's names of our bands."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from containers.base.contract.step import StepError
from containers.base.sentinel2 import BANDS
from containers.snap.check_graph import faults
from containers.snap.graph import text_of
from containers.snap.resample_graph import resample_graph, snap_band
from tests.containers.snap.snap_strategies import resample_params


@settings(max_examples=200, deadline=None)
@given(resample_params)
def test_every_graph_is_valid(params) -> None:
    folder = Path("/scratch")
    graph = resample_graph(params, folder / "MTD_MSIL2A.xml", folder / "bands.tif")
    assert faults(graph.xml()) == []
    assert [node.operator for node in graph.nodes] == (
        ["Read", "Resample", *(["Subset"] if params.aoi else []), "BandSelect", "Write"]
    )
    assert text_of(graph.nodes[-2].parameters["sourceBands"]) == ",".join(map(snap_band, params.bands))


def test_names_of_all_bands_of_l2a() -> None:
    names = [snap_band(band.name) for band in BANDS if band.name != "cirrus"]
    assert names == ["B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12"]


def test_cirrus_is_no_band_of_l2a() -> None:
    with pytest.raises(StepError) as raised:
        snap_band("cirrus")
    assert raised.value.code == "unknown_band"
