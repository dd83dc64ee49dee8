"""Survey files and tiles, small enough to check by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import Transformer

from containers.base.contract.files import File, output_file
from containers.gdal.contract.survey import SurveyFields, SurveyFile, SurveyParams
from containers.gdal.survey import run

SIDE_M = 109_800
CORNERS = {
    "31TFJ": (600_000, 4_900_020),
    "31TFK": (600_000, 5_000_040),
    "31TGK": (699_960, 5_000_040),
    "31TGL": (699_960, 5_100_000),
    "32TLP": (300_000, 4_900_020),
    "32TLQ": (300_000, 5_000_040),
    "32TLR": (300_000, 5_100_000),
}
"""West and north edge of Sentinel-2 tiles in the metres of their zones."""
FIELDS = SurveyFields(site_id="id", class_code="typo")


def outline(tile: str) -> str:
    """WKT in degrees, as exact as a straight line between vertices 10 km apart is."""
    west, north = CORNERS[tile]
    square = shapely.segmentize(shapely.box(west, north - SIDE_M, west + SIDE_M, north), 10_000)
    to_degrees = Transformer.from_crs(32600 + int(tile[:2]), 4326, always_xy=True)
    return str(shapely.transform(square, lambda xy: pd.DataFrame(to_degrees.transform(*xy.T)).T.to_numpy()).wkt)


def survey_file(
    folder: Path, name: str, geometry: Sequence[Any], columns: Mapping[str, Sequence[object]], epsg: int | None
) -> SurveyFile:
    """A file as the host takes it into the store."""
    path = folder / f"{name}.parquet"
    gpd.GeoDataFrame(columns, geometry=list(geometry), crs=epsg).to_parquet(path)
    return SurveyFile(name=name, file=stored(path))


def stored(path: Path) -> File:
    return output_file(path).model_copy(update={"href": f"store:{path.name}"})


def surveyed(
    folder: Path, *files: SurveyFile, tiles: Sequence[str] = ("31TGL",), **fields: Any
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Sites and notices of a run; everything in the notices is text."""
    params = SurveyParams(files=files, tiles={tile: outline(tile) for tile in tiles}, **({"fields": FIELDS} | fields))
    out = folder / "out"
    out.mkdir(exist_ok=True)
    result = run(params, out)
    sites = gpd.read_parquet(out / result.sites.href)
    assert result.n_sites == len(sites) == sum(result.classes.values())
    return sites, pd.read_csv(out / result.notices.href, dtype=str, keep_default_na=False)
