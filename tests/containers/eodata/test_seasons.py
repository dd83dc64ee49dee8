import numpy as np
import pytest

from containers.eodata.colours import ALL_BANDS, Plants, ground_reflectance, snow_share, snowed_on
from containers.eodata.cover import Cover
from containers.eodata.noise import Noise
from containers.eodata.seasons import Greenness, Year

ORDINARY = Year(*(np.full(len(Cover), value, dtype=np.float32) for value in (0, 0, 1)))
PLANTS = [kind for kind in Cover if kind >= Cover.GARDEN and kind not in (Cover.ROCK, Cover.WATER)]


def canopy(kind: Cover, day: float, *, timing: int = 128, vigour: int = 128, year: Year = ORDINARY) -> float:
    cells = (np.array([value]) for value in (int(kind) << 8, timing, vigour))
    return float(Greenness.on(day, year).canopy(*cells)[0])


def cells(kind: Cover) -> Plants:
    return Plants(np.full((1, 1), kind, np.uint8), *(np.full((1, 1), 128, np.uint8) for _ in range(5)))


@pytest.mark.parametrize(
    ("kind", "bare_day", "green_day"),
    [
        (Cover.MAIZE, 130, 215), (Cover.SPRING_CEREAL, 90, 170), (Cover.WINTER_CEREAL, 225, 150),
        (Cover.BROADLEAF, 30, 160), (Cover.ROOT_CROP, 125, 230),
    ],
)  # fmt: skip
def test_plants_are_green_in_their_season(kind: Cover, bare_day: int, green_day: int) -> None:
    assert canopy(kind, bare_day) < 0.2
    assert canopy(kind, green_day) > 0.7


def test_a_harvest_takes_days_and_a_forest_weeks() -> None:
    def steepest(kind: Cover) -> float:
        course = [canopy(kind, day) for day in range(180, 340)]
        return max(one - two for one, two in zip(course, course[4:], strict=False))

    assert steepest(Cover.MAIZE) > 0.25
    assert steepest(Cover.BROADLEAF) < 0.10


def test_conifers_hardly_change_and_sealed_land_and_water_never_green() -> None:
    course = [canopy(Cover.CONIFER, day) for day in range(1, 366)]
    assert max(course) - min(course) < 0.08
    for kind in (Cover.ASPHALT, Cover.HALL, Cover.WATER, Cover.ROCK):
        assert max(canopy(kind, day) for day in range(1, 366, 5)) == 0


def test_grassland_is_mown_and_grows_again() -> None:
    course = np.array([canopy(Cover.GRASSLAND, day) for day in range(120, 290)])
    cut = int(np.argmin(np.diff(course)))
    assert course[cut] - course[cut : cut + 4].min() > 0.15
    assert course[cut + 30] > course[cut] - 0.12


@pytest.mark.parametrize("kind", PLANTS)
def test_a_year_ends_as_the_next_one_starts(kind: Cover) -> None:
    one, other = Year.of(3, 2019), Year.of(3, 2020)
    for timing in (20, 128, 235):
        ends = canopy(kind, 365, timing=timing, year=one)
        assert canopy(kind, 1, timing=timing, year=other) == pytest.approx(ends, abs=0.05)


def test_years_differ_in_timing_and_vigour() -> None:
    years = [Year.of(1, year) for year in range(2015, 2026)]
    starts = np.array([year.start_days[Cover.BROADLEAF] for year in years])
    assert 3 < starts.std() < 12
    assert np.std([year.vigour[Cover.GRASSLAND] for year in years]) > 0.03
    assert Year.of(1, 2019).start_days.tolist() == years[4].start_days.tolist()


def test_late_parcels_green_later() -> None:
    assert (
        canopy(Cover.MAIZE, 165, timing=230)
        < canopy(Cover.MAIZE, 165, timing=128)
        < canopy(Cover.MAIZE, 165, timing=25)
    )


def test_index_of_wood_and_soil_is_as_in_the_field() -> None:
    def ndvi(kind: Cover, day: int) -> float:
        bands, _ = ground_reflectance(cells(kind), Greenness.on(day, ORDINARY), 0.4, ("B04", "B08"))
        return float(((bands["B08"] - bands["B04"]) / (bands["B08"] + bands["B04"]))[0, 0])

    assert ndvi(Cover.BROADLEAF, 165) > 0.8
    assert 0.3 < ndvi(Cover.BROADLEAF, 30) < 0.6
    assert ndvi(Cover.MAIZE, 125) < 0.3
    assert ndvi(Cover.WATER, 165) < 0


def test_snow_lies_in_winter_and_is_dark_in_the_short_wave_infrared() -> None:
    january, july = ([snow_share(Noise(1), 737_000 + 365 * year + day, day) for year in range(30)] for day in (10, 190))
    assert max(july) < 0.01
    assert min(january) < 0.2
    assert max(january) > 0.8
    white = {
        band: float(snowed_on(np.full(1, 0.1, np.float32), np.ones(1, np.float32), band, 1.0)[0]) for band in ALL_BANDS
    }
    assert white["B03"] > 0.8
    assert (white["B03"] - white["B11"]) / (white["B03"] + white["B11"]) > 0.6
