"""De-duplication, halves and slivers on scenes alone."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from tasks.catalogue.rules import (
    acquisition_cloud,
    acquisition_share,
    acquisitions,
    drop_poor,
    footprint_of,
    keep_latest,
)

AREA = MultiPolygon([box(12.6, 48.0, 13.0, 48.4)])
NORTH, SOUTH = box(12.3, 48.2, 13.7, 48.65), box(12.3, 47.75, 13.7, 48.2)


def ids(scenes):
    return [scene.id for scene in scenes]


def test_the_highest_baseline_wins_over_a_later_processing(make_scene):
    old = make_scene(baseline="0400", made="20240101T000000")
    new = make_scene(baseline="0510", made="20230101T000000")
    kept, refused = keep_latest([old, new])
    assert ids(kept) == [new.id]
    assert [(row.scene_id, row.code) for row in refused] == [(old.id, "superseded")]
    assert new.id in refused[0].reason


def test_of_one_baseline_the_latest_processing_wins(make_scene):
    first, second = make_scene(made="20230530T175912"), make_scene(made="20230530T175913")
    assert ids(keep_latest([first, second])[0]) == [second.id]


@pytest.mark.parametrize(
    "other", [{"platform": "S2B"}, {"tile": "33UVP"}, {"orbit": 108}, {"start": "20200705T101558"}]
)
def test_other_pictures_are_no_duplicates(make_scene, other):
    assert len(keep_latest([make_scene(), make_scene(**other)])[0]) == 2


def test_halves_are_kept_even_of_different_baselines(make_scene):
    north = make_scene(footprint=NORTH, baseline="0500", strip="20200705T101900")
    south = make_scene(footprint=SOUTH, baseline="0400", strip="20200705T101930")
    kept, refused = keep_latest([south, north])
    assert (set(ids(kept)), refused) == ({north.id, south.id}, ())
    assert [ids(parts) for parts in acquisitions(kept)] == [[north.id, south.id]]


def test_an_old_copy_of_each_half_goes(make_scene):
    scenes = [
        make_scene(footprint=footprint, baseline=baseline, strip=strip, made=made)
        for footprint, strip, made in (
            (NORTH, "20200705T101900", "20230101T000000"),
            (SOUTH, "20200705T101930", "20230101T000001"),
        )
        for baseline in ("0214", "0500")
    ]
    kept, refused = keep_latest(scenes)
    assert {scene.baseline for scene in kept} == {"05.00"}
    assert (len(kept), len(refused)) == (2, 2)


def test_the_same_datastrip_is_a_duplicate_however_its_outline_is_drawn(make_scene):
    coarse = make_scene(footprint=box(12.3, 47.75, 13.7, 48.65), baseline="0400", strip="20200705T101900")
    exact = make_scene(footprint=NORTH, baseline="0500", strip="20200705T101900")
    assert ids(keep_latest([coarse, exact])[0]) == [exact.id]


def test_another_stations_copy_is_no_half(make_scene):
    whole = make_scene(strip="20200705T101900", made="20230101T000001")
    copy = make_scene(strip="20200705T101901", footprint=box(12.3, 47.74, 13.7, 48.65), made="20230101T000000")
    assert ids(keep_latest([copy, whole])[0]) == [whole.id]


def test_halves_together_cover_what_neither_does(make_scene):
    north, south = make_scene(footprint=NORTH, share=0.5, cloud=0.0), make_scene(footprint=SOUTH, share=0.5, cloud=40.0)
    assert acquisition_share((north, south), AREA) == pytest.approx(1.0, abs=0.005)
    assert acquisition_cloud((north, south)) == pytest.approx(20.0)
    overlapping = make_scene(footprint=box(12.3, 48.1, 13.7, 48.65), share=0.75)
    assert acquisition_share((overlapping, north), AREA) == pytest.approx(0.75, abs=0.005)
    assert acquisition_cloud((north, make_scene(cloud=None))) is None


def test_small_halves_of_a_good_acquisition_stay_and_lonely_ones_go(make_scene):
    rest = make_scene(footprint=box(12.3, 47.75, 13.7, 48.01), share=0.025, made="20230101T000001")
    main = make_scene(footprint=box(12.3, 48.01, 13.7, 48.65), share=0.975)
    assert len(drop_poor([rest, main], AREA, min_valid_share=0.05, max_cloud=100)[0]) == 2
    kept, refused = drop_poor([rest], AREA, min_valid_share=0.05, max_cloud=100)
    assert (kept, [row.code for row in refused]) == ((), ["sliver"])


def test_unknown_cloud_passes_only_without_a_limit(make_scene):
    unknown = make_scene(cloud=None)
    assert drop_poor([unknown], AREA, min_valid_share=0, max_cloud=100)[0] == (unknown,)
    assert [row.code for row in drop_poor([unknown], AREA, min_valid_share=0, max_cloud=99)[1]] == ["too_cloudy"]


products = st.fixed_dictionaries(
    {
        "baseline": st.sampled_from(["0214", "0400", "0500", "0510"]),
        "made": st.sampled_from(["20230101T000000", "20230101T000001", "20230101T000002"]),
        "platform": st.sampled_from(["S2A", "S2B"]),
        "strip": st.sampled_from([None, "20200705T101900", "20200705T101930"]),
        "footprint": st.sampled_from([NORTH, SOUTH, box(12.3, 47.75, 13.7, 48.65)]),
    }
)


@given(chosen=st.lists(products, max_size=8), seed=st.randoms(use_true_random=False))
def test_dedup_is_idempotent_and_blind_to_order(make_scene, chosen, seed):
    scenes = list({scene.id: scene for scene in (make_scene(**fields) for fields in chosen)}.values())
    kept, refused = keep_latest(scenes)
    shuffled = list(scenes)
    seed.shuffle(shuffled)
    assert sorted(ids(keep_latest(shuffled)[0])) == sorted(ids(kept))
    assert keep_latest(kept) == (kept, ())
    assert sorted([*ids(kept), *(row.scene_id for row in refused)]) == sorted(ids(scenes))


@given(chosen=st.lists(products, max_size=8))
def test_dedup_keeps_the_best_of_each_picture_and_nothing_that_shows_little_new(make_scene, chosen):
    scenes = list({scene.id: scene for scene in (make_scene(**fields) for fields in chosen)}.values())
    kept = keep_latest(scenes)[0]
    for platform in ("S2A", "S2B"):
        ours = [scene for scene in scenes if scene.platform == platform]
        if ours:
            assert max(ours, key=lambda scene: (scene.baseline, scene.processed, scene.id)) in kept
    for one, two in itertools.combinations(kept, 2):
        if one.platform == two.platform:
            assert one.datastrip is None or one.datastrip != two.datastrip
            assert not footprint_of(one).equals(footprint_of(two))
