"""Seasons of real vegetation: three years of NDVI at 10 m over Slovenia, clouds left out."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.gdal.contract.productivity import METRICS, Season
from containers.gdal.productivity import Observed, season_metrics

pytestmark = pytest.mark.real
FOREST, GRASSLAND = 2, 3
SNOWY_NDVI = 0.3


@pytest.fixture(scope="module")
def clear_ndvi(sample_data: Path) -> tuple[Any, Any, Any]:
    """Days, NDVI (time, y, x) with NaN under clouds, and land use.

    The sample has no snow mask: dates on which the forest is less green than bare ground are taken for snow.
    """
    folder = sample_data / "eolearn-testeopatch" / "example_data" / "TestEOPatch"
    ndvi = np.load(folder / "data" / "NDVI.npy")[..., 0].astype(np.float32)
    ndvi[~np.load(folder / "mask" / "IS_VALID.npy")[..., 0]] = np.nan
    land_use = np.load(folder / "mask_timeless" / "LULC.npy")[..., 0]
    times = json.loads((folder / "timestamps.json").read_text())
    days = np.array([(date.fromisoformat(time[:10]) - date(1970, 1, 1)).days for time in times], dtype=np.int32)
    forest = ndvi[:, land_use == FOREST]
    seen = np.isfinite(forest).any(axis=1) & (np.diff(days, prepend=0) > 0)
    green = np.zeros(len(days), dtype=bool)
    green[seen] = np.nanmedian(forest[seen], axis=1) > SNOWY_NDVI
    return days[green], ndvi[green], land_use


def medians(clear_ndvi: tuple[Any, Any, Any], kind: int, year: int) -> tuple[dict[str, float], float]:
    """Metric to its median over the cells of a land use, and the share of cells with a season."""
    days, ndvi, land_use = clear_ndvi
    values = ndvi[:, land_use == kind]
    metrics = season_metrics(days, values, Observed(days, np.isfinite(values)), (year,), Season())[year]
    figures = (float(value) for value in np.nanmedian(metrics, axis=1))
    return dict(zip(METRICS, figures, strict=True)), float(np.isfinite(metrics[0]).mean())


def test_forest_greens_in_spring(clear_ndvi) -> None:
    """In 2016 the wood's NDVI passes a quarter of its rise around the end of March, and is highest in summer."""
    metrics, found = medians(clear_ndvi, FOREST, 2016)
    assert found > 0.95
    assert 70 < metrics["start_day"] < 130
    assert 150 < metrics["peak_day"] < 240
    assert 0.7 < metrics["peak"] < 0.85
    assert 0.25 < metrics["base"] < 0.5
    assert metrics["quality"] >= 7


def test_meadows_green_before_the_wood(clear_ndvi) -> None:
    forest, _ = medians(clear_ndvi, FOREST, 2016)
    grassland, found = medians(clear_ndvi, GRASSLAND, 2016)
    assert found > 0.95
    assert grassland["start_day"] < forest["start_day"] - 5
    assert grassland["peak_day"] < forest["peak_day"]


def test_a_season_that_is_not_over_is_no_season(clear_ndvi) -> None:
    """In 2017 the last snow-free date is in October, when most meadows are still green."""
    _, found = medians(clear_ndvi, GRASSLAND, 2017)
    assert found < 0.5
