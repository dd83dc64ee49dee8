"""What a machine bears at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tasks.machine import machine_share, parallel_steps
from tasks.settings import Settings
from tests.tasks.waiting import wait_until


def test_steps_in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert parallel_steps(Settings()) == 8
    assert parallel_steps(Settings(parallel_steps=3)) == 3
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert parallel_steps(Settings()) == 2


@pytest.mark.parametrize(("thirds", "places", "expected"), [(1, 6, 2), (0, 3, 3)], ids=["memory", "places"])
def test_neither_memory_nor_a_place_is_promised_twice(thirds: int, places: int, expected: int) -> None:
    total = psutil.virtual_memory().total // 2**20
    running, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with machine_share(thirds * (total // 3) + 1, most_steps=places):
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert most == expected


def test_greedy_step_runs_alone() -> None:
    total = psutil.virtual_memory().total // 2**20
    order: list[str] = []

    def greedy() -> None:
        with machine_share(10 * total, most_steps=2):
            order.append("greedy")

    with machine_share(1, most_steps=2):
        waiting = threading.Thread(target=greedy)
        waiting.start()
        time.sleep(0.05)
        order.append("modest")
    wait_until(lambda: len(order) == 2)
    waiting.join()
    assert order == ["modest", "greedy"]
