"""What a dataset holds and what is doubtful in it: the tables of its report."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.gdal.band_order import BandOrder
from containers.gdal.site_file import Header, Spectra
from containers.gdal.site_join import Duplicate
from containers.gdal.spectrum_rules import MISSED_CLOUD, MISSED_CLOUD_DROP, drops, normalised, suspicions

_SEASON: Final = ((4, 1), (10, 31))
"""Months and days between which the ground must be seen: vegetation grows."""
_SUMMER: Final = (6, 7, 8)
_CELL_M: Final = 10
_BLOCK_SITES: Final = 4096
_ROWS: Final = 100_000
_FOUND: Final = np.dtype([("slice", np.int32), ("site", np.int32), ("rule", np.int8), ("value", np.float32)])


class Broken(NamedTuple):
    """A rule that spectra break."""

    rule: str
    limit: float
    reason: str


class Journal:
    """What the report needs of every slice, kept while slices go by.

    About six bytes per site and slice, and thirteen per suspicion.
    """

    def __init__(self, header: Header) -> None:
        shape = len(header.slices), len(header.sites)
        self.header, self.order = header, BandOrder()
        self.shown, self.usable = np.zeros(shape, bool), np.zeros(shape, bool)
        self.ndvi = np.full(shape, np.nan, np.float32)
        self.summer_sums = np.zeros((shape[1], len(header.bands)))
        self.summer_counts = np.zeros(shape[1], np.int64)
        self._rules: dict[Broken, int] = {}
        self._found: list[NDArray[Any]] = []
        places = header.sites[["x_m", "y_m"]].to_numpy() // _CELL_M
        places[np.isnan(places).any(axis=1)] = np.nan
        alone = np.column_stack([-1 - np.arange(shape[1]), np.zeros(shape[1])])
        self._cells = np.where(np.isnan(places), alone, places).astype(np.int64)

    def add(self, number: int, spectra: Spectra) -> None:
        bands, reflectance = self.header.bands, spectra.reflectance
        self.shown[number], self.usable[number] = spectra.shown, spectra.usable
        red, nir = (reflectance[:, bands.index(name)] for name in ("red", "nir"))
        self.ndvi[number] = normalised(nir, red)
        usable = reflectance[spectra.usable]
        self.order = self.order.with_spectra(usable, bands)
        if _moment(self.header.slices["time"][number]).month in _SUMMER:
            self.summer_sums[spectra.usable] += usable
            self.summer_counts += spectra.usable
        for found in suspicions(reflectance, spectra.usable, bands, self._cells):
            self._keep(Broken(found.rule, found.limit, found.reason), number, found.sites, found.values)

    def suspicious(self) -> tuple[list[Broken], NDArray[Any]]:
        """Rules that are broken, and `_FOUND` by slice, site and rule: after the last slice."""
        self._find_missed_clouds()
        rules = sorted(self._rules)
        found = np.concatenate([np.zeros(0, _FOUND), *self._found])
        found["rule"] = np.array([rules.index(rule) for rule in self._rules], np.int8)[found["rule"]]
        return rules, np.sort(found, order=["slice", "site", "rule"])

    def _keep(self, rule: Broken, numbers: Any, sites: NDArray[np.intp], values: NDArray[np.float32]) -> None:
        rows = np.zeros(len(sites), _FOUND)
        rows["slice"], rows["site"], rows["value"] = numbers, sites, values
        rows["rule"] = self._rules.setdefault(rule, len(self._rules))
        self._found.append(rows)

    def _find_missed_clouds(self) -> None:
        seconds = self.header.slices["time"].to_numpy()
        reason = "NDVI drops and comes back within 30 days on both sides, as under a cloud or shadow that no mask tells"
        for first in range(0, len(self.header.sites), _BLOCK_SITES):
            own = slice(first, first + _BLOCK_SITES)
            drop = drops(self.ndvi[:, own], self.usable[:, own], seconds)
            numbers, sites = np.nonzero(drop > MISSED_CLOUD_DROP)
            rule = Broken(MISSED_CLOUD, MISSED_CLOUD_DROP, reason)
            self._keep(rule, numbers, sites + first, drop[numbers, sites])


def suspicious_table(header: Header, rules: Sequence[Broken], found: NDArray[Any]) -> Iterator[pd.DataFrame]:
    """A row per rule that a spectrum breaks; some of them after the other."""
    times = np.array(_times(header.slices["time"]), object)
    products, ids, classes = (
        table[name].to_numpy(object)
        for table, name in ((header.slices, "product_id"), (header.sites, "site_id"), (header.sites, "class_code"))
    )
    texts = pd.DataFrame(rules, columns=list(Broken._fields))
    for first in range(0, max(len(found), 1), _ROWS):
        rows = found[first : first + _ROWS]
        of_rule = texts.iloc[rows["rule"]]
        yield pd.DataFrame(
            {
                "site_id": ids[rows["site"]],
                "class_code": classes[rows["site"]],
                "time": times[rows["slice"]],
                "product_id": products[rows["slice"]],
                "rule": of_rule["rule"].to_numpy(object),
                "value": rows["value"],
                "limit": of_rule["limit"].to_numpy(float),
                "reason": of_rule["reason"].to_numpy(object),
            }
        )


def class_table(journal: Journal) -> pd.DataFrame:
    """Per class, an empty one for sites without: sites, groups, polygons, and what is known of them."""
    sites = journal.header.sites.assign(spectra=journal.usable.sum(axis=0))
    grouped = sites.groupby("class_code", sort=True)
    table = pd.DataFrame(
        {
            "sites": grouped.size(),
            "groups": grouped["group"].nunique(),
            "polygons": grouped["polygon_id"].agg(lambda names: names[names != ""].nunique()),
            "sites_seen": grouped["spectra"].agg(lambda counts: int((counts > 0).sum())),
            "usable_spectra": grouped["spectra"].sum(),
            "median_per_site": grouped["spectra"].median(),
        }
    )
    return table.reset_index()


def observation_table(journal: Journal) -> Iterator[pd.DataFrame]:
    """Per site and month: slices with a value, and usable spectra; a block of sites after the other."""
    months = np.array([f"{_moment(time):%Y-%m}" for time in journal.header.slices["time"]])
    names, codes = np.unique(months, return_inverse=True)
    for first in range(0, len(journal.header.sites), _BLOCK_SITES):
        own = slice(first, first + _BLOCK_SITES)
        sites = journal.header.sites.iloc[own]
        counts = [
            np.stack([layer[codes == code, own].sum(axis=0) for code in range(len(names))], axis=1).ravel()
            for layer in (journal.shown, journal.usable)
        ]
        yield pd.DataFrame(
            {
                "site_id": np.repeat(sites["site_id"].to_numpy(), len(names)),
                "class_code": np.repeat(sites["class_code"].to_numpy(), len(names)),
                "month": np.tile(names, len(sites)),
                "slices": counts[0],
                "usable": counts[1],
            }
        )


def gap_table(journal: Journal, max_gap_days: int) -> pd.DataFrame:
    """Longer gaps between usable spectra of a site from April to October: site_id, class_code, first, last, days.

    `first` and `last` are the dates on both sides of the gap; at the ends of the season, or of the dataset, its first
    or last day.
    """
    header = journal.header
    days = header.slices["time"].to_numpy() // 86_400
    rows: list[tuple[str, str, date, date, int]] = []
    for first, last in _seasons(int(days.min()), int(days.max())):
        inside = (days >= first) & (days <= last)
        for site, seen in enumerate(journal.usable[inside].T):
            dates = np.concatenate([[first], days[inside][seen], [last]])
            for at in np.flatnonzero(np.diff(dates) > max_gap_days):
                facts = header.sites["site_id"][site], header.sites["class_code"][site]
                rows.append((*facts, _date(dates[at]), _date(dates[at + 1]), int(dates[at + 1] - dates[at])))
    table = pd.DataFrame(rows, columns=["site_id", "class_code", "first", "last", "days"])
    return table.sort_values(["site_id", "first"], kind="stable", ignore_index=True)


def slice_table(journal: Journal) -> pd.DataFrame:
    """Every slice of the dataset with its provenance, and how many sites it shows."""
    slices = journal.header.slices
    table = slices.assign(time=_times(slices["time"]))
    return table.assign(sites_shown=journal.shown.sum(axis=1), sites_usable=journal.usable.sum(axis=1))


def duplicate_table(slices: pd.DataFrame, duplicates: Sequence[Duplicate]) -> pd.DataFrame:
    """Slices of one tile and day that show the same sites, and what was done; `slices` of all parts."""
    known = {(row["part"], row["number"]): row for row in slices.to_dict("records")}
    columns = ["date", "tile", "product_id", "mask_share", "clearer_product_id", "clearer_mask_share", "common_sites"]
    rows = []
    for each in duplicates:
        other, kept = known[each.other], known[each.kept]
        day = _moment(other["time"]).date()
        facts = [other["product_id"], other["mask_share"], kept["product_id"], kept["mask_share"], each.common_sites]
        rows.append([day, other["tile"], *facts, "dropped" if each.dropped else "kept"])
    return pd.DataFrame(rows, columns=[*columns, "done"])


def write_csv(path: Path, tables: Iterator[pd.DataFrame]) -> Path:
    """Tables below each other, the header once."""
    with path.open("w", newline="") as stream:
        for number, table in enumerate(tables):
            table.to_csv(stream, index=False, header=number == 0, float_format="%.4f", lineterminator="\n")
    return path


def _seasons(first_day: int, last_day: int) -> Iterator[tuple[int, int]]:
    """First and last day since 1970 of each season that the dataset covers, cut where it begins and ends."""
    for year in range(_date(first_day).year, _date(last_day).year + 1):
        opening, closing = ((date(year, month, day) - date(1970, 1, 1)).days for month, day in _SEASON)
        start, end = max(opening, first_day), min(closing, last_day)
        if start < end:
            yield start, end


def _times(seconds: "pd.Series[int]") -> list[str]:
    return [f"{_moment(value):%Y-%m-%dT%H:%M:%SZ}" for value in seconds]


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _date(day: Any) -> date:
    return date(1970, 1, 1) + timedelta(days=int(day))
