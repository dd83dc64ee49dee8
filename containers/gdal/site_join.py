"""Parts of a dataset joined: one table of sites, and the slices that are kept of all parts."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.gdal.contract.cut import LAYERS
from containers.gdal.site_file import NOT_KNOWN, SITE_COLUMNS, SiteFile, Spectra, bad_dataset

_TOLERANCE: Final = {"x_m": 0.01, "y_m": 0.01, "lon": 1e-6, "lat": 1e-6}
_DAY_S: Final = 86_400
_TOLD = 10


class Place(NamedTuple):
    """Where a slice lies."""

    part: int
    number: int


class Duplicate(NamedTuple):
    """Two slices of one tile and day that show the same sites."""

    kept: Place
    other: Place
    dropped: bool
    common_sites: int


class Parts:
    """Open parts, their sites in the joined table, and their bands in one order."""

    def __init__(self, files: Sequence[SiteFile]) -> None:
        self._files = files
        self.bands = _common_bands([file.header.bands for file in files])
        self.sites = joined_sites([file.header.sites for file in files])
        names = self.sites["site_id"]
        self._rows = [names.searchsorted(file.header.sites["site_id"]) for file in files]
        self._bands = [[file.header.bands.index(name) for name in self.bands] for file in files]

    def read(self, place: Place) -> Spectra:
        """One slice, with all sites of all parts."""
        own = self._files[place.part].read(place.number)
        reflectance = np.full((len(self.sites), len(self.bands)), np.nan, np.float32)
        layers = np.full((len(LAYERS), len(self.sites)), NOT_KNOWN, np.int8)
        rows = self._rows[place.part]
        reflectance[rows], layers[:, rows] = own.reflectance[:, self._bands[place.part]], own.layers
        return Spectra(reflectance, layers)

    def all_slices(self) -> pd.DataFrame:
        """The slices of all parts and their `part` and `number`, in the order of a dataset."""
        tables = [
            file.header.slices.assign(part=part, number=range(len(file.header.slices)))
            for part, file in enumerate(self._files)
        ]
        order = ["time", "tile", "product_id", "source", "part", "number"]
        return pd.concat(tables, ignore_index=True).sort_values(order, ignore_index=True)

    def shown(self, place: Place) -> NDArray[np.bool_]:
        """Sites with a value in a slice, (site,)."""
        return self.read(place).shown


def joined_sites(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Sites of one name are one site; what one part does not know, another may. Ascending by name.

    Raises `bad_dataset`, with a list, where parts contradict each other.
    """
    every = pd.concat(tables, ignore_index=True)
    names, sites = np.unique(every["site_id"].to_numpy(object), return_inverse=True)
    joined: dict[str, NDArray[Any]] = {"site_id": names}
    contradictions: list[str] = []
    for column, dtype in SITE_COLUMNS.items():
        if column != "site_id":
            known = np.flatnonzero(_is_known(every[column]))
            values, of_site = every[column].to_numpy(dtype)[known], sites[known]
            joined[column] = _first(values, of_site, len(names))
            contradictions += _contradictions(column, names, values, of_site, joined[column])
    if contradictions:
        more = len(contradictions) - _TOLD
        listed = "; ".join(contradictions[:_TOLD]) + (f"; and {more:,} more" if more > 0 else "")
        raise bad_dataset(
            f"Parts say different things of {len(contradictions):,} sites: {listed}",
            "Make all parts with one survey, or give different sites different names.",
        )
    return pd.DataFrame(joined).astype(SITE_COLUMNS)[list(SITE_COLUMNS)]


def kept_slices(parts: Parts, policy: str) -> tuple[pd.DataFrame, list[Duplicate]]:
    """The slices of the joined dataset, and which of one tile and day show the same sites.

    Of such slices the clearest stays: the one that lacks fewest masks, then with the smallest mask share, then with
    the latest baseline. Halves of a tile that show different sites both stay. The same product twice never does.
    """
    slices = parts.all_slices()
    duplicates: list[Duplicate] = []
    for _, group in slices.groupby(["tile", slices["time"] // _DAY_S]):
        if len(group) > 1:
            duplicates += _duplicates(parts, group, policy)
    dropped = {each.other for each in duplicates if each.dropped}
    stays = [Place(part, number) not in dropped for part, number in zip(slices["part"], slices["number"], strict=True)]
    return slices[stays].reset_index(drop=True), duplicates


def _duplicates(parts: Parts, group: pd.DataFrame, policy: str) -> Iterator[Duplicate]:
    """Of slices of one tile and day, from the clearest on: those that show sites which a clearer one shows."""
    lacking = [len(layers.split()) for layers in group["unmasked"]]
    order = group.assign(lacking=lacking).sort_values("baseline", ascending=False, kind="stable")
    kept: list[tuple[Place, str, NDArray[np.bool_]]] = []
    for row in order.sort_values(["lacking", "mask_share"], kind="stable").itertuples():
        place = Place(int(str(row.part)), int(str(row.number)))
        product, shown = str(row.product_id), parts.shown(place)
        common = [int((shown & other).sum()) for _, _, other in kept]
        if not any(common):
            kept.append((place, product, shown))
            continue
        clearer, same, _ = kept[int(np.argmax(common))]
        dropped = policy == "clearest" or (product == same != "")
        yield Duplicate(clearer, place, dropped, max(common))
        if not dropped:
            kept.append((place, product, shown))


def _common_bands(bands: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    if len({frozenset(each) for each in bands}) > 1:
        listed = "; ".join(sorted({", ".join(sorted(each)) for each in bands}))
        raise bad_dataset(f"Parts have different bands: {listed}", "Make all parts with the same bands.")
    return bands[0]


def _is_known(column: "pd.Series[Any]") -> "pd.Series[bool]":
    return column.notna() & (column != "") & ~((column == 0) & (column.name == "epsg"))


def _first(values: NDArray[Any], sites: NDArray[np.intp], n_sites: int) -> NDArray[Any]:
    """The first value of each site; empty, 0 or NaN where it has none."""
    kind = values.dtype.kind
    first = np.full(n_sites, "" if kind == "O" else 0 if kind == "i" else np.nan, values.dtype)
    first[sites[::-1]] = values[::-1]
    return first


def _contradictions(
    column: str, names: NDArray[Any], values: NDArray[Any], sites: NDArray[np.intp], first: NDArray[Any]
) -> list[str]:
    """`site: column value, value`, one per site."""
    tolerance = _TOLERANCE.get(column)
    differs = values != first[sites] if tolerance is None else np.abs(values - first[sites]) > tolerance
    wrong = dict(zip(sites[differs].tolist(), values[differs].tolist(), strict=True))
    return [f"{names[site]}: {column} {first[site]}, {value}" for site, value in sorted(wrong.items())]
