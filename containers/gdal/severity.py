"""Severity classes: tables as data, checked, and values to codes. What rasters of classes say of themselves."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from containers.base.contract.step import StepError
from containers.gdal.contract.burn import BurnRules, SeverityTable
from containers.gdal.intervals import interval_codes

UNKNOWN: Final = 0
"""The code of cells without a class, which is the rasters' nodata. Never unburned."""
UNKNOWN_NAME: Final = "unknown"
TABLES: Final = Path(__file__).with_name("rules") / "burn_severity.toml"
_TAG = "CLASS_"
_RAMP = "YlOrRd"


def table_of(rules: BurnRules, path: Path = TABLES) -> SeverityTable:
    """The table that the rules name.

    Raises `bad_config` where there is none of that name, it is made for another index, it is not in rising order
    without gaps, or it lacks the class from which cells count as burned.
    """
    table = rules.own_table or _named(rules, path)
    names = [one.name for one in table.classes]
    if rules.burned_from not in names:
        raise _refused(f"burned_from={rules.burned_from!r} is no class of the severity table: {names}", path)
    return table


def names_of(table: SeverityTable) -> dict[int, str]:
    """Code to name, from 1."""
    return {code: one.name for code, one in enumerate(table.classes, start=1)}


def colours_of(table: SeverityTable) -> dict[int, str]:
    """Code to colour: the table's, or one of a ramp."""
    ramp = mpl.colormaps[_RAMP](np.linspace(0, 1, len(table.classes)))
    return {code: one.colour or mpl.colors.to_hex(ramp[code - 1]) for code, one in enumerate(table.classes, start=1)}


def severity_codes(values: NDArray[np.floating], table: SeverityTable) -> NDArray[np.uint8]:
    """The class of every value, rounded to 4 decimals; 0 where it is NaN or outside the table."""
    return interval_codes(values, [table.classes[0].low, *(one.high for one in table.classes)])


def burned_code(table: SeverityTable, burned_from: str) -> int:
    """The lowest code that counts as burned."""
    return [one.name for one in table.classes].index(burned_from) + 1


def tags_of(names: Mapping[int, str]) -> dict[str, str]:
    """The legend as a raster's tags."""
    return {f"{_TAG}{code}": name for code, name in names.items()}


def names_in(dataset: Any) -> dict[int, str]:
    """The legend that an open raster carries in its tags. Raises `bad_labels` where it has none."""
    tags = dataset.tags()
    names = {int(key.removeprefix(_TAG)): name for key, name in tags.items() if key.startswith(_TAG)}
    if not names:
        raise StepError(
            "bad_labels", f"{dataset.name} carries no class names in its tags.", "Give a severity raster of gdal.burn."
        )
    return dict(sorted(names.items()))


def _named(rules: BurnRules, path: Path) -> SeverityTable:
    tables = tomllib.loads(path.read_text())
    name = rules.table or rules.index
    if name not in tables:
        raise _refused(f"There is no severity table {name!r}; there are {sorted(tables)}", path)
    if tables[name].get("index") != rules.index:
        raise _refused(f"The severity table {name!r} is for {tables[name].get('index')}, not for {rules.index}", path)
    try:
        return SeverityTable(classes=tables[name].get("classes", ()))
    except ValidationError as error:
        said = "; ".join(problem["msg"] for problem in error.errors())
        raise _refused(f"The severity table {name!r} cannot be used: {said}", path) from error


def _refused(reason: str, path: Path) -> StepError:
    return StepError("bad_config", f"{reason}.", f"Choose another, or correct {path.name}.")
