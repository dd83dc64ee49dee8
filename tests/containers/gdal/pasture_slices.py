"""Slices of a small pasture whose curve and snow are known, as `gdal.cut` writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.grid import crs_of, transform_of
from containers.gdal.contract.cut import LAYER_UNKNOWN, LAYERS, Slice
from containers.gdal.season import first_of_january

STENCIL = Grid(epsg=32631, resolution_m=10, west_m=750_000, north_m=5_030_000, width=24, height=20)
WINDOW = STENCIL.model_copy(update={"west_m": 750_040, "north_m": 5_029_970, "width": 12, "height": 10})
"""Of the pasture, inside the slices' own."""
PASTURE = shapely.box(750_050, 5_029_880, 750_150, 5_029_960)
"""10 by 8 cells of the window."""
CELLS = (slice(1, 9), slice(1, 11))
"""Rows and columns of the pasture in the window."""


def season(days: NDArray[Any], *, rise: float, fall: float, rates: tuple[float, float] = (0.12, 0.06)) -> Any:
    """A double logistic of NDVI from 0.2 to 0.7, (day,), in every year the same; days since 1970."""
    years = np.asarray(days, "datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    day = np.asarray(days) - np.array([first_of_january(int(year)) for year in years]) + 1
    up, down = 1 / (1 + np.exp(-rates[0] * (day - rise))), 1 / (1 + np.exp(rates[1] * (day - fall)))
    return 0.2 + 0.5 * (up + down - 1)


def _written(path: Path, layers: NDArray[Any], names: Sequence[str], nodata: int) -> Path:
    profile = {"driver": "GTiff", "dtype": layers.dtype, "nodata": nodata, "crs": crs_of(STENCIL)}
    profile |= {"count": len(layers), "height": STENCIL.height, "width": STENCIL.width}
    with rasterio.open(path, "w", transform=transform_of(STENCIL), **profile) as sink:
        sink.descriptions = tuple(names)
        sink.write(layers)
    return path


@dataclass
class PastureSlices:
    """Writes slices and the outline into a raster store."""

    store: Any

    def slice(self, day: int, ndvi: Any, *, bands: Sequence[str] = ("red", "nir"), **facts: Any) -> Slice:
        """`ndvi`, `snow`, `cloud` and `shadow` are numbers or arrays of the stencil's window."""
        layers = {name: np.broadcast_to(facts.pop(name, 0), STENCIL.shape).astype("uint8") for name in LAYERS}
        value = np.broadcast_to(np.asarray(ndvi, dtype=float), STENCIL.shape)
        reflectance = {"red": 0.2 * (1 - value), "nir": 0.2 * (1 + value), "blue": 0 * value}
        stack = np.stack([np.rint(reflectance[band] * 1e4) for band in bands]).astype("int16")
        folder = self.store.folder("gdal.cut")
        pixels = _written(folder / "bands.tif", stack, bands, nodata=-32768)
        masks = np.stack([layers[name] for name in LAYERS])
        masked = _written(folder / "layers.tif", masks, LAYERS, nodata=LAYER_UNKNOWN)
        return Slice(
            **{
                "source": "esa",
                "product_ids": (f"S2A_{day}",),
                "platform": "S2A",
                "tile": "31TGL",
                "acquired": datetime(1970, 1, 1, 10, 30, tzinfo=UTC) + timedelta(days=int(day)),
                "level": "L2A",
                "orbit": 8,
                "baseline": "05.09",
                "simulated": True,
                "grid": STENCIL,
                "bands": self.store.file(pixels),
                "layers": self.store.file(masked),
                "shares": {},
            }
            | facts
        )

    def outline(self, pastures: Sequence[str] = ("alp",), geometry: Any = PASTURE, epsg: int = 4326) -> File:
        path = self.store.folder("user") / "pastures.parquet"
        frame = gpd.GeoDataFrame({"pasture_id": list(pastures)}, geometry=[geometry] * len(pastures), crs=32631)
        frame.to_crs(epsg).to_parquet(path)
        return self.store.file(path)
