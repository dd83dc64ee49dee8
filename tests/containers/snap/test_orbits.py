"""Orbit files lie where SNAP looks, or are refused by name."""

from datetime import UTC, datetime, timedelta

import pytest

from containers.base.contract.step import StepError
from containers.snap.orbits import install_orbits, parse_orbit_name

PRECISE = "S1A_OPER_AUX_POEORB_OPOD_20210208T121618_V20210118T225942_20210120T005942.EOF"
RESTITUTED = "S1A_OPER_AUX_RESORB_OPOD_20210119T084300_V20210119T044500_20210119T080230.EOF"


def test_parts_of_a_name() -> None:
    orbit = parse_orbit_name(PRECISE)
    assert orbit is not None
    assert (orbit.platform, orbit.kind) == ("S1A", "POEORB")
    assert orbit.start == datetime(2021, 1, 18, 22, 59, 42, tzinfo=UTC)
    assert parse_orbit_name("S1A_OPER_AUX_PREORB_OPOD_x.EOF") is None


def test_no_files_mean_the_annotations_orbit(radar_slice, tmp_path) -> None:
    assert install_orbits((), [radar_slice()], tmp_path) is None


@pytest.mark.parametrize(
    ("names", "kind"), [((RESTITUTED,), "RESORB"), ((PRECISE,), "POEORB"), ((RESTITUTED, PRECISE), "POEORB")]
)
def test_the_best_kind_is_linked_by_satellite_and_month(snap_store, radar_slice, tmp_path, names, kind) -> None:
    files = [snap_store.text(f"orbits/{name}") for name in names]
    assert install_orbits(files, [radar_slice()], tmp_path / ".snap") == kind
    folder = tmp_path / ".snap" / "auxdata" / "Orbits" / "Sentinel-1" / kind / "S1A" / "2021" / "01"
    assert [path.name for path in folder.iterdir()] == [name for name in names if kind in name]


def test_the_first_state_vector_may_be_in_the_month_before(snap_store, radar_slice, tmp_path) -> None:
    name = "S1A_OPER_AUX_POEORB_OPOD_20210221T121618_V20210131T225942_20210202T005942.EOF"
    start = datetime(2021, 2, 1, 0, 0, 30, tzinfo=UTC)
    product = radar_slice(start=start, stop=start + timedelta(seconds=25))
    install_orbits([snap_store.text(name)], [product], tmp_path)
    months = {path.parent.name for path in tmp_path.rglob(f"Orbits/**/{name}")}
    assert months == {"01", "02"}


@pytest.mark.parametrize(
    "name",
    [
        PRECISE.replace("S1A", "S1B"),
        "S1A_OPER_AUX_POEORB_OPOD_20210209T121618_V20210119T225942_20210121T005942.EOF",
        "orbit.EOF",
    ],
    ids=["another satellite", "another day", "no orbit file"],
)
def test_files_that_cover_nothing_are_refused(snap_store, radar_slice, tmp_path, name: str) -> None:
    with pytest.raises(StepError) as raised:
        install_orbits([snap_store.text(name)], [radar_slice()], tmp_path)
    assert raised.value.code == "missing_file"
    assert name in raised.value.reason
