"""What several folders of tests share. Fixtures import late: images run tests without the host's packages."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from docker import DockerClient

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder of third-party samples."""
    folder = Path(os.environ.get("SAMPLE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no third-party samples at {folder}: set SAMPLE_DATA")
    return folder


@dataclass(frozen=True)
class S3Server:
    """An S3 service on loopback, and the variables by which it is the archive."""

    host: str
    bucket: str = "eodata"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_S3_ENDPOINT": self.host,
            "AWS_HTTPS": "NO",
            "AWS_VIRTUAL_HOSTING": "FALSE",
            "AWS_DEFAULT_REGION": "default",
            "AWS_ACCESS_KEY_ID": "test-key-id",
            "AWS_SECRET_ACCESS_KEY": "test-secret",
            "NO_PROXY": "127.0.0.1",
        }


@pytest.fixture(scope="session")
def _moto_host() -> Iterator[str]:
    pytest.importorskip("moto", reason="the embedded S3 server belongs to the host")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def s3_server(_moto_host: str, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An empty S3 service with the bucket `eodata`, which the environment names as the archive."""
    import urllib.request

    from containers.base import storage

    server = S3Server(_moto_host)
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    reset = urllib.request.Request(f"{server.url}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    maker = storage.Endpoint(server.url, region="us-east-1", access_key_id="test", secret_access_key="test")
    storage.client(maker).create_bucket(Bucket=server.bucket)
    return server


@pytest.fixture(scope="session")
def engine() -> "DockerClient":
    """The Docker engine; its absence is a failure where CONTAINERS=required."""
    from tasks.docker_runner import engine_answers

    if not engine_answers():
        if os.environ.get("CONTAINERS") == "required":
            pytest.fail("no Docker engine answers, but CONTAINERS=required")
        pytest.skip("no Docker engine answers")
    import docker

    return docker.from_env()


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server with an empty database of its own, for the tests that run flows."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
