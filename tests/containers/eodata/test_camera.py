import numpy as np
import pytest

from containers.eodata.camera import MARGIN, Camera, digital_numbers, through_air
from containers.eodata.cover import Cover
from containers.eodata.spectra import BANDS, OPTICS, palette
from containers.eodata.weather import Air

STEADY = dict.fromkeys(BANDS, 1.0)


def fine_field(cells: int) -> np.ndarray:
    return np.zeros((2 * cells + 2 * MARGIN,) * 2, dtype=np.float32)


@pytest.mark.parametrize("cell_m", [10, 20])
def test_an_even_field_stays_even(cell_m: int) -> None:
    seen = Camera(0.3, -0.2, STEADY, 0).seen(fine_field(8) + 0.25, cell_m)
    assert seen.shape == (160 // cell_m, 160 // cell_m)
    np.testing.assert_allclose(seen, 0.25, rtol=1e-3)


def test_an_edge_shifted_by_half_a_cell_moves_by_half_a_cell() -> None:
    field = fine_field(16)
    field[:, MARGIN + 16 :] = 1
    straight, shifted = (Camera(shift, 0, STEADY, 0).seen(field, 20)[0] for shift in (0.0, 0.5))
    assert straight.sum() == pytest.approx(8, abs=0.01)
    assert shifted.sum() == pytest.approx(8.5, abs=0.01)


def test_the_point_spread_mixes_neighbours() -> None:
    field = fine_field(9)
    field[MARGIN + 8 : MARGIN + 10, MARGIN + 8 : MARGIN + 10] = 1
    seen = Camera(0, 0, STEADY, 0).seen(field, 20)
    assert seen.sum() == pytest.approx(1, abs=0.01)
    assert 0.2 < seen[4, 4] < 0.5
    np.testing.assert_allclose(seen[4, 3], seen[4, 5], rtol=1e-4)


def test_digital_numbers_by_hand() -> None:
    reflectance = np.array([0.0, 0.1234, -0.05, -0.2, 7.0], dtype=np.float32)
    assert digital_numbers(reflectance, 0).tolist() == [1, 1234, 1, 1, 65_535]
    assert digital_numbers(reflectance, -1000).tolist() == [1000, 2234, 500, 1, 65_535]


def test_drawn_shifts_stay_inside_the_disc() -> None:
    cameras = [Camera.drawn(np.random.default_rng(seed), 0.4) for seed in range(200)]
    shifts = np.array([np.hypot(camera.shift_x_px, camera.shift_y_px) for camera in cameras])
    assert shifts.max() < 0.4
    assert shifts.mean() == pytest.approx(0.4 * 2 / 3, abs=0.03)


def test_cloud_hides_the_ground_and_shadow_darkens_it() -> None:
    clear = np.zeros((40, 40), dtype=np.float32)
    ground = clear + 0.2

    def seen(**air: float) -> float:
        sky = Air(*(clear + air.get(name, 0.0) for name in Air._fields))
        return float(through_air(ground, sky, "B04", Camera(0, 0, STEADY, 0), np.random.default_rng(0)).mean())

    assert seen() == pytest.approx(0.2, abs=0.001)
    assert seen(cloud=1.0) == pytest.approx(0.61 * 1.1, abs=0.005)
    assert seen(shadow=1.0) == pytest.approx(0.2 * 0.40, abs=0.001)
    assert seen(haze=1.0) == pytest.approx(0.216, abs=0.001)


def test_every_cover_type_has_optics_in_its_own_place() -> None:
    assert list(OPTICS) == list(Cover)
    assert all(len(optics.canopy) == len(optics.ground) == len(BANDS) for optics in OPTICS.values())


def test_maize_is_bare_in_may_and_green_in_july() -> None:
    may, july = (palette(("B04",), day, 0.0).canopy.reshape(len(Cover), -1)[Cover.MAIZE] for day in (130, 200))
    assert may.mean() < 0.12
    assert july.mean() > 0.75


def test_wet_soil_is_darker_but_roofs_stay_as_they_are() -> None:
    dry, wet = (palette(("B11",), 130, moisture).body["B11"].reshape(len(Cover), -1) for moisture in (0.0, 1.0))
    assert wet[Cover.MAIZE].mean() < 0.75 * dry[Cover.MAIZE].mean()
    np.testing.assert_array_equal(wet[Cover.TILE_ROOF], dry[Cover.TILE_ROOF])
