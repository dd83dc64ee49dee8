"""The layers of a burn map over a window: indices of both dates, their differences, the filtered one, burned cells."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.raster import grown
from containers.gdal.burn_indices import differences, indices_of
from containers.gdal.contract.burn import BurnIndex, BurnRules
from containers.gdal.indices import Rows
from containers.gdal.median import median_filter
from containers.gdal.open_image import OpenImage
from containers.gdal.severity import UNKNOWN

BURNED, UNBURNED, BURNED_UNKNOWN = 1, 0, 255
RELATIVE: Final = "rbr"


def told_by(rules: BurnRules) -> str:
    """The layer that severity is told by."""
    return f"{rules.index}_median" if rules.median_px > 1 else rules.index


def layer_names(names: Sequence[BurnIndex], rules: BurnRules) -> list[str]:
    """What `layers_of` gives, in its order."""
    layers = [layer for name in names for layer in (f"{name}_before", f"{name}_after", f"d{name}")]
    relative = [RELATIVE] if "nbr" in names else []
    return [*layers, *relative, *([told_by(rules)] if rules.median_px > 1 else [])]


def layers_of(
    before: OpenImage, after: OpenImage, window: Window, names: Sequence[BurnIndex], rules: BurnRules
) -> dict[str, Rows]:
    """Layer to its values in the window, (y, x) float32, NaN where unknown. Cells around it count in the filter."""
    outer, inner = grown(window, rules.median_px // 2, before.grid.shape)
    first, then = (indices_of(names, image.read(outer)) for image in (before, after))
    layers = differences(first, then)
    for name in names:
        layers |= {f"{name}_before": first[name], f"{name}_after": then[name]}
    if rules.median_px > 1:
        layers[told_by(rules)] = median_filter(layers[rules.index], rules.median_px)
    return {name: layers[name][inner] for name in layer_names(names, rules)}


def burned_of(severity: NDArray[np.uint8], lowest: int) -> NDArray[np.uint8]:
    """1 from the lowest burned class on, 0 below, 255 where severity is unknown."""
    burned = np.where(severity >= lowest, BURNED, UNBURNED).astype(np.uint8)
    burned[severity == UNKNOWN] = BURNED_UNKNOWN
    return burned
