"""What only a real object gateway shows: conditional writes, and wrong keys refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from containers.base import storage
from containers.base.contract.step import StepError
from tasks import images
from tasks.settings import Settings
from tasks.store import Store, open_store
from tests.conftest import S3Server
from tests.tasks.waiting import wait_until

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def ceph(engine: "DockerClient") -> Iterator[S3Server]:
    """An empty Ceph object gateway."""
    server = S3Server("")
    keys = {name: server.variables[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    image = images.find(engine, Settings(), "eodata")
    container = engine.containers.run(image, detach=True, init=True, environment=keys, labels={"clearground": "test"})
    try:
        wait_until(lambda: container.exec_run(["test", "-e", "/run/eodata/ready"]).exit_code == 0, limit_s=120)
        container.reload()
        yield S3Server(f"{container.attrs['NetworkSettings']['Networks']['bridge']['IPAddress']}:8000", "store")
    finally:
        container.remove(force=True, v=True)


@pytest.fixture
def ceph_store(ceph: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store in a bucket of that gateway."""
    for name, value in ceph.variables.items():
        monkeypatch.setenv(name, value)
    storage.client().create_bucket(Bucket=ceph.bucket)
    return open_store(Settings(store=f"s3://{ceph.bucket}/{tmp_path.name}", scratch=tmp_path))


def winners_of(write: object) -> int:
    assert callable(write)
    with ThreadPoolExecutor(12) as pool:
        return sum(pool.map(write, range(12)))


def test_of_twelve_creators_one_wins(ceph_store: Store) -> None:
    for attempt in range(3):
        assert winners_of(lambda i, name=f"a{attempt}": ceph_store.shelf.create(name, f"text {i}")) == 1


def test_of_twelve_replacers_one_wins(ceph_store: Store) -> None:
    assert ceph_store.shelf.create("a", "old")
    first = ceph_store.shelf.read("a")
    assert first is not None
    assert winners_of(lambda i: ceph_store.shelf.replace("a", f"new {i}", first.version)) == 1
    assert not ceph_store.shelf.replace("a", "late", first.version)


def test_wrong_keys_are_refused(ceph_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ceph_store.shelf.create("a", "text")
    (entry,) = ceph_store.shelf.entries()
    file = storage.stat(f"s3://store/{tmp_path.name}/{entry.path}")
    assert storage.fetch(file, tmp_path / "right").read_text() == "text"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another-key")
    for ask in (lambda: storage.stat(file.href), lambda: storage.fetch(file, tmp_path / "wrong")):
        with pytest.raises(StepError, match="access_denied"):
            ask()
