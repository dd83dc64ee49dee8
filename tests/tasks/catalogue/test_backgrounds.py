"""Backgrounds from hand-made lists: what is left out, and in which order the rest comes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from shapely.geometry import Polygon, box

from tasks.catalogue.backgrounds import Backgrounds, backgrounds_of, common_share

WHOLE = box(14.0, 50.0, 15.0, 51.0)
NOON = datetime(2018, 5, 17, 10, 10, tzinfo=UTC)


class Picture(NamedTuple):
    acquired: datetime
    cloud_cover: float | None = 30.0
    tile: str = "33UUP"
    footprint: str = WHOLE.wkt


def on(day: float, **facts) -> Picture:
    return Picture(NOON + timedelta(days=day), **facts)


TARGET = on(0)


def days(chosen) -> list[float]:
    return [(seen.acquired - NOON) / timedelta(days=1) for seen in chosen]


def chosen(candidates, **rules) -> dict[str, list[float]]:
    found = backgrounds_of(TARGET, candidates, Backgrounds(**rules))
    return {method: days(images) for method, images in found.items()}


def test_past_first_newest_first_then_the_future_oldest_first() -> None:
    candidates = [on(day) for day in (10, -20, 5, -5, -10, 15)]
    assert chosen(candidates, count=5)["nearest"] == [-5, -10, -20, 5, 10]
    assert chosen(candidates, count=2)["nearest"] == [-5, -10]
    assert chosen(candidates, allow_future=False)["nearest"] == [-5, -10, -20]


def test_least_cloudy_of_the_preselected_only() -> None:
    """Day 15 is the clearest of all, but not among the four nearest; unknown cloud counts as full."""
    covers = {-5: 60.0, -10: None, -20: 10.0, 5: 60.0, 15: 0.0}
    candidates = [on(day, cloud_cover=cover) for day, cover in covers.items()]
    assert chosen(candidates, count=3, preselect=4)["least_cloudy"] == [-20, -5, 5]
    assert chosen(candidates, count=4, preselect=4)["least_cloudy"] == [-20, -5, 5, -10]


def test_what_is_left_out() -> None:
    most = box(14.0, 50.0, 14.96, 51.0).wkt
    less = box(14.0, 50.0, 14.94, 51.0).wkt
    candidates = [
        TARGET,
        on(-18 / 24),
        on(18 / 24),
        on(-19 / 24),
        on(-2, tile="33UUQ"),
        on(-3, footprint=less),
        on(-4, footprint=most),
        on(-5, footprint="POLYGON EMPTY"),
    ]
    assert chosen(candidates)["nearest"] == [pytest.approx(-19 / 24), -4]


def test_no_candidates_and_a_target_without_area() -> None:
    assert chosen([]) == {"nearest": [], "least_cloudy": []}
    empty = on(0, footprint="POLYGON EMPTY")
    assert backgrounds_of(empty, [on(-5)]) == {"nearest": (), "least_cloudy": ()}


def test_defaults_are_the_reference_methods() -> None:
    rules = Backgrounds()
    assert (rules.count, rules.preselect, rules.exclude_hours, rules.common_area) == (20, 40, 18, 0.95)
    found = chosen([on(day, cloud_cover=float(abs(day))) for day in range(-30, 31)])
    assert found["nearest"] == [-float(day) for day in range(1, 21)]
    assert found["least_cloudy"] == [sign * float(day) for day in range(1, 11) for sign in (-1, 1)]


def test_fewer_preselected_than_used_is_refused() -> None:
    with pytest.raises(ValidationError, match="preselect=10"):
        Backgrounds(preselect=10)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 100)), max_size=30), st.integers(1, 8))
def test_both_methods_agree_where_all_are_used(dated, count) -> None:
    """Never the scene itself, never more than asked for; the order of the list does not matter without ties."""
    candidates = [on(day, cloud_cover=float(cloud)) for day, cloud in dict(dated).items()]
    found = chosen(candidates, count=count, preselect=40)
    assert chosen(candidates[::-1], count=count, preselect=40)["nearest"] == found["nearest"]
    assert all(day != 0 and len(kept) <= count for kept in found.values() for day in kept)
    if len(candidates) <= count:
        assert sorted(found["nearest"]) == sorted(found["least_cloudy"])


@pytest.mark.real
def test_real_footprints_of_one_tile(sample_data: Path) -> None:
    """404 real footprints of nine days: swaths of other orbits cut a tile differently, and are left out."""
    records = json.loads((sample_data / "cloud-mask-tables" / "Metadata_mask_404_images.json").read_text())
    pictures: dict[str, list[Picture]] = {}
    for path, record in records.items():
        outline = Polygon(record["geometry"])
        seen = Picture(datetime.fromtimestamp(record["date_deb"] / 1000, UTC), 50.0, path[-5:], outline.wkt)
        pictures.setdefault(seen.tile, []).append(seen)
    assert sum(map(len, pictures.values())) == 404
    kept = dropped = 0
    for group in pictures.values():
        for target in group:
            found = backgrounds_of(target, group)["nearest"]
            kept += len(found)
            dropped += len(group) - 1 - len(found)
            assert all(common_share(target.footprint, seen.footprint) > 0.95 for seen in found)
    assert kept > 100
    assert dropped > 100
