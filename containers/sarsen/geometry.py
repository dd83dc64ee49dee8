"""Where ground lies in a slice's image, and how it faces the satellite: range and Doppler equations by sarsen."""

import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import xarray
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning
from sarsen import geocoding, orbit, scene
from xarray_sentinel import open_sentinel1_dataset

from containers.base.contract.grid import Grid
from containers.base.contract.radar import Polarisation
from containers.base.contract.step import StepError
from containers.sarsen.terrain import Ground

Values = NDArray[np.float64]
_COARSE_CELLS: Final = 32
LIGHT_M_S: Final = 299_792_458.0
_SECOND: Final = np.timedelta64(10**9, "ns")
_ZERO_DOPPLER_M: Final = 1e-6
"""Iterations end this close to the plane of zero Doppler: blocks then agree, whatever ground they hold."""


class View(NamedTuple):
    """How the instrument saw: orbit, timing of the lines, and slant to ground range."""

    orbit: orbit.OrbitPolyfitInterpolator
    shape: tuple[int, int]
    first_line_s: float
    """Time of the first line in seconds from the orbit's epoch."""
    line_s: float
    pixel_m: float
    conversion_s: Values
    """Times of the range conversions, in seconds from the orbit's epoch."""
    slant_origin_m: Values
    to_ground: Values
    """Coefficients by (time, degree): ground range in metres from slant range less its origin."""
    outline: tuple[Values, Values]
    """Longitudes and latitudes of the image's edge, in order."""


class Look(NamedTuple):
    """The moment at which ground lies across the flight, and the line of sight then."""

    time: xarray.DataArray
    """Seconds from the orbit's epoch; (y, x)."""
    distance_m: Values
    """Vector from the satellite to the ground; (3, y, x)."""
    slant_m: Values


class Seen(NamedTuple):
    """Ground cells as the satellite sees them; each (y, x), float64."""

    row: Values
    col: Values
    """Fractional pixel of the image; whole numbers are pixel centres."""
    area_px: Values
    """Area of the facet across the line of sight, over that of a pixel along it; 0 where it faces away."""
    incidence_deg: Values
    """Between the line of sight and the facet's normal."""


def open_view(folder: Path, polarisation: Polarisation) -> View:
    """Raises `corrupt_file` where the annotation does not say what a ground range product must."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return _view(str(folder), f"IW/{polarisation.upper()}")
    except Exception as error:  # the reader validates by schema and passes on whatever its parsers raise
        raise StepError(
            "corrupt_file",
            f"The annotation of {polarisation} in {folder.name} cannot be read: {type(error).__name__}: {error}",
            "Fetch the product again; only IW ground range products (GRD) are read.",
        ) from error


def _view(folder: str, group: str) -> View:
    image = open_sentinel1_dataset(folder, group=group, parse_geospatial_attrs=False)
    states, ties, conversion = (
        open_sentinel1_dataset(folder, group=f"{group}/{part}") for part in ("orbit", "gcp", "coordinate_conversion")
    )
    path = orbit.OrbitPolyfitInterpolator.from_position(states.position)

    def seconds(times: Any) -> Any:
        return (np.asarray(times, dtype="datetime64[ns]") - path.epoch) / _SECOND

    return View(
        orbit=path,
        shape=image.measurement.shape,
        first_line_s=float(seconds(image.attrs["product_first_line_utc_time"])),
        line_s=float(image.attrs["azimuth_time_interval"]),
        pixel_m=float(image.attrs["range_pixel_spacing"]),
        conversion_s=seconds(conversion.azimuth_time.values),
        slant_origin_m=conversion.sr0.values,
        to_ground=conversion.srgrCoefficients.values,
        outline=(_around(ties.longitude.values), _around(ties.latitude.values)),
    )


def look_at(view: View, ground: Ground) -> Seen:
    """Image positions and facets of a part of the ground.

    Facets at the part's edge lean on extrapolated heights: ask for a cell more on each side than is needed.
    """
    positions = earth_centred(ground)
    look = zero_doppler(view, positions)
    facets = scene.compute_dem_oriented_area(positions).transpose("axis", "y", "x").values
    facing_m2 = -(facets * look.distance_m).sum(axis=0) / look.slant_m
    with np.errstate(invalid="ignore"):
        incidence = np.degrees(np.arccos(np.clip(facing_m2 / np.sqrt((facets**2).sum(axis=0)), -1, 1)))
    return Seen(*_pixel(view, look), np.maximum(facing_m2, 0) / pixel_area_m2(view, look), incidence)


def positions_of(view: View, ground: Ground) -> tuple[Values, Values]:
    """Fractional rows and columns of the image; each (y, x)."""
    return _pixel(view, zero_doppler(view, earth_centred(ground)))


def earth_centred(ground: Ground) -> xarray.DataArray:
    """Earth-centred, earth-fixed coordinates in metres on WGS 84; (axis, y, x)."""
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    values = np.stack(to_ecef.transform(ground.longitude, ground.latitude, ground.height_m))
    # The transformer marks what it cannot transform with infinity.
    values[:, np.isnan(ground.height_m)] = np.nan
    numbers = {name: np.arange(size) for name, size in zip(("axis", "y", "x"), values.shape, strict=True)}
    return xarray.DataArray(values, coords=numbers, dims=tuple(numbers))


def ground_range_m(view: View, time_s: Values, slant_m: Values) -> Values:
    """Ground range from the first pixel; coefficients are interpolated in time, as sarsen and xarray-sentinel do."""
    coefficients = _at_time(view, view.to_ground, time_s)
    return _polynomial(coefficients, slant_m - _slant_origin_m(view, time_s))


def pixel_area_m2(view: View, look: Look) -> Values:
    """Area of a pixel of the image in the plane of slant range and azimuth, around each ground cell; (y, x).

    From one line to the next, ground in sight moves (v² − d·a) / |v| × the lines' interval, with the satellite's
    velocity v and acceleration a and the vector d to the ground. The annotation's spacing is a round number, which
    is wrong by 1 % at 45° north.
    """
    velocity = view.orbit.velocity_from_orbit_time(look.time).transpose("axis", "y", "x").values
    pull = view.orbit.acceleration_from_orbit_time(look.time).transpose("axis", "y", "x").values
    square = (velocity**2).sum(axis=0)
    speed = (square - (look.distance_m * pull).sum(axis=0)) / np.sqrt(square)
    slant_m = view.pixel_m / ground_per_slant(view, look.time.values, look.slant_m)
    area: Values = speed * view.line_s * slant_m
    return area


def zero_doppler(view: View, positions: xarray.DataArray) -> Look:
    """Solves for the moment, first for a few cells, whose mean is where all others start."""
    start_s = 0.0
    for step in (_COARSE_CELLS, 1):
        time, distance, _ = geocoding.backward_geocode_simple(
            positions[:, ::step, ::step], view.orbit, start_s, method="newton", zero_doppler_distance=_ZERO_DOPPLER_M
        )
        start_s = float(time.mean())
    vector = distance.transpose("axis", "y", "x").values
    return Look(time, vector, np.sqrt((vector**2).sum(axis=0)))


def _pixel(view: View, look: Look) -> tuple[Values, Values]:
    row = (look.time.values - view.first_line_s) / view.line_s
    return row, ground_range_m(view, look.time.values, look.slant_m) / view.pixel_m


def ground_per_slant(view: View, time_s: Values, slant_m: Values) -> Values:
    """How many metres of ground range one metre of slant range is; the polynomial's derivative."""
    factors = view.to_ground[:, 1:] * np.arange(1, view.to_ground.shape[1])
    return _polynomial(_at_time(view, factors, time_s), slant_m - _slant_origin_m(view, time_s))


def _slant_origin_m(view: View, time_s: Values) -> Values:
    return np.interp(time_s, view.conversion_s, view.slant_origin_m)


def _at_time(view: View, coefficients: Values, time_s: Values) -> Values:
    """Coefficients at other times, the degree first."""
    return np.stack([np.interp(time_s, view.conversion_s, column) for column in coefficients.T])


def _polynomial(coefficients: Values, x: Values) -> Values:
    """Horner's scheme; the degree is the first axis."""
    value: Values = coefficients[-1] * np.ones_like(x)
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


def _around(ties: Values) -> Values:
    """The edge of a grid of points, once around."""
    return np.concatenate([ties[0, :-1], ties[:-1, -1], ties[-1, :0:-1], ties[:0:-1, 0]])


def cells_around(grid: Grid, margin: int) -> Grid:
    """The grid with `margin` cells more on each side."""
    return grid.model_copy(
        update={
            "west_m": grid.west_m - margin * grid.resolution_m,
            "north_m": grid.north_m + margin * grid.resolution_m,
            "width": grid.width + 2 * margin,
            "height": grid.height + 2 * margin,
        }
    )
