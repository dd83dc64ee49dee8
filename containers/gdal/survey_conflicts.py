"""Sites that say the same twice, contradict each other or share a name. Decided in the order of the sites."""

from collections import Counter
from typing import Final, Literal, NamedTuple

import pandas as pd

from containers.gdal.survey_notices import Notice

_METRES: Final = ("x_m", "y_m")


class _Site(NamedTuple):
    row: int
    tile: str
    file: str
    site_id: str
    class_code: str
    x_m: float
    y_m: float

    def notice(self, code: str, reason: str) -> Notice:
        return Notice(code, self.file, self.site_id, self.class_code, self.x_m, self.y_m, reason)


def without_conflicts(sites: pd.DataFrame, within: Literal["epsg", "tile"]) -> tuple[pd.DataFrame, list[Notice]]:
    """One site per place with a name of its own, and what was done.

    Places are those of a zone, and names those of the whole survey; `within="tile"` takes every tile by itself.

    Places with more than one class are left out altogether: nothing says which one is right. Of several sites of one
    class the first is kept; one without a class says nothing against one that has it. `sites` has the columns tile,
    epsg, x_m, y_m, site_id, class_code and file.
    """
    places = sites.groupby([within, *_METRES], sort=False).ngroup()
    classes = sites["class_code"].where(sites["class_code"] != "")
    contradictory = classes.groupby(places).transform("nunique") > 1
    by_class = classes.isna().sort_values(kind="stable").index
    first = places.loc[by_class].drop_duplicates().index
    kept = sites.index.isin(first) & ~contradictory
    notices = [
        *_contradictions(sites[contradictory], places[contradictory]),
        *_duplicates(sites[~contradictory & ~kept], sites[kept], places),
    ]
    names, repeated = _own_names(sites[kept], by_tile=within == "tile")
    return sites[kept].assign(site_id=names), [*notices, *repeated]


def _listed(sites: pd.DataFrame) -> list[_Site]:
    columns = [sites[name].tolist() for name in _Site._fields[1:]]
    return [_Site(*values) for values in zip(sites.index.tolist(), *columns, strict=True)]


def _contradictions(sites: pd.DataFrame, places: "pd.Series[int]") -> list[Notice]:
    said = {place: " and ".join(sorted({*classes} - {""})) for place, classes in sites["class_code"].groupby(places)}
    return [
        site.notice("contradictory", f"left out: this place is called {said[places[site.row]]}")
        for site in _listed(sites)
    ]


def _duplicates(sites: pd.DataFrame, kept: pd.DataFrame, places: "pd.Series[int]") -> list[Notice]:
    first = {places[site.row]: site for site in _listed(kept)}
    notices = []
    for site in _listed(sites):
        other = first[places[site.row]]
        alike = "place and class" if site.class_code == other.class_code else "place, without a class,"
        notices.append(site.notice("duplicate", f"left out: the same {alike} as {other.site_id} of {other.file}"))
    return notices


def _own_names(sites: pd.DataFrame, *, by_tile: bool) -> tuple[list[str], list[Notice]]:
    """Of sites with one name at several places the later ones get a number."""
    listed = _listed(sites)
    given = [(site.tile if by_tile else "", site.site_id) for site in listed]
    times, free = Counter(given), set(given)
    names, notices = [], []
    for (scope, name), site in zip(given, listed, strict=True):
        own, number = name, 1
        if (scope, name) not in free:  # the first of them has it
            while (scope, own) in times:
                number += 1
                own = f"{name}#{number}"
            times[scope, own] += 1
        free.discard((scope, name))
        names.append(own)
        if times[scope, name] > 1:
            notices.append(site.notice("repeated_id", f"this name stands at several places: here called {own}"))
    return names, notices
