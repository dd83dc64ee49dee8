"""The last task of `vegetation_productivity`: tables, catalogue, report, maps and cubes in one folder."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import geopandas
import pandas as pd
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.gdal.contract.mask import MaskResult
from tasks import ledger
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.publishing.edition import Edition, publish_product
from tasks.publishing.pictures import draw
from tasks.publishing.product import Product, Publication
from tasks.publishing.publication import CATALOGUED, Evidence, IllustrationFile, PathOf
from tasks.publishing.report_page import render_page
from tasks.vegetation.charts import curve_charts
from tasks.vegetation.intake import SeriesInputs
from tasks.vegetation.product import MAP, SeriesProducts, pictures, product_of
from tasks.vegetation.tables import COLUMNS, SHOWN, RegionFields, read_seasons, season_rows, write_seasons

_MAX_ROWS: Final = 300


class SceneRow(Contract):
    """How clear one acquisition was."""

    scene_id: str
    engine: str
    shares: dict[str, float]


class SeriesEvidence(Evidence):
    """Where the figures of a product are."""

    seasons: File
    curves: File
    regions: File
    region_id_field: str
    region_name_field: str
    scenes: tuple[SceneRow, ...] = Field(description="In the order of tile and time")
    filled_shares: dict[str, float] = Field(description="Quality code of the filled values to its share")


def publish_vegetation_productivity(
    params: VegetationProductivityParams, inputs: SeriesInputs, products: SeriesProducts
) -> Publication:
    """Draw the pictures and publish. To be called inside the flow."""
    product = product_of(params, inputs, products)
    shown = draw(pictures(params, products), simulated=products.simulated, regions=inputs.regions)
    shown.append(
        IllustrationFile(
            section="animation",
            name="series",
            caption=f"{params.index.upper()} through {products.years[-1]}, clouds removed",
            file=products.animation,
            media_type="image/gif",
        )
    )
    for name, plot in products.points.plots.items() if products.points else ():
        shown.append(IllustrationFile(section="places", name=Path(plot.name).stem, caption=name, file=plot))
    evidence = SeriesEvidence(
        seasons=products.curves.seasons,
        curves=products.curves.curves,
        regions=inputs.regions,
        region_id_field=params.regions.id_field,
        region_name_field=params.regions.name_field,
        scenes=tuple(_row(mask) for mask in products.masks),
        filled_shares=_filled_shares(products),
        illustrations=tuple(shown),
        map_picture=f"{MAP}-{product.periods[-1].label}",
    )
    return publish_product(product, evidence, EDITION, params.output)


def _figures(product: Product, evidence: SeriesEvidence, path_of: PathOf) -> geopandas.GeoDataFrame:
    return read_seasons(
        path_of(evidence.seasons),
        path_of(evidence.regions),
        RegionFields(evidence.region_id_field, evidence.region_name_field),
        simulated=product.simulated,
    )


def _write_tables(product: Product, evidence: SeriesEvidence, path_of: PathOf, folder: Path) -> None:
    write_seasons(_figures(product, evidence, path_of), folder)
    _write_scenes(evidence.scenes, folder / "scenes.csv")


def _headlines(product: Product, evidence: SeriesEvidence, path_of: PathOf) -> list[dict[str, str]]:
    return [
        {"region": row.region, "year": row.year, **dict(zip(SHOWN, row.figures, strict=True)), "unknown": row.unknown}
        for row in season_rows(_figures(product, evidence, path_of))
    ]


def _report(product: Product, evidence: SeriesEvidence, path_of: PathOf, rows: Sequence[ledger.Row]) -> str:
    figures = _figures(product, evidence, path_of)
    seasons = season_rows(figures)
    return render_page(
        "vegetation_productivity.html.j2",
        product,
        illustrations=evidence.shown(path_of),
        ledger=rows,
        columns=COLUMNS,
        seasons=seasons[:_MAX_ROWS],
        n_seasons=len(seasons),
        shown=[name.replace("_", " ") for name in SHOWN],
        charts=curve_charts(pd.read_parquet(path_of(evidence.curves)), figures),
        engines=sorted({scene.engine for scene in evidence.scenes}),
        clear_shares=_mean_shares(evidence.scenes),
        filled_shares=evidence.filled_shares,
    )


def _row(mask: MaskResult) -> SceneRow:
    return SceneRow(scene_id=mask.scene_id, engine=mask.engine, shares=mask.shares)


def _filled_shares(products: SeriesProducts) -> dict[str, float]:
    """Shares of quality codes over all windows, weighted by their cells."""
    cells = [window.series.grid.width * window.series.grid.height for window in products.windows]
    totals: dict[str, float] = {}
    for window, weight in zip(products.windows, cells, strict=True):
        for code, share in window.filled.shares.items():
            totals[code] = totals.get(code, 0.0) + share * weight / sum(cells)
    return {code: round(share, 6) for code, share in totals.items()}


def _mean_shares(scenes: Sequence[SceneRow]) -> dict[str, float]:
    names = sorted({name for scene in scenes for name in scene.shares})
    return {name: sum(scene.shares.get(name, 0.0) for scene in scenes) / max(1, len(scenes)) for name in names}


def _write_scenes(scenes: Sequence[SceneRow], path: Path) -> None:
    names = sorted({name for scene in scenes for name in scene.shares})
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["scene_id", "engine", *(f"{name}_share" for name in names)])
        for scene in scenes:
            writer.writerow([scene.scene_id, scene.engine, *(f"{scene.shares.get(name, 0.0):.5f}" for name in names)])


EDITION: Final = Edition(
    own_code=(
        "vegetation/charts.py", "vegetation/product.py", "vegetation/publish.py", "vegetation/tables.py",
        "templates/vegetation_productivity.html.j2",
    ),
    write_tables=_write_tables,
    report=_report,
    headlines=_headlines,
    catalogued=CATALOGUED | {"scenes.csv": ("text/csv", "metadata")},
)  # fmt: skip
