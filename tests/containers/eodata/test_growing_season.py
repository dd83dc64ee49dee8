import numpy as np
import pytest

from containers.eodata.growing_season import METRICS, NO_SEASON, season_metrics


def metrics(curve: np.ndarray) -> dict[str, float]:
    found = season_metrics(curve.astype(np.float32)[:, None, None])
    return {name: float(value) for name, value in zip(METRICS, found[:, 0, 0], strict=True)}


def tent(*knots: tuple[float, float]) -> np.ndarray:
    """Straight lines between (day, value); 1 January is day 1."""
    days, values = zip(*knots, strict=True)
    return np.interp(np.arange(1, 366), days, values)


def test_a_tent_by_hand() -> None:
    found = metrics(tent((1, 0.2), (100, 0.2), (162, 0.8), (223, 0.3), (365, 0.3)))
    assert found["peak_day"] == 162
    assert found["peak"] == pytest.approx(0.8)
    assert found["base"] == pytest.approx(0.25)
    assert found["amplitude"] == pytest.approx(0.55)
    assert found["start_day"] == pytest.approx(115.5, abs=0.01)  # 0.2 + 25 % of 0.6 = 0.35
    assert found["end_day"] == pytest.approx(162 + 0.85 * 61, abs=0.01)  # 0.3 + 15 % of 0.5 = 0.375
    assert found["length_days"] == pytest.approx(98.35, abs=0.02)
    rising = sum(0.2 + 0.6 * day / 62 for day in range(16, 63))
    falling = sum(0.8 - 0.5 * day / 61 for day in range(1, 52))
    assert found["integral"] == pytest.approx(rising + falling, abs=0.01)
    assert found["base_integral"] == pytest.approx(found["integral"] - 0.25 * 98, abs=0.01)


def test_a_dent_by_mowing_neither_ends_nor_starts_the_season() -> None:
    found = metrics(
        tent((1, 0.4), (80, 0.4), (130, 0.8), (140, 0.82), (142, 0.41), (170, 0.78), (290, 0.7), (330, 0.4))
    )
    assert found["start_day"] == pytest.approx(80 + 50 * 0.25 * 0.42 / 0.4, abs=0.1)
    assert found["peak_day"] == 140
    assert found["end_day"] > 300


def test_the_flush_after_a_harvest_is_another_season() -> None:
    found = metrics(tent((1, 0.35), (90, 0.35), (150, 0.85), (200, 0.6), (203, 0.22), (230, 0.22), (300, 0.4)))
    assert 201 < found["end_day"] < 204


def test_a_flat_curve_has_no_season() -> None:
    found = metrics(tent((1, 0.75), (180, 0.82), (365, 0.75)))
    assert found["start_day"] == found["integral"] == NO_SEASON
    assert found["peak"] == pytest.approx(0.82, abs=0.001)


def test_metrics_equal_a_plain_search_along_the_curve() -> None:
    random = np.random.default_rng(5)
    for _ in range(20):
        knots = np.sort(random.uniform(20, 345, 6))
        curve = tent(*zip(knots, random.uniform(0.1, 0.9, 6), strict=True)).astype(np.float32)
        found, peak = metrics(curve), int(curve.argmax())
        early = peak - int(curve[: peak + 1][::-1].argmin())
        wanted = curve[early] + 0.25 * (curve[peak] - curve[early])
        first = next((day for day in range(early + 1, peak + 1) if curve[day] >= wanted), None)
        if first is not None and found["start_day"] != NO_SEASON:
            share = (wanted - curve[first - 1]) / max(1e-9, curve[first] - curve[first - 1])
            assert found["start_day"] == pytest.approx(first + share, abs=0.01)
