"""What the flow `pasture_types` has made, as layers, pictures and documents of a product."""

import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.legend import PROBABILITY_NODATA, PROBABILITY_SCALE
from containers.base.contract.model import Contract
from containers.gdal.contract.areas import AreasResult
from containers.gdal.contract.calendar import CalendarResult
from containers.gdal.contract.cut import MajaProduct
from containers.gdal.contract.productivity import NODATA
from containers.gdal.contract.quicklook import Picture
from containers.gdal.contract.sites import SiteDatasetResult
from containers.gdal.contract.survey import SurveyResult
from containers.tensorflow.contract.types import (
    TYPE_DOUBTFUL,
    TYPE_NODATA,
    TYPE_UNSEEN,
    MapTypesResult,
    TrainTypesResult,
    TypesModel,
)
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.intake import PastureInputs
from tasks.pastures.scenes import TileProducts
from tasks.pastures.slices import PlacedPasture
from tasks.periods import Period
from tasks.publishing.pictures import PlannedPicture
from tasks.publishing.product import Layer, Product, SourceProduct

TITLE: Final = "Vegetation types of alpine pastures"
DESCRIPTION: Final = (
    "Which vegetation grows on which alpine pasture, by a classifier that was judged on pastures that it had not "
    "seen, and what each year was like there: free of snow, green, at its peak, dry."
)


class PastureMap(Contract):
    """One pasture in one year."""

    pasture: PlacedPasture
    mapped: MapTypesResult
    areas: AreasResult

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{slug(self.pasture.pasture_id)}-{self.mapped.year}"


class PastureProducts(Contract):
    """The results of a finished run."""

    tiles: tuple[TileProducts, ...]
    survey: SurveyResult | None
    dataset: SiteDatasetResult | None
    training: TrainTypesResult | None
    model: TypesModel
    maps: tuple[PastureMap, ...]
    calendars: dict[str, CalendarResult]

    @property
    def simulated(self) -> bool:
        return any(product.simulated for product in sources(self.tiles))

    @property
    def latest(self) -> tuple[PastureMap, ...]:
        """The last year's map of every pasture."""
        last = {each.pasture.pasture_id: each for each in sorted(self.maps, key=lambda each: each.mapped.year)}
        return tuple(last.values())


def slug(pasture_id: str) -> str:
    """What a pasture is called in names of files: its id where that serves, else with a part of its checksum.

    >>> slug("P01"), slug("Col d'Ornon")
    ('p01', 'col-d-ornon-6a6f')
    """
    letters = re.sub(r"[^a-z0-9]+", "-", pasture_id.lower()).strip("-")[:40]
    if letters == pasture_id.lower():
        return letters
    return f"{letters}-{hashlib.sha256(pasture_id.encode()).hexdigest()[:4]}".strip("-")


def sources(tiles: tuple[TileProducts, ...]) -> Iterator[SourceProduct]:
    """Every product that was cut."""
    for tile in tiles:
        yield from (part for parts in tile.acquisitions for part in parts)
        yield from tile.maja


def taken_in(product: SourceProduct, period: Period) -> bool:
    return (product.acquired if isinstance(product, MajaProduct) else product.datetime) in period


def product_of(params: PastureTypesParams, inputs: PastureInputs, products: PastureProducts) -> Product:
    """The facts for catalogue, tables and report."""
    return Product(
        name=params.name,
        title=TITLE,
        description=DESCRIPTION,
        keywords=("vegetation", "pastures", "phenology"),
        simulated=products.simulated,
        grid=products.maps[0].pasture.grid,
        periods=inputs.years,
        layers=tuple(layers(products)),
        scenes={
            year.label: tuple(each for each in sources(products.tiles) if taken_in(each, year)) for year in inputs.years
        },
        documents=dict(_documents(products)),
        software={"clearground": version("clearground")},
        parameters=params.model_dump(mode="json"),
    )


def layers(products: PastureProducts) -> Iterator[Layer]:
    """Every raster that is handed out, each on the grid of its pasture."""
    for each in products.maps:
        mapped, grid, year = each.mapped, each.pasture.grid, str(each.mapped.year)
        yield Layer(
            name=f"types-{each.name}", title=f"Vegetation types of {each.pasture.name}, {year}", file=mapped.types,
            grid=grid, periods=(year,), bands=("type",), nodata=TYPE_NODATA, classes=codes(mapped),
        )  # fmt: skip
        yield Layer(
            name=f"confidence-{each.name}", title=f"Probability of the type, {each.pasture.name}, {year}",
            file=mapped.confidence, grid=grid, periods=(year,), bands=("confidence",), nodata=PROBABILITY_NODATA,
            scale=PROBABILITY_SCALE,
        )  # fmt: skip
        if snow_free := products.calendars[each.pasture.pasture_id].snow_free.get(year):
            yield _snow_free(each, snow_free, grid)


def pictures(products: PastureProducts) -> Iterator[PlannedPicture]:
    """The latest map of every pasture with its key."""
    for each in products.latest:
        yield PlannedPicture("types", type_picture(each, f"types-{each.name}"))


def type_picture(each: PastureMap, name: str) -> Picture:
    """Types in the colours of their style."""
    mapped = each.mapped
    return Picture(
        name=name,
        title=f"{each.pasture.name}, {mapped.year}",
        kind="classes",
        rasters=(mapped.types,),
        labels=codes(mapped),
        colours={int(code): colour for code, colour in mapped.colours.items()},
        nodata_is_outside=True,
    )


def codes(mapped: MapTypesResult) -> dict[int, str]:
    """Code to its meaning, the two that name no type included."""
    return {int(code): name for code, name in mapped.legend.items()} | {
        TYPE_DOUBTFUL: "cannot be told",
        TYPE_UNSEEN: "not seen",
    }


def _snow_free(each: PastureMap, file: File, grid: Grid) -> Layer:
    year = str(each.mapped.year)
    return Layer(
        name=f"snow-free-{each.name}", title=f"Day from which {each.pasture.name} is free of snow, {year}", file=file,
        grid=grid, periods=(year,), bands=("day_of_year",), nodata=int(NODATA), dtype="float32", units=("d",),
    )  # fmt: skip


def _documents(products: PastureProducts) -> Iterator[tuple[str, File]]:
    for each in products.maps:
        yield f"rasters/types-{each.name}.qml", each.mapped.style
    if products.survey:
        yield "survey/sites.parquet", products.survey.sites
        yield "survey/notices.csv", products.survey.notices
    if products.dataset:
        yield "survey/spectra.nc", products.dataset.dataset
        yield "survey/spectra.parquet", products.dataset.table
        for name, file in products.dataset.report.items():
            yield f"survey/{name}.csv", file
    yield f"model/{products.model.model.name}", products.model.model
    yield "model/card.json", products.model.card
    if products.training:
        for file in (products.training.predictions, products.training.metrics, products.training.confusion,
                     products.training.importance):  # fmt: skip
            yield f"model/{file.name}", file
