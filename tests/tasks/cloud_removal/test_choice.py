"""Which image of a date is taken, once its mask is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from tasks.cloud_removal.choice import COMPARED, choose_image
from tasks.cloud_removal.scenes import ImageCandidates, TiledImage
from tasks.parameters.cloud_removal import DateWindow

FIRST = datetime(2020, 5, 1, 10, tzinfo=UTC)


def image(day: int) -> TiledImage:
    taken = FIRST + timedelta(days=day)
    return (
        (
            Scene(
                id=f"day{day}",
                platform="S2A",
                level="L2A",
                tile="33UUP",
                datetime=taken,
                datatake=taken,
                orbit=22,
                baseline="05.00",
                processed=taken,
                footprint="POLYGON EMPTY",
                bands={"red": File(href="s3://eodata/x", content_id="etag:0", size=1)},
                offsets_dn={"red": -1000.0},
            ),
        ),
    )


def day_of(chosen: TiledImage) -> int:
    return (chosen[0][0].datetime - FIRST).days


class Mask:
    """Hidden shares of days, and which of them were asked for; an error code where a day cannot be read."""

    def __init__(self, *shares: float | str) -> None:
        self.shares = shares
        self.asked: list[int] = []

    def __call__(self, measured: TiledImage) -> float:
        day = day_of(measured)
        self.asked.append(day)
        share = self.shares[day]
        if isinstance(share, str):
            raise StepError(share, f"day {day} is broken", "Leave it out.")
        return share

    @property
    def candidates(self) -> ImageCandidates:
        return ImageCandidates(window_index=0, images=tuple(image(day) for day in range(len(self.shares))))


def window(criterion: str = "begin", max_cloud: float = 20, **fields: Any) -> DateWindow:
    return DateWindow.model_validate(
        {"start": "2020-05-01", "end": "2020-05-31", "criterion": criterion, "max_cloud": max_cloud, **fields}
    )


@pytest.mark.parametrize("criterion", ["begin", "end"])
def test_the_first_that_is_clear_enough(criterion: str) -> None:
    mask = Mask(0.9, 0.21, 0.20, 0.0)
    choice = choose_image(mask.candidates, window(criterion), mask)
    assert (day_of(choice.image), choice.hidden_share) == (2, 0.20)
    assert mask.asked == [0, 1, 2]
    assert [(row.scene_id, row.code) for row in choice.refused] == [("day0", "too_hidden"), ("day1", "too_hidden")]
    assert choice.refused[0].reason == "90.0% of the area is hidden; 20.0% in the image used."


def test_least_cloudy_is_the_clearest_of_the_first_five() -> None:
    mask = Mask(0.15, 0.3, 0.05, 0.1, 0.5, 0.01)
    choice = choose_image(mask.candidates, window("least_cloudy"), mask)
    assert day_of(choice.image) == 2
    assert mask.asked == [0, 1, 2, 3, 4]
    assert {row.scene_id: row.code for row in choice.refused} == {
        "day0": "not_chosen",
        "day1": "too_hidden",
        "day3": "not_chosen",
        "day4": "too_hidden",
    }


def test_where_none_of_five_is_clear_enough_the_next_five_are_seen() -> None:
    mask = Mask(*[0.9] * 5, 0.3, 0.15, 0.1, 0.4, 0.4, 0.0)
    choice = choose_image(mask.candidates, window("least_cloudy"), mask)
    assert day_of(choice.image) == 7
    assert mask.asked == list(range(10))


def test_nothing_is_clearer_than_clear() -> None:
    mask = Mask(0.1, 0.0, 0.0, 0.2)
    assert day_of(choose_image(mask.candidates, window("least_cloudy"), mask).image) == 1
    assert mask.asked == [0, 1]


def test_of_equally_clear_ones_the_first() -> None:
    mask = Mask(0.3, 0.1, 0.1)
    assert day_of(choose_image(mask.candidates, window("least_cloudy"), mask).image) == 1


@pytest.mark.parametrize("criterion", ["begin", "least_cloudy"])
def test_none_is_clear_enough(criterion: str) -> None:
    mask = Mask(0.9, 0.31, "corrupt_file")
    with pytest.raises(StepError) as caught:
        choose_image(mask.candidates, window(criterion), mask)
    assert caught.value.code == "no_scenes"
    assert (
        caught.value.reason == "none of the 3 images from 2020-05-01 to 2020-05-31 hides at most 20 % of the area: "
        "2020-05-02 31.0%, 2020-05-01 90.0%. Left out: day2 corrupt_file."
    )


@pytest.mark.parametrize("code", ["corrupt_file", "missing_file", "no_valid_pixels"])
def test_an_image_that_cannot_be_read_is_a_row_and_the_next_is_tried(code: str) -> None:
    mask = Mask(code, 0.1)
    choice = choose_image(mask.candidates, window(), mask)
    assert day_of(choice.image) == 1
    assert [(row.scene_id, row.code, row.hint) for row in choice.refused] == [("day0", code, "Leave it out.")]


@pytest.mark.parametrize("code", ["storage_timeout", "out_of_memory", "access_denied"])
def test_other_errors_are_the_run_s(code: str) -> None:
    mask = Mask(code, 0.1)
    with pytest.raises(StepError, match=code):
        choose_image(mask.candidates, window(), mask)


def test_a_named_product_is_taken_whatever_it_hides() -> None:
    mask = Mask(1.0)
    assert choose_image(mask.candidates, window(product="a name"), mask).hidden_share == 1.0
    broken = Mask("corrupt_file")
    with pytest.raises(StepError, match="none could be measured"):
        choose_image(broken.candidates, window(product="a name"), broken)


def test_images_up_to_the_date_before_are_left_out() -> None:
    mask = Mask(0.0, 0.0, 0.1)
    choice = choose_image(mask.candidates, window(), mask, after=FIRST + timedelta(days=1))
    assert day_of(choice.image) == 2
    assert mask.asked == [2]
    assert [(row.scene_id, row.code) for row in choice.refused] == [
        ("day0", "outside_dates"),
        ("day1", "outside_dates"),
    ]


shares = st.lists(st.one_of(st.sampled_from([0.0, 0.2, 0.5, "corrupt_file"]), st.floats(0, 1)), min_size=1, max_size=14)


@settings(max_examples=200, deadline=None)
@given(seen=shares, max_cloud=st.sampled_from([0, 20, 50, 100]), criterion=st.sampled_from(["begin", "least_cloudy"]))
def test_what_is_taken_is_clear_enough_and_nothing_earlier_was(seen, max_cloud: float, criterion: str) -> None:
    mask = Mask(*seen)
    usable = [day for day, share in enumerate(seen) if not isinstance(share, str) and share <= max_cloud / 100]
    if not usable:
        with pytest.raises(StepError, match="no_scenes"):
            choose_image(mask.candidates, window(criterion, max_cloud), mask)
        assert mask.asked == list(range(len(seen)))
        return
    choice = choose_image(mask.candidates, window(criterion, max_cloud), mask)
    day = day_of(choice.image)
    assert day in usable
    assert choice.hidden_share == seen[day]
    assert {row.scene_id for row in choice.refused} == {f"day{other}" for other in mask.asked if other != day}
    if criterion == "begin":
        assert day == usable[0]
    else:
        assert day // COMPARED == usable[0] // COMPARED
        assert seen[day] == min(seen[other] for other in usable if other // COMPARED == day // COMPARED)
