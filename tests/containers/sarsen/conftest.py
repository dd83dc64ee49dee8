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
def level(radar_store: RadarStore, _level: SmallPass) -> SmallPass:
    """A level plain of uniform gamma nought."""
    return _level


@pytest.fixture
def hilly(radar_store: RadarStore, _hilly: SmallPass) -> SmallPass:
    """Hills of uniform gamma nought."""
    return _hilly
