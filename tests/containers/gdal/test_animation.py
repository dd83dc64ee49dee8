"""The moving picture: right means, right dates, bounded size."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import animation
from containers.gdal.animation import Sums, factor_of, run
from containers.gdal.contract.productivity import AnimationParams
from containers.gdal.moving_picture import Film
from containers.gdal.series_file import EPOCH
from tests.containers.gdal.small_series import SmallSeries

WHOLE = Grid(epsg=3035, resolution_m=10, west_m=4_000_000, north_m=3_000_000, width=200, height=130)
DAYS = ((date(2021, 3, 1) - EPOCH).days + np.arange(0, 60, 10)).astype(np.int32)


@pytest.fixture
def values() -> Any:
    rng = np.random.default_rng(0)
    cells = rng.uniform(0.1, 0.9, (len(DAYS), *WHOLE.shape)).round(4)
    cells[:, :20, :30] = np.nan
    return cells


@pytest.fixture
def params(raster_store, values) -> AnimationParams:
    small, windows = SmallSeries(raster_store), []
    for first, last in ((0, 75), (75, 200)):
        grid = WHOLE.model_copy(update={"west_m": 4_000_000.0 + 10 * first, "width": last - first})
        part = values[:, :, first:last]
        windows.append(small.window(grid, DAYS, part, DAYS, part))
    return AnimationParams(windows=tuple(windows), max_px=64, first=date(2021, 3, 5), last=date(2021, 4, 10))


@pytest.fixture
def filmed(params, tmp_path, monkeypatch) -> Film:
    films: list[Film] = []
    monkeypatch.setattr(animation, "save_gif", lambda film, path: (films.append(film), path.write_bytes(b"gif")))
    run(params, tmp_path)
    return films[0]


def test_picture_cells_are_means_across_windows(filmed: Film, values) -> None:
    """Four cells in one; 75, where the windows meet, is no multiple of four."""
    factor, chosen = 4, values[1:5]
    assert filmed.frames.shape == (4, 33, 50)
    for row, col in ((0, 0), (4, 7), (5, 6), (10, 18), (32, 49), (20, 30)):
        block = chosen[:, row * factor : (row + 1) * factor, col * factor : (col + 1) * factor]
        with np.errstate(all="ignore"):
            means = [frame[np.isfinite(frame)].mean() if np.isfinite(frame).any() else np.nan for frame in block]
        assert filmed.frames[:, row, col] == pytest.approx(means, abs=1e-5, nan_ok=True)


def test_dates_within_the_limits(filmed: Film) -> None:
    assert filmed.dates == (date(2021, 3, 11), date(2021, 3, 21), date(2021, 3, 31), date(2021, 4, 10))


def test_gif_has_a_frame_per_date_and_says_simulated(params, tmp_path: Path) -> None:
    result = run(params.model_copy(update={"simulated": True}), tmp_path)
    with Image.open(tmp_path / result.animation.href) as gif:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    assert len(frames) == 4
    assert all((frame == (0x7A, 0x01, 0x77)).all(axis=-1).sum() > 2000 for frame in frames)
    assert not np.array_equal(frames[0], frames[1])
    assert max(frames[0].shape) < 500


def test_size_is_bounded() -> None:
    tile = WHOLE.model_copy(update={"width": 10980, "height": 10980})
    assert factor_of(tile, 36, 500) == 22
    assert factor_of(tile, 73, 2000) ** 2 * 12_000_000 >= 73 * 10980**2
    assert factor_of(WHOLE, 10, 500) == 1


def test_means_of_nothing_are_missing() -> None:
    sums = Sums(np.zeros((1, 1, 2)), np.array([[[0, 2]]], dtype=np.int32))
    assert np.isnan(sums.means()[0, 0, 0])
    assert sums.means()[0, 0, 1] == 0


def test_no_date_between_first_and_last(params, tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"2021-03-01 to 2021-04-20.*2022") as caught:
        run(params.model_copy(update={"first": date(2022, 1, 1), "last": date(2022, 2, 1)}), tmp_path)
    assert caught.value.code == "bad_dates"
