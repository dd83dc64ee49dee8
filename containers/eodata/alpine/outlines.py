"""Where the pastures are: outlines with names, as a user would have them."""

from pathlib import Path
from typing import Final

import geopandas
import pyogrio
import shapely

from containers.base.contract.grid import Bounds
from containers.eodata.regions import regions, write_layer

_KEPT: Final = 0.26
"""How far a pasture's edge keeps off its surroundings' edge, as a share of the surroundings' width."""
_CORNER_M: Final = 40.0
MASSIFS: Final = ("Simulated West", "Simulated East")
_UNDATED: Final = "2000-01-01"


def pasture_outlines(seed: int, bounds: Bounds, count: int) -> geopandas.GeoDataFrame:
    """`count` pastures in EPSG:3035, apart from each other: pasture_id, name, massif."""
    surroundings = regions(seed, bounds, count)
    shapes = []
    for area in surroundings.geometry:
        kept = area.buffer(-_KEPT * area.area**0.5 / 2, join_style="round").simplify(_CORNER_M / 4)
        shapes.append(max(shapely.get_parts(kept), key=lambda part: part.area))
    middle_m = (bounds.west + bounds.east) / 2
    return geopandas.GeoDataFrame(
        {
            "pasture_id": [f"P{index:02d}" for index in range(1, count + 1)],
            "name": [f"{name} pasture" for name in surroundings["region_name"]],
            "massif": [MASSIFS[shape.centroid.x > middle_m] for shape in shapes],
        },
        geometry=shapes,
        crs=surroundings.crs,
    )


def write_outlines(pastures: geopandas.GeoDataFrame, epsg: int, out: Path) -> list[Path]:
    """`pastures.gpkg` in geographic coordinates holds all but the last one, `new_pasture.shp` that in `epsg`."""
    write_layer(pastures.iloc[:-1].to_crs(4326), out / "pastures.gpkg", "simulated_pastures")
    return [out / "pastures.gpkg", *write_shapefile(pastures.iloc[-1:].to_crs(epsg), out / "new_pasture.shp")]


def write_shapefile(frame: geopandas.GeoDataFrame, path: Path) -> list[Path]:
    """Write a Shapefile, the same bytes on any day; every part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile", DBF_DATE_LAST_UPDATE=_UNDATED, ENCODING="UTF-8")
    return sorted(path.parent.glob(f"{path.stem}.*"), key=lambda part: (part.suffix != ".shp", part.suffix))
