"""One track for all dates, closest in time, containing the zone: against a slow and obvious search."""

from datetime import timedelta
from itertools import permutations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from shapely.geometry import box

from containers.base.contract.radar import RadarProduct
from containers.base.contract.step import StepError
from tasks.catalogue.answer import refusal
from tasks.cloud_removal.pairing import PairedPass, common_zone, find_pairs
from tasks.cloud_removal.radar_passes import OpticalDate, PairRules, passes_of
from tests.tasks.radar_passes_by_hand import NOON, radar_product

ZONE = box(12.6, 48.0, 13.0, 48.3)
RULES = PairRules(max_gap_days=6)
DAY = 24.0


def images(*days: float) -> list[OpticalDate]:
    return [OpticalDate(name=f"day {day:g}", acquired=NOON + timedelta(days=day)) for day in days]


def names(pairs) -> list[list[str]]:
    return [[each.id for each in paired.slices] for paired in pairs.passes]


def error_of(*args, **kwargs) -> StepError:
    with pytest.raises(StepError) as caught:
        find_pairs(*args, **kwargs)
    assert caught.value.code == "no_pair"
    return caught.value


def test_the_nearest_pass_of_each_date() -> None:
    products = [radar_product(hours, name=f"S{hours:g}") for hours in (-30, -14, 20, 11 * DAY, 12.5 * DAY)]
    pairs = find_pairs(images(0, 12), ZONE, products, RULES)
    assert names(pairs) == [["S-14"], ["S300"]]
    assert [paired.gap_hours for paired in pairs.passes] == [-14.0, 12.0]
    assert {(paired.relative_orbit, paired.direction) for paired in pairs.passes} == {(22, "descending")}
    assert [paired.covered_share for paired in pairs.passes] == [1.0, 1.0]
    assert {row.scene_id for row in pairs.refused} == {"S-30", "S20", "S264"}
    assert {row.code for row in pairs.refused} == {"not_paired"}


def test_one_track_serves_all_dates_even_where_others_are_nearer_for_one() -> None:
    products = [
        radar_product(1, track=22, name="near"),
        radar_product(30, track=95, direction="ascending", name="a0"),
        radar_product(12 * DAY + 30, track=95, direction="ascending", name="a1"),
    ]
    assert names(find_pairs(images(0, 12), ZONE, products, RULES)) == [["a0"], ["a1"]]


def test_the_smallest_sum_of_gaps_wins() -> None:
    products = [
        *(radar_product(day * DAY + 20, track=22, name=f"b{day}") for day in (0, 12)),
        radar_product(2, track=95, name="c0"),
        radar_product(12 * DAY + 39, track=95, name="c1"),
    ]
    assert names(find_pairs(images(0, 12), ZONE, products, RULES)) == [["b0"], ["b12"]]


def test_three_dates() -> None:
    products = [radar_product(day * DAY - 5, name=f"S{day}") for day in (-12, 0, 12)]
    assert names(find_pairs(images(-12, 0, 12), ZONE, products, RULES)) == [["S-12"], ["S0"], ["S12"]]


def test_slices_together_contain_the_zone() -> None:
    parts = [
        radar_product(0, datatake="0000AA", south=47, north=48.1, name="south"),
        radar_product(0.01, datatake="0000AA", south=48.1001, north=49, name="north"),
        radar_product(0.02, datatake="0000AA", south=49.0001, north=51, name="far north"),
    ]
    assert names(find_pairs(images(0), ZONE, parts, RULES)) == [["south", "north"]]
    error = error_of(images(0), ZONE, [parts[0], parts[2]], RULES)
    assert "south (+0.0 h, track 22 descending, 33.4% of the zone), does not contain the zone" in error.reason


def test_slices_of_two_datatakes_are_never_joined() -> None:
    halves = [
        radar_product(0, datatake="0000AA", south=47, north=48.1),
        radar_product(0.01, datatake="0000BB", south=48.1, north=49),
    ]
    error_of(images(0), ZONE, halves, RULES)


@pytest.mark.parametrize("change", [{"track": 23}, {"direction": "ascending"}, {"platform": "S1C"}])
def test_slices_that_differ_in_their_pass_are_never_joined(change: dict) -> None:
    halves = [
        radar_product(0, datatake="0000AA", south=47, north=48.1),
        radar_product(0.01, datatake="0000AA", south=48.1, north=49, **change),
    ]
    error_of(images(0), ZONE, halves, RULES)
    with pytest.raises(ValidationError, match="mixed orbits"):
        PairedPass(slices=halves, gap_hours=0, direction="descending", relative_orbit=22, covered_share=1, margin_m=0)


def test_a_larger_footprint_beside_the_zone_is_no_partner() -> None:
    """Sizes say nothing: the reference compared them."""
    large = radar_product(0, swath=(0.0, 12.9), south=40, north=60, name="large")
    small = radar_product(40, swath=(12.5, 13.1), south=47.9, north=48.4, name="small")
    assert names(find_pairs(images(0), ZONE, [large, small], RULES)) == [["small"]]


def test_mixed_orbits_are_refused_and_said_so() -> None:
    products = [
        radar_product(0, track=22, name="d0"),
        radar_product(12 * DAY, track=95, direction="ascending", name="a1"),
    ]
    error = error_of(images(0, 12), ZONE, products, RULES)
    assert "mixed orbits are never paired" in error.reason
    assert "d0 (+0.0 h, track 22 descending, 100.0% of the zone), its track has no partner for day 12" in error.reason
    assert "a1 (+0.0 h, track 95 ascending, 100.0% of the zone), its track has no partner for day 0" in error.reason


def test_equal_track_numbers_of_two_directions_are_two_tracks() -> None:
    products = [radar_product(0), radar_product(12 * DAY, direction="ascending")]
    assert "mixed orbits" in error_of(images(0, 12), ZONE, products, RULES).reason


def test_no_pass_serves_two_dates() -> None:
    shared = radar_product(24, name="shared")
    error = error_of(images(0, 2), ZONE, [shared], RULES)
    assert (
        "shared (+24.0 h, track 22 descending, 100.0% of the zone), its track has no partner for day 2" in error.reason
    )
    other = radar_product(70, name="other")
    assert names(find_pairs(images(0, 2), ZONE, [shared, other], RULES)) == [["shared"], ["other"]]
    # The nearest of both is the same one: the smaller sum decides who gets it.
    assert names(
        find_pairs(images(0, 2), ZONE, [radar_product(30, name="x"), radar_product(-40, name="y")], RULES)
    ) == [
        ["y"],
        ["x"],
    ]


@pytest.mark.parametrize(("hours", "is_near"), [(6 * DAY, True), (-6 * DAY, True), (6 * DAY + 0.1, False)])
def test_the_largest_gap(hours: float, is_near: bool) -> None:
    if is_near:
        assert find_pairs(images(0), ZONE, [radar_product(hours)], RULES).passes[0].gap_hours == hours
    else:
        reason = error_of(images(0), ZONE, [radar_product(hours, name="late")], RULES).reason
        assert reason.startswith("no radar pass belongs to day 0.")
        assert "late (+144.1 h, track 22 descending, 100.0% of the zone), more than 6 days away" in reason


def test_ties_go_to_the_wider_margin_then_to_the_smaller_id() -> None:
    narrow = radar_product(12, track=1, swath=(12.5, 13.1), name="a narrow")
    wide = radar_product(-12, track=2, name="b wide")
    assert names(find_pairs(images(0), ZONE, [narrow, wide], RULES)) == [["b wide"]]
    twin = radar_product(12, track=3, name="a wide")
    assert names(find_pairs(images(0), ZONE, [wide, twin], RULES)) == [["a wide"]]


def test_nothing_at_all_and_what_was_left_out_before() -> None:
    rows = [refusal(f"S{i}", "other_pass", "Its track is 95, asked was 22.") for i in range(3)]
    error = error_of(images(0), ZONE, [], RULES, rows)
    assert "day 0: none." in error.reason
    assert "Left out before: 3 other_pass." in error.reason
    assert "pairing.max_gap_days" in error.hint


def test_at_most_three_misses_of_a_date_the_nearest_first() -> None:
    products = [radar_product(hours, name=f"S{hours}") for hours in (200, -180, 190, 210, 400)]
    reason = error_of(images(0), ZONE, products, RULES).reason
    assert [each for each in ("S200", "S-180", "S190", "S210", "S400") if each in reason] == ["S200", "S-180", "S190"]
    assert reason.index("S-180") < reason.index("S190") < reason.index("S200")


def test_the_common_footprint_takes_passes_that_show_half() -> None:
    rules = PairRules(max_gap_days=6, whole_zone=False)
    footprint = box(12.0, 47.5, 14.0, 48.5)
    most = radar_product(30, swath=(11, 13.5), name="most")
    sliver = radar_product(1, track=95, swath=(13.8, 16), name="sliver")
    pairs = find_pairs(images(0), footprint, [most, sliver], rules)
    assert names(pairs) == [["most"]]
    assert pairs.passes[0].covered_share == pytest.approx(0.75, abs=0.01)
    zone = common_zone([footprint], pairs.passes)
    assert zone.bounds == pytest.approx((12.0, 47.5, 13.5, 48.5), abs=0.01)
    assert find_pairs(images(0), zone, [most], RULES).passes[0].covered_share == 1.0
    assert "shows too little of the zone" in error_of(images(0), footprint, [sliver], rules).reason


def test_passes_keep_the_slices_that_show_the_zone_in_the_order_of_time() -> None:
    parts = [
        radar_product(0.01 * number, datatake="0000AA", south=47 + number, north=48 + number, name=f"{9 - number}")
        for number in range(3)
    ]
    (found,) = passes_of([*parts[::-1], parts[0]], box(12, 47.5, 13, 48.5))
    assert [each.id for each in found.slices] == ["9", "8"]
    assert passes_of(parts, box(30, 47, 31, 48)) == ()


products_by_chance = st.lists(
    st.builds(
        radar_product,
        hours=st.integers(-300, 300).map(float),
        track=st.sampled_from([22, 95]),
        direction=st.sampled_from(["ascending", "descending"]),
        south=st.sampled_from([47.0, 48.1]),
        swath=st.sampled_from([(11.0, 14.0), (11.0, 12.8)]),
    ),
    max_size=9,
    unique_by=lambda each: each.id,
)


def holds_zone(product: RadarProduct) -> bool:
    """By comparing numbers: every product here is a rectangle that reaches far enough north."""
    west, south, east, _ = shapely.from_wkt(product.footprint).bounds
    return west <= 12.6 and east >= 13.0 and south <= 48.0


def obvious(dates: list[OpticalDate], products: list[RadarProduct], max_gap_h: float) -> float | None:
    """The smallest sum of gaps in hours over every way to give each date a product of one track; None without one."""
    sums = []
    for chosen in permutations([each for each in products if holds_zone(each)], len(dates)):
        taken = zip(chosen, dates, strict=True)
        gaps = [abs((each.start - date.acquired).total_seconds()) / 3600 for each, date in taken]
        if max(gaps) <= max_gap_h and len({(each.relative_orbit, each.direction) for each in chosen}) == 1:
            sums.append(sum(gaps))
    return min(sums, default=None)


@settings(max_examples=100, deadline=None)
@given(
    products=products_by_chance,
    days=st.sampled_from([(0,), (-3, 3), (0, 5), (-6, 0, 6)]),
    gap_days=st.sampled_from([1.0, 6.0, 12.0]),
    shuffled=st.randoms(use_true_random=False),
)
def test_no_better_choice_exists(products: list[RadarProduct], days, gap_days: float, shuffled) -> None:
    dates, rules = images(*days), PairRules(max_gap_days=gap_days)
    # Every product is a pass of its own: its datatake is made of its time.
    products = list({(p.start, p.platform, p.relative_orbit, p.direction): p for p in products}.values())
    best = obvious(dates, products, gap_days * 24)
    if best is None:
        error_of(dates, ZONE, products, rules)
        return
    pairs = find_pairs(dates, ZONE, products, rules)
    assert sum(abs(paired.gap_hours) for paired in pairs.passes) == pytest.approx(best)
    assert len({(paired.relative_orbit, paired.direction) for paired in pairs.passes}) == 1
    used = [each.id for paired in pairs.passes for each in paired.slices]
    assert len(set(used)) == len(dates)
    assert {row.scene_id for row in pairs.refused} | set(used) == {each.id for each in products}
    shuffled.shuffle(products)
    assert find_pairs(dates, ZONE, products, rules).passes == pairs.passes
