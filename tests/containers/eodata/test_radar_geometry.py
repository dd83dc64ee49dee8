"""Orbit and geometry of the simulated radar."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from containers.base.contract.radar import Direction
from containers.eodata.radar_geometry import (
    Frame,
    ground_range,
    line_interval_s,
    located,
    zero_doppler_s,
)
from containers.eodata.radar_orbit import geocentric, normal, orbit_over
from containers.eodata.radar_pass import RadarPass, absolute_orbit, relative_orbit


def test_ellipsoid_coordinates_agree_with_proj() -> None:
    longitude, latitude, height = np.array([12.0, -70.5]), np.array([48.5, -33.0]), np.array([450.0, -20.0])
    expected = Transformer.from_crs(4979, 4978, always_xy=True).transform(longitude, latitude, height)
    assert geocentric(longitude, latitude, height) == pytest.approx(np.stack(expected, axis=-1), abs=1e-6)


def test_velocity_and_acceleration_are_derivatives() -> None:
    orbit = orbit_over(12.0, 48.5, "ascending", 38.0)
    before, at, after = (orbit.state(np.array(time)) for time in (9.99, 10.0, 10.01))
    assert (after.position - before.position) / 0.02 == pytest.approx(at.velocity, rel=1e-6)
    assert (after.velocity - before.velocity) / 0.02 == pytest.approx(at.acceleration, rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-170, 170), st.floats(-70, 70), st.sampled_from(["ascending", "descending"]), st.floats(30, 45),
)  # fmt: skip
def test_orbit_sees_the_place_to_its_right(
    longitude: float, latitude: float, direction: Direction, incidence_deg: float
) -> None:
    orbit = orbit_over(longitude, latitude, direction, incidence_deg)
    place = geocentric(longitude, latitude, 0.0)
    position, velocity, _ = orbit.state(np.array(0.0))
    sight = position - place
    assert abs(sight @ velocity) / np.linalg.norm(velocity) < 0.01
    angle = np.degrees(np.arccos(sight @ normal(longitude, latitude) / np.linalg.norm(sight)))
    assert angle == pytest.approx(incidence_deg, abs=1e-6)
    assert np.cross(velocity, position) @ -sight > 0
    assert (velocity[2] > 0) == (direction == "ascending")
    assert np.linalg.norm(position) == pytest.approx(6_378_137 + 693_000, abs=1)


def test_headings_and_node_are_those_of_the_mission() -> None:
    """The sample of Rome flies at −166.3 degrees, 2267 s after its ascending node (latitude 41.8)."""
    orbit = orbit_over(13.5, 41.8, "descending", 38.9)
    assert orbit.heading_deg(0.0) == pytest.approx(-166.3, abs=1.0)
    assert -orbit.node_s == pytest.approx(2_280, abs=40)


def test_located_undoes_the_way_into_the_image() -> None:
    orbit = orbit_over(12.0, 48.5, "descending", 38.0)
    times, ranges, heights = np.array([-1.0, 0.0, 2.5]), np.array([8.4e5, 8.5e5, 8.8e5]), np.array([900.0, 0.0, -30.0])
    place = located(orbit, times, ranges, heights)
    points = geocentric(place.longitude_deg, place.latitude_deg, place.height_m)
    assert zero_doppler_s(orbit, points) == pytest.approx(times, abs=1e-7)
    assert np.linalg.norm(orbit.state(times).position - points, axis=-1) == pytest.approx(ranges, abs=1e-3)
    assert (place.elevation_deg < place.incidence_deg).all()
    assert ((place.incidence_deg > 29) & (place.incidence_deg < 46)).all()


def test_ground_range_polynomials_invert_each_other_over_a_whole_swath() -> None:
    orbit = orbit_over(12.0, 48.5, "descending", 38.0)
    conversion = ground_range(orbit, 799_000.0, 960_000.0, 300.0)
    samples = np.linspace(799_000, 960_000, 500)
    ground = conversion.ground_m(samples)
    assert ground[0] == pytest.approx(0, abs=0.2)
    assert ground[-1] > 240_000
    assert conversion.slant_m(ground) == pytest.approx(samples, abs=0.1)


def test_a_pixel_is_ten_metres_along_and_across() -> None:
    orbit = orbit_over(12.0, 48.5, "ascending", 38.0)
    place = geocentric(12.0, 48.5, 0.0)
    line_s = line_interval_s(orbit, place)
    assert line_s == pytest.approx(1.4966e-3, rel=0.02)
    near = float(np.linalg.norm(orbit.state(np.array(0.0)).position - place)) - 5_000
    frame = Frame(orbit, 0.0, line_s, 2, 900, ground_range(orbit, near, near + 9_000, 0.0), 0.0)
    ranges = frame.slant_ranges_m(np.array([800.0, 801.0, 800.0]))
    found = located(orbit, frame.times_s(np.array([0, 0, 1])), ranges, np.zeros(3))
    here, across, along = geocentric(found.longitude_deg, found.latitude_deg, 0.0)
    assert np.linalg.norm(across - here) == pytest.approx(10, rel=1e-3)
    assert np.linalg.norm(along - here) == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize(
    ("platform", "absolute", "relative"),
    [("S1A", 36_201, 79), ("S1B", 30_148, 22), ("S1C", 1_000, 129)],
)
def test_relative_orbits_are_those_of_the_mission(platform: str, absolute: int, relative: int) -> None:
    """The first two are those of the real products that are sampled."""
    assert relative_orbit(platform, absolute) == relative


def test_orbit_numbers_pass_with_time() -> None:
    """Real passes of Sentinel-1A: orbit 36201 in January 2021, 53 cycles later 45476 on the same track."""
    assert absolute_orbit("S1A", 79, datetime(2021, 1, 19, 3, 16)) == 36_201
    assert absolute_orbit("S1A", 79, datetime(2022, 10, 17, 3, 16)) == 36_201 + 53 * 175


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"relative_orbit": 80}, "lies on 79"),
        ({"datatake": "043ed0"}, "hexadecimal"),
        ({"platform": "S1X"}, "S1X"),
        ({"slices": 0}, "slices=0"),
        ({"platform": "S1C", "start": datetime(2026, 7, 1), "absolute_orbit": 250}, "before 2026-06-09"),
    ],
)
def test_impossible_passes_are_refused(changes: dict[str, object], message: str) -> None:
    usual: dict[str, object] = {
        "start": datetime(2021, 1, 19, 3, 16, 53), "platform": "S1A", "absolute_orbit": 36_201, "relative_orbit": 79,
        "direction": "descending", "datatake": "043ED0",
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        RadarPass(**(usual | changes))  # type: ignore[arg-type]


def test_product_name_is_that_of_the_mission() -> None:
    start = datetime(2021, 1, 19, 3, 16, 53)
    radar_pass = RadarPass(start, "S1A", 36_201, 79, "descending", "043ED0")
    name = radar_pass.product_name(start, datetime(2021, 1, 19, 3, 17, 18), "DV")
    assert name.startswith("S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_")
    assert radar_pass.folder(name) == f"Sentinel-1/SAR/IW_GRDH_1S/2021/01/19/{name}.SAFE"
