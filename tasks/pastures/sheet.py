"""The sheet of one pasture: one page for whoever advises the herder, which stands alone and prints to A4."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from containers.tensorflow.contract.types import MapTypesResult
from tasks.pastures.findings import read_areas, read_calendar
from tasks.pastures.sheet_areas import TypeAreas, hectares, type_areas
from tasks.pastures.sheet_calendar import EventRow, event_rows
from tasks.pastures.sheet_curve import pasture_chart, render_chart
from tasks.pastures.sheet_doubts import ModelSkill, doubts
from tasks.publishing.report_page import TEMPLATES, data_uri

_MAX_NAME: Final = 44
_CREDITS: Final = {
    "esa": "Contains modified Copernicus Sentinel data {year}, processed by ESA.",
    "maja": "Contains modified Copernicus Sentinel data {year}, processed by CNES for the Theia data centre.",
}


@dataclass(frozen=True)
class SheetFiles:
    """Where the findings on a pasture lie: tables of `gdal.calendar` and `gdal.areas`, and the map's picture."""

    events: Path
    curve: Path
    trend: Path
    estimates: Path
    picture: Path
    """PNG of the types, bare: the table is its key."""


@dataclass(frozen=True)
class Sheet:
    """What stands on the page."""

    pasture_id: str
    name: str
    year: int
    tile: str
    area: str
    """Hectares."""
    picture: str
    """Data URI."""
    types: TypeAreas
    events: tuple[EventRow, ...]
    chart: Markup | None
    doubts: tuple[str, ...]
    credits: str
    simulated: bool


def make_sheet(
    mapped: MapTypesResult, files: SheetFiles, *, name: str, tile: str, source: str, skill: ModelSkill | None
) -> Sheet:
    """Read the findings on one pasture in the year of its map."""
    calendar = read_calendar(files.events, files.curve, files.trend, mapped.pasture_id)
    areas = type_areas(read_areas(files.estimates), mapped.legend, mapped.colours, mapped.cells, mapped.cell_area_ha)
    chart = pasture_chart(calendar, mapped.year)
    credit = "Scenes and survey are simulated." if mapped.simulated else _CREDITS[source].format(year=mapped.year)
    return Sheet(
        pasture_id=mapped.pasture_id,
        name=name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…",
        year=mapped.year,
        tile=tile,
        area=hectares(areas.pasture_ha),
        picture=data_uri(files.picture),
        types=areas,
        events=event_rows(calendar, mapped.year),
        chart=render_chart(chart) if chart else None,
        doubts=doubts(areas, calendar, mapped.year, skill=skill, source=source, simulated=mapped.simulated),
        credits=credit,
        simulated=mapped.simulated,
    )


def render_sheet(sheet: Sheet) -> str:
    """The page. Everything that comes from data is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("pasture_sheet.html.j2").render(sheet=sheet)
