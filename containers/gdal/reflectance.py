"""From digital numbers to scaled reflectance, as a table: offset and nodata are settled before any resampling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import REFLECTANCE_NODATA, REFLECTANCE_SATURATED, REFLECTANCE_SCALE
from containers.base.contract.step import StepError
from containers.base.sentinel2 import NODATA_DN

SUSPICIOUS_REFLECTANCE = 0.1
"""What +1000 digital numbers that nobody removed look like over the darkest ground."""
_NUMBERS = np.arange(1 << 16, dtype=np.uint16)


def reflectance_table(
    offset_dn: float,
    quantification: float,
    *,
    dtype: str = "uint16",
    declared_nodata: float | None = None,
    nodata_dn: int = NODATA_DN,
) -> NDArray[np.int16]:
    """Reflectance × 10 000 of each digital number, int16, indexed by the number's bits as uint16.

    (DN + offset) / quantification: ESA, Sentinel-2 Products Specification Document, `BOA_ADD_OFFSET`.
    DN 0 (or `nodata_dn`) and the declared nodata become −32768; negative reflectance is kept; above 3.2766 is
    saturated (32767).

    >>> reflectance_table(-1000, 10_000)[[0, 1, 1000, 1250, 33766, 65535]].tolist()
    [-32768, -999, 0, 250, 32766, 32767]
    """
    numbers = _NUMBERS.view(np.int16 if dtype == "int16" else np.uint16).astype(np.float64)
    scaled = np.rint((numbers + offset_dn) / (quantification * REFLECTANCE_SCALE))
    table = np.clip(scaled, REFLECTANCE_NODATA + 1, REFLECTANCE_SATURATED).astype(np.int16)
    table[np.isin(numbers, [nodata_dn, declared_nodata if declared_nodata is not None else nodata_dn])] = (
        REFLECTANCE_NODATA
    )
    return table


def class_table() -> NDArray[np.uint8]:
    """Scene classes as they are: the table that changes nothing."""
    return _NUMBERS.astype(np.uint8)


def by_table(numbers: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """Look digital numbers up. Raises `corrupt_file` for what cannot be digital numbers, such as floats."""
    if numbers.dtype == np.uint8:
        numbers = numbers.astype(np.uint16)
    if numbers.dtype not in (np.uint16, np.int16):
        raise StepError(
            "corrupt_file",
            f"A band holds {numbers.dtype}; digital numbers are uint8, uint16 or int16.",
            "Take the original product, not a converted one.",
        )
    return table.take(numbers.view(np.uint16))


def lowest_percentile(scaled: NDArray[np.int16], max_cells: int = 1_000_000) -> float | None:
    """The 1 % percentile of valid reflectance over an evenly spaced subset; None without data."""
    every = max(1, int(np.ceil(np.sqrt(scaled.size / max_cells))))
    subset = scaled[::every, ::every]
    valid = subset[subset != REFLECTANCE_NODATA]
    return float(np.percentile(valid, 1)) * REFLECTANCE_SCALE if valid.size else None
