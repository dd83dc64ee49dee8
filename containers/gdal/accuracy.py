"""Accuracies of the maps of every period, and of what they show as new."""

import math
from typing import NamedTuple

import numpy as np

from containers.gdal.estimators import Estimate
from containers.gdal.indicators import Legend, is_known, shown
from containers.gdal.reference_sample import ReferenceSample

_CHANGES = ("new_impervious", "new_green")


class Accuracy(NamedTuple):
    """A row of the accuracy table, shares of area; empty where no point is of the class."""

    period: str
    measure: str
    land_cover: str
    value: float | str
    lower: float | str
    upper: float | str
    standard_error: float | str
    n_points: int


def accuracies(sample: ReferenceSample, legend: Legend, confidence: float) -> list[Accuracy]:
    """Overall accuracy of every period, user's and producer's of every class and change (Stehman 2014).

    Cells whose class the map leaves open count in the producer's accuracies, not in the overall one.
    """
    rows = []
    for n, (period, reference) in enumerate(sample.reference.items()):
        agree = (reference == sample.mapped[period]).astype(float)
        told = np.isin(sample.mapped[period], list(legend.values())).astype(float)
        overall = sample.design.ratio(agree, told)
        rows.append(_row(period, "overall", "all", overall, int(told.sum()), confidence))
        changes = [name for name in _CHANGES if n and is_known(name, legend)]
        for name in (*legend, *changes):
            truth, mapped = (shown(name, period, codes, legend) for codes in (sample.reference, sample.mapped))
            for measure, of in (("users", mapped), ("producers", truth)):
                ratio = sample.design.ratio(truth * mapped, of)
                rows.append(_row(period, measure, name, ratio, int(of.sum()), confidence))
    return rows


def _row(period: str, measure: str, name: str, ratio: Estimate, n_points: int, confidence: float) -> Accuracy:
    if math.isnan(ratio.value):
        return Accuracy(period, measure, name, "", "", "", "", n_points)
    low, high = ratio.interval(confidence, high=1.0)
    value, low, high, error = (round(figure, 6) for figure in (ratio.value, low, high, ratio.standard_error))
    return Accuracy(period, measure, name, value, low, high, error, n_points)
