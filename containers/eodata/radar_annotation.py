"""The product annotation of one slice and polarisation: orbit, image, geolocation, ground range."""

import math
from typing import Final

import numpy as np

from containers.base.contract.radar import Polarisation
from containers.eodata.radar_geometry import LIGHT_M_S, PIXEL_M
from containers.eodata.radar_instrument import (
    FREQUENCY_HZ,
    SAMPLING_HZ,
    downlink,
    processing,
    quality,
    raw_data,
    replica,
)
from containers.eodata.radar_noise import Swath
from containers.eodata.radar_slice import Slice, stamp
from containers.eodata.radar_ties import TiePoints
from containers.eodata.radar_xml import Content, coefficients, counted, document, numbers

_VECTORS: Final = 17
_VECTOR_S: Final = 10
_CONVERSION_S: Final = 1.0


def annotation_xml(
    piece: Slice, polarisation: Polarisation, ties: TiePoints, parts: tuple[Swath, ...], moments: tuple[float, float]
) -> bytes:
    """The annotation; `moments` are mean and standard deviation of the digital numbers."""
    mean, deviation = moments
    statistics: dict[str, Content] = {
        "outputDataMean": {"re": mean, "im": 0.0}, "outputDataStdDev": {"re": deviation, "im": 0.0}
    }  # fmt: skip
    names = [part.name for part in parts]
    beams = [_antenna(piece, ties, name) for name in names]
    return document("product", {
        "adsHeader": piece.header(polarisation),
        "qualityInformation": quality(piece, statistics),
        "generalAnnotation": _general(piece, names),
        "imageAnnotation": {
            "imageInformation": _image(piece, statistics),
            "processingInformation": processing(piece, names),
        },
        "dopplerCentroid": {"dcEstimateList": counted("dcEstimate", [_doppler(piece)])},
        "antennaPattern": {"antennaPatternList": counted("antennaPattern", beams)},
        "swathTiming": {"linesPerBurst": 0, "samplesPerBurst": 0, "burstList": {"@count": 0}},
        "geolocationGrid": {"geolocationGridPointList": counted("geolocationGridPoint", _grid(piece, ties))},
        "coordinateConversion": {
            "coordinateConversionList": counted("coordinateConversion", _conversions(piece))
        },
        "swathMerging": {"swathMergeList": counted("swathMerge", [_merge(piece, part) for part in parts])},
    })  # fmt: skip


def _general(piece: Slice, names: list[str]) -> dict[str, Content]:
    middle = piece.frame.middle_s
    start = stamp(piece.start)
    return {
        "productInformation": {
            "pass": piece.pass_.direction.capitalize(),
            "timelinessCategory": "Fast-24h",
            "platformHeading": piece.frame.orbit.heading_deg(middle),
            "projection": "Ground Range",
            "rangeSamplingRate": SAMPLING_HZ,
            "radarFrequency": FREQUENCY_HZ,
            "azimuthSteeringRate": 1.590368784,
        },
        "downlinkInformationList": counted("downlinkInformation", [downlink(piece, name) for name in names]),
        "orbitList": counted("orbit", _orbit(piece)),
        "attitudeList": {"@count": 0},
        "rawDataAnalysisList": counted("rawDataAnalysis", [raw_data(piece)]),
        "replicaInformationList": counted("replicaInformation", [replica(piece, name) for name in names]),
        "noiseList": {"@count": 0},
        "terrainHeightList": counted("terrainHeight", [{"azimuthTime": start, "value": piece.frame.height_m}]),
        "azimuthFmRateList": counted("azimuthFmRate", [{
            "azimuthTime": start, "t0": _two_way_s(piece.frame.conversion.origin_m),
            "azimuthFmRatePolynomial": coefficients(np.array([-2.3e3, 4.5e5, -7.9e7])),
        }]),
    }  # fmt: skip


def _orbit(piece: Slice) -> list[dict[str, Content]]:
    """State vectors every 10 s around the slice, to the millimetre."""
    first = piece.frame.middle_s - _VECTOR_S * (_VECTORS - 1) / 2
    vectors: list[dict[str, Content]] = []
    for index in range(_VECTORS):
        state = piece.frame.orbit.state(np.array(first + index * _VECTOR_S))
        vectors.append({
            "time": stamp(piece.at(first + index * _VECTOR_S)),
            "frame": "Earth Fixed",
            "position": dict(zip("xyz", np.round(state.position, 3).tolist(), strict=True)),
            "velocity": dict(zip("xyz", np.round(state.velocity, 6).tolist(), strict=True)),
        })  # fmt: skip
    return vectors


def _image(piece: Slice, statistics: dict[str, Content]) -> dict[str, Content]:
    frame = piece.frame
    middle = frame.incidence_deg(np.array([(frame.samples - 1) / 2]))
    slices: list[dict[str, Content]] = [
        {"sliceNumber": piece.number, "sensingStartTime": stamp(piece.start), "sensingStopTime": stamp(piece.stop)}
    ]
    return {
        "productFirstLineUtcTime": stamp(piece.start),
        "productLastLineUtcTime": stamp(piece.stop),
        "ascendingNodeTime": stamp(piece.at(frame.orbit.node_s)),
        "anchorTime": stamp(piece.pass_.start),
        "productComposition": "Slice",
        "sliceNumber": piece.number,
        "sliceList": counted("slice", slices),
        "slantRangeTime": _two_way_s(frame.conversion.origin_m),
        "pixelValue": "Detected",
        "outputPixels": "16 bit Unsigned Integer",
        "rangePixelSpacing": PIXEL_M,
        "azimuthPixelSpacing": PIXEL_M,
        "azimuthTimeInterval": frame.line_s,
        "azimuthFrequency": 1 / frame.line_s,
        "numberOfSamples": frame.samples,
        "numberOfLines": frame.lines,
        "zeroDopMinusAcqTime": 0.0,
        "incidenceAngleMidSwath": float(middle[0]),
        "imageStatistics": statistics,
    }


def _doppler(piece: Slice) -> dict[str, Content]:
    return {
        "azimuthTime": stamp(piece.start),
        "t0": _two_way_s(piece.frame.conversion.origin_m),
        "geometryDcPolynomial": numbers(np.zeros(3)),
        "dataDcPolynomial": numbers(np.zeros(3)),
        "dataDcRmsError": 0.0,
        "dataDcRmsErrorAboveThreshold": "false",
        "fineDceAzimuthStartTime": stamp(piece.start),
        "fineDceAzimuthStopTime": stamp(piece.stop),
        "fineDceList": {"@count": 0},
    }


def _antenna(piece: Slice, ties: TiePoints, swath: str) -> dict[str, Content]:
    """A beam without a shape: the images are as bright as the ground everywhere."""
    first = ties.line == 0
    return {
        "swath": swath,
        "azimuthTime": stamp(piece.start),
        "slantRangeTime": coefficients(2 * ties.range_m[first] / LIGHT_M_S),
        "elevationAngle": numbers(ties.place.elevation_deg[first]),
        "elevationPattern": {"@count": int(first.sum()), "#": " ".join(["1.0 0.0"] * int(first.sum()))},
        "incidenceAngle": numbers(ties.place.incidence_deg[first]),
        "terrainHeight": piece.frame.height_m,
        "roll": 29.45,
    }


def _grid(piece: Slice, ties: TiePoints) -> list[dict[str, Content]]:
    return [
        {
            "azimuthTime": piece.line_time(line),
            "slantRangeTime": _two_way_s(float(ties.range_m[index])),
            "line": line,
            "pixel": sample,
            "latitude": float(ties.place.latitude_deg[index]),
            "longitude": float(ties.place.longitude_deg[index]),
            "height": float(ties.place.height_m[index]),
            "incidenceAngle": float(ties.place.incidence_deg[index]),
            "elevationAngle": float(ties.place.elevation_deg[index]),
        }
        for index, (line, sample) in enumerate(zip(ties.line.tolist(), ties.sample.tolist(), strict=True))
    ]


def _conversions(piece: Slice) -> list[dict[str, Content]]:
    """One and the same polynomial for the whole image, from a second before it to a second after."""
    conversion = piece.frame.conversion
    count = 3 + math.ceil(piece.frame.lines * piece.frame.line_s / _CONVERSION_S)
    return [
        {
            "azimuthTime": stamp(piece.at(piece.frame.first_line_s + (index - 1) * _CONVERSION_S)),
            "slantRangeTime": _two_way_s(conversion.origin_m),
            "sr0": conversion.origin_m,
            "srgrCoefficients": coefficients(conversion.to_ground),
            "gr0": 0.0,
            "grsrCoefficients": coefficients(conversion.to_slant),
        }
        for index in range(count)
    ]


def _merge(piece: Slice, part: Swath) -> dict[str, Content]:
    bounds: dict[str, Content] = {
        "azimuthTime": stamp(piece.start), "firstAzimuthLine": 0, "firstRangeSample": part.first,
        "lastAzimuthLine": piece.frame.lines - 1, "lastRangeSample": part.last,
    }  # fmt: skip
    return {"swath": part.name, "swathBoundsList": counted("swathBounds", [bounds])}


def _two_way_s(range_m: float) -> float:
    return 2 * range_m / LIGHT_M_S
