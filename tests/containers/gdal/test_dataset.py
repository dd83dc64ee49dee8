"""The dataset against the rasters that it was made of, and scalers against numpy over all of its cells."""

import json
import tracemalloc
from typing import Any

import h5py
import numpy as np
import pytest

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.step import Execution, StepError
from containers.base.decibel import to_decibel
from containers.base.scalers import Channel, Scaler, physical, scale
from containers.gdal import dataset, tiles
from containers.gdal.contract.dataset import DatasetParams, Scaling, TilesParams
from tests.containers.gdal.pair_images import BANDS, GRID, PairImages

TILE_PX, NODATA = 32, -32768
GROUPS = ("red_green_blue", "nir_nir08", "swir16_swir22")


@pytest.fixture
def images(raster_store) -> PairImages:
    images = PairImages(raster_store)
    images.cloud("t0", slice(40, 46), slice(3, 9))
    images.cloud("t1", slice(0, 100), slice(0, 90), Sky.CLOUD)
    images.cloud("t1", slice(64, 80), slice(96, 112), Sky.SHADOW)
    images.sky["t1"][130:140, 130:150] = Sky.NODATA
    images.power["vh_t1"][5:7, 200:203] = -1e-5
    images.power["vv_t0"][150:170, 20:40] = np.nan
    return images


class Built:
    """The file of a run, and what it was run with."""

    def __init__(self, images: PairImages, *pairs: Any, **options: Any) -> None:
        store, self.pairs = images.store, pairs or (images.pair(),)
        out = store.folder("gdal.tiles")
        cutting = {"size_px": TILE_PX, "block_tiles": 1, "max_hidden_t1": 0.8, "shares": (0.6, 0.2, 0.2)}
        table = tiles.run(TilesParams(pairs=self.pairs, grid=images.grid, **cutting), out).tiles
        self.table = json.loads((out / table.href).read_text())
        facts: dict[str, Any] = {"pairs": self.pairs, "tiles": store.adopt(table, out), "tile_px": TILE_PX}
        self.params = DatasetParams(grid=images.grid, **(facts | options))
        self.out = store.folder("gdal.dataset")
        self.result = dataset.run(self.params, self.out)

    def read(self, part: str, layer: str) -> Any:
        with h5py.File(self.out / "dataset.h5") as file:
            return file[part][layer][:]

    @property
    def attributes(self) -> dict[str, Any]:
        with h5py.File(self.out / "dataset.h5") as file:
            return dict(file.attrs)


def test_tiles_hold_what_the_images_hold(images) -> None:
    built = Built(images)
    channels = ["vv_t0", "vh_t0", "vv_t1", "vh_t1", *(f"{band}_t0" for band in BANDS)]
    assert list(built.result.channels) == channels
    seen = 0
    for part, count in built.result.tiles.items():
        inputs, target = built.read(part, "inputs"), built.read(part, "target")
        assert inputs.shape == (count, TILE_PX, TILE_PX, len(channels))
        assert target.shape == (count, TILE_PX, TILE_PX, len(BANDS))
        own = sorted((tile for tile in built.table if tile["part"] == part), key=lambda tile: tile["id"])
        assert built.read(part, "ids").astype(str).tolist() == [tile["id"] for tile in own]
        assert built.read(part, "blocks").astype(str).tolist() == [tile["block"] for tile in own]
        for number, tile in enumerate(own):
            rows = slice(tile["row_px"], tile["row_px"] + TILE_PX)
            cols = slice(tile["col_px"], tile["col_px"] + TILE_PX)
            assert [built.read(part, name)[number] for name in ("rows", "cols")] == [rows.start, cols.start]
            for index, band in enumerate(BANDS):
                assert (inputs[number, ..., 4 + index] == images.seen(band, "t0")[rows, cols]).all()
                assert (target[number, ..., index] == images.seen(band, "t1")[rows, cols]).all()
            for date in ("t0", "t1"):
                assert (built.read(part, f"sky_{date}")[number] == images.sky[date][rows, cols]).all()
            for index, name in enumerate(channels[:4]):
                expected = to_decibel(images.power[name][rows, cols])
                known = expected != NODATA
                assert (inputs[number, ..., index][known] == expected[known]).all()
                seen += known.sum()
    assert seen > 100_000


def test_small_gaps_are_filled_and_counted_wide_ones_stay_nodata(images) -> None:
    built = Built(images)
    assert built.result.filled == {"vv_t0": 0, "vh_t0": 0, "vv_t1": 0, "vh_t1": 6}
    inputs = {part: built.read(part, "inputs") for part in built.result.tiles}
    missing = sum((layer[..., :4] == NODATA).sum(axis=(0, 1, 2)) for layer in inputs.values())
    places = {(tile["row_px"], tile["col_px"]) for tile in built.table}
    wide = np.isnan(images.power["vv_t0"])
    expected = sum(wide[row : row + TILE_PX, col : col + TILE_PX].sum() for row, col in places)
    assert missing.tolist() == [expected, 0, 0, 0]
    assert expected > 0


@pytest.mark.parametrize("method", ["z_score", "min_max", "plus_minus_one"])
def test_scalers_equal_numpy_over_seen_cells_of_training_tiles(method, images) -> None:
    built = Built(images, scaling=Scaling(method=method))
    scalers = {name: Scaler(**each) for name, each in json.loads(built.attributes["scalers"]).items()}
    assert set(scalers) == {"vv", "vh", *GROUPS}
    inputs, target = built.read("train", "inputs"), built.read("train", "target")
    seen = {date: np.isin(built.read("train", f"sky_{date}"), (1, 5)) for date in ("t0", "t1")}
    assert 0 < seen["t1"].mean() < 1
    for group, members in {"vv": (0, 2), "vh": (1, 3)}.items():
        check(scalers[group], method, inputs[..., members] * 0.01, inputs[..., members] != NODATA)
        assert (scalers[group].factor, scalers[group].clip) == (0.2, None)
    for group in GROUPS:
        members = [number for number, band in enumerate(BANDS) if band in group.split("_")]
        values = [inputs[..., [4 + number for number in members]][seen["t0"]], target[..., members][seen["t1"]]]
        cells = np.concatenate([each.ravel() for each in values])
        check(scalers[group], method, cells * 1e-4, cells != NODATA)
        assert (scalers[group].factor, scalers[group].clip) == (0.142, 1.0)


def check(scaler: Scaler, method: str, values: Any, valid: Any) -> None:
    values = values[valid]
    low, high = values.min(), values.max()
    expected = {
        "z_score": (values.mean(), values.std()),
        "min_max": (low, high - low),
        "plus_minus_one": ((low + high) / 2, (high - low) / 2),
    }[method]
    assert (scaler.centre, scaler.spread) == pytest.approx(expected, rel=1e-9)


def test_scaled_training_values_are_what_the_method_says(images) -> None:
    built = Built(images, scaling=Scaling(method="plus_minus_one", radar_factor=1.0))
    attributes = built.attributes
    channels = [Channel(**each) for each in json.loads(attributes["channels"])]
    scalers = {name: Scaler(**each) for name, each in json.loads(attributes["scalers"]).items()}
    scaled = scale(physical(built.read("train", "inputs"), channels), channels, scalers)
    assert [np.nanmin(scaled[..., :4]), np.nanmax(scaled[..., :4])] == pytest.approx([-1, 1])
    assert [channel.group for channel in channels[:4]] == ["vv", "vh", "vv", "vh"]
    assert json.loads((built.out / "scalers.json").read_text()) == json.loads(attributes["scalers"])


def test_the_file_says_where_its_tiles_lie_and_that_it_is_simulated(images) -> None:
    attributes = Built(images).attributes
    assert Grid(**json.loads(attributes["grid"])) == GRID
    assert (attributes["tile_px"], attributes["simulated"], attributes["nodata"]) == (TILE_PX, 1, NODATA)


def test_the_references_bands_in_groups_that_lack_some_of_theirs(images) -> None:
    built = Built(images, bands=("red", "nir", "swir22"), polarisations=("vh",))
    bands = json.loads(built.attributes["bands"])
    assert [band["group"] for band in bands] == ["red", "nir", "swir22"]
    assert list(built.result.channels) == ["vh_t0", "vh_t1", "red_t0", "nir_t0", "swir22_t0"]


def test_same_input_same_bytes_whatever_the_threads(images) -> None:
    pair = images.pair()
    one, two = (Built(images, pair, execution=Execution(threads=threads)).result for threads in (1, 3))
    assert one == two


def test_memory_does_not_grow_with_the_number_of_tiles(raster_store) -> None:
    peaks = []
    for height in (256, 1024):  # both keep every thread and the queue busy
        grid = GRID.model_copy(update={"height": height})
        images = PairImages(raster_store, grid=grid)
        built = Built(images)
        tracemalloc.start()
        dataset.run(built.params, raster_store.folder("gdal.dataset"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def foreign_tiles(built: Built) -> Any:
    return {"pairs": (built.pairs[0].model_copy(update={"label": "other"}),)}, "bad_dataset", "of the pairs 2020"


def larger_tiles(built: Built) -> Any:
    return {"tile_px": 64}, "bad_dataset", "reaches beyond"


def no_table(built: Built) -> Any:
    return {"tiles": built.pairs[0].radar_t0.bands["vv"]}, "bad_dataset", "is no table"


def no_such_band(built: Built) -> Any:
    return {"bands": ("red", "rededge071")}, "unknown_band", "rededge071"


def no_such_polarisation(built: Built) -> Any:
    return {"polarisations": ("vv", "hh")}, "unknown_band", "radar t0; it has"


def another_grid(built: Built) -> Any:
    return {"grid": GRID.model_copy(update={"north_m": 5_500_010.0})}, "grid_mismatch", "expected"


@pytest.mark.parametrize(
    "case", [foreign_tiles, larger_tiles, no_table, no_such_band, no_such_polarisation, another_grid]
)
def test_refusals_name_the_values(case, images, tmp_path) -> None:
    built = Built(images)
    changes, code, reason = case(built)
    out = images.store.folder("gdal.dataset")
    with pytest.raises(StepError, match=reason) as caught:
        dataset.run(built.params.model_copy(update=changes), out)
    assert caught.value.code == code
    assert list(out.iterdir()) == []


def without(part: str, built: Built, store: Any) -> DatasetParams:
    path = store.folder("gdal.tiles") / "tiles.json"
    path.write_text(json.dumps([tile for tile in built.table if tile["part"] != part]))
    return built.params.model_copy(update={"tiles": store.file(path)})


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_an_empty_part_is_refused(part, images, raster_store, tmp_path) -> None:
    with pytest.raises(StepError, match=f"no tile for {part}") as caught:
        dataset.run(without(part, Built(images), raster_store), tmp_path)
    assert caught.value.code == "bad_dataset"


@pytest.mark.parametrize(("value", "reason"), [(0.5, "one value only"), (np.nan, "no value")])
def test_radar_that_says_nothing_is_refused(value, reason, images, tmp_path) -> None:
    built = Built(images)
    for date in ("t0", "t1"):
        images.power[f"vh_{date}"][:] = value
    with pytest.raises(StepError, match=f"scaler vh .*{reason}") as caught:
        dataset.run(built.params.model_copy(update={"pairs": (images.pair(),)}), tmp_path)
    assert caught.value.code == "bad_dataset"
    assert list(tmp_path.glob("*.h5")) == []


def test_a_band_in_two_groups_is_refused() -> None:
    with pytest.raises(ValueError, match=r"red.*more than once"):
        Scaling(optical_groups=(("red", "green"), ("red",)))
