"""What the vegetation-productivity flow has made, as layers, pictures and documents of a product."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.gdal.contract.fill import FillResult
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.productivity import METRICS, CurvesResult, Metrics, PointsResult, TrendResult
from containers.gdal.contract.quicklook import Picture
from containers.gdal.contract.series import SeriesResult
from tasks.catalogue.rules import Acquisition
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.publishing.pictures import PlannedPicture
from tasks.publishing.product import Layer, Product
from tasks.vegetation.intake import SeriesInputs

TITLE: Final = "Vegetation productivity"
DESCRIPTION: Final = (
    "How the vegetation did, in spite of clouds: a vegetation index from Sentinel-2 where the ground was seen, its "
    "gaps filled with an uncertainty, and the start, peak, end and integral of every season per cell and region."
)
NODATA: Final = -9999
UNITS: Final = {
    "integral": "index·d", "base_integral": "index·d", "peak_day": "d", "start_day": "d", "end_day": "d",
    "length_days": "d",
}  # fmt: skip
"""Unit of each metric that has one; days count from 1 January, which is day 1."""
ANOMALY_BANDS: Final = ("difference", "z")
TREND_BANDS: Final = ("slope", "lower", "upper", "p_value")


class WindowProducts(Contract):
    """What one window of the grid has come to."""

    series: SeriesResult
    filled: FillResult
    seasons: tuple[Metrics, ...]
    comparison: TrendResult | None


class SeriesProducts(Contract):
    """The results of a finished run."""

    acquisitions: tuple[Acquisition, ...]
    masks: tuple[MaskResult, ...]
    windows: tuple[WindowProducts, ...]
    rasters: dict[str, File]
    land: File | None
    curves: CurvesResult
    points: PointsResult | None
    animation: File

    @property
    def simulated(self) -> bool:
        return any(part.simulated for parts in self.acquisitions for part in parts)

    @property
    def years(self) -> tuple[int, ...]:
        return tuple(season.year for season in self.windows[0].seasons)


def product_of(params: VegetationProductivityParams, inputs: SeriesInputs, products: SeriesProducts) -> Product:
    """The facts for catalogue, tables and report."""
    read = [part for parts in products.acquisitions for part in parts]
    return Product(
        name=params.name,
        title=f"{TITLE}: {params.index.upper()}",
        description=DESCRIPTION,
        keywords=("vegetation", "phenology", params.index.upper()),
        simulated=products.simulated,
        grid=inputs.grid,
        periods=inputs.years,
        layers=tuple(layers(params, products)),
        scenes={year.label: tuple(part for part in read if part.datetime in year) for year in inputs.years},
        documents=dict(_documents(products)),
        software={"clearground": version("clearground")},
        parameters=params.model_dump(mode="json"),
    )


def layers(params: VegetationProductivityParams, products: SeriesProducts) -> Iterator[Layer]:
    """Every raster that is handed out."""
    years = tuple(str(year) for year in products.years)
    compared = params.comparison.metric
    unit = UNITS.get(compared, "")
    for year in years:
        yield _quantity(f"season-{year}", f"Season {year}", products, (year,), METRICS,
                        tuple(UNITS.get(name, "") for name in METRICS))  # fmt: skip
    for year in years if len(years) > 1 else ():
        yield _quantity(f"anomaly-{year}", f"{_words(compared)} of {year} against the reference years", products,
                        years, ANOMALY_BANDS, (unit, ""))  # fmt: skip
    if "trend" in products.rasters:
        per_year = f"{unit}/a".lstrip("/")
        yield _quantity("trend", f"Trend of the {_words(compared).lower()}", products, years, TREND_BANDS,
                        (per_year, per_year, per_year, ""))  # fmt: skip
    yield Layer(
        name="observations",
        title="Clear observations",
        file=products.rasters["observations"],
        periods=years,
        bands=("observations",),
        nodata=None,
        dtype="uint16",
    )


def pictures(params: VegetationProductivityParams, products: SeriesProducts) -> Iterator[PlannedPicture]:
    """What is drawn for the report, the most important first: a page of bounded size holds the first ones."""
    latest, compared = str(products.years[-1]), params.comparison.metric
    for metric, palette in _SHOWN_METRICS:
        yield _band_picture(products, f"season-{latest}", f"{metric.replace('_', '-')}-{latest}",
                            f"{_words(metric)} {latest}", METRICS.index(metric), UNITS.get(metric, ""), palette,
                            "seasons")  # fmt: skip
    for year in reversed(products.years) if len(products.years) > 1 else ():
        yield _band_picture(products, f"anomaly-{year}", f"anomaly-{year}",
                            f"{_words(compared)} {year} against the reference years", 0, UNITS.get(compared, ""),
                            "diverging", "anomalies")  # fmt: skip
    if "trend" in products.rasters:
        yield _band_picture(products, "trend", "trend", f"Trend of the {_words(compared).lower()}", 0,
                            f"{UNITS.get(compared, '')}/a", "diverging", "anomalies")  # fmt: skip
    yield _band_picture(products, f"season-{latest}", f"quality-{latest}", f"Quality class {latest}",
                        METRICS.index("quality"), "1–10", "sequential", "quality")  # fmt: skip
    yield PlannedPicture(
        "quality",
        Picture(
            name="observations", title="Clear observations", kind="count", rasters=(products.rasters["observations"],)
        ),
    )
    for year in reversed(products.years[:-1]):
        yield _band_picture(products, f"season-{year}", f"integral-{year}", f"Integral {year}",
                            METRICS.index("integral"), UNITS["integral"], "sequential", "seasons")  # fmt: skip


MAP: Final = "integral"
"""The metric whose latest map tells a run's story at a glance."""
_SHOWN_METRICS: Final = (
    (MAP, "sequential"), ("peak", "sequential"), ("start_day", "days"), ("peak_day", "days"),
    ("length_days", "sequential"),
)  # fmt: skip


def _documents(products: SeriesProducts) -> Iterator[tuple[str, File]]:
    yield "documents/curves.parquet", products.curves.curves
    for index, window in enumerate(products.windows):
        yield f"cubes/filled-{index:03}.h5", window.filled.filled
        yield f"cubes/series-{index:03}.h5", window.series.series
    if products.points:
        yield "documents/places.csv", products.points.table
    if products.land:
        yield "documents/land.tif", products.land


def _quantity(
    name: str,
    title: str,
    products: SeriesProducts,
    periods: tuple[str, ...],
    bands: tuple[str, ...],
    units: tuple[str, ...],
) -> Layer:
    return Layer(
        name=name,
        title=title,
        file=products.rasters[name],
        periods=periods,
        bands=bands,
        nodata=NODATA,
        dtype="float32",
        units=units,
    )


def _band_picture(
    products: SeriesProducts, raster: str, name: str, title: str, band: int, unit: str, palette: str, section: str
) -> PlannedPicture:
    picture = Picture.model_validate(
        {
            "name": name, "title": title, "kind": "continuous", "rasters": (products.rasters[raster],),
            "band": band + 1, "unit": unit, "palette": palette,
        }
    )  # fmt: skip
    return PlannedPicture(section, picture)


def _words(metric: str) -> str:
    text = metric.replace("_", " ")
    return text[0].upper() + text[1:]
