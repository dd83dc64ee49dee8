"""What the impervious-change flow has made, as layers, pictures and documents of a product."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLASSES, PROBABILITY_NODATA, PROBABILITY_SCALE, LandCover
from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.gdal.contract.areas import AreasResult, SampleResult
from containers.gdal.contract.consistency import ConsistencyResult
from containers.gdal.contract.mosaic import PeriodLayers
from containers.gdal.contract.quicklook import Picture
from containers.grass.contract.change import ChangeResult
from containers.grass.contract.zonal import ZonalResult
from containers.tensorflow.contract.predict import PredictResult
from containers.tensorflow.contract.train import LandCoverModel, TrainResult
from tasks.catalogue.selection import Choice
from tasks.impervious.intake import Inputs
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.publishing.headlines import INDICATORS
from tasks.publishing.pictures import PlannedPicture
from tasks.publishing.product import Layer, Product
from tasks.user_files import MODEL_CARD, MODEL_WEIGHTS

LEGEND: Final = {int(code): code.name.lower() for code in LandCover}
TITLE: Final = "Impervious and green land: change per region"
DESCRIPTION: Final = (
    "How much land was sealed or greened, per region and period: land cover from Sentinel-2 for every period, made "
    "consistent along time, compared from one period to the next, and summed per region."
)
CHANGE_MAP: Final = "change-period"
"""The layer and picture that tell a run's story at a glance."""
_PROBABILITY: Final = {"nodata": PROBABILITY_NODATA, "scale": PROBABILITY_SCALE}
_TRUE_COLOUR: Final = ("red", "green", "blue")


class Products(Contract):
    """The results of a finished run."""

    grid: Grid
    choices: tuple[Choice, ...]
    mosaics: tuple[PeriodLayers, ...]
    training: TrainResult | None
    predictions: tuple[PredictResult, ...]
    history: ConsistencyResult
    change: ChangeResult
    counts: ZonalResult
    areas: AreasResult
    sample: SampleResult | None = None

    @property
    def simulated(self) -> bool:
        return any(scene.simulated for scenes in scenes_by_period(self).values() for scene in scenes)


def product_of(params: ImperviousChangeParams, inputs: Inputs, products: Products) -> Product:
    """The facts for catalogue, tables and report."""
    return Product(
        name=params.name,
        title=TITLE,
        description=DESCRIPTION,
        keywords=("land cover", "change"),
        simulated=products.simulated,
        grid=products.grid,
        periods=tuple(period for period in inputs.periods if period.label in products.history.periods),
        layers=tuple(layers(products)),
        scenes=scenes_by_period(products),
        documents=dict(_documents(inputs, products)),
        software={"clearground": version("clearground")},
        parameters=params.model_dump(mode="json"),
    )


def scenes_by_period(products: Products) -> dict[str, tuple[Scene, ...]]:
    """Period to every scene that was read for it, once."""
    found: dict[str, dict[str, Scene]] = {}
    for choice in products.choices:
        scenes = found.setdefault(choice.period, {})
        scenes |= {part.id: part for acquisition in choice.acquisitions for part in acquisition}
    return {period: tuple(scenes.values()) for period, scenes in found.items()}


def layers(products: Products) -> Iterator[Layer]:
    """Every raster that is handed out; the maps before smoothing are handed out too."""
    history, periods = products.history, products.history.periods
    probability_bands = tuple(code.name.lower() for code in CLASSES)
    for period, file in history.classes.items():
        yield _classes(f"land-cover-{period}", f"Land cover {period}", period, file)
    for prediction in products.predictions:
        of, title = prediction.period, f"Land cover {prediction.period} before smoothing"
        yield _classes(f"land-cover-unsmoothed-{of}", title, of, prediction.classes)
        yield _probability(f"confidence-unsmoothed-{of}", f"Confidence of the unsmoothed class {of}", (of,),
                           prediction.confidence)  # fmt: skip
        yield _probability(f"probabilities-{of}", f"Class probabilities {of}", (of,), prediction.probabilities,
                           probability_bands)  # fmt: skip
    for period, file in history.confidence.items():
        yield _probability(f"confidence-{period}", f"Confidence of the class {period}", (period,), file)
    for indicator, maps in _change_maps(products).items():
        for period, file in maps.items():
            before = periods[periods.index(period) - 1]
            yield _codes(
                f"{indicator.replace('_', '-')}-{period}", f"{_capital(INDICATORS[indicator])} land {period}",
                (before, period), file, indicator, {0: f"not {INDICATORS[indicator]}", 1: INDICATORS[indicator]},
            )  # fmt: skip
    meanings = {0: "no change", **{index: period for index, period in enumerate(periods) if index}}
    yield _codes(CHANGE_MAP, "Period of the last change", periods, history.change_period, "period", meanings)
    yield _probability("change-probability", "Probability of change", periods, history.change_probability)


def pictures(products: Products, bands: tuple[str, ...]) -> Iterator[PlannedPicture]:
    """What is drawn for the report, the most important first: a page of bounded size holds the first ones."""
    drawn = {layer.name: layer for layer in layers(products)}
    for name in (CHANGE_MAP, *(name for name in drawn if name.startswith("new-"))):
        yield PlannedPicture("change", _picture(drawn[name], "change"))
    for name, layer in drawn.items():
        if name.startswith("land-cover-") and "unsmoothed" not in name:
            yield PlannedPicture("cover", _picture(layer, "classes"))
    for mosaic in products.mosaics:
        shown = display_bands(bands)
        title = f"{'True' if shown == _TRUE_COLOUR else 'False'} colour {mosaic.period} ({', '.join(shown)})"
        rasters = tuple(mosaic.layers[band] for band in shown)
        yield PlannedPicture(
            "images", Picture(name=f"image-{mosaic.period.lower()}", title=title, kind="rgb", rasters=rasters)
        )
    yield PlannedPicture("change", _picture(drawn["change-probability"], "probability"))
    for name, layer in drawn.items():
        if name.startswith("confidence-") and "unsmoothed" not in name:
            yield PlannedPicture("confidence", _picture(layer, "probability"))
    for mosaic in products.mosaics:
        title, rasters = f"Clear observations {mosaic.period}", (mosaic.layers["observations"],)
        name = f"observations-{mosaic.period.lower()}"
        yield PlannedPicture("observations", Picture(name=name, title=title, kind="count", rasters=rasters))


def display_bands(bands: tuple[str, ...]) -> tuple[str, str, str]:
    """True colour where the bands allow it; else the run's bands, the last (the longest wave) as red."""
    if set(_TRUE_COLOUR) <= set(bands):
        return _TRUE_COLOUR
    first, second, third = (*reversed(bands), bands[0], bands[0])[:3]
    return first, second, third


def model_of(inputs: Inputs, products: Products) -> LandCoverModel:
    """The network behind the maps: trained in this run, else handed in."""
    model = products.training.model if products.training else inputs.model
    if model is None:
        raise ValueError("a run has trained a model or was given one")
    return model


def _documents(inputs: Inputs, products: Products) -> Iterator[tuple[str, File]]:
    model = model_of(inputs, products)
    yield f"model/{MODEL_WEIGHTS}", model.weights
    yield f"model/{MODEL_CARD}", model.card
    yield "documents/estimates.csv", products.areas.estimates
    yield "documents/transitions.csv", products.change.transitions
    yield "documents/grass-project.tar.gz", products.change.project
    yield "documents/regions.gpkg", products.counts.regions
    if products.areas.accuracy:
        yield "documents/accuracy.csv", products.areas.accuracy
    drawn = products.sample
    sample, strata = (drawn.sample, drawn.strata) if drawn else (inputs.sample, inputs.strata)
    if sample and strata:
        yield "documents/sample.csv", sample
        yield "documents/strata.csv", strata


def _change_maps(products: Products) -> dict[str, dict[str, File]]:
    return {"new_impervious": products.change.new_impervious, "new_green": products.change.new_green}


def _classes(name: str, title: str, period: str, file: File) -> Layer:
    codes = {code: meaning for code, meaning in LEGEND.items() if code != LandCover.UNKNOWN}
    return Layer(
        name=name.lower(),
        title=title,
        file=file,
        periods=(period,),
        bands=("class",),
        nodata=LandCover.UNKNOWN,
        classes=codes,
    )


def _codes(name: str, title: str, periods: tuple[str, ...], file: File, band: str, meanings: dict[int, str]) -> Layer:
    return Layer(
        name=name.lower(), title=title, file=file, periods=periods, bands=(band,), nodata=255, classes=meanings
    )


def _probability(
    name: str, title: str, periods: tuple[str, ...], file: File, bands: tuple[str, ...] = ("probability",)
) -> Layer:
    return Layer(name=name.lower(), title=title, file=file, periods=periods, bands=bands, **_PROBABILITY)


def _picture(layer: Layer, kind: str) -> Picture:
    return Picture.model_validate(
        {"name": layer.name, "title": layer.title, "kind": kind, "rasters": (layer.file,), "labels": layer.classes}
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
