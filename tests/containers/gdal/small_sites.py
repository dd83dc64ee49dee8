"""Slices, sites and spectra small enough to check by hand, in the form that `cut` and `survey` leave."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import h5py
import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.grid import transform_of
from containers.gdal.contract.cut import LAYERS, TEN_BANDS, Slice
from containers.gdal.site_file import SITE_COLUMNS, Header, Spectra, create_site_file
from tests.containers.gdal.conftest import RasterStore

NODATA, UNKNOWN = -32768, 255
GRID = Grid(epsg=32631, resolution_m=10, west_m=700_000, north_m=5_000_000, width=70, height=50)


def values_of(number: int, grid: Grid = GRID, bands: tuple[str, ...] = TEN_BANDS) -> NDArray[np.int16]:
    """Every cell of every band differs, (band, y, x)."""
    return np.random.default_rng(number).integers(-40, 9_000, (len(bands), *grid.shape)).astype(np.int16)


def made_slice(
    store: RasterStore,
    values: NDArray[np.int16],
    layers: NDArray[np.uint8] | None = None,
    *,
    grid: Grid = GRID,
    bands: tuple[str, ...] = TEN_BANDS,
    acquired: datetime = datetime(2020, 6, 1, 10, 30, 31, tzinfo=UTC),
    **facts: Any,
) -> Slice:
    """One acquisition as the step `cut` leaves it; without layers, nothing is masked."""
    folder = store.folder("gdal.cut")
    masks = np.zeros((len(LAYERS), *grid.shape), np.uint8) if layers is None else layers
    known: dict[str, Any] = {
        "source": "esa",
        "product_ids": (f"S2A_{acquired:%Y%m%dT%H%M%S}",),
        "platform": "S2A",
        "tile": "31TGK",
        "level": "L2A",
        "orbit": 108,
        "baseline": "05.00",
        "simulated": False,
        "shares": {"valid": 1.0, "cloud": 0.0, "shadow": 0.0, "snow": 0.0},
    }
    return Slice(
        acquired=acquired,
        grid=grid,
        bands=_tiled(store, folder / "bands.tif", values, grid, bands, NODATA),
        layers=_tiled(store, folder / "layers.tif", masks, grid, LAYERS, UNKNOWN),
        **(known | facts),
    )


def _tiled(
    store: RasterStore, path: Path, array: NDArray[Any], grid: Grid, names: tuple[str, ...], nodata: int
) -> File:
    profile = {"width": grid.width, "height": grid.height, "count": len(names), "dtype": array.dtype}
    place = {"crs": f"EPSG:{grid.epsg}", "transform": transform_of(grid), "nodata": nodata}
    blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16, "sparse_ok": True}
    with rasterio.open(path, "w", driver="GTiff", **profile, **place, **blocks) as sink:
        sink.descriptions = names
        sink.write(array)
    return store.file(path)


def made_sites(store: RasterStore, places: dict[str, tuple[float, float]], **columns: Any) -> File:
    """The sites as the step `survey` leaves them: name to easting and northing in metres of zone 31."""
    x_m, y_m = (np.array([place[axis] for place in places.values()]) for axis in (0, 1))
    facts: dict[str, Any] = {
        "site_id": list(places),
        "tile": "31TGK",
        "epsg": 32631,
        "x_m": x_m,
        "y_m": y_m,
        "class_code": "NAR",
        "group": "VANROS",
        "massif": "Vanoise",
        "polygon_id": "",
        "file": "survey.shp",
    }
    table = pd.DataFrame(facts | columns)
    points = geopandas.points_from_xy(x_m, y_m, crs=32631).to_crs(4326)
    path = store.folder("gdal.survey") / "sites.parquet"
    geopandas.GeoDataFrame(table, geometry=points).to_parquet(path, index=False)
    return store.file(path)


def made_dataset(
    store: RasterStore,
    reflectance: NDArray[np.floating[Any]],
    *,
    sites: dict[str, Any] | None = None,
    slices: dict[str, Any] | None = None,
    layers: NDArray[np.int8] | None = None,
    bands: tuple[str, ...] = TEN_BANDS,
) -> File:
    """A dataset of (time, site, band); a slice every ten days from 2020-05-01 on, sites named s0, s1, …"""
    n_times, n_sites, _ = reflectance.shape
    names = [f"s{number}" for number in range(n_sites)]
    empty = {name: "" if dtype is object else 0 for name, dtype in SITE_COLUMNS.items()}
    places = {"x_m": np.arange(n_sites) * 1_000.0, "y_m": 0.0, "class_code": "NAR", "group": "A"}
    table = pd.DataFrame(empty | places | {"site_id": names} | (sites or {}))
    start = int(datetime(2020, 5, 1, 10, 30, tzinfo=UTC).timestamp())
    facts = {
        "time": start + 864_000 * np.arange(n_times),
        "product_id": [f"P{number}" for number in range(n_times)],
        "tile": "31TGK",
        "platform": "S2A",
        "level": "L2A",
        "orbit": 108,
        "baseline": "05.00",
        "source": "esa",
        "simulated": 0,
        "mask_share": np.nan,
        "unmasked": "",
    }
    header = Header(table, pd.DataFrame(facts | (slices or {})), bands)
    masks = np.zeros((len(LAYERS), n_times, n_sites), np.int8) if layers is None else layers
    path = store.folder("gdal.site_spectra") / "spectra.nc"
    with create_site_file(path, header) as sink:
        for number in range(n_times):
            spectra = Spectra(reflectance[number].astype(np.float32), masks[:, number])
            sink.write(number, spectra, spectra.mask_share)
    return store.file(path)


def foreign_file(
    path: Path,
    bands: dict[str, NDArray[np.floating[Any]]],
    columns: dict[str, list[str]],
    *,
    units: str = "days since 2017-10-12",
    days: NDArray[np.integer[Any]] | None = None,
    attributes: dict[str, Any] | None = None,
) -> Path:
    """A NetCDF-4 of another system: (time, site) per band in the order given, byte strings per site."""
    n_times, n_sites = next(iter(bands.values())).shape
    with h5py.File(path, "w", track_order=True) as file:
        ids = columns["Id_sitesAS"] if "Id_sitesAS" in columns else [f"AB{number}" for number in range(n_sites)]
        file["Id_sitesAS"] = np.array([name.encode() for name in ids])
        file["Id_sitesAS"].make_scale("Id_sitesAS")
        file["time"] = np.arange(-n_times, 0, dtype=np.int32) if days is None else days
        file["time"].attrs["units"] = np.bytes_(units.encode())
        file["time"].make_scale("time")
        for name, values in bands.items():
            file[name] = values
            file[name].attrs.update(attributes or {})
            for axis, dimension in enumerate(("time", "Id_sitesAS")):
                file[name].dims[axis].attach_scale(file[dimension])
        for name, texts in columns.items():
            if name != "Id_sitesAS":
                file[name] = np.array([text.encode() for text in texts])
                file[name].dims[0].attach_scale(file["Id_sitesAS"])
    return path
