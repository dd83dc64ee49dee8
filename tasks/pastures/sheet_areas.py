"""How much of a pasture each vegetation type covers, in words for its sheet."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from containers.tensorflow.contract.types import TYPE_DOUBTFUL, TYPE_UNSEEN
from tasks.pastures.findings import TypeArea

MAX_ROWS: Final = 14
"""More types do not fit the page: the smallest are told together."""


class TypeRow(NamedTuple):
    """One line of the table, ready to print; what is not told is empty."""

    name: str
    colour: str
    """#rrggbb; empty: not on the map."""
    area: str
    interval: str
    share: str


class TypeAreas(NamedTuple):
    """The table, and what it rests on."""

    rows: tuple[TypeRow, ...]
    pasture_ha: float
    is_estimated: bool
    points: int
    """Places of the reference sample; 0: there is none."""
    doubtful_share: float
    unseen_share: float
    """Of the pasture."""


def type_areas(
    areas: Sequence[TypeArea],
    legend: Mapping[str, str],
    colours: Mapping[str, str],
    cells: Mapping[str, int],
    cell_area_ha: float,
) -> TypeAreas:
    """From the estimates for one pasture, and what `tensorflow.map_types` says of its map.

    Estimates share out all that was seen, doubtful cells too; counts leave these to a line of their own.
    """
    total = sum(cells.values())
    is_estimated = any(area.is_estimated for area in areas)
    code_of = {name: code for code, name in legend.items()}
    shown = sorted((area for area in areas if area.value > 0 or area.is_estimated), key=lambda area: -area.value)
    rows = [
        TypeRow(
            name=area.name,
            colour=colours[code_of[area.name]] if area.name in code_of else "",
            area=hectares(area.value),
            interval=_between(area),
            share=percent(area.value / (total * cell_area_ha)),
        )
        for area in shown
    ]
    if len(rows) > MAX_ROWS:
        rest = sum(area.value for area in shown[MAX_ROWS - 1 :])
        name = f"{len(rows) - MAX_ROWS + 1} smaller types"
        rows[MAX_ROWS - 1 :] = [TypeRow(name, "", hectares(rest), "", percent(rest / (total * cell_area_ha)))]
    return TypeAreas(
        rows=(*rows, *_open_rows(colours, cells, cell_area_ha, is_estimated)),
        pasture_ha=total * cell_area_ha,
        is_estimated=is_estimated,
        points=max((area.points for area in areas if area.is_estimated), default=0),
        doubtful_share=cells["doubtful"] / total,
        unseen_share=cells["unknown"] / total,
    )


def hectares(value: float) -> str:
    """
    >>> hectares(123.4), hectares(3.25), hectares(0.04)
    ('123', '3.2', '0.0')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def percent(share: float) -> str:
    """
    >>> percent(0.256), percent(0.003), percent(0.0)
    ('26 %', 'below 1 %', '0 %')
    """
    return "below 1 %" if 0 < share < 0.005 else f"{share * 100:.0f} %"


def _between(area: TypeArea) -> str:
    if area.lower is None or area.upper is None:
        return ""
    return f"{hectares(area.lower)}–{hectares(area.upper)}"


def _open_rows(
    colours: Mapping[str, str], cells: Mapping[str, int], cell_area_ha: float, is_estimated: bool
) -> list[TypeRow]:
    total = sum(cells.values())
    told = {("not known", TYPE_DOUBTFUL): cells["doubtful"], ("not seen", TYPE_UNSEEN): cells["unknown"]}
    return [
        TypeRow(
            name=name,
            colour=colours[str(code)],
            # Estimates have shared out doubtful cells among the types.
            area=f"({area})" if is_estimated and code == TYPE_DOUBTFUL else area,
            interval="",
            share=percent(count / total),
        )
        for (name, code), count in told.items()
        if count and (area := hectares(count * cell_area_ha))
    ]
