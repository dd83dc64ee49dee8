"""The sites of one tile, as the step `survey` wrote them."""

from pathlib import Path

import geopandas
import pandas as pd

from containers.base.contract.step import StepError
from containers.gdal.site_file import SITE_COLUMNS

_TOLD = 5


def read_sites(path: Path, tile: str) -> pd.DataFrame:
    """`SITE_COLUMNS` of the sites that are read from a tile, ascending by name.

    Raises `bad_sample` where columns are missing or names repeat, `no_common_tile` where the tile has no site.
    """
    try:
        survey = geopandas.read_parquet(path)
    except (ValueError, OSError) as error:
        raise _refused(f"{path.name} is no GeoParquet: {error}") from error
    survey = survey.rename(columns={"tile": "tile_of_site"})
    if missing := [name for name in SITE_COLUMNS if name not in {*survey.columns, "lon", "lat"}]:
        raise _refused(f"{path.name} lacks the columns {missing}; it has {list(survey.columns)}")
    own = survey[survey["tile_of_site"] == tile].sort_values("site_id", ignore_index=True)
    if own.empty:
        reason = f"No site is read from {tile}; sites are read from {sorted(survey['tile_of_site'].unique())}."
        raise StepError("no_common_tile", reason, "Give slices of one of these tiles.")
    if (repeated := own["site_id"].duplicated()).any():
        raise _refused(f"names of sites repeat: {told(own['site_id'][repeated])}")
    columns = {name: own[name] for name in SITE_COLUMNS if name in own}
    table = pd.DataFrame(columns | {"lon": own.geometry.x, "lat": own.geometry.y})
    texts = [name for name, dtype in SITE_COLUMNS.items() if dtype is object]
    table[texts] = table[texts].astype(object).where(table[texts].notna(), "")
    return table.astype(SITE_COLUMNS)[list(SITE_COLUMNS)]


def told(names: "pd.Series[str]") -> str:
    """How many, and the first few.

    >>> told(pd.Series(["a", "b"]))
    '2 sites: a, b'
    """
    several = "site" if len(names) == 1 else "sites"
    return f"{len(names):,} {several}: {', '.join(names[:_TOLD])}" + (", …" if len(names) > _TOLD else "")


def _refused(reason: str) -> StepError:
    return StepError("bad_sample", f"{reason}.", "Give the sites that gdal.survey wrote.")
