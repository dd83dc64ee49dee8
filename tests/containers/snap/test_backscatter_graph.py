"""The chain that parameters make: always valid, in the order that radiometry needs, on the cells of the grid."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from containers.base.contract.grid import Grid
from containers.snap.backscatter_graph import INCIDENCE, backscatter_graph, grid_origin, output_bands
from containers.snap.check_graph import faults
from containers.snap.graph import Graph, text_of
from tests.containers.snap.snap_strategies import backscatter_params, grids, inputs_of

orbits = st.sampled_from([None, "POEORB", "RESORB"])


def operators(graph: Graph) -> list[str]:
    return [node.operator for node in graph.nodes]


def parameters(graph: Graph, operator: str) -> dict[str, str]:
    node = next(node for node in graph.nodes if node.operator == operator)
    return {name: text_of(value) for name, value in node.parameters.items()}


@settings(max_examples=300, deadline=None)
@given(backscatter_params(), orbits)
def test_every_graph_is_valid(params, kind) -> None:
    assert faults(backscatter_graph(params, inputs_of(params, kind)).xml()) == []


@settings(deadline=None)
@given(backscatter_params())
def test_the_same_parameters_make_the_same_text(params) -> None:
    first, second = (backscatter_graph(params, inputs_of(params)).xml() for _ in range(2))
    assert first == second


@settings(deadline=None)
@given(backscatter_params())
def test_both_terrain_operators_use_one_dem_alike(params) -> None:
    graph = backscatter_graph(params, inputs_of(params))
    flattening, correction = (parameters(graph, name) for name in ("Terrain-Flattening", "Terrain-Correction"))
    shared = {name for name in flattening if "DEM" in name or "dem" in name or name == "nodataValueAtSea"}
    assert {name: flattening[name] for name in shared} == {name: correction[name] for name in shared}
    assert flattening["externalDEMApplyEGM"] == "false", "the DEM's heights are above the ellipsoid already"
    assert flattening["nodataValueAtSea"] == "false"


@pytest.fixture
def default_params(snap_params):
    return snap_params()


def test_order_of_the_production_chain(default_params) -> None:
    assert operators(backscatter_graph(default_params, inputs_of(default_params))) == [
        "Read",
        "ThermalNoiseRemoval",
        "Apply-Orbit-File",
        "Remove-GRD-Border-Noise",
        "Subset",
        "Calibration",
        "Terrain-Flattening",
        "Speckle-Filter",
        "Multilook",
        "Terrain-Correction",
        "BandSelect",
        "Write",
    ]


def test_figures_of_the_production_chain(default_params) -> None:
    graph = backscatter_graph(default_params, inputs_of(default_params))
    assert parameters(graph, "Speckle-Filter") == {
        "filter": "Lee Sigma",
        "numLooksStr": "4",
        "windowSize": "9x9",
        "targetWindowSizeStr": "5x5",
        "sigmaStr": "0.9",
    }
    calibration = parameters(graph, "Calibration")
    assert calibration["outputBetaBand"] == "true"
    assert calibration["outputImageScaleInDb"] == "false"
    assert {calibration["outputSigmaBand"], calibration["outputGammaBand"]} == {"false"}
    assert parameters(graph, "Remove-GRD-Border-Noise") == {"borderLimit": "600", "trimThreshold": "2.0"}
    looks = parameters(graph, "Multilook")
    assert (looks["nRgLooks"], looks["nAzLooks"], looks["grSquarePixel"]) == ("2", "2", "false")
    correction = parameters(graph, "Terrain-Correction")
    assert correction["imgResamplingMethod"] == correction["demResamplingMethod"] == "BILINEAR_INTERPOLATION"
    assert (correction["mapProjection"], correction["pixelSpacingInMeter"]) == ("EPSG:32633", "10.0")
    assert (correction["standardGridOriginX"], correction["standardGridOriginY"]) == ("5.0", "5.0")
    assert parameters(graph, "Write")["formatName"] == "GeoTIFF-BigTIFF"


@settings(deadline=None)
@given(backscatter_params(), orbits)
def test_decibels_never_appear_and_bands_have_a_fixed_order(params, kind) -> None:
    graph = backscatter_graph(params, inputs_of(params, kind))
    assert "LinearToFromdB" not in operators(graph)
    bands = parameters(graph, "BandSelect")["sourceBands"].split(",")
    assert tuple(bands) == output_bands(params) == (*(f"Gamma0_{p.upper()}" for p in params.polarisations), INCIDENCE)


@settings(deadline=None)
@given(backscatter_params())
def test_thermal_noise_goes_before_slices_are_joined_and_the_area_behind_border_noise(params) -> None:
    graph = backscatter_graph(params, inputs_of(params))
    order = operators(graph)
    assert order.count("Read") == len(params.slices)
    assert ("SliceAssembly" in order) == (len(params.slices) > 1)
    assert order.count("ThermalNoiseRemoval") == (len(params.slices) if params.noise_removal else 0)
    if "SliceAssembly" in order and params.noise_removal:
        joined = next(node for node in graph.nodes if node.operator == "SliceAssembly")
        assert all(source.startswith("ThermalNoiseRemoval") for source in joined.sources)
    assert order.index("Remove-GRD-Border-Noise") < order.index("Subset") < order.index("Calibration")


def test_options_leave_nodes_out(snap_params, radar_slice) -> None:
    plain = snap_params(speckle={"filter": "none"}, multilook=1, noise_removal=False)
    order = operators(backscatter_graph(plain, inputs_of(plain, None)))
    assert not {"Speckle-Filter", "Multilook", "ThermalNoiseRemoval", "Apply-Orbit-File"} & set(order)
    refined = snap_params(speckle={"filter": "refined_lee"}, folders=plain.folders, dem=plain.dem)
    assert parameters(backscatter_graph(refined, inputs_of(refined)), "Speckle-Filter") == {"filter": "Refined Lee"}


def test_more_border_is_cut_as_a_region_of_the_swath(snap_params) -> None:
    params = snap_params(border_px=100)
    assert parameters(backscatter_graph(params, inputs_of(params)), "Subset")["region"] == "100,100,25902,16505"


@settings(deadline=None)
@given(grids, st.floats(100_000, 900_000), st.floats(0, 9_000_000))
def test_cells_of_snap_lie_on_the_cells_of_the_grid(grid: Grid, west: float, north: float) -> None:
    """SNAP: easting = floor((west − origin) / size) · size + origin is the centre of the upper left cell."""
    size, origin = grid.resolution_m, grid_origin(grid)
    centre_x = math.floor((west - origin) / size) * size + origin
    centre_y = math.ceil((north - origin) / size) * size + origin
    edges = (centre_x - size / 2, centre_y + size / 2)
    for edge, start in zip(edges, (grid.west_m, grid.north_m), strict=True):
        assert (edge - start) / size == pytest.approx(round((edge - start) / size), abs=1e-9)
        assert edge / size == pytest.approx(round(edge / size), abs=1e-9)


@pytest.mark.parametrize("origin", [0.0, 2.5])
def test_another_origin_would_shift_the_cells(origin: float) -> None:
    centre = math.floor((523_417.3 - origin) / 10) * 10 + origin
    assert (centre - 5) % 10 not in (0.0, 10.0)


@pytest.mark.parametrize(
    ("speckle", "words"),
    [
        ({"window_px": 8}, "window_px=8 must be odd"),
        ({"target_window_px": 4}, "=4 must be odd"),
        ({"sigma": 0.85}, "0.85"),
    ],
)
def test_what_snap_does_not_offer_is_refused_with_the_parameters(snap_params, speckle, words) -> None:
    with pytest.raises(ValidationError, match=words):
        snap_params(speckle=speckle)
