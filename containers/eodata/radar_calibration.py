"""Calibration and noise annotation of one slice and polarisation."""

from typing import Final

import numpy as np

from containers.eodata.radar_noise import BETA_NOUGHT, NoiseTables, table_samples
from containers.eodata.radar_slice import Slice
from containers.eodata.radar_xml import Content, counted, document, numbers

_DN: Final = 401.6
_VECTOR_LINES: Final = 500


def calibration_xml(piece: Slice, polarisation: str) -> bytes:
    """Tables A such that DN² / A² is beta, sigma or gamma nought, sigma and gamma for the ellipsoid's incidence."""
    samples = table_samples(piece.frame, [])
    incidence = np.radians(piece.frame.incidence_deg(samples.astype(np.float64)))
    tables: dict[str, Content] = {
        "pixel": numbers(samples),
        "sigmaNought": numbers(BETA_NOUGHT / np.sqrt(np.sin(incidence))),
        "betaNought": numbers(np.full(len(samples), BETA_NOUGHT)),
        "gamma": numbers(BETA_NOUGHT / np.sqrt(np.tan(incidence))),
        "dn": numbers(np.full(len(samples), _DN)),
    }
    vectors: list[dict[str, Content]] = [
        {"azimuthTime": piece.line_time(line), "line": line, **tables} for line in vector_lines(piece)
    ]
    return document("calibration", {
        "adsHeader": piece.header(polarisation),
        "calibrationInformation": {"absoluteCalibrationConstant": 1.0},
        "calibrationVectorList": counted("calibrationVector", vectors),
    })  # fmt: skip


def noise_xml(piece: Slice, polarisation: str, tables: NoiseTables) -> bytes:
    """Noise in DN², subtracted before calibration: a table along range times a factor along azimuth per sub-swath."""
    across: dict[str, Content] = {
        "pixel": numbers(tables.samples), "noiseRangeLut": numbers(tables.range_power)
    }  # fmt: skip
    along: list[dict[str, Content]] = [
        {
            "swath": swath.name,
            "firstAzimuthLine": 0,
            "firstRangeSample": swath.first,
            "lastAzimuthLine": piece.frame.lines - 1,
            "lastRangeSample": swath.last,
            "line": numbers(tables.lines),
            "noiseAzimuthLut": numbers(factors),
        }
        for swath, factors in zip(tables.swaths, tables.azimuth_factors, strict=True)
    ]
    vectors: list[dict[str, Content]] = [
        {"azimuthTime": piece.line_time(line), "line": line, **across} for line in vector_lines(piece)
    ]
    return document("noise", {
        "adsHeader": piece.header(polarisation),
        "noiseRangeVectorList": counted("noiseRangeVector", vectors),
        "noiseAzimuthVectorList": counted("noiseAzimuthVector", along),
    })  # fmt: skip


def vector_lines(piece: Slice) -> list[int]:
    """Lines of the tables: the first, every 500th, the last."""
    return sorted({*range(0, piece.frame.lines, _VECTOR_LINES), piece.frame.lines - 1})
