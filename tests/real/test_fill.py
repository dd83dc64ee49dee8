"""Gap filling on real series: clear observations hidden under the cloud patterns of other dates."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gap_filling_accuracy import EOLEARN_SHIFTS, TREESAT_SHIFTS, Errors, errors, with_undetected_clouds
from benchmarks.real_series import Cells, eolearn, scored, treesat
from containers.gdal.contract.fill import Filling

pytestmark = pytest.mark.real
BETWEEN = (0.0, 1000.0)
"""Days of a gap with an observation on both sides."""


@pytest.fixture(scope="module")
def slovenia(sample_data: Path) -> Cells:
    cells = scored(eolearn(sample_data))
    return cells.of(np.arange(0, cells.seen.shape[1], 3))


@pytest.fixture(scope="module")
def firs(sample_data: Path) -> Cells:
    return treesat(sample_data)


@pytest.fixture(scope="module")
def in_slovenia(slovenia: Cells) -> dict[str, Errors]:
    engines = ("seasonal", "whittaker", "ridge", "linear", "harmonic", "savitzky_golay")
    return {engine: errors(slovenia, EOLEARN_SHIFTS, Filling(engine=engine)) for engine in engines}


def test_the_default_is_best_over_three_cloudy_years(in_slovenia) -> None:
    """It fills everything, and at least 5 % better than lines, Whittaker and three regularised harmonics."""
    default = in_slovenia[Filling().engine]
    assert default.filled_share == 1
    for rival in ("linear", "whittaker", "ridge"):
        assert default.rmse(*BETWEEN) < 0.95 * in_slovenia[rival].rmse(*BETWEEN)
    assert default.rmse(*BETWEEN) < 0.125


@pytest.mark.parametrize("rival", ["linear", "whittaker", "savitzky_golay"])
def test_beyond_the_observations_the_default_errs_less_than_half_as_much(rival, in_slovenia) -> None:
    assert in_slovenia[Filling().engine].rmse(1000) < 0.5 * in_slovenia[rival].rmse(1000)


@pytest.mark.parametrize("engine", ["seasonal", "harmonic", "ridge", "whittaker", "savitzky_golay", "linear"])
def test_bands_of_90_percent_hold_85_to_95(engine, in_slovenia, firs) -> None:
    assert 0.85 <= in_slovenia[engine].coverage(*BETWEEN) <= 0.95
    assert 0.85 <= errors(firs, TREESAT_SHIFTS, Filling(engine=engine)).coverage(*BETWEEN) <= 0.955


def test_a_dense_year_is_filled_no_worse_than_by_lines(firs) -> None:
    """146 dates of one year, where undetected clouds decide: all engines are within a few percent."""
    default, linear = (errors(firs, TREESAT_SHIFTS, Filling(engine=engine)) for engine in ("seasonal", "linear"))
    assert default.rmse(*BETWEEN) < 0.99 * linear.rmse(*BETWEEN)
    assert default.rmse(0, 20) < 0.97 * linear.rmse(0, 20)


def test_leaving_dips_out_helps_against_planted_clouds(slovenia) -> None:
    planted = with_undetected_clouds(slovenia, 0.1)
    careful, trusting = (errors(planted, EOLEARN_SHIFTS, Filling(dip=dip)) for dip in (0.1, 0.0))
    assert careful.rmse(*BETWEEN) < trusting.rmse(*BETWEEN)
