"""Leases: one works, the others wait, and the dead do not block."""

import threading
import time

import pytest

from containers.base.contract.step import StepError
from tasks import leases
from tasks.leases import Lease, is_leased, lease
from tasks.owner import Owner, this_process
from tasks.store import Store


def put(store: Store, owner: Owner, expires_in_s: float) -> None:
    held = Lease(token="other", owner=owner, expires_s=time.time() + expires_in_s)
    assert store.shelf.create("s/k/lease.json", held.model_dump_json())


def elsewhere() -> Owner:
    return Owner(host="another-machine", boot="b", pid=1, started=0.0)


def test_held_and_released(store: Store) -> None:
    with lease(store.shelf, "s/k", lambda: None, limit_s=1) as found:
        assert found is None
        assert is_leased(store.shelf, "s/k")
    assert not is_leased(store.shelf, "s/k")


def test_released_after_a_failure(store: Store) -> None:
    with pytest.raises(RuntimeError), lease(store.shelf, "s/k", lambda: None, limit_s=1):
        raise RuntimeError
    assert not is_leased(store.shelf, "s/k")


def test_second_waits_and_gets_the_result(store: Store) -> None:
    results: list[str] = []
    entered = threading.Event()

    def first() -> None:
        with lease(store.shelf, "s/k", lambda: None, limit_s=1):
            entered.set()
            time.sleep(0.3)
            results.append("made")

    worker = threading.Thread(target=first)
    worker.start()
    entered.wait()
    with lease(store.shelf, "s/k", lambda: results[0] if results else None, limit_s=5) as found:
        assert found == "made"
    worker.join()


def test_waiting_ends(store: Store) -> None:
    put(store, elsewhere(), expires_in_s=60)
    with pytest.raises(StepError, match="timed_out"), lease(store.shelf, "s/k", lambda: None, limit_s=0.1):
        pass


def test_expired_lease_is_taken_over(store: Store) -> None:
    put(store, elsewhere(), expires_in_s=-1)
    with lease(store.shelf, "s/k", lambda: None, limit_s=1) as found:
        assert found is None
        assert is_leased(store.shelf, "s/k")


def test_lease_of_a_dead_neighbour_is_taken_over_at_once(store: Store) -> None:
    put(store, this_process().model_copy(update={"started": 1.0}), expires_in_s=60)
    with lease(store.shelf, "s/k", lambda: None, limit_s=0):
        assert is_leased(store.shelf, "s/k")


def test_sign_of_life_renews(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "DURATION_S", 0.3)
    with lease(store.shelf, "s/k", lambda: None, limit_s=1):
        time.sleep(0.6)
        assert is_leased(store.shelf, "s/k")


def test_holder_that_was_overtaken_leaves_the_new_lease(store: Store) -> None:
    with lease(store.shelf, "s/k", lambda: None, limit_s=1):
        store.shelf.delete("s/k/lease.json")
        put(store, elsewhere(), expires_in_s=60)
    assert is_leased(store.shelf, "s/k")
