"""Which images may be taken for a date, in which order, and what is said of the others."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import box

from containers.base.contract.step import StepError
from tasks import ledger
from tasks.aoi import read_aoi
from tasks.cloud_removal.scenes import find_images, image_cloud, search_images
from tasks.parameters.cloud_removal import DateWindow
from tests.tasks.cloud_removal.small_catalogue import AOI, form, optical_item, optical_name

AREA = shapely.to_wkt(read_aoi(AOI), rounding_precision=7)
WEST = box(12.3, 47.75, 12.8, 48.65)
TWO_TILES = box(13.5, 48.0, 13.9, 48.3).wkt
"""33UUP ends at 13.77° there, 33UVP begins at 13.65°."""


def window(**fields: Any) -> DateWindow:
    return DateWindow.model_validate({"start": "2020-05-01", "end": "2020-05-31", **fields})


@pytest.fixture
def found(tmp_path: Path):
    def search(*items: dict[str, Any], aoi: str = AREA, **fields: Any):
        params = form(tmp_path, list(items), [{"start": "2020-05-01", "end": "2020-05-31"}] * 2)
        return search_images(params, window(**fields), aoi)

    return search


def names(images) -> list[list[str]]:
    return [[part.id for parts in image for part in parts] for image in images]


def days(images) -> list[date]:
    return [image[0][0].datetime.date() for image in images]


@pytest.mark.parametrize(
    ("criterion", "expected"), [("begin", [2, 7, 12]), ("end", [12, 7, 2]), ("least_cloudy", [12, 2, 7])]
)
def test_the_criterion_orders(found, criterion: str, expected: list[int]) -> None:
    items = [
        optical_item("20200507", cloud=None),
        optical_item("20200502", cloud=60),
        optical_item("20200512", cloud=5),
        optical_item("20200612", cloud=0),
    ]
    answer = found(*items, criterion=criterion)
    assert [day.day for day in days(answer.images)] == expected


def test_of_equally_cloudy_ones_the_earlier_comes_first(found) -> None:
    answer = found(optical_item("20200512"), optical_item("20200507"))
    assert [day.day for day in days(answer.images)] == [7, 12]


def test_tiles_of_one_datatake_are_one_image(found) -> None:
    halves = {"33UUP": box(12.3, 47.75, 13.7, 48.65), "33UVP": box(13.68, 47.75, 15, 48.65)}
    answer = found(
        *(optical_item("20200507", tile, footprint=half) for tile, half in halves.items()),
        optical_item("20200512", "33UUP", footprint=halves["33UUP"]),
        optical_item("20200512", "33UVP", footprint=halves["33UVP"], orbit=65, at="102031"),
        aoi=TWO_TILES,
    )
    assert names(answer.images) == [[optical_name("20200507", "33UUP"), optical_name("20200507", "33UVP")]]
    assert {(row.scene_id[11:19], row.code) for row in answer.refused} == {("20200512", "partial_cover")}
    assert sorted(row.reason for row in answer.refused) == [
        "Its datatake shows 50.0% of the area.",
        "Its datatake shows 55.0% of the area.",
    ]


def test_tiles_that_add_nothing_are_not_read(found) -> None:
    in_both = box(13.67, 48.0, 13.76, 48.3).wkt
    answer = found(
        optical_item("20200507", "33UUP", footprint=box(12.3, 47.75, 13.765, 48.2)),
        optical_item("20200507", "33UVP", footprint=box(13.66, 47.75, 15, 48.65)),
        aoi=in_both,
    )
    assert names(answer.images) == [[optical_name("20200507", "33UVP")]]


def test_sizes_say_nothing_about_cover(found) -> None:
    answer = found(optical_item("20200507", footprint=box(5, 40, 12.9, 60)))
    assert answer.images == ()
    assert [row.code for row in answer.refused] == ["partial_cover"]


def test_cloud_is_weighted_by_what_tiles_show_of_the_area(found) -> None:
    answer = found(
        optical_item("20200507", "33UUP", footprint=box(12.3, 47.75, 13.7, 48.65), cloud=80),
        optical_item("20200507", "33UVP", footprint=box(13.66, 47.75, 15, 48.65), cloud=0),
        aoi=TWO_TILES,
    )
    # Of the area the tiles show 50 % and 60 %.
    assert image_cloud(answer.images[0], shapely.from_wkt(TWO_TILES)) == pytest.approx(80 * 5 / 11, abs=0.1)


def test_a_named_product_is_taken_as_it_is(found) -> None:
    """Although a newer one of the same data is there, most of the area is not shown, and the days are others."""
    wanted = optical_item("20200507", baseline="0214", footprint=WEST, cloud=100)
    wanted["assets"] = {
        key: {name: value for name, value in asset.items() if name != "raster:offset"}
        for key, asset in wanted["assets"].items()
    }
    for name in (wanted["id"], wanted["id"] + ".SAFE"):
        answer = found(wanted, optical_item("20200507"), product=name, start="2019-01-01", end="2019-01-01")
        assert names(answer.images) == [[wanted["id"]]]
    assert names(found(wanted, aoi="", product=wanted["id"]).images) == [[wanted["id"]]]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        (optical_name("20200508"), "no_scenes", "it is not there"),
        (optical_name("20200507", "33UVP"), "no_scenes", "it is not there"),
        (optical_name("20200507").replace("MSIL2A", "MSIL1C"), "no_scenes", "it is not there"),
        ("S2A_something", "bad_parameters", "is no name of a Sentinel-2 product"),
    ],
)
def test_a_name_that_is_not_found_is_named(found, name: str, code: str, reason: str) -> None:
    with pytest.raises(StepError) as caught:
        found(optical_item("20200507"), product=name)
    assert caught.value.code == code
    assert name in caught.value.reason
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (optical_item("20200507", footprint=box(13.2, 47.75, 13.7, 48.65)), "it is not there"),
        (optical_item("20200507", baseline="9900"), "test_baseline. Its baseline is 99.00"),
    ],
)
def test_a_named_product_that_cannot_be_used(found, item: dict[str, Any], reason: str) -> None:
    with pytest.raises(StepError) as caught:
        found(item, product=item["id"])
    assert caught.value.code == "no_scenes"
    assert reason in caught.value.reason


def test_every_date_gets_its_candidates_and_every_scene_left_out_a_row(machine, tmp_path: Path) -> None:
    items = [
        optical_item("20200507"),
        optical_item("20200606"),
        optical_item("20200611", footprint=WEST),
        optical_item("20200616", baseline="9900"),
    ]
    dates = [{"start": "2020-05-01", "end": "2020-05-31"}, {"start": "2020-06-01", "end": "2020-06-30"}]
    candidates = find_images.fn(form(tmp_path, items, dates), AREA)
    assert [each.window_index for each in candidates] == [0, 1]
    assert [days(each.images) for each in candidates] == [[date(2020, 5, 7)], [date(2020, 6, 6)]]
    rows = {row.subject: row.code for row in ledger.rows()}
    assert rows[items[2]["id"]] == "partial_cover"
    assert rows[items[3]["id"]] == "test_baseline"


def test_a_date_without_an_image_is_an_error(machine, tmp_path: Path) -> None:
    dates = [{"start": "2020-05-01", "end": "2020-05-31"}, {"start": "2020-06-01", "end": "2020-06-30"}]
    items = [optical_item("20200507"), optical_item("20200611", footprint=WEST)]
    with pytest.raises(StepError) as caught:
        find_images.fn(form(tmp_path, items, dates), AREA)
    assert caught.value.code == "no_scenes"
    assert "2020-06-01 to 2020-06-30 shows all of the area: 1 partial_cover" in caught.value.reason


def test_without_area_every_date_names_a_product(machine, tmp_path: Path) -> None:
    item = optical_item("20200507")
    dates = [
        {"start": "2020-05-01", "end": "2020-05-31", "product": item["id"]},
        {"start": "2020-06-01", "end": "2020-06-30"},
    ]
    with pytest.raises(StepError) as caught:
        find_images.fn(form(tmp_path, [item], dates, area={}), "")
    assert caught.value.code == "bad_aoi"
    assert "no product is named for 2020-06-01 to 2020-06-30" in caught.value.reason
