"""A tile and a year in one task: one acquisition's failure is its own, an error of the archive is everybody's."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import shapely

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError, StepParams
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.observe import Image, Observation
from tasks import step_batch
from tasks.masks.tile_batches import ObserveBatch, by_tile_and_year, observe_tile, seen_in_time
from tasks.runner import Done

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=64, height=64)
MASK_GRID = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_400_000, width=64, height=64)


def scene(day: date, tile: str = "33UUP") -> Scene:
    taken = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    file = File(href=f"s3://eodata/{tile}{day}.jp2", content_id=f"sha256:{tile}{day}", size=1)
    return Scene(
        id=f"S2A_{tile}_{day}", platform="S2A", level="L1C", tile=tile, datetime=taken, datatake=taken, orbit=1,
        baseline="05.00", processed=taken, footprint=shapely.box(12, 48, 13, 49).wkt,
        bands={"red": file, "nir": file}, offsets_dn={"red": 0.0, "nir": 0.0},
    )  # fmt: skip


def batch(*days: date) -> ObserveBatch:
    return ObserveBatch(
        tile="33UUP",
        year=2020,
        acquisitions=tuple((scene(day),) for day in days),
        index_bands=("red", "nir"),
        mask_bands=("red", "nir"),
        grid=GRID,
        mask_resolution_m=60,
        background_resolution_m=240,
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Steps that fail with a code on the days that are named; what was done is noted."""
    codes: dict[str, str] = {}
    subjects: list[str] = []

    def perform(params: StepParams, subject: str) -> Done[Any]:
        subjects.append(subject)
        for day, code in codes.items():
            if day in subject:
                raise StepError(code, "made to fail", "none")
        return Done(subject, False)  # type: ignore[type-var]

    monkeypatch.setattr(step_batch, "perform", perform)
    return codes, subjects


def test_acquisitions_are_grouped_by_tile_and_year_in_the_order_of_time() -> None:
    found = [(scene(date(2020, 5, 2)),), (scene(date(2019, 5, 2)),), (scene(date(2020, 1, 2)),),
             (scene(date(2020, 3, 1), tile="32UQV"),)]  # fmt: skip
    grouped = by_tile_and_year(found)
    assert list(grouped) == [("32UQV", 2020), ("33UUP", 2019), ("33UUP", 2020)]
    assert [parts[0].datetime.month for parts in grouped["33UUP", 2020]] == [1, 5]


def test_tiles_are_mixed_in_the_order_of_time() -> None:
    """Two tiles over one window: the series wants time to go forward, whatever tile a scene is of."""
    file = File(href="store:made/1/1/mask.tif", content_id="sha256:1", size=1)
    image = Image(file=file, grid=MASK_GRID)
    observations, masks = [], []
    for tile, day in (("32UQV", date(2020, 5, 2)), ("32UQV", date(2020, 7, 2)), ("33UUP", date(2020, 6, 2))):
        part = scene(day, tile)
        facts = part.model_dump(include={"tile", "platform", "orbit", "level", "baseline", "simulated", "footprint"})
        observations.append(
            Observation(
                **facts, scene_id=part.id, acquired=part.datetime, cloud_cover=None, grid=GRID, bands={"red": file},
                features=image, background=image, valid_share=1,
            )
        )  # fmt: skip
        masks.append(
            MaskResult(
                scene_id=part.id, engine="hollstein", grid=MASK_GRID, mask=file, probability=None, components=None,
                shares={},
            )
        )  # fmt: skip
    assert [each.acquired.month for each in seen_in_time(observations, masks)] == [5, 6, 7]
    assert len(seen_in_time(observations, masks[:2])) == 2


def test_an_unreadable_acquisition_leaves_the_others(failing: Any) -> None:
    codes, subjects = failing
    codes["2020-05-02"] = "corrupt_file"
    done = observe_tile.fn(batch(date(2020, 4, 2), date(2020, 5, 2), date(2020, 6, 2)))
    assert list(done) == ["observe 33UUP 2020-04-02 S2A", "observe 33UUP 2020-06-02 S2A"]
    assert len(subjects) == 3


@pytest.mark.parametrize("code", ["access_denied", "throttled", "disk_full"])
def test_other_errors_end_the_task(failing: Any, code: str) -> None:
    failing[0]["2020-05-02"] = code
    with pytest.raises(StepError) as error:
        observe_tile.fn(batch(date(2020, 4, 2), date(2020, 5, 2)))
    assert error.value.code == code
