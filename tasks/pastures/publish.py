"""The last part of `pasture_types`: tables, catalogue, report, sheets, maps and the model in one folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import geopandas

from containers.gdal.contract.quicklook import QuicklookParams
from tasks import gdal, ledger
from tasks.parameters.pasture_types import PastureTypesParams
from tasks.pastures.evidence import MapEvidence, PastureEvidence, skill_of
from tasks.pastures.intake import PastureInputs
from tasks.pastures.product import PastureProducts, pictures, product_of, type_picture
from tasks.pastures.report import render_pastures
from tasks.pastures.sheet import SheetFiles, make_sheet, render_sheet
from tasks.pastures.tables import CALENDAR, PastureFile, pasture_rows, read_areas_of, read_events, write_pastures
from tasks.publishing.edition import Edition, publish_product
from tasks.publishing.pictures import draw
from tasks.publishing.product import Product, Publication
from tasks.publishing.publication import CATALOGUED, IllustrationFile, PathOf

_SHEET_PX: Final = 640
_SHOWN_PX: Final = 560


def publish_pasture_types(params: PastureTypesParams, inputs: PastureInputs, products: PastureProducts) -> Publication:
    """Draw the pictures and publish. To be called inside the flow."""
    training = products.training
    shown = draw(pictures(products), simulated=products.simulated, regions=inputs.pastures, side_px=_SHOWN_PX)
    evidence = PastureEvidence(
        maps=map_evidence(inputs, products),
        pastures=inputs.pastures,
        source=params.reflectance.source,
        card=products.model.card,
        metrics=training.metrics if training else None,
        predictions=training.predictions if training else None,
        left_out=training.left_out if training else {},
        notices=products.survey.notices if products.survey else None,
        illustrations=(*shown, *plots(products)),
        map_picture=f"types-{products.latest[0].name}",
    )
    return publish_product(product_of(params, inputs, products), evidence, EDITION, params.output)


def map_evidence(inputs: PastureInputs, products: PastureProducts) -> tuple[MapEvidence, ...]:
    """Every map with its areas, its calendar, and the bare picture that its sheet shows."""
    bare = gdal.draw_quicklooks.submit(
        QuicklookParams(
            pictures=tuple(type_picture(each, each.name) for each in products.maps),
            max_px=_SHEET_PX,
            regions=inputs.pastures,
            simulated=products.simulated,
            bare=True,
        )
    ).result()
    return tuple(
        MapEvidence(
            name=each.name,
            pasture_name=each.pasture.name,
            tile=each.pasture.tile,
            mapped=each.mapped,
            estimates=each.areas.estimates,
            calendar=products.calendars.get(each.pasture.pasture_id),
            picture=bare.pictures[each.name],
        )
        for each in products.maps
    )


def plots(products: PastureProducts) -> Iterator[IllustrationFile]:
    """What training and dataset have drawn of themselves."""
    drawn = {
        "training": products.training.figures if products.training else {},
        "survey": products.dataset.figures if products.dataset else {},
    }
    for section, figures in drawn.items():
        for name, file in figures.items():
            yield IllustrationFile(section=section, name=f"{section}-{name}", caption=name.replace("_", " "), file=file)


def _figures(product: Product, evidence: PastureEvidence, path_of: PathOf) -> geopandas.GeoDataFrame:
    files = [
        PastureFile(each.mapped.pasture_id, each.pasture_name, each.tile, each.mapped.year, path_of(each.estimates))
        for each in evidence.maps
    ]
    return read_areas_of(files, path_of(evidence.pastures), simulated=product.simulated)


def _write_tables(product: Product, evidence: PastureEvidence, path_of: PathOf, folder: Path) -> None:
    events = read_events(path_of(calendar.events) for calendar in evidence.calendars)
    write_pastures(_figures(product, evidence, path_of), events, folder)
    skill = skill_of(evidence, path_of)
    for each in evidence.maps:
        if each.calendar is None:
            continue
        files = SheetFiles(
            events=path_of(each.calendar.events),
            curve=path_of(each.calendar.curve),
            trend=path_of(each.calendar.trend),
            estimates=path_of(each.estimates),
            picture=path_of(each.picture),
        )
        sheet = make_sheet(
            each.mapped, files, name=each.pasture_name, tile=each.tile, source=evidence.source, skill=skill
        )
        path = folder / each.sheet
        path.parent.mkdir(exist_ok=True)
        path.write_text(render_sheet(sheet))


def _headlines(product: Product, evidence: PastureEvidence, path_of: PathOf) -> list[dict[str, str]]:
    return [row._asdict() for row in pasture_rows(_figures(product, evidence, path_of))]


def _report(product: Product, evidence: PastureEvidence, path_of: PathOf, rows: Sequence[ledger.Row]) -> str:
    return render_pastures(product, evidence, _figures(product, evidence, path_of), path_of, rows)


EDITION: Final = Edition(
    own_code=(
        "pastures/evidence.py", "pastures/findings.py", "pastures/product.py", "pastures/publish.py",
        "pastures/report.py", "pastures/sheet.py", "pastures/sheet_areas.py", "pastures/sheet_calendar.py",
        "pastures/sheet_curve.py", "pastures/sheet_doubts.py", "pastures/tables.py", "publishing/headlines.py",
        "templates/pasture_curve.svg.j2", "templates/pasture_sheet.css", "templates/pasture_sheet.html.j2",
        "templates/pasture_types.html.j2",
    ),
    write_tables=_write_tables,
    report=_report,
    headlines=_headlines,
    catalogued=CATALOGUED | {CALENDAR: ("text/csv", "data")},
)  # fmt: skip
