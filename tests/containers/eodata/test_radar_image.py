"""Where the power of the ground falls in the radar image, and what becomes of it."""

import numpy as np
import pytest

from containers.eodata.radar_geometry import PIXEL_M, Frame
from containers.eodata.radar_ground import RadarGround
from containers.eodata.radar_image import MARGIN_PX, Seen, beta_nought, framed, refined, seen, shadowed
from containers.eodata.radar_noise import BETA_NOUGHT, noise_tables, swaths
from containers.eodata.radar_orbit import Orbit, orbit_over
from containers.eodata.radar_signal import digital_numbers, speckle, with_swath_edges
from tests.containers.eodata.radar_world import HEIGHT_M, hill, plain, square

ORBIT = orbit_over(11.87, 48.6, "descending", 38.0)


def views(ground: RadarGround, orbit: Orbit = ORBIT) -> tuple[Frame, Seen]:
    cells = seen(ground, orbit)
    return framed(ground, orbit, cells), cells


def middle(image: np.ndarray, pixels: int = 60) -> np.ndarray:
    """The pixels around the middle of an image, or of its samples."""
    row, column = image.shape[0] // 2, image.shape[-1] // 2
    rows = slice(row - pixels // 2, row + pixels // 2)
    return image[rows, column - pixels // 2 : column + pixels // 2]


def test_flat_ground_gives_its_gamma_back() -> None:
    ground = plain(160)
    frame, cells = views(ground)
    tangent = np.tan(np.radians(frame.incidence_deg(np.arange(frame.samples, dtype=np.float64))))
    images = beta_nought(ground, frame, cells)
    gamma_vv, gamma_vh = (middle(images[polarisation] * tangent) for polarisation in ("vv", "vh"))
    assert gamma_vv.mean() == pytest.approx(0.1, rel=2e-3)
    assert gamma_vh.mean() == pytest.approx(0.02, rel=2e-3)
    assert gamma_vv.std() / gamma_vv.mean() < 0.01


@pytest.mark.parametrize("slope_deg", [-25.0, 0.0, 20.0])
def test_a_slope_is_as_bright_as_its_tilt_says(slope_deg: float) -> None:
    """A plane that rises away from the radar by s: beta = gamma · cot(θ − s); descending, the radar looks west."""
    cells_px = 160
    east = np.arange(cells_px) * 10.0 - cells_px * 5
    heading = np.radians(ORBIT.heading_deg(0.0) + 90)
    north = -east[:, None]
    away = east[None, :] * np.sin(heading) + north * np.cos(heading)
    heights = HEIGHT_M + away * np.tan(np.radians(slope_deg))
    ground = plain(cells_px)._replace(heights_m=heights.astype(np.float32))
    frame, cells = views(ground)
    image = beta_nought(ground, frame, cells)["vv"]
    line, sample = frame.pixels(cells.time_s[80:82, 80:82], cells.range_m[80:82, 80:82])
    row, column = int(line.mean()), int(sample.mean())
    incidence = frame.incidence_deg(np.array([float(column)]))[0]
    expected = 0.1 / np.tan(np.radians(incidence - slope_deg))
    assert image[row - 10 : row + 10, column - 10 : column + 10].mean() == pytest.approx(expected, rel=0.02)


def test_power_is_only_moved_by_relief() -> None:
    """A hill in a bright square gives as much as the plain below it, however it falls: to 5 %, its silhouette."""
    bright = np.zeros((160, 160), np.float32)
    bright[40:120, 40:120] = 1
    received = {}
    for height_m in (0, 180):
        ground = RadarGround(square(160), hill(160, height_m), {"vv": bright})
        frame, cells = views(ground)
        image = beta_nought(ground, frame, cells)["vv"]
        edges = frame.slant_ranges_m(np.arange(frame.samples + 1) - 0.5)
        around = 0.25 / np.tan(np.radians(frame.incidence_deg(np.arange(frame.samples, dtype=np.float64))))
        inside = np.abs(image - around) > 1e-4
        received[height_m] = float((image * PIXEL_M * np.diff(edges))[inside].sum())
        assert (image.max() > 2 * np.median(image[image > 0.5])) == (height_m > 0)
    assert received[180] == pytest.approx(received[0], rel=0.05)


def test_layover_adds_both_slopes() -> None:
    """A cliff towards the radar falls onto the plain in front of it: there the image is brighter than any facet."""
    cells_px = 120
    heights = np.full((cells_px, cells_px), HEIGHT_M, np.float32)
    heights[:, :60] += 60
    ground = plain(cells_px)._replace(heights_m=heights)
    frame, cells = views(ground)
    image = beta_nought(ground, frame, cells)["vv"]
    incidence = np.radians(frame.incidence_deg(np.array([frame.samples / 2.0]))[0])
    assert middle(image, 40).max() > 2 * 0.1 / np.tan(incidence)


def test_shadow_lies_behind_a_wall() -> None:
    """A line of cells away from the nadir point: a wall hides those that are seen at a smaller angle than its top."""
    from_nadir = np.array([[0.010, 0.011, 0.012, 0.013, 0.014]])
    off_nadir = np.array([[0.50, 0.54, 0.53, 0.5399, 0.55]])
    line = np.zeros((1, 5), np.int64)
    assert shadowed(line, from_nadir, off_nadir).tolist() == [[False, False, True, True, False]]
    assert not shadowed(np.arange(5).reshape(1, 5), from_nadir, off_nadir).any()


def test_a_ridge_throws_a_shadow_and_a_hill_does_not() -> None:
    assert not views(plain(80))[1].shadowed.any()
    steep = plain(160)._replace(heights_m=hill(160, 400, 300))
    assert not views(steep)[1].shadowed.any(), "flanks of 39 degrees, below the 52 at which a slope is hidden"
    heights = np.full((80, 80), HEIGHT_M, np.float32)
    heights[:, 38:42] += 150
    ground = plain(80)._replace(heights_m=heights)
    frame, cells = views(ground)
    # Descending, the radar looks west: 150 m at 38 degrees throw a shadow of 150 · tan 38 = 117 m.
    assert cells.shadowed[41, 20:42].sum() == pytest.approx(12, abs=3)
    assert beta_nought(ground, frame, cells)["vv"].min() == 0


def test_the_image_has_a_margin_of_plain() -> None:
    ground = plain(80)
    frame, cells = views(ground)
    line, sample = frame.pixels(cells.time_s, cells.range_m)
    assert line.min() == pytest.approx(MARGIN_PX, abs=1)
    assert sample.min() == pytest.approx(MARGIN_PX, abs=1)
    assert frame.lines - line.max() == pytest.approx(MARGIN_PX, abs=2)
    assert frame.samples - sample.max() == pytest.approx(MARGIN_PX, abs=2)
    image = beta_nought(ground, frame, cells)["vv"]
    tangent = np.tan(np.radians(frame.incidence_deg(np.arange(frame.samples, dtype=np.float64))))
    assert (image * tangent)[:20] == pytest.approx(0.1, rel=1e-4)


def test_refined_values_lie_on_the_plane_through_the_cells() -> None:
    rows, columns = np.mgrid[-1:5, -1:4].astype(np.float64)
    fine = refined(3 * rows + 7 * columns)
    assert fine.shape == (4 * 2 + 2, 3 * 2 + 2)
    assert fine[1, 1] == pytest.approx(3 * -0.25 + 7 * -0.25)
    assert fine[2, 1] == pytest.approx(3 * 0.25 + 7 * -0.25)


def test_speckle_is_that_of_the_product() -> None:
    field = speckle((1200, 1200), np.random.default_rng(1)).astype(np.float64)
    assert field.mean() == pytest.approx(1, abs=0.005)
    assert 1 / field.var() == pytest.approx(4.4, rel=0.02)
    centred = field - field.mean()
    neighbours = (centred[:, 1:] * centred[:, :-1]).mean() / field.var()
    assert neighbours == pytest.approx(np.exp(-1 / (2 * 0.75**2)), abs=0.03)
    assert abs((centred[:, 5:] * centred[:, :-5]).mean() / field.var()) < 0.01


def test_calibration_and_noise_removal_undo_the_digital_numbers() -> None:
    beta0 = np.full((600, 600), 0.004, np.float32)
    noise = np.full((600, 600), 900.0)
    numbers = digital_numbers(beta0, noise, np.random.default_rng(3)).astype(np.float64)
    assert ((numbers**2 - noise) / BETA_NOUGHT**2).mean() == pytest.approx(0.004, rel=0.015)
    assert digital_numbers(np.full((9, 9), 1e6, np.float32), noise[:9, :9], np.random.default_rng(1)).max() == 65_535
    assert digital_numbers(np.zeros((9, 9), np.float32), noise[:9, :9] * 0, np.random.default_rng(1)).min() == 1


def test_swath_edges_are_fringed_with_zeros_and_garbage() -> None:
    image = with_swath_edges(np.full((500, 400), 200, np.uint16), np.random.default_rng(2))
    assert (image[36:-36, 36:-36] == 200).all()
    for edge in (image[100:-100, :36], image[100:-100, -36:], image[:36, 100:-100], image[-36:, 100:-100]):
        assert (edge == 0).mean() > 0.1
        assert ((edge > 0) & (edge <= 30)).mean() > 0.08
    widths = {int((row == 0).sum()) for row in image[100:400]}
    assert len(widths) > 1


def test_noise_rises_between_sub_swaths() -> None:
    """An image across the border of two sub-swaths: the noise is higher there than in the middle of either."""
    frame, _ = views(plain(300), orbit_over(11.87, 48.6, "descending", 36.45))
    parts = swaths(frame)
    assert [part.name for part in parts] == ["IW1", "IW2"]
    assert parts[0].last + 1 == parts[1].first
    tables = noise_tables(frame)
    power = tables.power(frame)
    incidence = np.radians(frame.incidence_deg(np.arange(frame.samples, dtype=np.float64)))
    floor_db = 10 * np.log10(power[0] / BETA_NOUGHT**2 * np.sin(incidence))
    assert floor_db.max() < -21
    assert floor_db[parts[0].last] > -24
    assert power.shape == (frame.lines, frame.samples)
