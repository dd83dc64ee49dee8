"""A tile and a year in one task, and where quality masks come from."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from containers.base import storage
from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError, StepParams
from containers.gdal.contract.cut import CutParams, MajaProduct
from tasks import ledger, step_batch
from tasks.pastures import cutting
from tasks.pastures.cutting import CutBatch, by_year, cut_tile
from tasks.pastures.quality_masks import quality_mask_href, quality_masks

STENCILS = File(href="store:user/1/stencils.parquet", content_id="sha256:1", size=1)
GRANULE = "s3://eodata/Sentinel-2/MSI/L1C/2018/01/01/S2A.SAFE/GRANULE/L1C_T31TGK_A013204_20180101T105435"


def scene(day: date = date(2018, 1, 1), **fields: Any) -> Scene:
    taken = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    file = File(href=f"{GRANULE}/IMG_DATA/T31TGK_20180101T105441_B04.jp2", content_id="etag:1", size=1)
    facts: dict[str, Any] = {
        "id": f"S2A_MSIL1C_{day:%Y%m%d}T105441_N0206_R051_T31TGK_{day:%Y%m%d}T124911", "platform": "S2A",
        "level": "L1C", "tile": "31TGK", "datetime": taken, "datatake": taken, "orbit": 51, "baseline": "02.06",
        "processed": taken, "footprint": "POLYGON EMPTY", "bands": {"red": file}, "offsets_dn": {"red": 0.0},
    }  # fmt: skip
    return Scene(**(facts | fields))


def maja(day: date) -> MajaProduct:
    taken = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    return MajaProduct(id=f"M{day}", platform="S2A", tile="31TGK", acquired=taken, version="1-4", archive=STENCILS)


@pytest.mark.parametrize(("baseline", "name"), [("02.06", "MSK_CLOUDS_B00.gml"), ("05.00", "MSK_CLASSI_B00.jp2")])
def test_the_mask_lies_beside_the_bands(baseline: str, name: str) -> None:
    assert quality_mask_href(scene(baseline=baseline)) == f"{GRANULE}/QI_DATA/{name}"


def test_bands_elsewhere_have_no_mask() -> None:
    elsewhere = File(href="s3://bucket/B04.tif", content_id="etag:1", size=1)
    assert quality_mask_href(scene(bands={"red": elsewhere})) is None


def test_masks_of_all_parts_or_none(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[tuple[str, ...]] = []
    monkeypatch.setattr(ledger, "skip", lambda *row: rows.append(row))
    old, new = scene(), scene(baseline="05.00")
    _, key = storage.split_s3_href(f"{GRANULE}/QI_DATA/MSK_CLOUDS_B00.gml")
    storage.client().put_object(Bucket=s3_server.bucket, Key=key, Body=b"<mask/>")
    (mask,) = quality_masks((old,))
    assert (mask.name, mask.size) == ("MSK_CLOUDS_B00.gml", 7)
    assert rows == []
    assert quality_masks((old, new)) == ()
    assert [row[1] for row in rows] == ["missing_file"]
    classes = File(href="s3://eodata/SCL.jp2", content_id="etag:1", size=1)
    assert quality_masks((scene(level="L2A", scl=classes),)) == ()
    assert len(rows) == 1


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, str], list[CutParams]]:
    """What was asked of steps; those of the named subjects fail with a code."""
    codes: dict[str, str] = {}
    asked: list[CutParams] = []

    class Result:
        def __init__(self, params: CutParams) -> None:
            self.acquired = params.maja.acquired if params.maja else params.parts[0].datetime
            self.product_ids = (params.maja.id if params.maja else params.parts[0].id,)

    class Done:
        def __init__(self, params: CutParams) -> None:
            self.result = Result(params)

    def perform(params: StepParams, subject: str) -> Done:
        assert isinstance(params, CutParams)
        asked.append(params)
        for word, code in codes.items():
            if word in subject:
                raise StepError(code, "made to fail", "none")
        return Done(params)

    monkeypatch.setattr(step_batch, "perform", perform)
    monkeypatch.setattr(cutting, "quality_masks", lambda parts: ())
    return codes, asked


def test_products_of_both_makers_in_the_order_of_time(performed: Any) -> None:
    batch = CutBatch(
        tile="31TGK", year=2018, stencils=STENCILS, missing_masks="flag",
        acquisitions=((scene(date(2018, 6, 1)),), (scene(date(2018, 2, 1)),)), maja=(maja(date(2018, 4, 1)),),
    )  # fmt: skip
    slices = cut_tile.fn(batch)
    assert [each.acquired.month for each in slices] == [2, 4, 6]
    assert {(params.stencils, params.missing_masks, len(params.bands)) for params in performed[1]} == {
        (STENCILS, "flag", 10)
    }


def test_an_unreadable_product_leaves_the_others(performed: Any) -> None:
    performed[0]["20180201"] = "no_valid_pixels"
    batch = CutBatch(
        tile="31TGK", year=2018, stencils=STENCILS,
        acquisitions=((scene(date(2018, 2, 1)),), (scene(date(2018, 6, 1)),)),
    )  # fmt: skip
    assert [each.acquired.month for each in cut_tile.fn(batch)] == [6]


@pytest.mark.parametrize("code", ["bad_masks", "bad_aoi", "access_denied"])
def test_other_errors_end_the_task(performed: Any, code: str) -> None:
    performed[0]["20180201"] = code
    batch = CutBatch(tile="31TGK", year=2018, stencils=STENCILS, acquisitions=((scene(date(2018, 2, 1)),),))
    with pytest.raises(StepError) as caught:
        cut_tile.fn(batch)
    assert caught.value.code == code


def test_a_task_per_year() -> None:
    acquisitions = [(scene(date(2019, 6, 1)),), (scene(date(2018, 6, 1)),)]
    batches = list(by_year("31TGK", STENCILS, acquisitions, [maja(date(2019, 1, 5))]))
    assert [(batch.year, len(batch.acquisitions), len(batch.maja)) for batch in batches] == [(2018, 1, 0), (2019, 1, 1)]
