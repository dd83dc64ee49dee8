"""Scores against whole images in memory, regression against numpy's, and intervals against their promise."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from containers.base.contract.legend import Sky
from containers.base.contract.step import StepError
from containers.base.decibel import to_decibel
from containers.gdal import judge_removal, tiles
from containers.gdal.contract.dataset import TilesParams
from containers.gdal.contract.judge import Candidate, JudgeRemovalParams
from containers.gdal.linear_baseline import NormalEquations
from containers.gdal.removal_scores import QUANTITIES, Comparison, score
from tests.containers.gdal.pair_images import GRID, PairImages

BANDS = ("red", "nir08", "swir22")
BLOCK_PX, TILE_PX = 64, 32
HIDING = (Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW)


class Case:
    """A pair, its tiles, a model that errs little and another that errs more; and everything as arrays."""

    def __init__(self, store: Any) -> None:
        self.images, self.store = PairImages(store, bands=BANDS), store
        self.images.cloud("t1", slice(40, 90), slice(50, 120))
        self.images.cloud("t1", slice(100, 130), slice(150, 230), Sky.SHADOW)
        self.images.cloud("t0", slice(0, 10), slice(0, 10))
        self.images.sky["t1"][150:170, 10:30] = Sky.NODATA
        rng = np.random.default_rng(3)
        self.found = {
            name: self.stack("t1") + np.rint(rng.normal(40, spread, (3, *GRID.shape))).astype(np.int16)
            for name, spread in (("model", 50), ("sar_only", 250))
        }
        self.found["model"][:, 60:62, 60:70] = -32768
        self.pair = self.images.pair()
        out = store.folder("gdal.tiles")
        cutting = {"size_px": TILE_PX, "block_tiles": 1, "max_hidden_t1": 0.9, "shares": (0.5, 0.1, 0.4)}
        table = tiles.run(TilesParams(pairs=(self.pair,), grid=GRID, **cutting), out).tiles
        self.tiles, self.table = store.adopt(table, out), json.loads((out / table.href).read_text())

    def stack(self, date: str) -> Any:
        return np.stack([self.images.truth[f"{band}_{date}"] for band in BANDS])

    def inside(self, part: str) -> Any:
        mask = np.zeros(GRID.shape, bool)
        for tile in (each for each in self.table if each["part"] == part):
            mask[tile["row_px"] : tile["row_px"] + TILE_PX, tile["col_px"] : tile["col_px"] + TILE_PX] = True
        return mask

    def candidate(self, name: str) -> Candidate:
        layers = zip(BANDS, self.found[name], strict=True)
        bands = {band: self.store.cog(layer, GRID, nodata=-32768, name=band) for band, layer in layers}
        return Candidate(name=name, bands=bands)

    def params(self, **options: Any) -> JudgeRemovalParams:
        facts: dict[str, Any] = {
            "pair": self.pair,
            "grid": GRID,
            "tiles": self.tiles,
            "tile_px": TILE_PX,
            "candidates": tuple(map(self.candidate, self.found)),
            "truth": self.images.true_bands(),
            "block_px": BLOCK_PX,
        }
        return JudgeRemovalParams(**(facts | options))

    def judge(self, **options: Any) -> tuple[Any, Any]:
        out = self.store.folder("gdal.judge_removal")
        return judge_removal.run(self.params(**options), out), out

    def linear(self) -> Any:
        """Numpy's least squares over all clear cells of training tiles at once; (band, y, x) in reflectance."""
        radar = [
            to_decibel(self.images.power[f"{name}_{date}"]) / 100 for date in ("t0", "t1") for name in ("vv", "vh")
        ]
        seen = {
            date: np.stack([self.images.seen(band, date) for band in BANDS]).reshape(3, -1).T / 1e4
            for date in ("t0", "t1")
        }
        inputs = np.column_stack([*(layer.ravel() for layer in radar), seen["t0"], np.ones(GRID.width * GRID.height)])
        clear = [np.isin(self.images.sky[date], (Sky.CLEAR, Sky.SNOW)) for date in ("t0", "t1")]
        used = (self.inside("train") & clear[0] & clear[1]).ravel()
        coefficients = np.linalg.lstsq(inputs[used], seen["t1"][used], rcond=None)[0]
        return (inputs @ coefficients).T.reshape(3, *GRID.shape)


@pytest.fixture
def case(raster_store) -> Case:
    return Case(raster_store)


def expected_scores(case: Case) -> dict[tuple[str, str], dict[str, float]]:
    """Every figure over whole images."""
    sky = case.images.sky["t1"]
    images = {name: found / 1e4 for name, found in case.found.items()}
    images |= {"t0_copy": np.stack([case.images.seen(band, "t0") for band in BANDS]) / 1e4, "linear": case.linear()}
    known = case.found["model"][0] != -32768
    hidden = np.isin(sky, HIDING) & known
    clear = np.isin(sky, (Sky.CLEAR, Sky.SNOW)) & known & case.inside("test")
    observed = np.where(np.isin(sky, (Sky.CLEAR, Sky.SNOW)), case.stack("t1") / 1e4, np.nan)
    truth = case.stack("t1") / 1e4
    found = {}
    for where, counted, reference in (
        ("hidden", hidden, truth), ("clear_test", clear, observed), ("all", hidden | clear, truth)
    ):  # fmt: skip
        for method, image in images.items():
            error = (image - reference)[:, counted]
            windows = windows_of(np.where(known, image, np.nan), reference, counted)
            cosine = (image * reference).sum(axis=0)
            cosine /= np.linalg.norm(image, axis=0) * np.linalg.norm(reference, axis=0)
            found[method, where] = {
                "cells": counted.sum(), "mae": np.abs(error).mean(), "rmse": np.sqrt((error**2).mean()),
                "psnr_db": -10 * np.log10((error**2).mean()), "ssim": np.mean(windows), "windows": len(windows),
                "sam_deg": np.degrees(np.arccos(np.clip(cosine[counted], -1, 1))).mean(),
            }  # fmt: skip
    return found


def windows_of(image: Any, reference: Any, counted: Any) -> list[float]:
    """SSIM of every window that lies in a block and has data throughout, around counted cells, by scipy's filter."""

    def mean(values: Any) -> Any:
        return gaussian_filter(values, 1.5, truncate=3.5, axes=(1, 2))

    x, y = image, reference
    above = (2 * mean(x) * mean(y) + 1e-4) * (2 * (mean(x * y) - mean(x) * mean(y)) + 9e-4)
    below = (mean(x) ** 2 + mean(y) ** 2 + 1e-4) * (mean(x**2) - mean(x) ** 2 + mean(y**2) - mean(y) ** 2 + 9e-4)
    inner = np.isin(np.arange(GRID.width) % BLOCK_PX, range(5, BLOCK_PX - 5))
    similarity = (above / below).mean(axis=0)[counted & inner & inner[: GRID.height, np.newaxis]]
    return similarity[np.isfinite(similarity)].tolist()


def test_scores_equal_whole_images(case) -> None:
    result, out = case.judge()
    scores = pd.read_csv(out / "scores.csv").set_index(["method", "where"])
    expected = pd.DataFrame.from_dict(expected_scores(case), orient="index")
    assert sorted(scores.index) == sorted(expected.index)
    for column in expected:
        assert scores[column].loc[expected.index].to_numpy() == pytest.approx(expected[column].to_numpy(), rel=2e-5)
    assert (expected["windows"] > 300).all()
    assert result.warnings == ()


def test_gains_are_paired_and_positive_where_the_model_is_better(case) -> None:
    _, out = case.judge()
    scores = pd.read_csv(out / "scores.csv").set_index(["method", "where"])
    gains = pd.read_csv(out / "gains.csv").set_index(["baseline", "where", "metric"])
    assert len(gains) == 3 * 3 * 2
    for (baseline, where, metric), row in gains.iterrows():
        difference = scores.loc[(baseline, where), metric] - scores.loc[("model", where), metric]
        assert row["gain"] == pytest.approx(-difference if metric == "psnr_db" else difference, rel=1e-4, abs=1e-6)
        assert row["lower"] <= row["gain"] <= row["upper"]
    assert (gains["lower"].drop("linear") > 0).all()


def test_blocks_add_up_to_the_scores(case) -> None:
    _, out = case.judge()
    blocks, scores = pd.read_csv(out / "blocks.csv"), pd.read_csv(out / "scores.csv")
    for row in scores.itertuples():
        own = blocks[(blocks["method"] == row.method) & (blocks["where"] == row.where)]
        assert own["cells"].sum() == row.cells
        assert np.average(own["mae"], weights=own["cells"]) == pytest.approx(row.mae, rel=1e-5)
        assert own["ssim"].isna().sum() == (own["windows"] == 0).sum()
    assert set(blocks["row_px"]) <= {0, 64, 128}


def test_strips_and_threads_do_not_show(case, monkeypatch) -> None:
    params = case.params()
    ids = []
    for width, threads in ((1024, 1), (64, 3)):
        monkeypatch.setattr(judge_removal, "_STRIP_PX", width)
        execution = params.execution.model_copy(update={"threads": threads})
        out = case.store.folder("gdal.judge_removal")
        ids.append(judge_removal.run(params.model_copy(update={"execution": execution}), out))
    assert ids[0] == ids[1]


def test_a_copy_of_t0_gains_nothing_over_the_copy_of_t0(case) -> None:
    case.found = {"copy": np.stack([case.images.seen(band, "t0") for band in BANDS])}
    _, out = case.judge()
    gains = pd.read_csv(out / "gains.csv")
    of_copy = gains[gains["baseline"] == "t0_copy"]
    assert (of_copy[["gain", "lower", "upper"]].abs() < 1e-6).all(axis=None)


def test_without_truth_only_clear_cells_of_test_tiles_count(case) -> None:
    result, out = case.judge(truth={})
    scores = pd.read_csv(out / "scores.csv")
    assert set(scores["where"]) == {"clear_test"}
    assert [warning.code for warning in result.warnings] == ["no_truth"]
    with_truth = pd.read_csv(case.judge()[1] / "scores.csv")
    assert scores.equals(with_truth[with_truth["where"] == "clear_test"].reset_index(drop=True))


def test_one_block_has_no_interval(case) -> None:
    result, out = case.judge(block_px=512)
    assert [warning.code for warning in result.warnings] == ["few_blocks"] * 3
    gains = pd.read_csv(out / "gains.csv")
    assert gains[["lower", "upper"]].isna().all(axis=None)
    assert gains["gain"].notna().all()


def test_a_perfect_image_has_infinite_psnr_and_is_drawn(case) -> None:
    case.found = {"model": case.stack("t1")}
    result, out = case.judge()
    scores = pd.read_csv(out / "scores.csv").set_index("method").loc["model"]
    assert np.isinf(scores["psnr_db"]).all()
    assert (scores["mae"] == 0).all()
    assert scores["ssim"].to_numpy() == pytest.approx(1)
    assert set(result.figures) == {"errors", "gains", "map"}


def test_regression_learns_from_the_training_tiles_of_other_pairs(case) -> None:
    """Tiles of another pair only, with the same images: the same regression."""
    other = case.pair.model_copy(update={"label": "other"})
    table = [tile | {"pair": "other" if tile["part"] == "train" else tile["pair"]} for tile in case.table]
    path = case.store.folder("gdal.tiles") / "tiles.json"
    path.write_text(json.dumps(table))
    _, out = case.judge(tiles=case.store.file(path), more_pairs=(other,))
    assert (out / "scores.csv").read_bytes() == (case.judge()[1] / "scores.csv").read_bytes()
    with pytest.raises(StepError, match="hold 0") as caught:
        case.judge(tiles=case.store.file(path))
    assert caught.value.code == "bad_dataset"


def test_normal_equations_equal_least_squares_of_all_cells_also_where_a_channel_repeats_another() -> None:
    rng = np.random.default_rng(0)
    inputs = np.column_stack([rng.normal(-11, 3, 5000), rng.uniform(0, 0.4, 5000)])
    inputs = np.column_stack([inputs, inputs[:, 0] / 2])
    target = inputs @ rng.normal(size=(3, 2)) + 0.3 + rng.normal(0, 0.01, (5000, 2))
    equations = NormalEquations(3, 2)
    for part in range(0, 5000, 700):
        equations.add(inputs[part : part + 700], target[part : part + 700])
    assert equations.cells == 5000
    design = np.column_stack([inputs, np.ones(5000)])
    expected = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    assert np.allclose(design @ equations.solved(), expected, atol=1e-8)


def made_sums(rng: np.random.Generator, blocks: int) -> dict[str, Any]:
    """Two methods whose errors vary together from block to block; the true gain in MAE is 0.01."""
    cells = rng.integers(500, 4000, blocks)
    hard = rng.gamma(4, 0.01, blocks)
    sums = {}
    for method, worse in (("model", 0.0), ("baseline", 0.01)):
        mae = hard + worse + rng.normal(0, 0.02, blocks)
        rows = np.zeros((blocks, len(QUANTITIES)))
        rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = cells, cells, cells * mae, cells * mae**2 * 1.5
        sums[method] = rows
    return sums


def test_intervals_cover_the_true_gain_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    gains = [next(Comparison("hidden", made_sums(rng, 60), seed).gains()) for seed in range(300)]
    covered = np.mean([gain.lower <= 0.01 <= gain.upper for gain in gains])
    assert 0.91 <= covered <= 0.98
    assert all(gain.blocks == 60 for gain in gains)


def test_psnr_is_of_the_mean_of_all_squared_errors() -> None:
    """Not the mean of blocks' PSNR, which one easy block would raise."""
    sums = np.zeros((2, len(QUANTITIES)))
    sums[:, :2], sums[:, 3] = 100, (100 * 1e-4, 100 * 1e-2)
    assert score(sums.sum(axis=0)).psnr_db == pytest.approx(-10 * np.log10((1e-4 + 1e-2) / 2))


def bandless(case: Case) -> Any:
    truth = case.images.true_bands()
    return {"truth": {"red": truth["red"]}}, "unknown_band", "truth lacks"


def another_grid(case: Case) -> Any:
    return {"grid": GRID.model_copy(update={"north_m": 5_500_010.0})}, "grid_mismatch", "expected"


def floats(case: Case) -> Any:
    radar = case.pair.radar_t0.bands["vv"]
    return {"truth": dict.fromkeys(BANDS, radar)}, "grid_mismatch", "float32, expected int16"


def nothing_to_judge(case: Case) -> Any:
    path = case.store.folder("gdal.tiles") / "tiles.json"
    path.write_text(json.dumps([tile for tile in case.table if tile["part"] == "train"]))
    return {"truth": {}, "tiles": case.store.file(path)}, "no_valid_pixels", "0 test tiles"


@pytest.mark.parametrize("wrong", [bandless, another_grid, floats, nothing_to_judge])
def test_refusals_name_the_values(wrong, case) -> None:
    changes, code, reason = wrong(case)
    with pytest.raises(StepError, match=reason) as caught:
        case.judge(**changes)
    assert caught.value.code == code


def test_two_methods_of_one_name_are_refused(case) -> None:
    with pytest.raises(ValueError, match="different names"):
        case.params(candidates=(Candidate(name="linear", bands=case.images.true_bands()),))
