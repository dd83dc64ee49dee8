"""Ground truth: the sites of a survey, each in one tile and at one place of its 10 m lattice, and what was wrong."""

from collections import Counter
from pathlib import Path
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, progress
from containers.gdal.contract.survey import SurveyParams, SurveyResult
from containers.gdal.survey_cells import NO_PLACES, Mode, places_of
from containers.gdal.survey_conflicts import without_conflicts
from containers.gdal.survey_features import Features, read_features, require_columns, unfit
from containers.gdal.survey_notices import Notice, require_none_refused, write_notices
from containers.gdal.survey_tiles import Located, Tile, locate, tiles_of

COLUMNS: Final = (
    "site_id", "tile", "epsg", "x_m", "y_m", "class_code", "group", "massif", "polygon_id", "file",
)  # fmt: skip


def sites_of(features: Features, located: Located, tiles: list[Tile], mode: Mode) -> tuple[pd.DataFrame, list[Notice]]:
    """A row per site of one file, and a notice per polygon without any."""
    placed = np.flatnonzero(located.tile >= 0)
    places = [places_of(geometry, mode) for geometry in located.geometry[placed]]
    counts = np.array([len(found.number) for found in places], dtype=np.intp)
    rows = np.repeat(placed, counts)
    facts = features.table.iloc[rows].reset_index(drop=True)
    is_point = np.repeat(shapely.get_type_id(located.geometry[placed]) == shapely.GeometryType.POINT, counts)
    numbers, x_m, y_m = (np.concatenate(parts) for parts in zip(NO_PLACES, *places, strict=True))
    sites = pd.DataFrame(
        {
            "site_id": facts["name"].where(is_point, facts["name"] + "_" + numbers.astype(str)),
            "tile": [tiles[number].name for number in located.tile[rows]],
            "epsg": [tiles[number].epsg for number in located.tile[rows]],
            "x_m": x_m,
            "y_m": y_m,
            **{name: facts[name] for name in ("class_code", "group", "massif")},
            "polygon_id": facts["name"].where(~is_point, ""),
            "file": features.file,
        }
    )
    nothing = "no place of the 10 m lattice lies in this polygon"
    return sites, [features.notice("no_cell", row, nothing) for row in placed[counts == 0].tolist()]


def run(params: SurveyParams, out: Path) -> SurveyResult:
    """Raises `bad_sample` with a list of what is refused; nothing is written before all of it is known."""
    tiles = tiles_of(params.tiles)
    tables, notices, columns = [], list[Notice](), set[str]()
    for done, file in enumerate(params.files, start=1):
        features = read_features(local_path(file.file), file.name, params.fields, params.unclassed)
        columns |= features.columns
        if found := unfit(features):
            notices += found
            continue
        located = locate(features, tiles, keep_declared=params.points == "lower_left")
        table, without = sites_of(features, located, tiles, params.points)
        tables.append(table)
        notices += [*located.notices, *without]
        progress(done, len(params.files), file.name)
    require_columns(params.fields, columns)
    require_none_refused(notices)
    within: Literal["epsg", "tile"] = "epsg" if params.points == "pixel" else "tile"
    sites, conflicts = without_conflicts(pd.concat(tables, ignore_index=True), within)
    if sites.empty:
        raise StepError(
            "bad_sample",
            f"No site is left: {dict(Counter(notice.code for notice in [*notices, *conflicts]))}.",
            "Look for contradictory labels and for polygons smaller than a cell.",
        )
    path = _write(sites, out / "sites.parquet")
    classes = Counter(sites["class_code"])
    return SurveyResult(
        sites=output_file(path),
        notices=write_notices([*notices, *conflicts], out / "notices.csv"),
        n_sites=len(sites),
        classes=dict(sorted(classes.items())),
    )


def _write(sites: pd.DataFrame, path: Path) -> Path:
    lon, lat = np.zeros(len(sites)), np.zeros(len(sites))
    for epsg in sorted(set(sites["epsg"])):
        rows = np.flatnonzero(sites["epsg"] == epsg)
        metres = sites["x_m"].to_numpy(float)[rows], sites["y_m"].to_numpy(float)[rows]
        lon[rows], lat[rows] = transform(CRS.from_epsg(epsg), CRS.from_epsg(4326), *metres)
    table = sites[list(COLUMNS)].astype({"epsg": "int32", "x_m": "float64", "y_m": "float64"})
    frame = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs=4326)
    frame.to_parquet(path, index=False, compression="zstd")
    return path


if __name__ == "__main__":
    main(SurveyParams, run)
