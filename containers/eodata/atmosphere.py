"""What the air does to light on its way from the sun over the ground to the sensor, band by band.

The signal at the top of the atmosphere is T_g (ρ_path + T↓ T↑ ρ / (1 − S ρ)) for a ground of reflectance ρ (Vermote et
al. 1997, Second Simulation of the Satellite Signal in the Solar Spectrum, equation 21). Molecules scatter by the
optical depth of Hansen and Travis (1974), aerosol by Ångström's law; path reflectance is single scattering,
transmission the two-stream approximation. Absorption by water vapour follows the square root of the amount, as strong
bands do.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from containers.eodata.noise import FloatArray

WAVELENGTHS_UM: Final = {
    "B01": 0.443, "B02": 0.493, "B03": 0.560, "B04": 0.665, "B05": 0.704, "B06": 0.741, "B07": 0.783, "B08": 0.833,
    "B8A": 0.865, "B09": 0.945, "B10": 1.374, "B11": 1.614, "B12": 2.202,
}  # fmt: skip
"""Central wavelengths of Sentinel-2A."""
_WATER: Final = {
    "B05": 0.012, "B06": 0.015, "B07": 0.008, "B08": 0.032, "B8A": 0.002, "B09": 0.57, "B10": 4.5, "B11": 0.008,
    "B12": 0.020,
}  # fmt: skip
"""Absorption per square root of water vapour in cm along the path."""
_OTHER_GASES: Final = {
    "B02": 0.006, "B03": 0.030, "B04": 0.017, "B05": 0.006, "B06": 0.003, "B08": 0.001, "B10": 0.02, "B11": 0.010,
    "B12": 0.020,
}  # fmt: skip
"""Optical depth of ozone, oxygen, carbon dioxide and methane."""
_ANGSTROM: Final = 1.3
_ASYMMETRY, _SINGLE_ALBEDO = 0.68, 0.95
_LOST: Final = 0.25
"""Share of the extinction that light scattered once loses for good; the rest comes back by further scattering."""
_WATER_SCALE_M, _AIR_SCALE_M, _AEROSOL_SCALE_M = 1_600.0, 8_000.0, 1_500.0
_VIEW_ZENITH_DEG: Final = 6.0


def rayleigh_depth(wavelength_um: float) -> float:
    """Optical depth of the molecules over sea level (Hansen and Travis 1974, equation 2.30).

    >>> round(rayleigh_depth(0.55), 3)
    0.097
    """
    inverse = wavelength_um**-2
    return 0.008569 * inverse**2 * (1 + 0.0113 * inverse + 0.00013 * inverse**2)


@dataclass(frozen=True)
class Column:
    """The air above a level, and the way of the light through it."""

    sun_zenith_deg: float
    aerosol: FloatArray | float
    """Optical depth at 0.55 µm."""
    water_cm: float
    """Precipitable water vapour."""
    pressure: float = 1.0
    """Share of the atmosphere's molecules."""

    def above(self, height_m: float) -> "Column":
        """The part of the column above a height; densities fall exponentially."""
        return replace(
            self,
            aerosol=self.aerosol * math.exp(-height_m / _AEROSOL_SCALE_M),
            water_cm=self.water_cm * math.exp(-height_m / _WATER_SCALE_M),
            pressure=self.pressure * math.exp(-height_m / _AIR_SCALE_M),
        )

    def at_top(self, reflectance: FloatArray, band: str) -> FloatArray:
        """Reflectance at the top of the atmosphere over a level ground of this reflectance."""
        path, passed, albedo = self._scattering(band)
        seen: FloatArray = self._gases(band) * (path + passed * reflectance / (1 - albedo * reflectance))
        return seen.astype(np.float32)

    def corrected(self, at_top: FloatArray, band: str) -> FloatArray:
        """Reflectance of the ground: the inverse of `at_top`."""
        path, passed, albedo = self._scattering(band)
        scaled = (at_top / self._gases(band) - path) / passed
        ground: FloatArray = scaled / (1 + albedo * scaled)
        return ground.astype(np.float32)

    def _gases(self, band: str) -> float:
        mass = self._inverse_cosines
        return math.exp(-_OTHER_GASES.get(band, 0) * mass - _WATER.get(band, 0) * math.sqrt(self.water_cm * mass))

    def _scattering(self, band: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Path reflectance, transmission down and up, and spherical albedo."""
        wavelength = WAVELENGTHS_UM[band]
        molecules = rayleigh_depth(wavelength) * self.pressure
        aerosol = np.asarray(self.aerosol, dtype=np.float32) * (wavelength / 0.55) ** -_ANGSTROM
        down, up = (math.cos(math.radians(angle)) for angle in (self.sun_zenith_deg, _VIEW_ZENITH_DEG))
        backwards = -down * up
        rayleigh_phase = 0.75 * (1 + backwards**2)
        haze_phase = (1 - _ASYMMETRY**2) / (1 + _ASYMMETRY**2 - 2 * _ASYMMETRY * backwards) ** 1.5
        lost = _LOST * (molecules + aerosol) * self._inverse_cosines
        scattered = (molecules * rayleigh_phase + _SINGLE_ALBEDO * aerosol * haze_phase) / (4 * down * up)
        path = scattered * -np.expm1(-lost) / np.maximum(lost, 1e-9)
        passed = np.exp(-(0.52 * molecules + 0.17 * aerosol) * self._inverse_cosines)
        return path, passed, 0.92 * molecules * math.exp(-molecules) + 0.15 * aerosol

    @property
    def _inverse_cosines(self) -> float:
        return 1 / math.cos(math.radians(self.sun_zenith_deg)) + 1 / math.cos(math.radians(_VIEW_ZENITH_DEG))
