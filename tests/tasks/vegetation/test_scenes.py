"""Which acquisitions a series is made of, and what is said of the others."""

import sys
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import BANDS
from tasks.catalogue.answer import SearchAnswer
from tasks.parameters.vegetation_productivity import VegetationProductivityParams
from tasks.periods import make_periods, months_of
from tasks.settings import get_settings
from tasks.vegetation.intake import SeriesInputs, take_in_series
from tasks.vegetation.scenes import (
    find_acquisitions,
    mask_bands,
    require_acquisitions,
    search_series,
    split_by_land,
)

LAND = shapely.box(12.0, 48.0, 12.5, 48.5)


def jp2(name: str, number: str) -> File:
    return File(href=f"s3://eodata/{name}.SAFE/{number}.jp2", content_id=f"sha256:{name}{number}", size=9)


def scene(day: date, tile: str = "33UUP", footprint: shapely.Polygon = LAND) -> Scene:
    name = f"S2A_MSIL1C_{day:%Y%m%d}T101031_N0500_R022_T{tile}_20230401T120000"
    taken = datetime(day.year, day.month, day.day, 10, 10, 31, tzinfo=UTC)
    return Scene(
        id=name,
        platform="S2A",
        level="L1C",
        tile=tile,
        datetime=taken,
        datatake=taken,
        orbit=22,
        baseline="05.00",
        processed=taken,
        footprint=footprint.wkt,
        bands={
            band.name: File(
                href=f"s3://eodata/{name}.SAFE/{band.number}.jp2", content_id=f"sha256:{name}{band.number}", size=9
            )
            for band in BANDS
        },
        offsets_dn={band.name: -1000.0 for band in BANDS},
    )


@pytest.fixture
def form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A form over one region, with an empty store."""
    import geopandas

    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path / "store"))
    get_settings.cache_clear()
    regions = geopandas.GeoDataFrame({"NUTS_ID": ["A"], "NAME_LATN": ["A"]}, geometry=[LAND], crs=4326)
    regions.to_file(tmp_path / "regions.gpkg")

    def make(**fields: Any) -> VegetationProductivityParams:
        facts = {"time": {"years": [2019, 2020]}, "regions": {"path": str(tmp_path / "regions.gpkg")}}
        return VegetationProductivityParams.model_validate({**facts, **fields})

    yield make
    get_settings.cache_clear()


def test_margins_are_searched_at_both_ends(form: Any) -> None:
    inputs = take_in_series(form(time={"years": [2019, 2020], "days_before": 30, "days_after": 10}))
    assert (inputs.searched.start, inputs.searched.end) == (date(2018, 12, 2), date(2021, 1, 10))
    assert inputs.years == make_periods("year", (2019, 2020))


def test_scenes_off_the_land_are_rows() -> None:
    sea = shapely.box(14.0, 48.0, 14.5, 48.5)
    kept, rows = split_by_land((scene(date(2020, 5, 1)), scene(date(2020, 5, 6), footprint=sea)), LAND)
    assert [each.datetime.day for each in kept] == [1]
    assert [row.code for row in rows] == ["off_land"]
    assert split_by_land((scene(date(2020, 5, 1)),), None)[1] == ()


def test_one_date_only_makes_no_series(form: Any) -> None:
    params = form()
    inputs = take_in_series(params)
    same_day = [(scene(date(2020, 5, 1), tile=tile),) for tile in ("33UUP", "33UVP")]
    with pytest.raises(StepError, match="one date only, 2020-05-01"):
        require_acquisitions(same_day, params, inputs)
    with pytest.raises(StepError, match="No usable L1C scene"):
        require_acquisitions([], params, inputs)
    later = (scene(date(2020, 4, 1)),)
    assert require_acquisitions([*same_day, later], params, inputs)[0] == later


@pytest.mark.parametrize(
    ("level", "engine", "expected"),
    [("L1C", "auto", 13), ("L2A", "auto", 4), ("L2A", "omnicloudmask", 3)],
)
def test_the_mask_gets_the_bands_that_its_engine_looks_at(form: Any, level: str, engine: str, expected: int) -> None:
    source = {"collection": f"sentinel-2-{level.lower()}", "level": level}
    params = form(source=source, visibility={"rules": {"engine": engine}})
    assert len(mask_bands(params)) == expected
    assert ("cirrus" in mask_bands(params)) == (level == "L1C")


@pytest.mark.parametrize(
    ("land", "message"),
    [
        (None, "no geometry"),
        (shapely.box(-179, -89, 179, 89).difference(LAND), "inverted"),
        (shapely.box(100, 0, 101, 1), "area of interest"),
    ],
)
def test_unfit_land_is_refused(form: Any, tmp_path: Path, land: shapely.Polygon | None, message: str) -> None:
    import geopandas

    geopandas.GeoDataFrame({"a": [1]}, geometry=[land], crs=4326).to_file(tmp_path / "land.gpkg")
    with pytest.raises(StepError, match=message) as refused:
        take_in_series(form(area={"land": str(tmp_path / "land.gpkg"), "aoi": "12,48,12.5,48.5"}))
    assert refused.value.code == "bad_aoi"


def test_memory_grows_by_scenes_and_not_by_answers(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """25,000 scenes stay below 600 MB, whatever a catalogue says of each: raw answers are not kept in memory."""
    page = b"x" * 20_000_000
    per_month = 40

    def answer(request: Any) -> SearchAnswer:
        start = request.periods[0].start
        found = tuple(scene(start + timedelta(days=i % 27), tile=f"33U{chr(65 + i // 27)}P") for i in range(per_month))
        from tasks.catalogue.answer import RawAnswer

        return SearchAnswer(scenes=found, refused=(), raw=(RawAnswer("page.json", bytes(page)),))

    monkeypatch.setattr("tasks.catalogue.by_month.search_scenes", answer)
    params = form()
    inputs: SeriesInputs = take_in_series(params)
    tracemalloc.start()
    found = [each for acquired, _ in search_series(params, inputs, {}, keep_answers=False) for each in acquired]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == per_month * len(months_of(inputs.searched))
    assert held / len(found) < 24_000
    assert sys.getsizeof(page) > held / 3


def test_each_refusal_is_a_row_of_the_run(form: Any, monkeypatch: pytest.MonkeyPatch, prefect_server: None) -> None:
    from tasks import ledger
    from tasks.catalogue.answer import refusal

    def answer(request: Any) -> SearchAnswer:
        start = request.periods[0].start
        rows = (refusal(f"cloudy {start}", "too_cloudy", "99 %"),)
        return SearchAnswer(scenes=(scene(start), scene(start + timedelta(days=5))), refused=rows, raw=())

    monkeypatch.setattr("tasks.catalogue.by_month.search_scenes", answer)
    params = form(time={"years": [2020], "days_before": 0, "days_after": 0})
    found = find_acquisitions.fn(params, take_in_series(params))
    assert len(found) == 24
    assert sum(row.code == "too_cloudy" for row in ledger.rows()) == 12
