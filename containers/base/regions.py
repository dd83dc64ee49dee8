"""Regions of a polygon file: checked, and brought to a grid."""

from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import shapely
from pyogrio.errors import DataSourceError

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError, StepWarning

ALL: Final = "ALL"
"""The region id of the whole grid, which no region of a file may have."""
_EDGE_POINTS = 21
_SHOWN = 10
_WHOLE = 0.999


def read_regions(path: Path, grid: Grid, *, id_field: str, name_field: str = "") -> tuple[Any, tuple[StepWarning, ...]]:
    """The regions that share area with the grid, in its CRS, and a warning for those that do not or only in part.

    Columns of the GeoDataFrame: region_id, region_name (the id without `name_field`), inside_share (part of the
    region's area on the grid), geometry. Raises `bad_regions`.
    """
    frame = _read(path)
    fields = [id_field, *([name_field] if name_field else [])]
    if missing := [field for field in fields if field not in frame.columns]:
        raise _refused(f"{path.name} has no field {missing}; it has {sorted(set(frame.columns) - {'geometry'})}")
    _require_ids(frame[id_field])
    columns = {"region_id": frame[id_field].astype(str), "region_name": frame[fields[-1]].astype(str)}
    frame = gpd.GeoDataFrame(columns, geometry=frame.geometry)
    _require_polygons(frame)
    inside = _on_grid(frame, grid)
    if inside.empty:
        raise _refused(f"none of the {len(frame)} regions meets the grid {tuple(grid.bounds)} in EPSG:{grid.epsg}")
    return inside, _warnings(frame, inside)


def _read(path: Path) -> Any:
    try:
        frame = gpd.read_file(path)
    except DataSourceError as error:
        raise _refused(f"{path.name} cannot be read as a polygon file: {error}") from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        raise _refused(f"{path.name} holds no geometry")
    if frame.crs is None:
        raise _refused(f"{path.name} has no coordinate reference system")
    return frame


def _require_ids(ids: Any) -> None:
    if ids.isna().any():
        raise _refused(f"{int(ids.isna().sum())} regions have no id")
    if repeated := sorted(set(ids[ids.duplicated()].astype(str))):
        raise _refused(f"ids occur more than once: {_listed(repeated)}")
    if ALL in set(ids.astype(str)):
        raise _refused(f"a region has the id {ALL}, which stands for the whole grid")


def _require_polygons(frame: Any) -> None:
    for region, geometry in zip(frame["region_id"], frame.geometry, strict=True):
        if geometry is None or geometry.is_empty or geometry.geom_type not in ("Polygon", "MultiPolygon"):
            raise _refused(f"region {region} is no polygon but {getattr(geometry, 'geom_type', 'nothing')}")
        if not geometry.is_valid:
            raise _refused(f"region {region} is not valid: {shapely.is_valid_reason(geometry)}")


def _on_grid(frame: Any, grid: Grid) -> Any:
    outline = shapely.box(*grid.bounds)
    dense = shapely.segmentize(outline, max(grid.width, grid.height) * grid.resolution_m / _EDGE_POINTS)
    # Chosen in the file's CRS: far regions have no sound coordinates in the grid's.
    near = frame[frame.intersects(gpd.GeoSeries([dense], crs=grid.epsg).to_crs(frame.crs).iloc[0])]
    near = near.to_crs(grid.epsg)
    shared = near.geometry.intersection(outline).area
    return near.assign(inside_share=shared / near.geometry.area)[shared > 0].reset_index(drop=True)


def _warnings(frame: Any, inside: Any) -> tuple[StepWarning, ...]:
    warnings = []
    if outside := sorted(set(frame["region_id"]) - set(inside["region_id"])):
        reason = f"{len(outside)} of {len(frame)} regions do not meet the grid and are left out: {_listed(outside)}."
        warnings.append(StepWarning(code="regions_outside", reason=reason, hint="Enlarge the area of interest."))
    cut = inside[inside["inside_share"] < _WHOLE]
    if not cut.empty:
        shares = [f"{row.region_id} ({row.inside_share:.0%})" for row in cut.itertuples()]
        reason = f"{len(cut)} regions lie only partly on the grid: {_listed(shares)}."
        hint = "Their figures describe that part only; enlarge the area of interest for the whole."
        warnings.append(StepWarning(code="regions_cut", reason=reason, hint=hint))
    return tuple(warnings)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _refused(reason: str) -> StepError:
    return StepError("bad_regions", f"{reason}.", "Correct the regions file, or name its fields in the parameters.")
