"""The features of survey sites as arrays, and which sites a classifier learns from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from containers.base.contract.step import StepError

PLAIN: Final = "plain "
"""Columns that the plain forest sees, which every classifier is compared with."""
_FACTS: Final = (
    "site_id", "year", "class_code", "group", "massif", "polygon_id", "source", "simulated", "observations",
)  # fmt: skip
_NO_TYPE: Final = ("", "NA")


@dataclass(frozen=True)
class SiteTable:
    """One row per site and year."""

    site_id: NDArray[Any]
    year: NDArray[np.int64]
    label: NDArray[Any]
    group: NDArray[Any]
    values: NDArray[np.float32]
    """(n, feature)."""
    plain: NDArray[np.float32]
    """(n, feature of the plain forest)."""
    names: tuple[str, ...]
    source: str
    simulated: bool
    recipe: str
    """JSON; empty where the file does not say."""

    def __len__(self) -> int:
        return len(self.label)

    def part(self, rows: NDArray[Any]) -> "SiteTable":
        """Some of the rows."""
        columns = ("site_id", "year", "label", "group", "values", "plain")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


def read_sites(path: Path) -> SiteTable:
    """Raises `bad_sample` where the file is no table of features, has gaps, or mixes sources."""
    try:
        table = parquet.read_table(path)
        facts = {name: table[name].to_numpy() for name in _FACTS}
        columns = [name for name in table.column_names if name not in _FACTS]
        values = {name: table[name].to_numpy().astype(np.float32) for name in columns}
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        raise bad_sample(f"{path.name} is no table of site features: {error}") from error
    if gaps := sorted(name for name, column in values.items() if not np.isfinite(column).all()):
        raise bad_sample(f"{path.name} has gaps in {', '.join(gaps[:5])} ({len(gaps)} features)")
    if len(sources := sorted(set(facts["source"]))) != 1:
        raise bad_sample(f"{path.name} has sites of the sources {', '.join(sources) or 'none'}")
    names = tuple(name for name in columns if not name.startswith(PLAIN))
    return SiteTable(
        site_id=facts["site_id"].astype(str),
        year=facts["year"].astype(np.int64),
        label=facts["class_code"].astype(str),
        group=facts["group"].astype(str),
        values=_matrix(values, names),
        plain=_matrix(values, tuple(name for name in columns if name.startswith(PLAIN))),
        names=names,
        source=sources[0],
        simulated=bool(facts["simulated"].any()),
        recipe=(table.schema.metadata or {}).get(b"recipe", b"").decode(),
    )


def usable(sites: SiteTable, grouping: Mapping[str, str], min_sites: int) -> tuple[SiteTable, dict[str, int]]:
    """Sites of types that can be learnt, ascending by id and year, and how many are left out by reason.

    A type needs `min_sites` sites in two groups at least: one that lives in a single group cannot be judged on a group
    that was not trained on. Raises `bad_config` for a grouping of codes that the survey lacks, `bad_sample` where
    fewer than two types are left.
    """
    if unknown := sorted(set(grouping) - set(sites.label)):
        known = ", ".join(sorted(set(sites.label) - set(_NO_TYPE)))
        raise StepError(
            "bad_config", f"The grouping names {', '.join(unknown)}, the survey has {known}.", "Name codes it has."
        )
    sites = sites.part(np.lexsort([sites.year, sites.site_id]))
    sites = replace(sites, label=np.array([grouping.get(code, code) for code in sites.label]))
    without = np.isin(sites.label, _NO_TYPE)
    left_out = Counter({"no type": int(without.sum())})
    sites = sites.part(~without)
    keep = np.ones(len(sites), dtype=bool)
    for label in sorted(set(sites.label)):
        mine = sites.label == label
        number, groups = len(set(sites.site_id[mine])), len(set(sites.group[mine]))
        if number < min_sites or groups < 2:
            reason = f"fewer than {min_sites} sites" if number < min_sites else "in one group only"
            left_out[f"{label}: {reason}"] = number
            keep &= ~mine
    sites = sites.part(keep)
    if len(set(sites.label)) < 2:
        raise bad_sample(f"fewer than two types can be learnt; left out: {dict(+left_out)}")
    return sites, dict(+left_out)


def bad_sample(reason: str) -> StepError:
    return StepError("bad_sample", f"{reason}.", "Make it with gdal.site_features; survey more sites if it is small.")


def _matrix(values: Mapping[str, NDArray[np.float32]], names: tuple[str, ...]) -> NDArray[np.float32]:
    some = next(iter(values.values()))
    return np.column_stack([values[name] for name in names]) if names else np.zeros((len(some), 0), np.float32)
