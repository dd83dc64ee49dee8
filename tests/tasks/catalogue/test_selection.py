"""Which acquisitions are used, which are spare, which tiles are served."""

import pytest
from shapely.geometry import MultiPolygon, box

from containers.base.contract.step import StepError
from tasks.catalogue.selection import common_tiles, score, select_scenes
from tasks.periods import make_periods

AREA = MultiPolygon([box(12.6, 48.0, 13.0, 48.4)])
PERIODS = make_periods("season", [2019, 2020], (5, 6))


def chosen(selection):
    return {
        (choice.period, choice.tile): [parts[0].id for parts in choice.acquisitions] for choice in selection.choices
    }


def test_the_score_weighs_valid_area_and_cloud_and_the_earlier_date_wins_a_tie(make_scene):
    sliver = make_scene(start="20200501T101559", share=0.1, cloud=0.0)
    cloudy = make_scene(start="20200502T101559", share=1.0, cloud=80.0)
    good = make_scene(start="20200504T101559", share=0.9, cloud=10.0)
    equal = make_scene(start="20200503T101559", share=0.9, cloud=10.0)
    unknown = make_scene(start="20200505T101559", share=1.0, cloud=None)
    assert [round(score((scene,), AREA), 3) for scene in (sliver, cloudy, good, unknown)] == [0.1, 0.2, 0.81, 0.0]
    selection = select_scenes([sliver, cloudy, good, equal, unknown], AREA, PERIODS[1:], max_scenes=2)
    (choice,) = selection.choices
    assert [parts[0] for parts in choice.acquisitions] == [equal, good]
    assert [parts[0] for parts in choice.spares] == [cloudy, sliver, unknown]
    assert [row.code for row in selection.refused] == ["not_chosen"] * 3


def test_best_takes_one_and_median_takes_all(make_scene):
    scenes = [make_scene(start=f"2020050{day}T101559") for day in (1, 2, 3)]
    best, median = (select_scenes(scenes, AREA, PERIODS[1:], method=method).choices[0] for method in ("best", "median"))
    assert (len(best.acquisitions), len(best.spares)) == (1, 2)
    assert (len(median.acquisitions), len(median.spares)) == (3, 0)


def test_halves_are_chosen_together(make_scene):
    halves = [
        make_scene(footprint=box(12.3, 48.2, 13.7, 48.65), share=0.5, made="20230101T000001", start="20200501T101559"),
        make_scene(footprint=box(12.3, 47.75, 13.7, 48.2), share=0.5, made="20230101T000000", start="20200501T101559"),
    ]
    whole = make_scene(start="20200502T101559", share=0.8)
    selection = select_scenes([*halves, whole], AREA, PERIODS[1:])
    assert selection.choices[0].acquisitions == (tuple(halves),)


def test_every_tile_and_period_is_a_choice_or_a_row(make_scene):
    scenes = [
        make_scene(start="20190501T101559"),
        make_scene(start="20200501T101559"),
        make_scene(start="20200501T101559", tile="33UVP"),
        make_scene(start="20200801T101559", tile="33UVP"),
        make_scene(start="20190502T101559", tile="33UVP", cloud=90.0),
        make_scene(start="20190503T101559", tile="33UVP", share=0.01),
    ]
    selection = select_scenes(scenes, AREA, PERIODS, max_cloud=50, min_valid_share=0.05, tiles=["33UWP"])
    assert sorted(chosen(selection)) == [("2019-MJ", "33UUP"), ("2020-MJ", "33UUP"), ("2020-MJ", "33UVP")]
    assert sorted(
        (row.scene_id if len(row.scene_id) < 20 else row.scene_id[11:19], row.code) for row in selection.refused
    ) == [
        ("20190502", "too_cloudy"),
        ("20190503", "sliver"),
        ("20200801", "outside_periods"),
        ("33UVP 2019-MJ", "no_acquisition"),
        ("33UWP 2019-MJ", "no_acquisition"),
        ("33UWP 2020-MJ", "no_acquisition"),
    ]
    tiles, dropped = common_tiles(selection)
    assert tiles == ("33UUP",)
    assert [(row.scene_id, row.code) for row in dropped] == [
        ("33UVP", "not_in_all_periods"),
        ("33UWP", "not_in_all_periods"),
    ]
    assert "2019-MJ" in dropped[0].reason
    assert "2020-MJ" not in dropped[0].reason


def test_no_tile_in_common(make_scene):
    scenes = [make_scene(start="20190501T101559"), make_scene(start="20200501T101559", tile="33UVP")]
    with pytest.raises(StepError) as caught:
        common_tiles(select_scenes(scenes, AREA, PERIODS))
    assert caught.value.code == "no_common_tile"
    assert "1 in 2019-MJ, 1 in 2020-MJ" in caught.value.reason


def test_nothing_at_all():
    with pytest.raises(StepError, match="no_common_tile"):
        common_tiles(select_scenes([], AREA, PERIODS))
