"""From optical images to the radar passes that belong to them, and the zone."""

from pathlib import Path

import pytest
import shapely
from shapely.geometry import box

from containers.base.contract.step import StepError
from tasks import ledger
from tasks.aoi import read_aoi
from tasks.cloud_removal.passes import find_passes
from tasks.cloud_removal.plan import RemovalRates, plan_removal
from tasks.cloud_removal.scenes import search_images
from tasks.containment import contains
from tasks.parameters.cloud_removal import CloudRemovalParams
from tests.tasks.cloud_removal.small_catalogue import AOI, OPTICAL_BYTES, form, optical_item, pass_item

AREA = shapely.to_wkt(read_aoi(AOI), rounding_precision=7)
DATES = [{"start": "2020-05-01", "end": "2020-05-15"}, {"start": "2020-06-01", "end": "2020-06-15"}]
IMAGES = [optical_item("20200507"), optical_item("20200606")]
PASSES = [
    pass_item("20200509"),
    pass_item("20200602"),
    pass_item("20200601", track=95, direction="ascending"),
    pass_item("20200720"),
]


def images_of(params: CloudRemovalParams, aoi: str = AREA):
    return tuple(search_images(params, window, aoi).images[0] for window in params.dates)


def test_the_passes_of_one_track(machine, tmp_path: Path) -> None:
    params = form(tmp_path, [*IMAGES, *PASSES], DATES)
    found = find_passes.fn(params, AREA, images_of(params))
    assert found.zone == AREA
    assert [[part.id for part in each.slices] for each in found.passes] == [[PASSES[0]["id"]], [PASSES[1]["id"]]]
    # 07 May 10:10:31 to 09 May 05:10:12.5, and 06 June 10:10:31 to 02 June 05:10:12.5.
    assert [each.gap_hours for each in found.passes] == pytest.approx([43 - 18.5 / 3600, -101 - 18.5 / 3600])
    assert {row.subject: row.code for row in ledger.rows()} == {PASSES[2]["id"]: "not_paired"}


@pytest.mark.parametrize(
    ("pairing", "left_out"),
    [
        ({"direction": "ascending"}, "2 other_pass"),
        ({"relative_orbit": 95}, "2 other_pass"),
        ({"max_gap_days": 2}, ""),
        ({"polarisations": ["hh"]}, "3 missing_polarisation"),
        ({"filters": {"timeliness": "NRT-3h"}}, "3 filtered"),
    ],
)
def test_no_pair_says_what_was_left_out(machine, tmp_path: Path, pairing: dict, left_out: str) -> None:
    params = form(tmp_path, [*IMAGES, *PASSES], DATES, pairing=pairing)
    with pytest.raises(StepError) as caught:
        find_passes.fn(params, AREA, images_of(params))
    assert caught.value.code == "no_pair"
    assert (f"Left out before: {left_out}." in caught.value.reason) == bool(left_out)
    assert "2020-05-07:" in caught.value.reason
    assert "2020-06-06:" in caught.value.reason


def named(tmp_path: Path, *passes: dict) -> CloudRemovalParams:
    dates = [{**window, "product": item["id"]} for window, item in zip(DATES, IMAGES, strict=True)]
    return form(tmp_path, [*IMAGES, *passes], dates, area={})


def test_without_area_the_zone_is_what_all_show(machine, tmp_path: Path) -> None:
    west, north = box(11, 47, 13.5, 49), box(11, 47.9, 14.5, 49)
    params = named(tmp_path, pass_item("20200509", footprint=west), pass_item("20200602", footprint=north))
    found = find_passes.fn(params, "", images_of(params, ""))
    zone = shapely.from_wkt(found.zone)
    assert zone.bounds == pytest.approx((12.3, 47.9, 13.5, 48.65), abs=0.01)
    assert contains([west], zone)
    assert contains([north], zone)
    assert [each.covered_share for each in found.passes] == pytest.approx([0.857, 0.833], abs=0.02)


def test_images_without_common_ground(machine, tmp_path: Path) -> None:
    items = [
        optical_item("20200507", footprint=box(12.3, 47.75, 12.7, 48.65)),
        optical_item("20200606", footprint=box(13.0, 47.75, 13.7, 48.65)),
    ]
    params = form(
        tmp_path, items, [{**window, "product": item["id"]} for window, item in zip(DATES, items, strict=True)], area={}
    )
    with pytest.raises(StepError, match="bad_aoi"):
        find_passes.fn(params, "", images_of(params, ""))


def test_the_plan_counts_what_will_be_read(tmp_path: Path) -> None:
    more = [optical_item(f"2020050{day}", cloud=50 + day) for day in (1, 2, 3, 4, 5)]
    params = form(tmp_path, [*IMAGES, *more, *PASSES], [{**DATES[0]}, {**DATES[1], "criterion": "end"}])
    plan = plan_removal(params)
    radar_bytes = 0
    for item in PASSES[:2]:
        kept = [path for path in item["assets"] if path.split("/")[0] in ("manifest.safe", "annotation", "measurement")]
        radar_bytes += sum(item["assets"][path]["file:size"] for path in kept if "rfi" not in path)
    assert plan.bytes_to_read == 6 * OPTICAL_BYTES + radar_bytes
    assert (plan.scenes, plan.acquisitions, plan.tiles, plan.periods) == (8, 8, 1, 2)
    assert plan.refused == 1
    # 29.6 km × 33.4 km at 10 m, 0.8 of it learned 120 times by three networks at 0.05 Mpx/s.
    assert plan.minutes["train"] == pytest.approx(9.92 * 0.8 * 120 * 3 / 0.05 / 60, rel=0.01)
    assert plan.minutes["radar"] == pytest.approx(9.92 * 2 * 2 / 0.05 / 60, rel=0.01)
    assert plan.bytes_to_store > plan.bytes_to_read
    quick = plan_removal(params, RemovalRates(archive_mb_s_per_connection=40))
    assert quick.minutes["download"] == pytest.approx(plan.minutes["download"] / 2)


def test_the_plan_of_a_trained_model_and_of_fewer_epochs(tmp_path: Path) -> None:
    items = [*IMAGES, *PASSES]
    whole = plan_removal(form(tmp_path, items, DATES))
    for overrides in ({"training.epochs": 4}, {"training": {"epochs": 4}}):
        fewer = plan_removal(form(tmp_path, items, DATES, learning={"overrides": overrides}))
        assert fewer.minutes["train"] == pytest.approx(whole.minutes["train"] / 30)
    given = plan_removal(form(tmp_path, items, DATES, learning={"model_href": "/models/a"}))
    assert given.minutes["train"] == 0
    assert given.minutes["predict"] == pytest.approx(whole.minutes["predict"] / 3)
    assert given.bytes_to_store < whole.bytes_to_store


def test_the_plan_without_area(tmp_path: Path) -> None:
    plan = plan_removal(named(tmp_path, *PASSES))
    assert plan.scenes == 4


def test_the_plan_fails_like_the_run(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no_pair"):
        plan_removal(form(tmp_path, IMAGES, DATES))
    with pytest.raises(StepError, match="no_scenes"):
        plan_removal(form(tmp_path, PASSES, DATES))
    with pytest.raises(StepError, match="bad_aoi"):
        plan_removal(form(tmp_path, IMAGES, DATES, area={}))
