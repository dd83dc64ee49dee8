"""The binary features of the mask's forest: what each tree says, and what the comparison with each background says."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.legend import Sky
from containers.base.contract.step import StepWarning
from containers.base.raster import row_windows
from containers.gdal.background import Background, background_of
from containers.gdal.contract.mask import COMPONENTS, BackgroundMethod, Multitemporal
from containers.gdal.contract.observe import Image
from containers.gdal.features import Picture
from containers.gdal.hollstein import TREES, agreed, classified, needed_bands, trees
from containers.gdal.mask_forest import UNKNOWN
from containers.gdal.multitemporal import brightened
from containers.gdal.source import SCL

METHOD_OF: Final[dict[str, BackgroundMethod]] = {"percentile1": "nearest", "percentile5": "least_cloudy"}
"""Component to the way in which its backgrounds were chosen; the names are the reference method's."""

Backgrounds = Mapping[BackgroundMethod, Background]


class Opinions(NamedTuple):
    """What the trees say of every cell."""

    layers: dict[str, NDArray[np.uint8]]
    """Tree to 0 clear, 1 cloud or cirrus, 255 not computed; (y, x)."""
    sky: NDArray[np.uint8]
    """What they agree on, NODATA where they cannot be evaluated; (y, x)."""


def tree_opinions(scene: Picture) -> Opinions:
    """All trees over all cells, in windows; unknown everywhere where the scene lacks a band that they need (L2A)."""
    layers = {name: np.full(scene.grid.shape, UNKNOWN, dtype=np.uint8) for name in TREES}
    sky = np.full(scene.grid.shape, Sky.NODATA, dtype=np.uint8)
    if not all(needed_bands(tree) <= set(scene.names) for tree in trees().values()):
        return Opinions(layers, sky)
    for window in row_windows(scene.grid.shape):
        bands, part = scene.read(window), window.toslices()
        opinions = {name: classified(bands, tree) for name, tree in trees().items()}
        for name, opinion in opinions.items():
            layers[name][part] = np.where(opinion == Sky.NODATA, UNKNOWN, opinion != Sky.CLEAR)
        sky[part] = agreed(opinions)
    return Opinions(layers, sky)


def usable_backgrounds(
    images: Mapping[BackgroundMethod, tuple[Image, ...]], scene: Picture, rules: Multitemporal
) -> Backgrounds:
    """The median of the background images of each method that has enough of them."""
    found: dict[BackgroundMethod, Background] = {}
    names = tuple(name for name in scene.names if name != SCL)
    for method in METHOD_OF.values():
        given = images.get(method, ())
        if len(given) >= rules.min_backgrounds:
            same = next((other for other in found if images[other] == given), None)
            found[method] = found[same] if same else background_of(given, names, rules.min_valid_share)
    return found


def missing_backgrounds(
    images: Mapping[BackgroundMethod, tuple[Image, ...]], rules: Multitemporal
) -> Iterator[StepWarning]:
    """A warning for each component that too few background images leave out."""
    for component, method in METHOD_OF.items():
        given = images.get(method, ())
        if len(given) < rules.min_backgrounds:
            yield StepWarning(
                code="few_backgrounds",
                reason=f"{component} is not computed: {len(given)} background images ({method}), "
                f"{rules.min_backgrounds} are needed.",
                hint="Widen the period that backgrounds are taken from, allow future ones, or lower min_backgrounds; "
                "the mask rests on its other components.",
            )


def components_of(
    scene: Picture, opinions: Opinions, backgrounds: Backgrounds, rules: Multitemporal
) -> NDArray[np.uint8]:
    """The components in the order of `COMPONENTS`, 0, 1, or 255 where one could not be computed; (component, y, x)."""
    layers = np.full((len(COMPONENTS), *scene.grid.shape), UNKNOWN, dtype=np.uint8)
    for number, name in enumerate(COMPONENTS):
        if name in opinions.layers:
            layers[number] = opinions.layers[name]
        elif background := backgrounds.get(METHOD_OF[name]):
            layers[number] = brightened(scene, background, rules)
    return layers
