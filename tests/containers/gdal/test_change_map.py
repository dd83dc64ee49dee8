"""A change that is planted, an obvious slow form of the method, and what makes the whole image equal to its parts."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage
from sklearn.decomposition import PCA

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import change_map
from containers.gdal.contract.burn import ChangeMapParams
from containers.gdal.difference_blocks import changed_cells, eroded, fit
from tests.containers.gdal.two_dates import NODATA, TwoDates, two_dates

GRID = Grid(epsg=32633, resolution_m=20, west_m=500_000, north_m=5_300_000, width=90, height=110)
BLOCK = 4


def noisy(scar, seed=0) -> TwoDates:
    dates, rng = two_dates(scar, GRID), np.random.default_rng(seed)
    for bands in (dates.before, dates.after):
        for band in bands.values():
            band += rng.normal(0, 60, GRID.shape).astype(np.int16)
    return dates


def square(rows=slice(30, 60), columns=slice(20, 50)):
    scar = np.zeros(GRID.shape, bool)
    scar[rows, columns] = True
    return scar


@pytest.fixture
def mapped(raster_store):
    def run(dates, **options):
        out = raster_store.folder("gdal.change_map")
        result = change_map.run(ChangeMapParams(**dates.stored(raster_store), **options), out)
        return raster_store.read(result.change, out), result

    return run


def test_a_planted_fire_is_change_and_nothing_else(mapped) -> None:
    change, result = mapped(noisy(square()))
    both = (change == 1) & square()
    assert both.sum() / square().sum() > 0.8
    assert both.sum() == (change == 1).sum()
    assert result.share == pytest.approx((change == 1).mean())


def test_change_is_what_differs_more_even_where_it_is_most_of_the_image(mapped) -> None:
    """The smaller cluster, which an earlier code took, would be the part that did not burn."""
    scar = square(slice(0, 110), slice(0, 70))
    change, _ = mapped(noisy(scar), erosion_px=0)
    assert change[:, :65].mean() > 0.99
    assert change[:, 75:].mean() < 0.01


def slow_change(difference, blocks, components, seed):
    """Every overlapping block copied out, projected by scikit-learn, and given to the nearer centre."""
    model = fit(blocks, components, seed)
    pca = PCA(components, svd_solver="full").fit(blocks.reshape(len(blocks), -1).astype(float))
    padded = np.pad(difference.astype(float), ((0, 0), (2, 1), (2, 1)), mode="symmetric")
    windows = sliding_window_view(padded, (BLOCK, BLOCK), axis=(1, 2))
    scores = pca.transform(np.moveaxis(windows, 0, 2).reshape(-1, blocks[0].size))
    signs = np.sign((pca.components_ * model.axes.reshape(components, -1)).sum(axis=1))
    distances = [np.square(scores * signs - centre).sum(axis=1) for centre in (model.unchanged, model.changed)]
    return (distances[1] < distances[0]).reshape(difference.shape[1:])


def test_correlation_equals_the_projection_of_every_overlapping_block() -> None:
    rng = np.random.default_rng(1)
    difference = rng.gamma(2, 0.05, (2, 40, 36)).astype(np.float32)
    difference[:, 10:25, 5:30] += 0.3
    blocks = difference.reshape(2, 10, BLOCK, 9, BLOCK).transpose(1, 3, 0, 2, 4).reshape(-1, 2, BLOCK, BLOCK)
    model = fit(blocks, 3, 0)
    np.testing.assert_allclose(model.mean, blocks.mean(axis=0, dtype=float), rtol=1e-6)
    assert model.mean.max() > 0.05, "the mean is taken before the blocks are centred"
    np.testing.assert_array_equal(changed_cells(difference, model), slow_change(difference, blocks, 3, 0))


@pytest.mark.parametrize(("block", "erosion"), [(4, 2), (5, 0), (7, 4)])
def test_blocks_of_rows_do_not_matter(block, erosion, mapped, monkeypatch) -> None:
    dates = noisy(ndimage.gaussian_filter(np.random.default_rng(3).normal(size=GRID.shape), 6) > 0.01)
    dates.after["red"][50:53, 10:14] = NODATA
    whole, _ = mapped(dates, block_px=block, erosion_px=erosion)
    monkeypatch.setattr(change_map, "_ROWS", 13)
    parts, _ = mapped(dates, block_px=block, erosion_px=erosion)
    np.testing.assert_array_equal(parts, whole)
    assert 0.02 < (whole == 1).mean() < 0.9


def test_equal_images_have_no_change(mapped) -> None:
    dates = two_dates(np.zeros(GRID.shape, bool), GRID)
    change, result = mapped(dates)
    assert (change == 0).all()
    assert result.share == 0


def test_nodata_is_unknown_around_it_too_and_does_not_eat_change(mapped) -> None:
    dates = noisy(square(slice(0, 110), slice(20, 50)))
    dates.before["nir"][40:50, 30:40] = NODATA
    change, _ = mapped(dates)
    assert (change[40:50, 30:40] == 255).all()
    assert (change[39:52, 29:42] == 255).all()
    assert np.count_nonzero(change == 255) == 13 * 13
    assert (change[42:48, 25:29] == 1).all()


def test_erosion_is_by_a_diamond_and_spares_the_edge() -> None:
    changed = np.ones((9, 9), bool)
    changed[4, 4] = False
    expected = np.add.outer(abs(np.arange(9) - 4), abs(np.arange(9) - 4)) > 2
    np.testing.assert_array_equal(eroded(changed, 2), expected)
    assert eroded(changed, 0) is changed


def test_the_seed_decides(mapped) -> None:
    dates = noisy(square())
    first, again = (mapped(dates, sample_blocks=200, seed=1)[1] for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"components": 16, "block_px": 2, "bands": ("red",)}, "bad_parameters", "16 is more than the 4 values"),
        ({"lost": slice(None)}, "no_valid_pixels", "0 whole blocks"),
        ({"before_only": "red", "after_only": "nir"}, "unknown_band", "no band in common: ['red'] and ['nir']"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(options, code, words, mapped) -> None:
    dates = noisy(square())
    if "lost" in options:
        dates.after["red"][options.pop("lost")] = NODATA
    bands = options.pop("bands", None)
    before, after = (options.pop(name, None) for name in ("before_only", "after_only"))
    for which, only in ((dates.before, before), (dates.after, after)):
        for name in list(which):
            if (bands and name not in bands) or (only and name != only):
                del which[name]
    with pytest.raises(StepError) as raised:
        mapped(dates, **options)
    assert raised.value.code == code
    assert words in raised.value.reason


def test_images_of_different_grids_are_refused(raster_store) -> None:
    other = TwoDates(**vars(noisy(square())) | {"grid": GRID.model_copy(update={"north_m": GRID.north_m + 20})})
    dates = noisy(square()).stored(raster_store) | {"after": other.stored(raster_store)["after"]}
    with pytest.raises(StepError) as raised:
        change_map.run(ChangeMapParams(**dates), raster_store.folder())
    assert raised.value.code == "grid_mismatch"
