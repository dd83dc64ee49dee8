"""Order is kept, memory is bounded, errors come through."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from containers.gdal.pipeline import in_order


def test_results_come_in_the_order_of_the_items() -> None:
    with ThreadPoolExecutor(3) as pool:
        assert list(in_order(pool, lambda item: item * item, iter(range(20)), waiting=4)) == [n * n for n in range(20)]


@pytest.mark.parametrize("waiting", [1, 4])
def test_never_more_results_than_allowed_wait_for_the_reader(waiting: int) -> None:
    taken, most, lock = 0, 0, threading.Lock()

    def count(item: int) -> int:
        nonlocal most
        with lock:
            most = max(most, item - taken + 1)
        return item

    with ThreadPoolExecutor(8) as pool:
        for _ in in_order(pool, count, range(50), waiting):
            taken += 1
    assert most <= waiting


def test_an_error_reaches_the_reader() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(in_order(pool, lambda item: 1 / item, [1, 0], waiting=2))
