"""A NetCDF file of spectra that another system wrote: a variable (time, site) per band, and columns (site)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform

from containers.base.contract.step import StepError
from containers.base.sentinel2 import BANDS, band_of_number
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.contract.sites import SpectraFields
from containers.gdal.site_file import SITE_COLUMNS, bad_dataset

_NODATA_BELOW: Final = -0.09995
"""Half a digital number above −0.1: neither ESA (DN 1 is −0.0999) nor MAJA makes a lower reflectance."""
_UNITS: Final = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_SINCE = re.compile(r"^(days|hours|minutes|seconds) since (.+)$")
_NUMBER = re.compile(r"^b0*(\d{1,2})(a?)$")
_LETTERS = re.compile(r"^[^\W\d_]+")
_SEE: Final = "docs/site_dataset.md says which variables a file of spectra needs; `fields` names them."


class ForeignSpectra:
    """An open HDF5 file. Raises `bad_dataset` where a variable is missing or has other dimensions."""

    def __init__(self, file: Any, fields: SpectraFields) -> None:
        self._file, self._fields = file, fields
        self._variables = [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
        self._names = {name.lower(): name for name in self._variables}
        ids, time = self._variable(fields.site_id, "names the sites"), self._variable("time", "dates the slices")
        self._site, self._time = _dimension(ids), _dimension(time)
        self._bands = self._named_bands()
        self.bands = tuple(self._bands)
        self.seconds = seconds_of(time)
        self.order = np.argsort(self.seconds, kind="stable")
        self._site_order = np.argsort(self._names_of_sites(), kind="stable")

    def sites(self, epsg: int) -> pd.DataFrame:
        """`SITE_COLUMNS`, ascending by name; what the file does not say is empty, 0 or NaN."""
        fields, names = self._fields, self._names_of_sites()
        groups = [self._texts(field) for field in fields.group]
        x_m, y_m = (self._numbers(field) for field in (fields.x_m, fields.y_m))
        lon, lat = _degrees(x_m, y_m, epsg)
        table = pd.DataFrame(
            {
                "site_id": names,
                "class_code": self._texts(fields.class_code),
                "group": [group_of(*each) for each in zip(names, *groups, strict=True)],
                "massif": self._texts(fields.massif),
                "polygon_id": "",
                "tile_of_site": "",
                "epsg": epsg,
                "x_m": x_m,
                "y_m": y_m,
                "lon": lon,
                "lat": lat,
            }
        )
        return table.iloc[self._site_order].reset_index(drop=True).astype(SITE_COLUMNS)

    def rows(self) -> Iterator[NDArray[np.float32]]:
        """Reflectance (site, band) of one slice after the other, ascending by time, without nodata."""
        for number in self.order.tolist():
            try:
                row = np.stack([_unpacked(variable, variable[number]) for variable in self._bands.values()], axis=1)
            except OSError as error:
                raise bad_dataset(f"The file is damaged: {error}", "Copy it again from where it was made.") from error
            yield without_nodata(row[self._site_order])

    def missing_fields(self) -> list[str]:
        """Names among the fields that the file has no variable for."""
        fields = self._fields
        asked = (fields.class_code, *fields.group, fields.massif, fields.x_m, fields.y_m)
        return [name for name in dict.fromkeys(asked) if name and name.lower() not in self._names]

    def _names_of_sites(self) -> NDArray[np.object_]:
        names = self._texts(self._fields.site_id)
        kinds, counts = np.unique(names, return_counts=True)
        if "" in kinds or counts.max() > 1:
            raise _refused(f"sites have no name or share one: {kinds[(counts > 1) | (kinds == '')][:5].tolist()}")
        return names

    def _named_bands(self) -> dict[str, Any]:
        """Band name to its variable, in the order of the instrument, never in that of the file."""
        found = {}
        for name in self._variables:
            band, looks_like_one = band_name(name)
            if looks_like_one and (band is None or band in found):
                raise _refused(f"{name} is no band of Sentinel-2, or is there twice under different names")
            if band is not None:
                found[band] = self._of(name, (self._time, self._site))
        if missing := [band for band in TEN_BANDS if band not in found]:
            numbers = {band.name: band.number for band in BANDS}
            raise _refused(f"there is no variable for {', '.join(f'{numbers[each]} ({each})' for each in missing)}")
        return {band.name: found[band.name] for band in BANDS if band.name in found}

    def _variable(self, name: str, what_for: str) -> Any:
        if (own := self._names.get(name.lower())) is None:
            raise _refused(f"there is no variable {name!r}, which {what_for}; there are {sorted(self._variables)}")
        return self._file[own]

    def _of(self, name: str, expected: tuple[str, ...]) -> Any:
        variable = self._file[name]
        if (found := dimensions(variable)) != expected:
            raise _refused(f"{name} has the dimensions {found}, not {expected}")
        return variable

    def _texts(self, field: str) -> NDArray[np.object_]:
        if (name := self._names.get(field.lower())) is None:
            return np.full(len(self._file[self._names[self._fields.site_id.lower()]]), "", object)
        return np.array([_text(value) for value in self._of(name, (self._site,))[:]], object)

    def _numbers(self, field: str) -> NDArray[np.float64]:
        if (name := self._names.get(field.lower())) is None:
            return np.full(len(self._site_order), np.nan)
        return _unpacked(self._file[name], self._of(name, (self._site,))[:])


def band_name(variable: str) -> tuple[str | None, bool]:
    """The band that a variable holds, and whether its name looks like that of one.

    >>> band_name("B08A"), band_name("B8"), band_name("nir08"), band_name("B13"), band_name("x")
    (('nir08', True), ('nir', True), ('nir08', True), (None, True), (None, False))
    """
    if variable in {band.name for band in BANDS}:
        return variable, True
    if (match := _NUMBER.match(variable.lower())) is None:
        return None, False
    band = band_of_number(f"B{match[1]}A" if match[2] else f"B{match[1]:0>2}")
    return (band.name if band else None), True


def without_nodata(values: NDArray[Any]) -> NDArray[np.float32]:
    """Reflectance as float32, NaN where it was −0.1, −1.0 (nodata of −1000 and −10000, scaled) or lower."""
    with np.errstate(over="ignore"):
        stored = values.astype(np.float32)
    return np.where(np.isfinite(stored) & (stored >= _NODATA_BELOW), stored, np.float32(np.nan))


def group_of(site_id: str, *candidates: str) -> str:
    """The first that is not empty, else the letters at the start of the name, else the name.

    >>> group_of("VANROS12", "", "Vanoise"), group_of("VANROS12", "", ""), group_of("7", "")
    ('Vanoise', 'VANROS', '7')
    """
    letters = _LETTERS.match(site_id)
    return next((each for each in candidates if each), letters[0] if letters else site_id)


def seconds_of(time: Any) -> NDArray[np.int64]:
    """Seconds since 1970-01-01 in UTC of a CF time variable, which may count backwards from its reference."""
    units = _text(time.attrs.get("units", ""))
    match = _SINCE.match(units)
    calendar = _text(time.attrs.get("calendar", "standard"))
    if match is None or calendar not in {"standard", "gregorian", "proleptic_gregorian"} or time.ndim != 1:
        raise _refused(f"time is in {units!r} of the calendar {calendar!r}, not in days since a date")
    try:
        start = datetime.fromisoformat(match[2])
    except ValueError as error:
        raise _refused(f"time is in {units!r}, whose reference is no date") from error
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    since_1970 = (start - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    counted: NDArray[np.float64] = time[:].astype(np.float64)
    return np.rint(counted * _UNITS[match[1]] + since_1970).astype(np.int64)


def dimensions(variable: Any) -> tuple[str, ...]:
    """Names of a variable's dimensions; a coordinate variable is its own. Empty where the file names none."""
    if variable.is_scale:
        return (variable.name.rsplit("/", 1)[-1],)
    scales = [dict(axis.items()) for axis in variable.dims]
    return tuple(next(iter(each.values())).name.rsplit("/", 1)[-1] for each in scales if each)


def _dimension(variable: Any) -> str:
    """The one dimension of a variable."""
    names = dimensions(variable)
    if len(names) != 1:
        raise _refused(f"{variable.name} has the dimensions {names}, not one")
    return names[0]


def _unpacked(variable: Any, values: NDArray[Any]) -> NDArray[np.float64]:
    """CF packing undone: fill values are NaN, then scale and offset."""
    unpacked = values.astype(np.float64)
    for name in ("_FillValue", "missing_value"):
        unpacked[np.isin(values, variable.attrs.get(name, []))] = np.nan
    scale, offset = (float(np.ravel(variable.attrs.get(*each))[0]) for each in (("scale_factor", 1), ("add_offset", 0)))
    return unpacked * scale + offset


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    return "" if isinstance(value, np.floating) and np.isnan(value) else str(value).strip()


def _degrees(x_m: NDArray[np.float64], y_m: NDArray[np.float64], epsg: int) -> tuple[Any, Any]:
    known = np.isfinite(x_m) & np.isfinite(y_m)
    lon, lat = np.full(len(x_m), np.nan), np.full(len(x_m), np.nan)
    if epsg and known.any():
        lon[known], lat[known] = transform(CRS.from_epsg(epsg), CRS.from_epsg(4326), x_m[known], y_m[known])
    return lon, lat


def _refused(reason: str) -> StepError:
    return bad_dataset(f"{reason[0].upper()}{reason[1:]}", _SEE)
