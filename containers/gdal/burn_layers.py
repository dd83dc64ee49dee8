"""The layers of a burn map over a window: indices of both dates, their differences, the filtered one, burned cells."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from containers.base.grid import require_grid
from containers.base.raster import grown, open_raster
from containers.base.step import local_path
from containers.gdal.burn_indices import differences, indices_of, reflectance
from containers.gdal.contract.burn import BURN_BANDS, BurnIndex, BurnParams, BurnRules, Reflectances
from containers.gdal.indices import Rows
from containers.gdal.median import median_filter
from containers.gdal.severity import UNKNOWN

BURNED, UNBURNED, BURNED_UNKNOWN = 1, 0, 255
RELATIVE: Final = "rbr"


class Images(NamedTuple):
    """The bands of both dates, open."""

    before: dict[str, Any]
    after: dict[str, Any]


@contextmanager
def opened(params: BurnParams, names: Sequence[BurnIndex]) -> Iterator[Images]:
    """The bands that the indices need. Raises `grid_mismatch` where one is not on the grid."""
    needed = sorted({band for name in names for band in BURN_BANDS[name]})

    def rasters(image: Reflectances) -> dict[str, Any]:
        found = {band: files.enter_context(open_raster(local_path(image.bands[band]))) for band in needed}
        for raster in found.values():
            require_grid(raster, params.grid)
        return found

    with ExitStack() as files:
        yield Images(rasters(params.before), rasters(params.after))


def told_by(rules: BurnRules) -> str:
    """The layer that severity is told by."""
    return f"{rules.index}_median" if rules.median_px > 1 else rules.index


def layer_names(names: Sequence[BurnIndex], rules: BurnRules) -> list[str]:
    """What `layers_of` gives, in its order."""
    layers = [layer for name in names for layer in (f"{name}_before", f"{name}_after", f"d{name}")]
    relative = [RELATIVE] if "nbr" in names else []
    return [*layers, *relative, *([told_by(rules)] if rules.median_px > 1 else [])]


def layers_of(images: Images, window: Window, names: Sequence[BurnIndex], rules: BurnRules) -> dict[str, Rows]:
    """Layer to its values in the window, (y, x) float32, NaN where unknown. Cells around it count in the filter."""
    shape = next(iter(images.before.values())).shape
    outer, inner = grown(window, rules.median_px // 2, shape)
    before, after = (
        indices_of(names, {name: reflectance(raster.read(1, window=outer)) for name, raster in bands.items()})
        for bands in images
    )
    layers: dict[str, Rows] = differences(before, after)
    for name in names:
        layers |= {f"{name}_before": before[name], f"{name}_after": after[name]}
    if rules.median_px > 1:
        layers[told_by(rules)] = median_filter(layers[rules.index], rules.median_px)
    return {name: layers[name][inner] for name in layer_names(names, rules)}


def burned_of(severity: NDArray[np.uint8], lowest: int) -> NDArray[np.uint8]:
    """1 from the lowest burned class on, 0 below, 255 where severity is unknown."""
    burned = np.where(severity >= lowest, BURNED, UNBURNED).astype(np.uint8)
    burned[severity == UNKNOWN] = BURNED_UNKNOWN
    return burned
