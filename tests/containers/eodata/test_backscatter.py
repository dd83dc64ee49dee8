"""Gamma nought by cover, season, moisture and fire; and the moisture that rain leaves."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from containers.eodata.backscatter import Visit, gamma_nought
from containers.eodata.colours import Plants
from containers.eodata.cover import Cover
from containers.eodata.moisture import DRIEST, WETTEST, Wetness, wetness
from containers.eodata.noise import Noise
from containers.eodata.seasons import Greenness, Year

EDGE = 160
Array = np.ndarray[Any, np.dtype[Any]]
AXES = 2_800_000.0 - np.arange(0, EDGE * 10, 10.0), 4_500_000.0 + np.arange(0, EDGE * 10, 10.0)


def field(kind: Cover) -> Plants:
    """A quarter of a million m² of one cover, cells of every quantile."""
    levels = np.random.default_rng(0).integers(0, 256, (5, EDGE, EDGE), dtype=np.uint8)
    return Plants(np.full((EDGE, EDGE), kind, dtype=np.uint8), *levels)


def mean_db(
    kind: Cover, day: date = date(2020, 6, 20), soil: float = 0.2, severity: float = 0.0, track: int = 168
) -> dict[str, float]:
    shape = (EDGE, EDGE)
    wet = Wetness(np.full(shape, soil, np.float32), np.zeros(shape, np.float32))
    green = Greenness.on(day.timetuple().tm_yday, Year.of(4, day.year))
    burned = np.full(shape, severity, np.float32)
    power = gamma_nought(Noise(4), field(kind), green, burned, wet, Visit(day.toordinal(), track), *AXES)
    return {band: float(10 * np.log10(values.mean())) for band, values in power.items()}


@pytest.mark.parametrize(
    ("kind", "vv", "vh"),
    [
        (Cover.CONIFER, (-9, -7), (-15, -13)),
        (Cover.BROADLEAF, (-9, -7), (-15, -12.5)),
        (Cover.WINTER_CEREAL, (-16, -11), (-22, -17)),
        (Cover.RAPESEED, (-11.5, -8.5), (-16.5, -13)),
        (Cover.GRASSLAND, (-14.5, -10.5), (-22, -17)),
        (Cover.WATER, (-26, -14), (-32, -23)),
        (Cover.TILE_ROOF, (-3, 4), (-11, -3)),
        (Cover.ASPHALT, (-13, -8), (-20, -15)),
    ],
)
def test_levels_are_those_published(kind: Cover, vv: tuple[float, float], vh: tuple[float, float]) -> None:
    found = mean_db(kind)
    assert vv[0] < found["vv"] < vv[1]
    assert vh[0] < found["vh"] < vh[1]


def test_burned_woods_lose_one_to_three_db_in_vh_and_little_in_vv() -> None:
    for kind in (Cover.CONIFER, Cover.BROADLEAF):
        whole = mean_db(kind)
        drops = [mean_db(kind, severity=share)["vh"] - whole["vh"] for share in (0.2, 0.5, 0.9)]
        assert drops == sorted(drops, reverse=True)
        assert -3.2 < drops[-1] < -1.5
        assert -1.0 < drops[0] < -0.2
        dry, wet = (
            mean_db(kind, severity=0.9, soil=soil)["vv"] - mean_db(kind, soil=soil)["vv"] for soil in (0.08, 0.36)
        )
        assert -1.5 < dry < -0.5
        assert 0.5 < wet < 2.0


def test_moisture_brightens_bare_soil_by_as_much_as_a_burn_darkens_woods() -> None:
    bare = date(2020, 5, 4)
    for band in ("vv", "vh"):
        swing = mean_db(Cover.MAIZE, bare, soil=0.35)[band] - mean_db(Cover.MAIZE, bare, soil=0.10)[band]
        assert 3 < swing < 8
        assert abs(mean_db(Cover.CONIFER, soil=0.35)[band] - mean_db(Cover.CONIFER, soil=0.10)[band]) < 0.6


def test_maize_grows_and_rapeseed_is_harvested() -> None:
    assert mean_db(Cover.MAIZE, date(2020, 7, 25))["vh"] > mean_db(Cover.MAIZE, date(2020, 5, 20))["vh"] + 3
    assert mean_db(Cover.RAPESEED, date(2020, 8, 20))["vh"] < mean_db(Cover.RAPESEED, date(2020, 6, 20))["vh"] - 4


def test_tracks_see_lots_otherwise_and_days_alike() -> None:
    def roofs(day: date, track: int) -> Array:
        wet = Wetness(*(np.zeros((EDGE, EDGE), np.float32),) * 2)
        green = Greenness.on(170, Year.of(4, 2020))
        nothing = np.zeros((EDGE, EDGE), np.float32)
        visit = Visit(day.toordinal(), track)
        power = gamma_nought(Noise(4), field(Cover.TILE_ROOF), green, nothing, wet, visit, *AXES)["vv"]
        return np.log10(power).ravel()

    first, later, other = (
        roofs(date(2020, 6, 5), 168), roofs(date(2020, 6, 17), 168), roofs(date(2020, 6, 5), 44),
    )  # fmt: skip
    assert np.corrcoef(first, later)[0, 1] > 0.95
    assert np.corrcoef(first, other)[0, 1] < 0.75


def test_moisture_swings_with_the_rain_and_differs_from_place_to_place() -> None:
    y_m, x_m = AXES[0][0] - np.arange(0, 20_000, 400.0), AXES[1][0] + np.arange(0, 20_000, 400.0)
    days = [date(2020, 5, 1) + timedelta(days=6 * step) for step in range(30)]
    soils = [wetness(Noise(4), day, y_m, x_m).soil for day in days]
    means = [float(soil.mean()) for soil in soils]
    assert min(float(soil.min()) for soil in soils) >= DRIEST
    assert max(float(soil.max()) for soil in soils) <= WETTEST
    assert np.std(means) > 0.05
    assert np.mean([soil.std() for soil in soils]) > 0.01
    assert np.abs(np.diff(means)).mean() > 0.04


def test_soil_dries_between_showers() -> None:
    """On days without rain the soil is drier than the day before, everywhere."""
    y_m, x_m = AXES
    found = 0
    for step in range(40):
        day = date(2020, 5, 1) + timedelta(days=step)
        before, after = (wetness(Noise(4), each, y_m[::40], x_m[::40]) for each in (day, day + timedelta(days=1)))
        if not after.leaves.any():
            found += 1
            assert (after.soil <= before.soil + 1e-6).all()
    assert 10 < found < 38
