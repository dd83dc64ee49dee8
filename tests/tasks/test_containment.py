"""Containment by geometry: seams are closed, sizes are never compared."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box, shape

from containers.base.contract.step import StepError
from tasks.containment import SEAM_M, common_area, contains, coverage

ZONE = box(12.6, 48.0, 13.0, 48.3)
M = 1 / 111_200
"""Degrees of latitude to a metre, roughly."""


def test_a_larger_outline_elsewhere_contains_nothing() -> None:
    cover = coverage([box(0, 30, 12, 60)], ZONE)
    assert cover == (False, 0.0, 0.0)


def test_the_share_is_of_the_area() -> None:
    cover = coverage([box(12.6, 47.0, 12.8, 49.0)], ZONE)
    assert not cover.contains
    assert cover.share == pytest.approx(0.5, abs=0.002)


def test_the_margin_is_the_way_to_the_nearest_edge() -> None:
    cover = coverage([box(11, 47, 14, 48.3 + 2000 * M)], ZONE)
    assert cover.contains
    assert cover.share == 1.0
    assert cover.margin_m == pytest.approx(2000, rel=0.01)


@pytest.mark.parametrize(("gap_m", "is_closed"), [(0, True), (10, True), (80, True), (140, False), (170_000, False)])
def test_seams_are_closed_and_missing_slices_are_not(gap_m: float, is_closed: bool) -> None:
    slices = [box(11, 47, 14, 48.1), box(11, 48.1 + gap_m * M, 14, 49.9)]
    assert contains(slices, ZONE) is is_closed


@pytest.mark.parametrize(("beyond_m", "is_inside"), [(-10, True), (0, True), (0.5, True), (5, False), (80, False)])
def test_outer_edges_do_not_grow(beyond_m: float, is_inside: bool) -> None:
    slices = [box(11, 47, 14, 48.1), box(11, 48.1, 14, 48.3 - beyond_m * M)]
    assert contains(slices, ZONE) is is_inside


def test_across_the_antimeridian_and_the_equator() -> None:
    zone = MultiPolygon([box(179.9, -0.1, 180, 0.1), box(-180, -0.1, -179.9, 0.1)])
    assert contains([box(179, -1, 180, 1), box(-180, -1, -179, 1)], zone)
    assert not contains([box(179, -1, 180, 1)], zone)
    assert coverage([box(179, -1, 180, 1)], zone).share == pytest.approx(0.5, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(
    cut=st.floats(47.2, 48.8),
    west=st.floats(11.5, 13.2),
    south=st.floats(47.1, 48.5),
    width=st.floats(0.05, 0.7),
    height=st.floats(0.05, 0.45),
)
def test_cutting_into_slices_changes_nothing(
    cut: float, west: float, south: float, width: float, height: float
) -> None:
    zone = box(west, south, west + width, south + height)
    whole = coverage([box(11, 47, 14, 49)], zone)
    slices = [box(11, 47, 14, cut), box(11, cut + 10 * M, 14, 49)]
    cover = coverage(slices, zone)
    assert (cover.contains, cover.share) == (whole.contains, pytest.approx(whole.share, abs=1e-6))
    assert cover.margin_m == pytest.approx(whole.margin_m, abs=1.0)
    # One slice alone contains it exactly if it lies on one side.
    for part in slices:
        inside = part.bounds[1] + M <= zone.bounds[1] and zone.bounds[3] <= part.bounds[3] - M
        outside = zone.bounds[3] > part.bounds[3] + 50 * M or zone.bounds[1] < part.bounds[1] - 50 * M
        assert contains([part], zone) or not inside
        assert not contains([part], zone) or not outside


def test_common_area_is_what_all_show() -> None:
    area = common_area([[box(11, 47, 13, 48), box(11, 48, 13, 49)], [box(12, 47.5, 15, 48.5)]])
    assert area.is_valid
    assert shapely.symmetric_difference(area, box(12, 47.5, 13, 48.5)).area < 0.003
    assert contains([box(11, 47, 13, 49)], area)


def test_no_common_area_is_refused() -> None:
    with pytest.raises(StepError, match="bad_aoi"):
        common_area([[box(11, 47, 12, 48)], [box(13, 47, 14, 48)]])


@pytest.mark.real
def test_real_slices_leave_gaps_that_a_plain_union_falls_into(sample_data: Path) -> None:
    """Ten consecutive slices of one datatake as Creodias describes them: outlines about ten metres apart."""
    answer = json.loads((sample_data / "eodag/tests/resources/eodag_search_result_creodias.json").read_text())
    slices = [shape(entry["GeoFootprint"]) for entry in answer["value"]]
    for one, other in pairwise(slices):
        assert 0 < shapely.distance(one, other) / M < 2 * SEAM_M
        seam = shapely.centroid(shapely.union(one, other))
        zone = seam.buffer(0.3)
        assert not shapely.covers(shapely.union(one, other), zone)
        assert contains([one, other], zone)
        assert not contains([one], zone)
