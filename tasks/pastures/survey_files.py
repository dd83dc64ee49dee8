"""A user's survey files, taken into the store with nothing interpreted: every column is text, "NA" is a text too."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import geopandas
import pyarrow
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from containers.base.contract.step import StepError
from containers.gdal.contract.survey import SurveyFile
from tasks.store import Store

_HINT: Final = "Give a shapefile with its .dbf, .shx and .prj, a GeoJSON or a GeoPackage of one layer."


def take_survey_files(store: Store, paths: Iterable[str]) -> tuple[SurveyFile, ...]:
    """The files in the store, in the order given. Raises `missing_file`, `bad_sample`."""
    store.scratch.mkdir(parents=True, exist_ok=True)
    taken = []
    for path in paths:
        if not Path(path).is_file():
            raise StepError(
                "missing_file", f"{path!r} is no file where the flow runs.", "Correct the path in the parameters."
            )
        with tempfile.TemporaryDirectory(dir=store.scratch) as folder:
            taken.append(
                SurveyFile(name=Path(path).name, file=store.import_file(as_geoparquet(Path(path), Path(folder))))
            )
    return tuple(taken)


def as_geoparquet(source: Path, folder: Path) -> Path:
    """The file as GeoParquet: columns by their names as text, geometry and coordinate system as they are.

    A shapefile's `.cpg` tells its encoding. Raises `bad_sample` for a file that cannot be read, has several layers or
    no geometry.
    """
    try:
        layers = pyogrio.list_layers(source)
        if len(layers) != 1:
            raise _bad(source, f"has {len(layers)} layers: {', '.join(layers[:, 0])}")
        facts, table = pyogrio.read_arrow(source)
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise _bad(source, f"cannot be read: {error}") from error
    geometry = facts["geometry_name"] or "wkb_geometry"
    if facts["geometry_type"] is None or not table.num_rows:
        raise _bad(source, "holds no geometry")
    texts = {name: _texts(table[name]) for name in table.column_names if name != geometry}
    frame = geopandas.GeoDataFrame(
        texts, geometry=shapely.from_wkb(table[geometry].to_numpy(zero_copy_only=False)), crs=facts["crs"]
    )
    path = folder / f"{source.stem}.parquet"
    frame.to_parquet(path, index=False, compression="zstd")
    return path


def _texts(column: pyarrow.ChunkedArray) -> list[str | None]:
    """Numbers and dates as they are written in short, null where there is nothing."""
    texts: list[str | None] = column.cast(pyarrow.string()).to_pylist()
    return texts


def _bad(source: Path, reason: str) -> StepError:
    return StepError("bad_sample", f"{source.name} {reason}.", _HINT)
