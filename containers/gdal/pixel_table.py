"""The table of labelled pixels: its columns, written and read. docs/cloud_mask_model.md describes it for people."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from containers.base.contract.step import StepError
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.mask_forest import UNKNOWN

SCENE, TILE, ACQUIRED, LEVEL, BASELINE = "scene_id", "tile", "acquired", "level", "baseline"
SIMULATED, RESOLUTION_M, LABEL, CLOUD = "simulated", "mask_resolution_m", "label", "cloud"
REQUIRED: Final = (SCENE, TILE, ACQUIRED, LEVEL, BASELINE, SIMULATED, RESOLUTION_M, LABEL, CLOUD, *COMPONENTS)
_TEXTS: Final = (SCENE, TILE, ACQUIRED, LEVEL, BASELINE, LABEL)
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}
_SEE: Final = "docs/cloud_mask_model.md lists the columns; gdal.mask_table writes them."


def write_pixels(table: pd.DataFrame, path: Path) -> Path:
    """Write Parquet, the texts, which repeat, once each."""
    table.astype(dict.fromkeys(_TEXTS, "category")).to_parquet(path, index=False, compression="zstd")
    return path


def read_pixels(path: Path) -> pd.DataFrame:
    """The required columns, checked, from Parquet or CSV; `acquired` in UTC.

    Raises `bad_labels`, naming the column, the values seen and the rule.
    """
    table = _read(path)
    if missing := [name for name in REQUIRED if name not in table]:
        raise bad_labels(f"{path.name} lacks the columns {missing}; it has {list(table.columns)}", _SEE)
    table = table[list(REQUIRED)]
    if table.empty:
        raise bad_labels(f"{path.name} has no row", "Label some scenes; the ledger tells which were left out and why.")
    if blank := [name for name in REQUIRED if table[name].isna().any()]:
        raise bad_labels(f"{path.name} has empty cells in {blank}", "Fill them, or remove these rows.")
    for name in COMPONENTS:
        _require_values(table[name], (0, 1, UNKNOWN))
    _require_values(table[CLOUD], (0, 1))
    for name in (LEVEL, RESOLUTION_M):
        if table[name].nunique() > 1:
            raise bad_labels(
                f"{name} differs within {path.name}: {sorted(table[name].unique())}",
                "Train a model for each: their components are not the same features.",
            )
    checked = table.astype(dict.fromkeys((CLOUD, *COMPONENTS), np.uint8))
    checked[ACQUIRED], checked[SIMULATED] = _times(table[ACQUIRED]), _truth(table[SIMULATED])
    return checked


def bad_labels(reason: str, hint: str) -> StepError:
    return StepError("bad_labels", f"{reason}.", hint)


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".csv":
            return pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, "str"))
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise bad_labels(f"{path.name} is no table: {error}", "Give Parquet, or CSV with the suffix .csv.") from error


def _require_values(column: "pd.Series[int]", allowed: tuple[int, ...]) -> None:
    if not (is_allowed := column.isin(allowed)).all():
        seen = column[~is_allowed].unique()[:5].tolist()
        raise bad_labels(
            f"{column.name} holds {seen} in {(~is_allowed).sum()} rows; it may hold {', '.join(map(str, allowed))}",
            "0 is clear, 1 cloud, and a component that could not be computed is 255.",
        )


def _times(column: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    try:
        return pd.to_datetime(column.astype("str"), utc=True, format="ISO8601")
    except ValueError as error:
        raise bad_labels(
            f"{ACQUIRED} is not a time: {error}", "Write ISO 8601, such as 2018-07-03T10:00:31Z."
        ) from error


def _truth(column: "pd.Series[bool]") -> "pd.Series[bool]":
    flags = column.astype("str").str.lower().map(_FLAGS)
    if flags.isna().any():
        raise bad_labels(f"{SIMULATED} holds {column[flags.isna()].unique()[:5].tolist()}", "Write true or false.")
    return flags.astype(bool)
