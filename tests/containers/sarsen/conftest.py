"""Passes that several tests look at, simulated once."""

from pathlib import Path

import pytest

from tests.containers.sarsen.small_passes import RadarStore, SmallPass, hills, small_pass


@pytest.fixture(scope="session")
def _radar_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("radar_store")


@pytest.fixture(scope="session")
def _level(_radar_root: Path) -> SmallPass:
    return small_pass(RadarStore(_radar_root))


@pytest.fixture(scope="session")
def _hilly(_radar_root: Path) -> SmallPass:
    return small_pass(RadarStore(_radar_root), hills)


@pytest.fixture
def radar_store(_radar_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RadarStore:
    monkeypatch.setenv("CLEARGROUND_STORE", str(_radar_root))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return RadarStore(_radar_root)


@pytest.fixture
<<<<<<< HEAD
def simulate(radar_store: RadarStore) -> Callable[..., SimulatedPass]:
    """Gamma nought, uniform or by cell of GROUND, seen over a surface by one pass of some slices."""
    products = pytest.importorskip("containers.eodata.radar_products")
    from containers.eodata.radar_ground import RadarGround
    from containers.eodata.radar_pass import RadarPass

    def make(
        heights: Heights = plain, gamma0: Any = GAMMA0, dem: Heights | None = None, **options: Any
    ) -> SimulatedPass:
        rows, cols = np.mgrid[: GROUND.height, : GROUND.width] + 0.5
        surface = heights(cols * 10, rows * 10).astype(np.float32)
        cells = {name: np.broadcast_to(np.float32(value), GROUND.shape).copy() for name, value in gamma0.items()}
        start = datetime(2021, 6, 12, 5, 17, 30, tzinfo=UTC)
        pass_ = RadarPass(
            start=start, platform="S1B", absolute_orbit=30148, relative_orbit=22, direction="descending",
            datatake="039993", **options,
        )  # fmt: skip
        bucket = radar_store.root / "archive" / "key" / "1"
        stored = products.write_radar(pass_, RadarGround(GROUND, surface, cells), 7, bucket)
        slices = tuple(
            RadarProduct(
                id=each.name, platform="S1B", polarisations=tuple(gamma0), start=each.start, stop=each.stop,
                datatake="039993", absolute_orbit=30148, relative_orbit=22, direction="descending",
                footprint=each.footprint.wkt, simulated=True,
            )
            for each in stored
        )  # fmt: skip
        folders = tuple(radar_store.safe(bucket / pass_.folder(each.name)) for each in stored)
        to_utm = Transformer.from_crs(GROUND.epsg, 32633, always_xy=True)
        x, y = to_utm.transform(GROUND.west_m + 1500, GROUND.north_m - 1400)
        grid = Grid.covering(Bounds(x - 1100, y - 1000, x + 1100, y + 1000), epsg=32633, resolution_m=10)
        return SimulatedPass(radar_store, slices, folders, radar_store.dem(dem or heights, dem_bounds()), grid)

    return make
=======
def level(radar_store: RadarStore, _level: SmallPass) -> SmallPass:
    """A level plain of uniform gamma nought."""
    return _level
>>>>>>> helper-sarsen


@pytest.fixture
def hilly(radar_store: RadarStore, _hilly: SmallPass) -> SmallPass:
    """Hills of uniform gamma nought."""
    return _hilly
