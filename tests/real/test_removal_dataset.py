"""A real patch under thick cloud (SEN12MS-CR) from images to dataset and judgement.

Radar is one and the same at both dates: the triplet holds one pass.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.base.contract.pair import OpticalImage, Pair
from containers.base.contract.radar import BackscatterResult
from containers.base.image_quality import REFLECTANCE_RANGE, mae, mse, psnr_db, sam_deg, ssim
from containers.base.sentinel2 import BANDS
from containers.gdal import dataset, judge_removal, optical, tiles
from containers.gdal.contract.dataset import DatasetParams, TilesParams
from containers.gdal.contract.judge import Candidate, JudgeRemovalParams
from containers.gdal.contract.optical import OpticalParams
from containers.gdal.contract.series import Seen
from tests.containers.gdal.conftest import RasterStore

pytestmark = pytest.mark.real
PATCH = "ROIs1970_fall_139_p839.tif"
GRID = Grid(epsg=32650, resolution_m=10, west_m=701_880, north_m=3_710_140, width=256, height=256)
"""The patch, moved to whole cells."""
WHEN = datetime(2018, 10, 1, 3, tzinfo=UTC)
NAMES = tuple(band.name for band in BANDS)
DO_NOTHING_DN = 1087.34
Layers = dict[str, Any]


@pytest.fixture
def patch(sample_data: Path) -> Layers:
    layers = {}
    for folder in ("s1", "s2_cloudfree", "s2_cloudy"):
        path = sample_data / "glf-cr-sen12mscr" / "data" / folder / PATCH
        if not path.is_file():
            pytest.skip(f"the samples lack {path.name}")
        with rasterio.open(path) as source:
            layers[folder] = source.read()
    return layers


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RasterStore:
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    return RasterStore(tmp_path)


def image(store: RasterStore, numbers: Any, days: int, sky: Sky) -> OpticalImage:
    """The patch through gdal.optical."""
    bands = zip(NAMES, numbers.astype(np.int16), strict=True)
    seen = Seen(
        scene_id=f"patch_{days}",
        acquired=WHEN + timedelta(days=days),
        grid=GRID,
        bands={name: store.cog(layer, GRID, nodata=-32768, name=name) for name, layer in bands},
        mask=store.cog(np.full(GRID.shape, sky, np.uint8), GRID, nodata=0, name="mask"),
    )
    out = store.folder("gdal.optical")
    result = optical.run(OpticalParams(seen=(seen,), grid=GRID), out)
    assert result.valid_share == 1
    adopted = {name: store.adopt(file, out) for name, file in result.image.bands.items()}
    return result.image.model_copy(update={"bands": adopted, "sky": store.adopt(result.image.sky, out)})


def radar(store: RasterStore, decibel: Any) -> BackscatterResult:
    """The patch holds no gap: 58 cells of exactly 0 dB are the brightest ones, cut off there."""
    power = (10 ** (decibel / 10)).astype(np.float32)
    files: Any = {
        name: store.cog(layer, GRID, nodata=np.nan, name=name) for name, layer in zip(("vv", "vh"), power, strict=True)
    }
    return BackscatterResult(
        engine="snap", engine_version="?", acquired=WHEN, direction="ascending", relative_orbit=1, platform="S1A",
        grid=GRID, bands=files, incidence=files["vv"], valid_share=1.0, simulated=False,
    )  # fmt: skip


@pytest.fixture
def pairs(store: RasterStore, patch: Layers) -> dict[str, Pair]:
    """`taught` tells what lies under the cloud; `judged` has it at both dates."""
    backscatter = radar(store, patch["s1"])
    cloudy = image(store, patch["s2_cloudy"], 0, Sky.CLEAR)
    later = {
        "taught": image(store, patch["s2_cloudfree"], 5, Sky.CLEAR),
        "judged": image(store, patch["s2_cloudy"], 5, Sky.CLOUD),
    }
    return {
        label: Pair(label=label, radar_t0=backscatter, radar_t1=backscatter, optical_t0=cloudy, optical_t1=optical_t1)
        for label, optical_t1 in later.items()
    }


def test_figures_of_doing_nothing(patch) -> None:
    cloudy, clear = (patch[name].astype(float) / 1e4 for name in ("s2_cloudy", "s2_cloudfree"))
    assert mae(cloudy, clear) * 1e4 == pytest.approx(DO_NOTHING_DN, abs=0.01)
    assert psnr_db(mse(cloudy, clear), REFLECTANCE_RANGE) == pytest.approx(15.956, abs=0.001)
    assert ssim(cloudy, clear, REFLECTANCE_RANGE) == pytest.approx(0.591, abs=0.001)
    assert sam_deg(cloudy, clear, axis=0) == pytest.approx(15.27, abs=0.01)


def cut(store: RasterStore, pair: Pair) -> Any:
    out = store.folder("gdal.tiles")
    shape = {"size_px": 64, "block_tiles": 1, "shares": (0.5, 0.25, 0.25)}
    return store.adopt(tiles.run(TilesParams(pairs=(pair,), grid=GRID, **shape), out).tiles, out)


def test_the_dataset_holds_the_patch(store, pairs, patch) -> None:
    out = store.folder("gdal.dataset")
    table = cut(store, pairs["taught"])
    params = DatasetParams(pairs=(pairs["taught"],), tiles=table, grid=GRID, tile_px=64, bands=NAMES)
    result = dataset.run(params, out)
    assert sum(result.tiles.values()) == 16
    assert set(result.filled.values()) == {0}
    with h5py.File(out / "dataset.h5") as file:
        for part in ("train", "validation", "test"):
            for number, (row, col) in enumerate(zip(file[part]["rows"], file[part]["cols"], strict=True)):
                place = slice(row, row + 64), slice(col, col + 64)
                inputs, target = file[part]["inputs"][number], file[part]["target"][number]
                assert np.abs(inputs[..., 0] * 0.01 - patch["s1"][0][place]).max() <= 0.0051
                assert (np.moveaxis(inputs[..., 4:], -1, 0) == patch["s2_cloudy"][:, *place]).all()
                assert (np.moveaxis(target, -1, 0) == patch["s2_cloudfree"][:, *place]).all()
        scalers = json.loads(file.attrs["scalers"])
    assert -14 < scalers["vv"]["centre"] < -9
    assert scalers["red_green_blue"]["centre"] == pytest.approx(0.17, abs=0.05)


def test_judged_under_cloud_doing_nothing_errs_1087_and_regression_less(store, pairs, patch) -> None:
    out = store.folder("gdal.judge_removal")
    bands = {name: pairs["taught"].optical_t1.bands[name] for name in NAMES}
    params = JudgeRemovalParams(
        pair=pairs["judged"], more_pairs=(pairs["taught"],), grid=GRID, tiles=cut(store, pairs["taught"]), tile_px=64,
        candidates=(Candidate(name="truth_itself", bands=bands),), truth=bands, block_px=64,
    )  # fmt: skip
    judge_removal.run(params, out)
    scores = pd.read_csv(out / "scores.csv").set_index(["where", "method"]).loc["hidden"]
    assert (scores["cells"] == 256 * 256).all()
    assert scores.loc["t0_copy", "mae"] * 1e4 == pytest.approx(DO_NOTHING_DN, abs=0.01)
    assert scores.loc["truth_itself", ["mae", "sam_deg"]].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert scores.loc["linear", "mae"] < 0.25 * scores.loc["t0_copy", "mae"]
    gains = pd.read_csv(out / "gains.csv").set_index(["baseline", "where", "metric"])
    assert gains.loc[("t0_copy", "hidden", "mae"), "lower"] > 0
