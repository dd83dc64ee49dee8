"""What the cloud-removal flow has made, as layers, pictures and documents of a product."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from containers.base.contract.files import File
from containers.base.contract.legend import (
    PROBABILITY_NODATA,
    PROBABILITY_SCALE,
    REFLECTANCE_NODATA,
    REFLECTANCE_SCALE,
    Sky,
)
from containers.base.contract.model import Contract
from containers.base.contract.pair import Pair
from containers.gdal.contract.areas import AreasResult
from containers.gdal.contract.burn import BurnResult, ChangeMapResult, CompareBurnsResult, SharesResult
from containers.gdal.contract.dataset import TilesResult
from containers.gdal.contract.judge import JudgeRemovalResult
from containers.gdal.contract.quicklook import Picture
from containers.grass.contract.zonal import ZonalResult
from containers.tensorflow.contract.removal import PredictRemovalResult, RemovalModel, TrainRemovalResult
from tasks.cloud_removal.paired import PairedDates
from tasks.parameters.cloud_removal import CloudRemovalParams
from tasks.periods import Period
from tasks.publishing.pictures import PlannedPicture
from tasks.publishing.product import Layer, Product

TITLE: Final = "Under the cloud: what the ground looked like, and what burned"
DESCRIPTION: Final = (
    "A Sentinel-2 image without clouds, rebuilt by a network from Sentinel-1 of both dates and Sentinel-2 of the date "
    "before, with its error beside that of simpler ways, and the area that burned between the dates."
)
MAP: Final = "severity"
"""The picture that tells a run's story at a glance."""
COLOURS: Final = (
    ("true colour", ("red", "green", "blue"), (0.0, 0.25)),
    ("burn colour", ("swir22", "nir08", "red"), (0.0, 0.45)),
)
"""Name, bands shown as red, green and blue, and reflectances shown darkest and brightest: the same in every picture.
In burn colour, burned ground is red-brown, vegetation green."""
SKY: Final = {int(code): code.name.lower() for code in Sky}
BURNED: Final = {0: "not burned", 1: "burned"}
REPLACED: Final = {0: "seen", 1: "predicted"}


class Burns(Contract):
    """Burned area, by the restored image and, where the ground is known, by the true one."""

    restored: BurnResult
    true: BurnResult | None
    comparison: CompareBurnsResult | None
    best_possible: CompareBurnsResult | None
    change: ChangeMapResult
    shares: SharesResult
    counts: ZonalResult
    areas: AreasResult


class RemovalProducts(Contract):
    """The results of a finished run."""

    paired: PairedDates
    pairs: tuple[Pair, ...]
    tiles: TilesResult | None
    training: TrainRemovalResult | None
    model: RemovalModel
    prediction: PredictRemovalResult
    judgement: JudgeRemovalResult | None
    burns: Burns
    true_bands: dict[str, File]

    @property
    def simulated(self) -> bool:
        return any(part.simulated for date in self.paired.dates for tile in date.tiles for part in tile)

    @property
    def pair(self) -> Pair:
        """The dates between which the ground is told."""
        return self.pairs[-1]


def product_of(params: CloudRemovalParams, products: RemovalProducts) -> Product:
    """The facts for catalogue, tables and report."""
    paired = products.paired
    return Product(
        name=params.name,
        title=TITLE,
        description=DESCRIPTION,
        keywords=("clouds", "fire", "Sentinel-1"),
        simulated=products.simulated,
        grid=paired.grid,
        periods=tuple(Period(label=date.label, start=date.day, end=date.day) for date in paired.dates),
        layers=tuple(layers(products)),
        scenes={date.label: tuple(part for tile in date.tiles for part in tile) for date in paired.dates},
        documents=dict(_documents(products)),
        software={
            "clearground": version("clearground"),
            products.pair.radar_t1.engine: products.pair.radar_t1.engine_version,
        },
        parameters=params.model_dump(mode="json"),
    )


def layers(products: RemovalProducts) -> Iterator[Layer]:
    """Every raster that is handed out."""
    first, last = _labels(products)
    prediction, burn = products.prediction, products.burns.restored
    for kind, bands in (("restored", prediction.restored), ("simulated", prediction.simulated)):
        for band, file in bands.items():
            yield Layer(
                name=f"{kind}-{band}", title=f"{kind.capitalize()} {band} of {last}", file=file, periods=(first, last),
                bands=(band,), nodata=REFLECTANCE_NODATA, dtype="int16", scale=REFLECTANCE_SCALE,
            )  # fmt: skip
    yield Layer(
        name="confidence", title="Confidence of the prediction", file=prediction.confidence, periods=(first, last),
        bands=("confidence",), nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE,
    )  # fmt: skip
    yield _classes("replaced", "What was seen and what predicted", prediction.replaced, (last,), REPLACED, 255)
    yield _classes("sky", f"What hid the ground on {last}", products.pair.optical_t1.sky, (last,), SKY, 0)
    yield _classes("severity", "Burn severity", burn.severity, (first, last), burn.names, 0)
    yield _classes("burned", "Burned", burn.burned, (first, last), BURNED, 255)
    yield _classes("change", "Change by PCA and k-means", products.burns.change.change, (first, last),
                   {0: "unchanged", 1: "changed"}, 255)  # fmt: skip
    for name, file in sorted(burn.indices.items()):
        yield _quantity(f"index-{name.replace('_', '-')}", name.replace("_", " "), file, (first, last))
    for label, radar in ((first, products.pair.radar_t0), (last, products.pair.radar_t1)):
        for polarisation, file in radar.bands.items():
            yield _quantity(f"gamma0-{polarisation}-{label}", f"Gamma nought {polarisation.upper()} of {label}", file,
                            (label,))  # fmt: skip


def pictures(products: RemovalProducts) -> Iterator[PlannedPicture]:
    """What is drawn for the report, the most important first: a page of bounded size holds the first ones."""
    first, last = _labels(products)
    seen = {f"Seen on {first}": products.pair.optical_t0.bands, f"Seen on {last}": products.pair.optical_t1.bands}
    made = {f"Restored {last}": products.prediction.restored, f"Simulated {last}": products.prediction.simulated}
    known = {f"True {last}": products.true_bands} if products.true_bands else {}
    for title, bands in (seen | made | known).items():
        for what, colours, limits in COLOURS:
            if set(colours) <= set(bands):
                name = f"{title} {what}".lower().replace(" ", "-")
                shown = (bands[band] for band in colours)
                yield _picture("images", name, f"{title}, {what}", "rgb", *shown, limits=limits)
    burns = products.burns
    yield _severity("burn", MAP, f"Burn severity {first} to {last}", burns.restored)
    if burns.true:
        yield _severity("burn", "severity-true", "The same by the true image", burns.true)
    yield _picture("burn", "change", "Change by PCA and k-means", "change", burns.change.change,
                   labels={0: "unchanged", 1: "changed"})  # fmt: skip
    yield _picture("quality", "confidence", "Confidence of the prediction", "probability",
                   products.prediction.confidence)  # fmt: skip
    yield _picture("quality", "replaced", "What was predicted", "change", products.prediction.replaced,
                   labels=REPLACED)  # fmt: skip
    for label, radar in ((first, products.pair.radar_t0), (last, products.pair.radar_t1)):
        for polarisation, file in radar.bands.items():
            yield _picture("radar", f"{polarisation}-{label}", f"Gamma nought {polarisation.upper()}, {label}",
                           "continuous", file, unit="dB", decibel=True)  # fmt: skip


def _documents(products: RemovalProducts) -> Iterator[tuple[str, File]]:
    yield "documents/perimeters.gpkg", products.burns.restored.perimeters
    yield "documents/severity.csv", products.burns.restored.areas
    yield "documents/severity_by_land.csv", products.burns.shares.shares
    yield "model/model.keras", products.model.weights
    yield "model/card.json", products.model.card
    if products.tiles:
        yield "documents/tiles.gpkg", products.tiles.outlines
        yield "documents/tiles_refused.csv", products.tiles.refused
    if products.judgement:
        yield "documents/scores.csv", products.judgement.scores
        yield "documents/gains.csv", products.judgement.gains
        yield "documents/blocks.csv", products.judgement.blocks
    if products.burns.comparison:
        yield "documents/burn_scores.csv", products.burns.comparison.scores
        yield "documents/burn_confusion.csv", products.burns.comparison.confusion
    if products.burns.best_possible:
        yield "documents/burn_scores_of_the_true_image.csv", products.burns.best_possible.scores


def _labels(products: RemovalProducts) -> tuple[str, str]:
    first, last = products.paired.dates[-2:]
    return first.label, last.label


def _classes(
    name: str, title: str, file: File, periods: tuple[str, ...], classes: dict[int, str], nodata: int
) -> Layer:
    return Layer(name=name, title=title, file=file, periods=periods, bands=(name,), nodata=nodata, classes=classes)


def _quantity(name: str, title: str, file: File, periods: tuple[str, ...]) -> Layer:
    return Layer(name=name, title=title, file=file, periods=periods, bands=(name,), nodata="nan", dtype="float32")


def _severity(section: str, name: str, title: str, burn: BurnResult) -> PlannedPicture:
    return _picture(section, name, title, "classes", burn.severity, labels=burn.names, colours=burn.colours)


def _picture(section: str, name: str, title: str, kind: str, *rasters: File, **options: Any) -> PlannedPicture:
    facts = {"name": name, "title": title, "kind": kind, "rasters": rasters, **options}
    return PlannedPicture(section, Picture.model_validate(facts))
