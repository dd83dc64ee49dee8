"""What the indicators mean at a point whose class is known in every period."""

from collections.abc import Mapping
from itertools import pairwise

from containers.base.contract.step import StepError
from containers.gdal.estimators import Floats
from containers.gdal.reference_sample import Codes

_NEW = "new_"
Legend = Mapping[str, int]
"""Class name to code."""


def is_known(indicator: str, legend: Legend) -> bool:
    """Whether a sample of classes can tell the indicator: a class, or what newly became it."""
    return indicator.removeprefix(_NEW) in legend


def shown(indicator: str, period: str, codes: Mapping[str, Codes], legend: Legend) -> Floats:
    """1 where the codes show the indicator, else 0, (n,); `new_<class>` compares with the period before.

    Raises `bad_sample` for a period without codes.
    """
    kind = legend[indicator.removeprefix(_NEW)]
    if period not in codes:
        raise does_not_fit(f"it has no class for the period {period}, only for {list(codes)}")
    now = codes[period] == kind
    if indicator.startswith(_NEW):
        earlier = {later: first for first, later in pairwise(codes)}.get(period)
        if earlier is None:
            raise does_not_fit(f"{indicator} of {period} needs the period before, but it has {list(codes)}")
        now = now & (codes[earlier] != kind)
    values: Floats = now.astype(float)
    return values


def does_not_fit(reason: str) -> StepError:
    """The error for a sample that was not drawn for the map at hand."""
    return StepError(
        "bad_sample", f"The sample does not fit this map: {reason}.", "Draw one for this map with gdal.sample."
    )
