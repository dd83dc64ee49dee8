"""The NetCDF-4 file of site spectra, written and read slice by slice: see `containers/gdal/contract/sites.py`.

It is HDF5 after the conventions of NetCDF-4 and CF 1.11, so that xarray, ncdump and every HDF5 reader open it;
docs/site_dataset.md describes it for people. The same content gives the same bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.base.contract.step import StepError
from containers.base.raster import raise_if_full
from containers.gdal.contract.cut import LAYERS

LAYOUT_VERSION: Final = 1
VERSION_NAME: Final = "clearground_sites"
NOT_KNOWN: Final = -1
"""Of a layer, at a site that the slice does not show or whose product lacks that mask."""
_CHUNK_SITES = 1024
_DEFLATE_LEVEL = 4
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.%10d"
"""The name by which the NetCDF library knows a dimension that has no values of its own."""
_TEXT = h5py.string_dtype()

SITE_COLUMNS: Final[dict[str, Any]] = {
    "site_id": object, "class_code": object, "group": object, "massif": object, "polygon_id": object,
    "tile_of_site": object, "epsg": np.int32, "x_m": np.float64, "y_m": np.float64, "lon": np.float64,
    "lat": np.float64,
}  # fmt: skip
"""Texts are empty, `epsg` 0 and coordinates NaN where they are not known."""
SLICE_COLUMNS: Final[dict[str, Any]] = {
    "time": np.int64, "product_id": object, "tile": object, "platform": object, "level": object, "orbit": np.int16,
    "baseline": object, "source": object, "simulated": np.int8, "mask_share": np.float32, "unmasked": object,
}  # fmt: skip
"""`time` in seconds since 1970-01-01 in UTC; texts are empty, `orbit` 0 and `mask_share` NaN where not known."""
_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "time": {
        "standard_name": "time",
        "units": "seconds since 1970-01-01 00:00:00",
        "calendar": "standard",
        "units_metadata": "leap_seconds: none",
    },
    "band": {"long_name": "band, by the common names of STAC"},
    "site_id": {"long_name": "name of the site", "cf_role": "timeseries_id"},
    "class_code": {"long_name": "vegetation class as surveyed, empty: none"},
    "group": {"long_name": "what sites have in common, such as the pasture"},
    "massif": {"long_name": "massif"},
    "polygon_id": {"long_name": "polygon that the site was made of, empty: a point"},
    "tile_of_site": {"long_name": "MGRS tile that the site is read from"},
    "epsg": {"long_name": "EPSG code of x_m and y_m, 0: not known"},
    "x_m": {"long_name": "easting", "units": "m"},
    "y_m": {"long_name": "northing", "units": "m"},
    "lon": {"standard_name": "longitude", "units": "degrees_east"},
    "lat": {"standard_name": "latitude", "units": "degrees_north"},
    "product_id": {"long_name": "products that the slice was cut from"},
    "tile": {"long_name": "MGRS tile"},
    "platform": {"long_name": "satellite"},
    "level": {"long_name": "processing level"},
    "orbit": {"long_name": "relative orbit, 0: not known"},
    "baseline": {"long_name": "processing baseline or version"},
    "source": {"long_name": "who made the reflectance: esa or maja"},
    "simulated": {"long_name": "1: a simulated product"},
    "mask_share": {"long_name": "share of the sites without a value, or with cloud, shadow or snow", "units": "1"},
    "unmasked": {"long_name": "layers that the product lacks"},
    "reflectance": {"long_name": "surface reflectance", "units": "1", "coordinates": "site_id lon lat"},
}


@dataclass(frozen=True)
class Header:
    """What a file is about."""

    sites: pd.DataFrame
    """`SITE_COLUMNS`, ascending by `site_id`, each once."""
    slices: pd.DataFrame
    """`SLICE_COLUMNS`, ascending by time, then tile and product. `mask_share` is written with the spectra."""
    bands: tuple[str, ...]


class Spectra(NamedTuple):
    """What some slices show of some sites."""

    reflectance: NDArray[np.float32]
    """(…, site, band), NaN where there is none."""
    layers: NDArray[np.int8]
    """(layer, …, site) in the order of `LAYERS`: 1 yes, 0 no, −1 not known."""

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Some band is known, (…, site)."""
        return np.asarray(np.isfinite(self.reflectance).any(axis=-1))

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Every band is known, and no layer says that the ground is hidden, (…, site)."""
        return np.asarray(np.isfinite(self.reflectance).all(axis=-1) & ~(self.layers == 1).any(axis=0))

    @property
    def mask_share(self) -> float:
        """Of the sites of one slice, the share that is not usable."""
        return float(1 - self.usable.mean())


class SiteFile:
    """An open file."""

    def __init__(self, file: Any, header: Header) -> None:
        self._file, self.header = file, header

    def read(self, slices: int | slice = slice(None), sites: slice = slice(None)) -> Spectra:
        """Of one slice (site, band), of several (time, site, band). Raises `bad_dataset` where the file is damaged."""
        try:
            layers = np.stack([self._file[name][slices, sites] for name in LAYERS])
            return Spectra(self._file["reflectance"][slices, sites, :], layers)
        except OSError as error:
            raise bad_dataset(f"{self._file.filename} cannot be read: {error}") from error


class Writer:
    """A file in the making."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, number: int, spectra: Spectra, mask_share: float) -> None:
        """All sites of one slice, and the share by which it is compared with others of its tile and day."""
        self._file["mask_share"][number] = mask_share
        self._file["reflectance"][number] = spectra.reflectance
        for name, layer in zip(LAYERS, spectra.layers, strict=True):
            self._file[name][number] = layer


@contextmanager
def create_site_file(path: Path, header: Header) -> Iterator[Writer]:
    """A file to write slice by slice, renamed into place on leaving. Raises `disk_full`."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with h5py.File(draft, "w") as file:
            _describe(file, header)
            yield Writer(file)
        draft.replace(path)
    except OSError as error:
        raise_if_full(path.parent, cause=error)
        raise
    finally:
        draft.unlink(missing_ok=True)


def is_site_file(path: Path) -> bool:
    """Whether a NetCDF file is one of ours. Raises `bad_dataset` where it is no NetCDF-4."""
    with open_netcdf(path) as file:
        return VERSION_NAME in file.attrs


@contextmanager
def open_site_file(path: Path) -> Iterator[SiteFile]:
    """A file to read. Raises `bad_dataset` where it is none, or its columns do not fit its dimensions."""
    with open_netcdf(path) as file:
        try:
            header = _header(path, file)
        except (KeyError, ValueError, OSError) as error:
            raise bad_dataset(f"{path.name} is no dataset of sites: {error}") from error
        yield SiteFile(file, header)


@contextmanager
def open_netcdf(path: Path) -> Iterator[Any]:
    """A NetCDF-4 file, which is HDF5. Raises `bad_dataset`."""
    try:
        file = h5py.File(path)
    except OSError as error:
        hint = "Give NetCDF-4; `nccopy -k nc4 in.nc out.nc` makes it of the older NetCDF-3."
        raise bad_dataset(f"{path.name} is no NetCDF-4: {error}", hint) from error
    with file:
        yield file


def bad_dataset(reason: str, hint: str = "Make it with gdal.site_spectra or gdal.import_spectra.") -> StepError:
    return StepError("bad_dataset", f"{reason}.", hint)


def _describe(file: Any, header: Header) -> None:
    """Everything but the spectra, and the layers empty."""
    file.attrs.update(
        {
            "Conventions": "CF-1.11",
            "title": "Spectra of survey sites",
            "source": "Sentinel-2",
            VERSION_NAME: LAYOUT_VERSION,
        }
    )
    file.create_dataset("site", (len(header.sites),), ">f4").make_scale(_NO_VARIABLE % len(header.sites))
    _column(file, "band", np.array(header.bands, object)).make_scale("band")
    _column(file, "time", header.slices["time"].to_numpy(np.int64)).make_scale("time")
    for axis, table, columns in (("site", header.sites, SITE_COLUMNS), ("time", header.slices, SLICE_COLUMNS)):
        for name, dtype in columns.items():
            if name != "time":
                _column(file, name, table[name].to_numpy(dtype)).dims[0].attach_scale(file[axis])
    _layer(file, "reflectance", ("time", "site", "band"), np.float32(np.nan))
    for name in LAYERS:
        _layer(file, name, ("time", "site"), np.int8(NOT_KNOWN))
        flags = {"flag_values": np.array([NOT_KNOWN, 0, 1], np.int8), "flag_meanings": "not_known no yes"}
        file[name].attrs.update({"long_name": f"{name} by the product's mask", **flags})


def _column(file: Any, name: str, values: NDArray[Any]) -> Any:
    dataset = file.create_dataset(name, data=values, dtype=_TEXT if values.dtype == object else None)
    dataset.attrs.update(_ATTRIBUTES[name])
    return dataset


def _layer(file: Any, name: str, axes: tuple[str, ...], fill: Any) -> None:
    shape = tuple(len(file[axis]) for axis in axes)
    dataset = file.create_dataset(
        name,
        shape,
        fill.dtype,
        chunks=(1, min(_CHUNK_SITES, shape[1]), *shape[2:]),
        shuffle=True,
        compression="gzip",
        compression_opts=_DEFLATE_LEVEL,
        fillvalue=fill,
    )
    for number, axis in enumerate(axes):
        dataset.dims[number].attach_scale(file[axis])
    dataset.attrs.update(_ATTRIBUTES.get(name, {}))
    if np.isnan(fill):
        dataset.attrs["_FillValue"] = fill


def _header(path: Path, file: Any) -> Header:
    if (version := file.attrs.get(VERSION_NAME)) != LAYOUT_VERSION:
        raise ValueError(f"{VERSION_NAME} is {version}, not {LAYOUT_VERSION}")
    sites, slices = _table(file, SITE_COLUMNS), _table(file, SLICE_COLUMNS)
    bands = tuple(file["band"].asstr()[:])
    for name in ("reflectance", *LAYERS):
        expected = (len(slices), len(sites), len(bands))[: 3 if name == "reflectance" else 2]
        if file[name].shape != expected or not all(expected):
            raise ValueError(f"{name} is {file[name].shape}, its dimensions are {expected}")
    if not (sites["site_id"].is_monotonic_increasing and sites["site_id"].is_unique):
        raise ValueError("site_id does not ascend, each once")
    if not slices["time"].is_monotonic_increasing:
        raise ValueError("time does not ascend")
    return Header(sites, slices, bands)


def _table(file: Any, columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: file[name].asstr()[:].astype(object) if dtype is object else file[name][:].astype(dtype)
            for name, dtype in columns.items()
        }
    )
