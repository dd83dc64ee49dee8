"""Which tiles are used, and that no cell of the ground is in two parts."""

import json
import tracemalloc
from collections import Counter
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.gdal.contract.dataset import PARTS, TilesParams, Tiling
from containers.gdal.tile_deal import Place, block_of, deal
from containers.gdal.tiles import count_places, run
from tests.containers.gdal.pair_images import GRID, PairImages

SMALL: dict[str, Any] = {"size_px": 32, "block_tiles": 1, "shares": (0.6, 0.2, 0.2)}


@pytest.fixture
def images(raster_store) -> PairImages:
    return PairImages(raster_store)


def cut(images: PairImages, out, *pairs, **options: Any) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    params = TilesParams(pairs=pairs or (images.pair(),), grid=images.grid, **(SMALL | options))
    out.mkdir(exist_ok=True)
    result = run(params, out)
    refused = pd.read_csv(out / "refused.csv", dtype={"id": str})
    return result, pd.DataFrame(json.loads((out / "tiles.json").read_text())), refused


def test_gates_name_the_tile_the_value_and_the_limit(images, tmp_path) -> None:
    images.cloud("t0", slice(0, 32), slice(32, 64))
    images.sky["t0"][:2, 32:64] = Sky.CLEAR
    images.cloud("t1", slice(32, 64), slice(0, 28), Sky.SHADOW)
    images.sky["t1"][64:96, :11] = Sky.NODATA
    images.power["vh_t1"][64:96, 64:80] = -1e-6
    images.power["vv_t0"][96:128, 0:32] = np.nan
    images.cloud("t1", slice(0, 10), slice(0, 10), Sky.SNOW)
    result, tiles, refused = cut(images, tmp_path)
    assert refused.to_dict("split")["data"] == [
        ["000_001", "2020-05-11_2020-06-10", "hidden_t0", 0.9375, 0.05],
        ["001_000", "2020-05-11_2020-06-10", "hidden_t1", 0.875, 0.7],
        ["002_000", "2020-05-11_2020-06-10", "few_data_optical_t1", pytest.approx(21 / 32), 0.7],
        ["002_002", "2020-05-11_2020-06-10", "few_data_radar_t1", 0.5, 0.7],
        ["003_000", "2020-05-11_2020-06-10", "few_data_radar_t0", 0.0, 0.7],
    ]
    assert len(tiles) == 6 * 8 - 5 == sum(result.counts.values())
    assert not set(tiles["id"]) & set(refused["id"])
    assert (tiles["row_px"] == tiles["id"].str[:3].astype(int) * 32).all()
    assert tiles.set_index("id").loc["000_000", "hidden_t1"] == 0


def test_hidden_shares_are_of_cells_with_data(images, tmp_path) -> None:
    images.sky["t1"][:8, :32] = Sky.NODATA
    images.cloud("t1", slice(8, 20), slice(0, 32), Sky.CIRRUS)
    _, tiles, _ = cut(images, tmp_path)
    first = tiles.set_index("id").loc["000_000"]
    assert (first["valid_share"], first["hidden_t1"]) == (0.75, 0.5)


def test_incomplete_tiles_are_refused_not_forgotten(images, tmp_path) -> None:
    _, tiles, refused = cut(images, tmp_path, size_px=48)
    assert GRID.shape == (192, 256)
    assert set(refused["code"]) == {"incomplete"}
    assert sorted(refused["id"]) == [f"00{row}_005" for row in range(4)]
    assert set(refused["value"]) == {256 - 5 * 48}
    assert len(tiles) == 4 * 5


def test_a_place_is_in_the_same_part_in_every_pair(raster_store, tmp_path) -> None:
    one, other = PairImages(raster_store), PairImages(raster_store, seed=1)
    other.cloud("t0", slice(0, 64), slice(0, 256))
    result, tiles, refused = cut(one, tmp_path, one.pair("a"), other.pair("b"))
    assert Counter(tiles["pair"]) == {"a": 48, "b": 32}
    assert Counter(refused["pair"]) == {"b": 16}
    assert (tiles.groupby("id")["part"].nunique() == 1).all()
    assert result.counts == Counter(tiles["part"])


def test_same_input_same_bytes_and_the_seed_deals(images, tmp_path) -> None:
    pair = images.pair()
    first, again, other = (
        cut(images, tmp_path / name, pair, seed=seed)[0] for name, seed in zip("abc", (2, 2, 3), strict=True)
    )
    assert first == again
    assert other.tiles.content_id != first.tiles.content_id


def test_outlines_lie_on_the_grid_in_its_crs(images, tmp_path) -> None:
    images.cloud("t0", slice(0, 32), slice(0, 32))
    _, tiles, refused = cut(images, tmp_path, size_px=48, overlap_px=8, block_tiles=2)
    frame = geopandas.read_file(tmp_path / "tiles.gpkg")
    assert frame.crs.to_epsg() == 32633
    assert Counter(frame["part"]) == Counter(tiles["part"]) + Counter({"refused": refused["id"].nunique()})
    assert frame.total_bounds == pytest.approx(tuple(GRID.bounds))
    by_id = frame.set_index("tile").geometry
    assert by_id["001_002"].bounds == (500_800, 5_499_120, 501_280, 5_499_600)


@st.composite
def tilings(draw: Any) -> tuple[set[Place], Tiling]:
    size = draw(st.sampled_from([32, 48]))
    tiling = Tiling(
        size_px=size,
        overlap_px=draw(st.integers(0, size // 2)),
        block_tiles=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 99)),
        shares=draw(st.sampled_from([(0.8, 0.05, 0.15), (0.4, 0.3, 0.3), (0.0, 0.5, 0.5)])),
    )
    places = [Place(row, col) for row in range(draw(st.integers(1, 9))) for col in range(draw(st.integers(1, 9)))]
    return set(draw(st.lists(st.sampled_from(places), min_size=1))) | set(places[::2]), tiling


@settings(deadline=None, max_examples=300)
@given(tilings())
def test_no_cell_is_in_two_parts_and_no_part_is_empty(case) -> None:
    places, tiling = case
    try:
        dealt = deal(places, tiling)
    except StepError:
        assert tiling.overlap_px or len({block_of(place, tiling) for place in places}) < len(PARTS)
        return
    assert set(dealt) == places
    assert set(PARTS) <= set(dealt.values())
    assert len({(block_of(place, tiling), part) for place, part in dealt.items() if part in PARTS}) == len(
        {block_of(place, tiling) for place, part in dealt.items() if part in PARTS}
    )
    stride = tiling.size_px - tiling.overlap_px
    rectangles = [(place.row * stride, place.col * stride, part) for place, part in dealt.items() if part in PARTS]
    for top, left, part in rectangles:
        for other_top, other_left, other in rectangles:
            apart = max(abs(top - other_top), abs(left - other_left)) >= tiling.size_px
            assert part == other or apart


@settings(deadline=None)
@given(st.integers(1, 2000), st.sampled_from([32, 64, 256]), st.data())
def test_places_cover_an_axis_and_none_lies_in_the_one_before(length, size, data) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    count = count_places(length, Tiling(size_px=size, overlap_px=overlap))
    first = [number * (size - overlap) for number in range(count)]
    assert first[-1] + size >= length
    assert count == 1 or length > first[-1] + overlap


def test_overlapping_tiles_of_other_parts_are_dropped_by_name(images, tmp_path) -> None:
    result, tiles, refused = cut(images, tmp_path, overlap_px=8, block_tiles=3)
    assert {"next_to_test", "next_to_validation"} >= set(refused["code"]) - {"incomplete"} != set()
    assert min(result.counts.values()) >= 1
    assert not set(tiles["id"]) & set(refused["id"])


def test_tiles_that_all_share_cells_cannot_be_dealt() -> None:
    square = [Place(row, col) for row in (0, 1) for col in (0, 1)]
    deal(square, Tiling(size_px=32, block_tiles=1))
    with pytest.raises(StepError, match="share cells") as caught:
        deal(square, Tiling(size_px=32, block_tiles=1, overlap_px=1))
    assert caught.value.code == "bad_dataset"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size_px": 128}, "1 tiles? lie|tiles lie in 2 blocks"),
        ({"size_px": 512}, "1 incomplete"),
        ({"min_valid_share": 1.0, "hidden": True}, "48 hidden_t0"),
        ({"block_tiles": 8}, "48 tiles lie in 1 blocks"),
    ],
)
def test_too_few_tiles_say_what_to_change(options, reason, images, tmp_path) -> None:
    options = dict(options)
    if options.pop("hidden", False):
        images.cloud("t0", slice(None), slice(None))
    with pytest.raises(StepError, match=reason) as caught:
        cut(images, tmp_path, **options)
    assert caught.value.code == "bad_dataset"
    assert "size_px" in caught.value.hint


def test_memory_does_not_grow_with_the_height_of_the_grid(raster_store, tmp_path) -> None:
    peaks = []
    for height in (256, 2048):
        images = PairImages(raster_store, grid=GRID.model_copy(update={"height": height, "width": 128}), bands=("red",))
        pair = images.pair()
        tracemalloc.start()
        cut(images, tmp_path / str(height), pair, size_px=64)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_images_on_another_grid_and_pairs_given_twice_are_refused(images, raster_store, tmp_path) -> None:
    pair = images.pair()
    shifted = PairImages(raster_store, grid=GRID.model_copy(update={"west_m": 500_010.0})).optical("t1")
    moved = pair.model_copy(update={"optical_t1": shifted})
    for pairs, code in (((moved,), "grid_mismatch"), ((pair, pair), "bad_parameters")):
        with pytest.raises(StepError) as caught:
            cut(images, tmp_path, *pairs)
        assert caught.value.code == code


def test_rasters_of_another_type_are_refused(images, tmp_path) -> None:
    pair = images.pair()
    optical = pair.optical_t0.model_copy(update={"bands": {"red": pair.radar_t0.bands["vv"]}})
    with pytest.raises(StepError, match="float32, expected int16"):
        cut(images, tmp_path, pair.model_copy(update={"optical_t0": optical}))
