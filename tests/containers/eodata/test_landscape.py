import numpy as np
import pytest

from containers.base.contract.legend import LandCover
from containers.eodata.contract.simulate import ArchiveParams, Tile
from containers.eodata.cover import LAND_COVER, Cover
from containers.eodata.farmland import crops, parcels
from containers.eodata.landscape import Landscape, landscape
from containers.eodata.noise import Noise
from containers.eodata.place import world_grid
from containers.eodata.towns import towns
from containers.eodata.truth import majority

WEST, SOUTH = 4_400_000.0, 2_800_000.0
Y_M = np.arange(SOUTH + 6_005, SOUTH + 2_005, -10.0)
X_M = np.arange(WEST + 2_005, WEST + 6_005, 10.0)


@pytest.fixture(scope="module")
def ground() -> tuple[Landscape, np.ndarray, np.ndarray]:
    params = ArchiveParams(tiles=(Tile(id="33UTP", column=0, row=0),), tile_px=320, years=(2018, 2019, 2020))
    grid = world_grid(params)
    axes = (grid.north_m - 5 - 10 * np.arange(grid.height * 2.0), grid.west_m + 5 + 10 * np.arange(grid.width * 2.0))
    return landscape(params), *axes


def test_towns_reach_as_far_as_their_radius_says() -> None:
    settled = towns(Noise(4), WEST, SOUTH, WEST + 8_000, SOUTH + 8_000)
    distance = np.hypot(Y_M[:, None, None] - settled.y_m, X_M[None, :, None] - settled.x_m)
    expected = np.maximum((1 - distance / settled.radius_m).max(axis=2), -1.5)
    np.testing.assert_allclose(settled.nearness(Y_M, X_M), expected, atol=1e-4)


def test_distance_to_roads_equals_the_distance_to_the_nearest_piece() -> None:
    settled = towns(Noise(4), WEST, SOUTH, WEST + 8_000, SOUTH + 8_000)
    found = settled.road_distance(Y_M[::40], X_M[::40], 300)
    for row, y in enumerate(Y_M[::40]):
        for column, x in enumerate(X_M[::40]):
            nearest = 300.0
            for x0, y0, x1, y1, half in settled.roads:
                along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
                along = min(max(along, 0), 1)
                nearest = min(nearest, np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) - half)
            assert found[row, column] == pytest.approx(nearest, abs=0.01)


def test_a_window_of_the_landscape_equals_the_same_part_of_the_whole(
    ground: tuple[Landscape, np.ndarray, np.ndarray],
) -> None:
    land, y_m, x_m = ground
    whole, part = land.window(y_m, x_m), land.window(y_m[130:400], x_m[90:300])
    differing = [np.mean(whole.cover[year][130:400, 90:300] != part.cover[year]) for year in land.years]
    assert max(differing) < 1e-4  # cells on a border between two sites, to the last digit
    assert np.mean(whole.tone[130:400, 90:300] != part.tone) < 1e-3


def test_sealed_land_stays_sealed_or_is_given_back_whole(ground: tuple[Landscape, np.ndarray, np.ndarray]) -> None:
    land, y_m, x_m = ground
    cover = land.window(y_m, x_m).cover
    for before, after in ((2018, 2019), (2019, 2020)):
        was, now = LAND_COVER[cover[before]], LAND_COVER[cover[after]]
        unsealed = (was == LandCover.IMPERVIOUS) & (now != LandCover.IMPERVIOUS)
        assert set(np.unique(cover[after][unsealed])) <= {Cover.REGROWTH, Cover.GARDEN, Cover.TREES}  # gardens on rock
        assert (cover[after][unsealed] == Cover.REGROWTH).mean() > 0.7
        assert ((was != LandCover.IMPERVIOUS) & (now == LandCover.IMPERVIOUS)).sum() > unsealed.sum() > 0


def test_crops_rotate_but_parcels_and_meadows_stay() -> None:
    noise, meadow = Noise(2), np.zeros((400, 400), dtype=np.float32)
    farm = parcels(noise, Y_M[:400], X_M[:400])
    one, two = crops(noise, farm, meadow, 2018), crops(noise, farm, meadow, 2019)
    permanent = np.isin(one, (Cover.GRASSLAND, Cover.VINEYARD))
    np.testing.assert_array_equal(two[permanent], one[permanent])
    rotating = (one >= Cover.WINTER_CEREAL) & (one <= Cover.FALLOW)
    assert 0.6 < (one[rotating] != two[rotating]).mean() < 0.95


def test_majority_by_hand() -> None:
    fine = np.array([[1, 1, 3, 2], [2, 3, 2, 3], [2, 2, 3, 3], [2, 1, 3, 1]], dtype=np.uint8)
    assert majority(fine).tolist() == [[1, 2], [2, 3]]
