import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.eodata.atmosphere import WAVELENGTHS_UM, Column, rayleigh_depth

BLACK = np.zeros((2, 2), dtype=np.float32)


@pytest.mark.parametrize(
    ("wavelength_um", "published"), [(0.443, 0.236), (0.490, 0.156), (0.560, 0.090), (0.665, 0.045), (0.865, 0.0155)]
)
def test_rayleigh_depth_is_the_published_one(wavelength_um: float, published: float) -> None:
    """Ocean-colour tables (Bodhaine et al. 1999)."""
    assert rayleigh_depth(wavelength_um) == pytest.approx(published, rel=0.03)


def photons(depth: float, sun_zenith_deg: float, view_zenith_deg: float, count: int = 30_000) -> float:
    """Reflectance of molecules over black ground by Monte Carlo: photons are followed through every scattering, and
    each sends its share towards the sensor (local estimate). Scalar, averaged over the azimuth of the view."""
    random = np.random.default_rng(0)
    sun, view = (np.cos(np.radians(angle)) for angle in (sun_zenith_deg, view_zenith_deg))
    down = np.tile([np.sqrt(1 - sun**2), 0.0, -sun], (count, 1))
    turn = random.uniform(0, 2 * np.pi, count)
    seen_along = np.stack(
        [np.sqrt(1 - view**2) * np.cos(turn), np.sqrt(1 - view**2) * np.sin(turn), view + 0 * turn], 1
    )
    at, seen = np.zeros(count), 0.0
    while len(at):
        at = at - down[:, 2] * random.exponential(size=len(at))
        inside = (at > 0) & (at < depth)
        at, down, seen_along = at[inside], down[inside], seen_along[inside]
        phase = 0.75 * (1 + (down * seen_along).sum(axis=1) ** 2)
        seen += float((phase * np.exp(-at / view)).sum())
        cosine = random.uniform(-1, 1, 4 * len(at))
        cosine = cosine[random.uniform(0, 2, len(cosine)) < 1 + cosine**2][: len(at)]
        down = turned(down, cosine, random.uniform(0, 2 * np.pi, len(at)))
    return seen / (4 * view * count)


def turned(direction: np.ndarray, cosine: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Unit vectors at an angle to others."""
    helper = np.where(np.abs(direction[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    one = np.cross(direction, helper)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    sine = np.sqrt(1 - cosine**2)[:, None]
    aside = np.cos(azimuth)[:, None] * one + np.sin(azimuth)[:, None] * np.cross(direction, one)
    return cosine[:, None] * direction + sine * aside


@pytest.mark.parametrize("band", ["B01", "B03"])
@pytest.mark.parametrize("zenith_deg", [30, 55, 70])
def test_air_over_black_ground_is_as_bright_as_photons_make_it(band: str, zenith_deg: float) -> None:
    traced = photons(rayleigh_depth(WAVELENGTHS_UM[band]), zenith_deg, 6.0)
    over_black = Column(zenith_deg, 0.0, 0.0).at_top(BLACK, band)[0, 0] / Column(zenith_deg, 0.0, 0.0)._gases(band)
    assert over_black == pytest.approx(traced, rel=0.12)


@given(
    ground=st.floats(0.0, 0.9),
    zenith_deg=st.floats(20, 75),
    aerosol=st.floats(0, 0.8),
    water_cm=st.floats(0.3, 4),
    band=st.sampled_from(sorted(set(WAVELENGTHS_UM) - {"B10"})),
)
def test_correction_inverts_the_air(
    ground: float, zenith_deg: float, aerosol: float, water_cm: float, band: str
) -> None:
    column, level = Column(zenith_deg, aerosol, water_cm), np.full((1, 1), ground, dtype=np.float32)
    np.testing.assert_allclose(column.corrected(column.at_top(level, band), band), level, atol=2e-4)


def test_the_cirrus_band_sees_high_clouds_alone() -> None:
    column, white = Column(40, 0.1, 2.0), BLACK + 0.6
    ground, low, middle, high = (column.above(height).at_top(white, "B10")[0, 0] for height in (0, 1000, 4000, 10_000))
    assert ground < 0.0005
    assert low < 0.003
    assert 0.01 < middle < 0.08
    assert high > 0.2


def test_water_vapour_takes_most_light_in_band_9_and_little_beside_it() -> None:
    column, grey = Column(40, 0.0, 2.0), BLACK + 0.3
    assert column.at_top(grey, "B09")[0, 0] < 0.5 * column.at_top(grey, "B8A")[0, 0]


def test_haze_brightens_dark_ground_and_darkens_bright_ground() -> None:
    clear, hazy = Column(50, 0.05, 1.5), Column(50, 0.6, 1.5)
    assert hazy.at_top(BLACK, "B02")[0, 0] > clear.at_top(BLACK, "B02")[0, 0] + 0.01
    assert hazy.at_top(BLACK + 0.8, "B04")[0, 0] < clear.at_top(BLACK + 0.8, "B04")[0, 0]
