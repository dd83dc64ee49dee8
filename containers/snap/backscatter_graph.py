"""The production chain from Sentinel-1 GRD slices to terrain-flattened gamma nought on the grid, as a SNAP graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from containers.base.contract.grid import Grid
from containers.snap.contract.backscatter import SnapBackscatterParams
from containers.snap.graph import Chain, Graph, Parameters

OrbitKind = Literal["POEORB", "RESORB"]
INCIDENCE: Final = "localIncidenceAngle"
DEM_NODATA: Final = -32768.0
"""No height on Earth: heights above the ellipsoid may be 0, SNAP's default."""
_ORBIT_TYPES: Final[dict[OrbitKind, str]] = {
    "POEORB": "Sentinel Precise (Auto Download)",
    "RESORB": "Sentinel Restituted (Auto Download)",
}
_FILTERS: Final = {"lee_sigma": "Lee Sigma", "refined_lee": "Refined Lee"}
_MOST_LOOKS: Final = 4
"""The most that SNAP's Lee Sigma knows; a GRD of the wide swath has 4.4."""


@dataclass(frozen=True)
class Inputs:
    """What the graph reads and writes, as gpt sees it."""

    products: tuple[Path, ...]
    """The .SAFE folders, in the order of time."""
    dem: Path
    region: str
    """What is worked on, as WKT in EPSG:4326: the grid and a strip around it."""
    output: Path
    swath: tuple[int, int]
    """Lines and samples of the slices together."""
    orbits: OrbitKind | None = None
    """Kind of the orbit files in SNAP's folder of auxiliary data; None: the annotation's orbit."""


def backscatter_graph(params: SnapBackscatterParams, inputs: Inputs) -> Graph:
    """Thermal noise, (slices joined,) orbit, border noise, area, beta nought, gamma nought, speckle, looks, grid.

    Thermal noise goes before slices are joined (pyroSAR issue 95), the orbit is set for all of them at once. The
    area is cut out behind border noise, which is looked for at the edges of the whole swath; gpt computes nothing
    that no later node asks for, so that costs nothing.
    """
    chain = Chain()
    slices = [_slice(chain, params, product) for product in inputs.products]
    if len(slices) > 1:
        chain.add("SliceAssembly", {}, slices)
    if inputs.orbits:
        orbit: Parameters = {"orbitType": _ORBIT_TYPES[inputs.orbits], "polyDegree": 3, "continueOnFail": True}
        chain.add("Apply-Orbit-File", orbit)
    chain.add(
        "Remove-GRD-Border-Noise", {"borderLimit": params.border_limit_px, "trimThreshold": params.trim_threshold}
    )
    if params.border_px:
        chain.add("Subset", {"region": _inner_region(inputs.swath, params.border_px), "copyMetadata": True})
    chain.add("Subset", {"geoRegion": inputs.region, "copyMetadata": True})
    chain.add("Calibration", _calibration(params))
    chain.add("Terrain-Flattening", _terrain_flattening(params, inputs.dem))
    if params.speckle.filter != "none":
        chain.add("Speckle-Filter", _speckle_filter(params))
    if params.multilook > 1:
        looks: Parameters = {"nRgLooks": params.multilook, "nAzLooks": params.multilook}
        # With grSquarePixel, SNAP puts its own number of looks in azimuth in place of the one asked for.
        chain.add("Multilook", looks | {"outputIntensity": True, "grSquarePixel": False})
    chain.add("Terrain-Correction", _terrain_correction(params, inputs.dem))
    chain.add("BandSelect", {"sourceBands": output_bands(params)})
    chain.add("Write", {"file": inputs.output, "formatName": "GeoTIFF-BigTIFF"})
    return chain.graph()


def output_bands(params: SnapBackscatterParams) -> tuple[str, ...]:
    """SNAP's names of the bands of the output, in its order: a GeoTIFF of SNAP's does not tell GDAL its bands."""
    return *(f"Gamma0_{name.upper()}" for name in params.polarisations), INCIDENCE


def grid_origin(grid: Grid) -> float:
    """The standard grid's origin, easting and northing in metres, that brings SNAP's cells onto the grid's.

    SNAP puts the *centre* of its upper left cell on a multiple of the cell size counted from this origin
    (CRSGeoCodingHandler and CrsGeoCoding, whose reference pixel is (0.5, 0.5)). The grid's *edges* lie on
    multiples, so its centres are half a cell off: 5.0 for 10 m.
    """
    return grid.resolution_m / 2


def _slice(chain: Chain, params: SnapBackscatterParams, product: Path) -> str:
    last = chain.add("Read", {"file": product / "manifest.safe", "formatName": "SENTINEL-1"}, sources=())
    if params.noise_removal:
        # All polarisations stay: border noise is looked for in the co-polarised band.
        last = chain.add("ThermalNoiseRemoval", {"removeThermalNoise": True, "reIntroduceThermalNoise": False})
    return last


def _inner_region(swath: Sequence[int], cut_px: int) -> str:
    """x,y,width,height of the swath without its edges."""
    lines, samples = swath
    return f"{cut_px},{cut_px},{max(1, samples - 2 * cut_px)},{max(1, lines - 2 * cut_px)}"


def _calibration(params: SnapBackscatterParams) -> Parameters:
    return {
        "auxFile": "Product Auxiliary File",
        "outputImageInComplex": False,
        "outputImageScaleInDb": False,
        "createGammaBand": False,
        "createBetaBand": False,
        "selectedPolarisations": tuple(name.upper() for name in params.polarisations),
        "outputSigmaBand": False,
        "outputGammaBand": False,
        "outputBetaBand": True,
    }


def _terrain(params: SnapBackscatterParams, dem: Path) -> Parameters:
    """What both terrain operators say of the DEM: one value each, so that the two cannot differ."""
    return {
        "demName": "External DEM",
        "demResamplingMethod": params.dem_resampling,
        "externalDEMFile": dem,
        "externalDEMNoDataValue": DEM_NODATA,
        "externalDEMApplyEGM": False,
        "nodataValueAtSea": False,
    }


def _terrain_flattening(params: SnapBackscatterParams, dem: Path) -> Parameters:
    own: Parameters = {
        "outputSimulatedImage": False,
        "outputSigma0": False,
        "additionalOverlap": 0.1,
        "oversamplingMultiple": 1.5,
    }
    return _terrain(params, dem) | own


def _speckle_filter(params: SnapBackscatterParams) -> Parameters:
    speckle = params.speckle
    chosen: Parameters = {"filter": _FILTERS[speckle.filter]}
    if speckle.filter != "lee_sigma":
        return chosen
    return chosen | {
        "numLooksStr": str(min(_MOST_LOOKS, round(speckle.looks))),
        "windowSize": f"{speckle.window_px}x{speckle.window_px}",
        "targetWindowSizeStr": f"{speckle.target_window_px}x{speckle.target_window_px}",
        "sigmaStr": f"{speckle.sigma:.1f}",
    }


def _terrain_correction(params: SnapBackscatterParams, dem: Path) -> Parameters:
    own: Parameters = {
        "imgResamplingMethod": params.image_resampling,
        "pixelSpacingInMeter": params.grid.resolution_m,
        "mapProjection": f"EPSG:{params.grid.epsg}",
        "alignToStandardGrid": True,
        "standardGridOriginX": grid_origin(params.grid),
        "standardGridOriginY": grid_origin(params.grid),
        "saveLocalIncidenceAngle": True,
        "saveSelectedSourceBand": True,
        "outputComplex": False,
        "applyRadiometricNormalization": False,
    }
    return _terrain(params, dem) | own
