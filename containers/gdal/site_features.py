"""Features of survey sites, one row per site and year: what a classifier of vegetation types learns from."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, progress
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.contract.type_features import FeatureRecipe, SiteFeaturesParams, SiteFeaturesResult, Terrain
from containers.gdal.season import years_of
from containers.gdal.site_file import SiteFile, open_site_file
from containers.gdal.terrain_places import terrain_at
from containers.gdal.type_features import axis_days, features_of, in_axis, masked, observations_of

_BLOCK_SITES: Final = 4096
"""Of 70 slices: 115 MB of spectra."""
_PLAIN: Final = "plain "
_DAY_SECONDS: Final = 86_400
_OF_SITE: Final = ("site_id", "class_code", "group", "massif", "polygon_id")


class Origin(NamedTuple):
    """Where the spectra of one year come from."""

    source: str
    simulated: bool


class Block(NamedTuple):
    """Some sites with everything known of them."""

    sites: pd.DataFrame
    reflectance: NDArray[np.float32]
    """(site, time, band)."""
    layers: NDArray[np.int8]
    """(site, time, layer)."""
    days: NDArray[np.int32]
    """(time,) since 1970."""
    terrain: NDArray[np.float32] | None
    """(site, 3)."""


def plain_recipe(recipe: FeatureRecipe) -> FeatureRecipe:
    """Of the forest that classifiers are compared with: medians of eight periods, whatever else the recipe says."""
    plain = {"sets": ("medians",), "indices": ("ndvi", "ndmi"), "periods": 8, "mask_snow": False}
    return recipe.model_copy(update=plain)


def run(params: SiteFeaturesParams, out: Path) -> SiteFeaturesResult:
    """Raises `bad_dataset` where the file is none or mixes sources, `unknown_band`, `bad_config`, `no_valid_pixels`."""
    if "terrain" in params.recipe.sets and not params.terrain:
        raise StepError("bad_config", "The recipe has the set terrain, no terrain is given.", "Give one per tile.")
    with open_site_file(local_path(params.dataset)) as dataset:
        rows = list(_rows(dataset, params))
    table = pd.concat([part for part, _ in rows], ignore_index=True).sort_values(["site_id", "year"])
    left_out = sum((reasons for _, reasons in rows), Counter[str]())
    if not len(table):
        raise StepError(
            "no_valid_pixels", f"No site has features: {dict(left_out)}.", "Lower min_observations, or add slices."
        )
    names = tuple(name for name in table.columns[len(_OF_SITE) + 4 :] if not name.startswith(_PLAIN))
    path = _write(out / "features.parquet", table, params.recipe)
    return SiteFeaturesResult(features=output_file(path), names=names, left_out=dict(sorted(left_out.items())))


def origins(slices: pd.DataFrame, years: NDArray[np.intp]) -> dict[int, Origin]:
    """Calendar year to the source of its slices; raises `bad_dataset` where it is not one and the same.

    `years` (slice,). What one system corrects otherwise than the other would show as vegetation.
    """
    found = {}
    for year in np.unique(years):
        part = slices[years == year]
        if len(sources := sorted(set(part["source"]))) > 1 or sources == [""]:
            raise StepError(
                "bad_dataset",
                f"The slices of {year} are of the sources {', '.join(source or 'not known' for source in sources)}.",
                "Make one dataset per source: esa or maja.",
            )
        found[int(year)] = Origin(sources[0], bool(part["simulated"].any()))
    return found


def _rows(dataset: SiteFile, params: SiteFeaturesParams) -> Iterator[tuple[pd.DataFrame, Counter[str]]]:
    sites, slices, recipe = dataset.header.sites, dataset.header.slices, params.recipe
    bands = _columns(dataset.header.bands)
    days = (slices["time"].to_numpy() // _DAY_SECONDS).astype(np.int32)
    for first in range(0, len(sites), _BLOCK_SITES):
        block = slice(first, first + _BLOCK_SITES)
        seen = dataset.read(sites=block)
        part = Block(
            sites.iloc[block],
            seen.reflectance.swapaxes(0, 1)[..., bands],
            seen.layers.T,
            days,
            _terrain(params, sites.iloc[block]),
        )
        for year, origin in origins(slices, years_of(days)).items():
            if not in_axis(days, axis_days(recipe, year)).any():
                continue
            yield _of_year(part, year, origin, recipe)
        progress(min(first + _BLOCK_SITES, len(sites)), len(sites), "features of sites")


def _of_year(block: Block, year: int, origin: Origin, recipe: FeatureRecipe) -> tuple[pd.DataFrame, Counter[str]]:
    """The rows of one year, and how many sites have none by reason."""
    sites, days = block.sites.reset_index(drop=True), block.days
    spectra = masked(block.reflectance, block.layers, recipe)
    values, names = features_of(spectra, days, year, recipe, block.terrain)
    plain = plain_recipe(recipe)
    plain_values, plain_names = features_of(masked(block.reflectance, block.layers, plain), days, year, plain)
    observations = observations_of(spectra, days, axis_days(recipe, year))
    few = observations < recipe.min_observations
    known = np.asarray(np.isfinite(values).all(axis=1))
    facts: dict[str, Any] = {name: sites[name].to_numpy() for name in _OF_SITE}
    facts |= {"year": year, "source": origin.source, "simulated": origin.simulated, "observations": observations}
    columns = [*names, *(f"{_PLAIN}{name}" for name in plain_names)]
    features = pd.DataFrame(np.column_stack([values, plain_values]), columns=columns)
    table = pd.concat([pd.DataFrame(facts), features], axis=1).loc[np.flatnonzero(known)]
    reasons = {f"seen less than {recipe.min_observations} times": few, "no value of a feature": ~few & ~known}
    return table, Counter({reason: int(where.sum()) for reason, where in reasons.items() if where.any()})


def _columns(bands: tuple[str, ...]) -> list[int]:
    if missing := sorted(set(TEN_BANDS) - set(bands)):
        raise StepError("unknown_band", f"The dataset lacks the bands {', '.join(missing)}.", "Give all ten bands.")
    return [bands.index(band) for band in TEN_BANDS]


def _terrain(params: SiteFeaturesParams, sites: pd.DataFrame) -> NDArray[np.float32] | None:
    """(site, 3) from the first terrain that holds a site; NaN where none does."""
    if "terrain" not in params.recipe.sets:
        return None
    return _first_that_holds(params.terrain, sites)


def _first_that_holds(terrains: tuple[Terrain, ...], sites: pd.DataFrame) -> NDArray[np.float32]:
    found = np.full((len(sites), 3), np.nan, np.float32)
    x_m, y_m, zones = (sites[name].to_numpy() for name in ("x_m", "y_m", "epsg"))
    for terrain in terrains:
        for epsg in np.unique(zones[zones > 0]):
            waiting = np.flatnonzero((zones == epsg) & ~np.isfinite(found).all(axis=1))
            found[waiting] = terrain_at(terrain, x_m[waiting], y_m[waiting], int(epsg))
    return found


def _write(path: Path, table: pd.DataFrame, recipe: FeatureRecipe) -> Path:
    """Parquet whose metadata `recipe` is the recipe as JSON: whoever uses a model compares it with the model's."""
    plain = pa.Table.from_pandas(table, preserve_index=False)
    parquet.write_table(
        plain.replace_schema_metadata({"recipe": recipe.model_dump_json()}), path, compression="zstd", version="2.6"
    )
    return path


if __name__ == "__main__":
    main(SiteFeaturesParams, run)
