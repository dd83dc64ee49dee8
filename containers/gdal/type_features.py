"""Features of vegetation types from one year of spectra: the same numbers for a survey site and for a cell of a map.

Pure: arrays in, arrays out. A *spectrum* is the reflectance of one place on one day in the bands `TEN_BANDS`; it is
whole or it is NaN.
"""

from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.gdal.contract.cut import LAYERS, TEN_BANDS
from containers.gdal.contract.fill import Filling
from containers.gdal.contract.type_features import FeatureRecipe
from containers.gdal.curve import bridged
from containers.gdal.curve_engines import fitted
from containers.gdal.snow import INDEX as SNOW_INDEX
from containers.gdal.type_indices import type_index
from containers.gdal.type_season import SEASON, season_of
from containers.gdal.type_terrain import TERRAIN, terrain_of

Values = NDArray[np.float32]
Days = NDArray[np.int32]
_COMMON_YEAR = 2001
"""Names of dates are those of a year without 29 February, so that every year has the same names."""
_EPOCH = date(1970, 1, 1)
_MARGIN_DAYS: Final = 60
"""Observations that much before and after the time axis take part in its curves, others do not."""
_MOST: Final = 1.0
"""Brighter than a white surface that faces the sun: a cloud, or a slope whose light was corrected too much."""


def masked(reflectance: Values, layers: NDArray[np.int8], recipe: FeatureRecipe) -> Values:
    """Spectra of which cloud and shadow are NaN, and snow if the recipe says so; (n, time, band).

    `reflectance` (n, time, band) with NaN; `layers` (n, time, layer) in the order of `LAYERS`: 1 yes, anything else
    no or not known. Whatever the layers say, a spectrum is left out whole where a band is missing, not above 0, or
    above 1.
    """
    named = dict(zip(LAYERS, np.moveaxis(layers, -1, 0) == 1, strict=True))
    hidden = named["cloud"] | named["shadow"]
    bands = dict(zip(TEN_BANDS, np.moveaxis(reflectance, -1, 0), strict=True))
    if recipe.mask_snow:
        hidden = hidden | named["snow"] | (type_index("ndsi", bands) > SNOW_INDEX)
    sound: NDArray[np.bool_] = ((reflectance > 0) & (reflectance <= _MOST)).all(axis=-1) & ~hidden
    return np.where(sound[..., np.newaxis], reflectance, np.float32(np.nan)).astype(np.float32)


def axis_names(recipe: FeatureRecipe) -> tuple[str, ...]:
    """The dates of the time axis as MM-DD."""
    first, last = (date.fromisoformat(f"{_COMMON_YEAR}-{day}") for day in (recipe.first, recipe.last))
    steps = range(0, (last - first).days + 1, recipe.every_days)
    return tuple(f"{first + timedelta(days=step):%m-%d}" for step in steps)


def axis_days(recipe: FeatureRecipe, year: int) -> Days:
    """The same dates of a year as days since 1970."""
    return np.array([(date.fromisoformat(f"{year}-{day}") - _EPOCH).days for day in axis_names(recipe)], np.int32)


def features_of(
    spectra: Values, days: Days, year: int, recipe: FeatureRecipe, terrain: Values | None = None
) -> tuple[Values, tuple[str, ...]]:
    """Features (n, feature) float32 and their names; NaN rows where a place was seen on too few days.

    `spectra` (n, time, band) as `masked` gives them, `days` (time,) since 1970 in ascending order, `terrain` (n, 3)
    height in metres, slope and aspect in degrees (−1 flat), which only the set `terrain` asks for.
    """
    axis = axis_days(recipe, year)
    near = (days >= axis[0] - _MARGIN_DAYS) & (days <= axis[-1] + _MARGIN_DAYS)
    spectra, days = spectra[:, near], days[near]
    known = observations_of(spectra, days, axis) >= recipe.min_observations
    parts = [part(spectra[known], days, axis, recipe) for name, part in _PARTS.items() if name in recipe.sets]
    if "terrain" in recipe.sets:
        if terrain is None:
            raise ValueError("the set terrain needs the terrain of every place")
        parts.append(dict(zip(TERRAIN, terrain_of(terrain[known]), strict=True)))
    columns = {name: column for part in parts for name, column in part.items()}
    values = np.full((len(spectra), len(columns)), np.nan, dtype=np.float32)
    values[known] = np.column_stack(list(columns.values()))
    return values, tuple(columns)


def observations_of(spectra: Values, days: Days, axis: Days) -> NDArray[np.int64]:
    """Spectra of every place within the time axis, (n,)."""
    return np.asarray(np.isfinite(spectra[:, in_axis(days, axis)]).all(axis=-1).sum(axis=1))


def in_axis(days: Days, axis: Days) -> NDArray[np.bool_]:
    """Days from the first to the last date of the axis, (time,)."""
    inside: NDArray[np.bool_] = (days >= axis[0]) & (days <= axis[-1])
    return inside


def _bands_of(spectra: Values) -> dict[str, Values]:
    """Band to its values (n, time)."""
    return dict(zip(TEN_BANDS, np.moveaxis(spectra, -1, 0), strict=True))


def _indices(spectra: Values, recipe: FeatureRecipe) -> dict[str, Values]:
    """Index to its values (n, time)."""
    bands = _bands_of(spectra)
    return {name: type_index(name, bands) for name in recipe.indices}


def _filled(layer: Values, days: Days, axis: Days, filling: Filling) -> Values:
    """The curve of every place at the dates of the axis, (n, date)."""
    values = layer.T.astype(np.float64)
    curve = fitted(filling, days, axis, values, np.isfinite(values))
    return curve.values.T.astype(np.float32)


def _curves(spectra: Values, days: Days, axis: Days, recipe: FeatureRecipe) -> dict[str, Values]:
    return _on_axis(_indices(spectra, recipe), days, axis, recipe, recipe.filling)


def _bands(spectra: Values, days: Days, axis: Days, recipe: FeatureRecipe) -> dict[str, Values]:
    """What is too low for a curve of greenness is no cloud in a curve of reflectance: nothing is left out."""
    return _on_axis(_bands_of(spectra), days, axis, recipe, recipe.filling.model_copy(update={"dip": 0.0}))


def _on_axis(
    layers: dict[str, Values], days: Days, axis: Days, recipe: FeatureRecipe, filling: Filling
) -> dict[str, Values]:
    dates = axis_names(recipe)
    columns = {}
    for name, layer in layers.items():
        for day, column in zip(dates, _filled(layer, days, axis, filling).T, strict=True):
            columns[f"{name} {day}"] = column
    return columns


def _medians(spectra: Values, days: Days, axis: Days, recipe: FeatureRecipe) -> dict[str, Values]:
    """Medians per period of equal length; a period without an observation lies between its neighbours."""
    edges = np.linspace(axis[0], axis[-1] + 1, recipe.periods + 1)
    period = np.searchsorted(edges, days, side="right") - 1
    columns = {}
    for name, layer in (_bands_of(spectra) | _indices(spectra, recipe)).items():
        medians = np.full((recipe.periods, len(layer)), np.nan, dtype=np.float32)
        for number in range(recipe.periods):
            part = layer[:, period == number]
            some = np.isfinite(part).any(axis=1)
            medians[number, some] = np.nanmedian(part[some], axis=1)
        for number, column in enumerate(bridged(np.arange(recipe.periods, dtype=np.float32), medians), start=1):
            columns[f"{name} median {number}"] = column
    return columns


def _season(spectra: Values, days: Days, axis: Days, recipe: FeatureRecipe) -> dict[str, Values]:
    curve = _filled(type_index("ndvi", _bands_of(spectra)), days, axis, recipe.filling)
    new_year = axis[0] - date.fromisoformat(f"{_COMMON_YEAR}-{recipe.first}").timetuple().tm_yday
    metrics = season_of(axis - new_year, curve)
    return {f"season {name}": metric for name, metric in zip(SEASON, metrics, strict=True)}


_PARTS: Final = {"curves": _curves, "bands": _bands, "medians": _medians, "season": _season}
"""Set to its columns by name, from spectra (n, time, band), their days, the axis and the recipe."""
