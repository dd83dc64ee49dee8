from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.base.contract.legend import REFLECTANCE_NODATA
from containers.tensorflow.normalisation import LIMIT, Normalisation, fit_normalisation, normalise
from containers.tensorflow.patches import (
    LabelledWindow,
    PatchDrawer,
    TileBatches,
    batch_of,
    cover,
    jittered,
    labelled_window,
)

UNIT = Normalisation(centre=(0.0,), spread=(1.0,))
UNITS = {"2018": UNIT}


def window_with(codes: np.ndarray) -> LabelledWindow:
    """A window whose single band holds its own codes."""
    return LabelledWindow(codes[None].astype(np.int16), codes.astype(np.uint8), "2018")


def test_unknown_and_dataless_cells_are_not_learnt() -> None:
    reflectance = np.array([[[1, REFLECTANCE_NODATA, 3, 4]]], np.int16)
    window = labelled_window(reflectance, np.array([[1, 2, 0, 9]], np.uint8), "2018")
    assert window.codes.tolist() == [[1, 0, 0, 0]]
    batch = batch_of([window], UNITS)
    assert batch.weights.tolist() == [[[1, 0, 0, 0]]]
    assert batch.targets[0, 0].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert np.isfinite(batch.inputs).all()


def test_normalisation_by_hand() -> None:
    """Of 0…100 the median is 50 and half of the 16–84 % range 34; nodata does not count and becomes 0."""
    band = np.array([*range(101), REFLECTANCE_NODATA], np.int16)[None, None]
    fitted = fit_normalisation([band])
    assert fitted == Normalisation(centre=(50.0,), spread=(34.0,))
    inputs = normalise(band, fitted)
    assert inputs.shape == (1, 102, 1)
    assert inputs[0, [0, 50, 84, 101], 0].tolist() == [-np.float32(50 / 34), 0, 1, 0]


def test_a_cloud_does_not_outshout_its_patch() -> None:
    assert normalise(np.array([[[30_000]]], np.int16), UNIT).item() == LIMIT


@given(height=st.integers(8, 40), width=st.integers(8, 40))
def test_cover_counts_every_cell_once(height: int, width: int) -> None:
    codes = np.arange(height * width).reshape(height, width) % 3 + 1
    patches = list(cover(window_with(codes), 8))
    assert {patch.codes.shape for patch in patches} == {(8, 8)}
    assert sum((patch.codes > 0).sum() for patch in patches) == height * width
    assert np.bincount(np.concatenate([patch.codes.ravel() for patch in patches]))[1:].tolist() == (
        np.bincount(codes.ravel())[1:].tolist()
    )


def test_batches_hold_every_tile_once_and_in_order() -> None:
    tiles = [window_with(np.full((8, 8), code)) for code in (1, 2, 3, 2, 1)]
    dataset = TileBatches(tiles, UNITS, size=2)
    batches = [dataset[index] for index in range(len(dataset))]
    assert [len(inputs) for inputs, _, _ in batches] == [2, 2, 1]
    for joined, whole in zip(map(np.concatenate, zip(*batches, strict=True)), batch_of(tiles, UNITS), strict=True):
        np.testing.assert_array_equal(joined, whole)


def test_classes_are_drawn_alike_and_patches_hold_their_class() -> None:
    """Class 1 has a thousandth of the cells and still a third of the draws."""
    codes = np.full((64, 64), 2)
    codes[:, 32:] = 3
    codes[5, 5:9] = 1
    drawer = PatchDrawer([window_with(codes)], UNITS, patch_px=8, jitter=0, seed=1)
    patches = [drawer.draw() for _ in range(600)]
    rare = np.mean([(patch.codes == 1).any() for patch in patches])
    assert 0.28 < rare < 0.4
    assert {patch.codes.shape for patch in patches} == {(8, 8)}


def test_weights_give_half_of_the_landscape_back() -> None:
    """Class 1 covers 2 % of the block and far more of the drawn patches; its share of the weights is halfway between,
    as odds on a log scale."""
    codes = np.full((100, 100), 2)
    codes[:, 60:] = 3
    codes[40:50, 20:40] = 1
    drawer = PatchDrawer([window_with(codes)], UNITS, patch_px=16, jitter=0, seed=2)
    batch = next(drawer.batches(1500))
    drawn = batch.targets.mean(axis=(0, 1, 2))
    weighted = (batch.targets * batch.weights[..., None]).sum(axis=(0, 1, 2)) / batch.weights.sum()
    assert drawn[0] > 0.15
    halfway = np.sqrt(drawn * [0.02, 0.59, 0.39])
    np.testing.assert_allclose(weighted, halfway / halfway.sum(), rtol=0.12)


def test_every_period_has_its_own_constants() -> None:
    hazy = window_with(np.full((4, 4), 3))._replace(period="2019")
    normalisations = UNITS | {"2019": Normalisation(centre=(2.0,), spread=(0.5,))}
    batch = batch_of([window_with(np.full((4, 4), 3)), hazy], normalisations)
    assert (batch.inputs[0] == 3).all()
    assert (batch.inputs[1] == 2).all()


def test_patches_never_leave_their_block() -> None:
    blocks = [window_with(np.full((12, 12), code)) for code in (1, 2, 3)]
    drawer = PatchDrawer(blocks, UNITS, patch_px=8, jitter=0, seed=3)
    batch = next(drawer.batches(200))
    codes = batch.targets.argmax(axis=-1) + 1
    assert (codes == codes[:, :1, :1]).all()
    np.testing.assert_array_equal(batch.inputs[..., 0], codes)


def test_reflectance_and_codes_are_turned_together() -> None:
    codes = np.random.default_rng(0).integers(1, 4, (24, 24))
    drawer = PatchDrawer([window_with(codes)], UNITS, patch_px=8, jitter=0, seed=3)
    for batch in islice(drawer.batches(16), 4):
        np.testing.assert_array_equal(batch.inputs[..., 0], batch.targets.argmax(axis=-1) + 1)


def test_draws_are_reproducible_by_seed() -> None:
    block = window_with(np.random.default_rng(0).integers(1, 4, (40, 40)))
    first, again, other = (
        next(PatchDrawer([block], UNITS, patch_px=8, jitter=0.2, seed=seed).batches(4)).inputs for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_jitter_is_one_gain_and_offset_per_patch_and_band_and_spares_empty_cells() -> None:
    inputs = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype(np.float32)
    inputs[:, 2, 3] = 0
    changed = jittered(inputs, 0.3, np.random.default_rng(1))
    assert (changed[:, 2, 3] == 0).all()
    for patch in range(5):
        for band in range(2):
            x, y = (np.delete(array[patch, :, :, band].ravel(), 2 * 6 + 3) for array in (inputs, changed))
            gain, offset = np.polyfit(x, y, 1)
            np.testing.assert_allclose(y, gain * x + offset, atol=1e-5)
            assert (gain, offset) != pytest.approx((1, 0), abs=1e-3)
