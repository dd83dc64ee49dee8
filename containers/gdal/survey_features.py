"""What a survey file says: one feature per row, its columns by the names of the parameters, its geometry as it is."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from containers.base.contract.step import StepError
from containers.gdal.contract.survey import SurveyFields
from containers.gdal.survey_notices import Notice

Geometries = NDArray[np.object_]
_SURVEYED: Final = ("Point", "Polygon", "MultiPolygon")
_HINT: Final = "Correct the file, or name its columns in the parameters."


class Features(NamedTuple):
    """Points and polygons of one file."""

    file: str
    crs: CRS | None
    """As the file declares it."""
    table: pd.DataFrame
    """Texts: name, class_code, group, massif; the empty text where there is none."""
    geometry: Geometries
    columns: frozenset[str]
    """Of the file."""

    def notice(self, code: str, row: int, reason: str) -> Notice:
        """About one feature, with the coordinates of the file."""
        name, class_code = self.table["name"].iloc[row], self.table["class_code"].iloc[row]
        return Notice(code, self.file, name, class_code, *_place(self.geometry[row]), reason)


def read_features(path: Path, name: str, fields: SurveyFields, unclassed: tuple[str, ...]) -> Features:
    """The features of one GeoParquet file. Raises `bad_sample` where a column is missing or there is no feature."""
    try:
        frame = gpd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise StepError("bad_sample", f"{name} cannot be read as GeoParquet: {error}.", "Take it in again.") from error
    if frame.empty:
        raise StepError("bad_sample", f"{name} holds no feature.", "Leave the file out.")
    texts = pd.DataFrame(frame.drop(columns=frame.geometry.name)).astype("object")
    texts = texts.where(texts.notna(), "").astype(str).reset_index(drop=True)
    numbered = [f"{name_stem(name)}_{number}" for number in range(1, len(texts) + 1)]
    names = _required(texts, fields.site_id, name).tolist() if fields.site_id else numbered
    class_code = _required(texts, fields.class_code, name)
    table = pd.DataFrame(
        {
            "name": [given or number for given, number in zip(names, numbered, strict=True)],
            "class_code": class_code.where(~class_code.isin(unclassed), ""),
            "group": _first_filled(texts, fields.group),
            "massif": _first_filled(texts, (fields.massif,) if fields.massif else ()),
        }
    )
    geometry = shapely.force_2d(frame.geometry.to_numpy())
    return Features(name, frame.crs, table, np.asarray(geometry, dtype=object), frozenset(texts.columns))


def name_stem(name: str) -> str:
    """The file's name up to its first dot: GeoJSON is often called `.shp.json`."""
    return name.split(".", 1)[0]


def unfit(features: Features) -> list[Notice]:
    """Features that are no sound point or polygon."""
    notices = []
    for row, geometry in enumerate(features.geometry):
        if geometry is None or geometry.is_empty:
            reason = "it has no geometry"
        elif geometry.geom_type not in _SURVEYED:
            reason = f"a {geometry.geom_type} is neither a point nor a polygon"
        elif not geometry.is_valid:
            reason = f"the polygon is not valid: {shapely.is_valid_reason(geometry)}"
        else:
            continue
        notices.append(features.notice("bad_geometry", row, reason))
    return notices


def require_columns(fields: SurveyFields, columns: set[str]) -> None:
    """Raises `bad_sample` where the group or the massif is in no file of a survey. Single files may lack them."""
    for what, asked in (("group", fields.group), ("massif", (fields.massif,) if fields.massif else ())):
        if asked and not any(column_of(sorted(columns), name) for name in asked):
            raise StepError(
                "bad_sample",
                f"No file has a column {' or '.join(asked)} for the {what}; seen: {sorted(columns)}.",
                _HINT,
            )


def column_of(columns: list[str], asked: str) -> str | None:
    """The column of that name; without it, the only one that differs in upper and lower case alone.

    >>> column_of(["ID", "id", "Typo"], "id"), column_of(["ID", "Typo"], "typo"), column_of(["ID", "Id"], "id")
    ('id', 'Typo', None)
    """
    if asked in columns:
        return asked
    alike = [column for column in columns if column.lower() == asked.lower()]
    return alike[0] if len(alike) == 1 else None


def _required(texts: pd.DataFrame, asked: str, file: str) -> Any:
    column = column_of(list(texts.columns), asked)
    if column is None:
        raise StepError(
            "bad_sample", f"{file} has no column {asked!r}, or several; it has {sorted(texts.columns)}.", _HINT
        )
    return texts[column].str.strip()


def _first_filled(texts: pd.DataFrame, asked: tuple[str, ...]) -> Any:
    """Of several columns the first text that is not empty, per row; columns that the file lacks are empty."""
    found = pd.Series("", index=texts.index, dtype=object)
    for name in asked:
        if column := column_of(list(texts.columns), name):
            found = found.where(found != "", texts[column].str.strip())
    return found


def _place(geometry: Any) -> tuple[float, float]:
    if geometry is None or geometry.is_empty:
        return np.nan, np.nan
    place = geometry.centroid
    return place.x, place.y
