"""The sun's place against published examples."""

from datetime import UTC, datetime

import pytest

from containers.base.sun import equatorial, sun_at


def test_meeus_example_25a() -> None:
    ascension, declination = equatorial(datetime(1992, 10, 13, tzinfo=UTC))
    assert ascension == pytest.approx(198.38083, abs=0.01)
    assert declination == pytest.approx(-7.78507, abs=0.01)


def test_reda_and_andreas_example() -> None:
    """NREL/TP-560-34302, table A5.1: zenith 50.11162° with refraction of about 0.02°, azimuth 194.34024°."""
    sun = sun_at(datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC), -105.1786, 39.742476)
    assert sun.zenith_deg == pytest.approx(50.11162, abs=0.03)
    assert sun.azimuth_deg == pytest.approx(194.34024, abs=0.02)


def test_noon_of_the_solstice_on_the_tropic() -> None:
    sun = sun_at(datetime(2021, 6, 21, 12, 2, tzinfo=UTC), 0.0, 23.437)
    assert sun.zenith_deg < 0.3
