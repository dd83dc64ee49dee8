"""A machine of its own for every test: checkout with a fake step, store, scratch, settings."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from containers.base.contract.files import File, output_file
from tasks.catalogue import session
from tasks.local_runner import LocalRunner
from tasks.runner import use_runner
from tasks.settings import Settings, get_settings
from tasks.store import Store, open_store
from tests.conftest import ROOT, S3Server
from tests.tasks.checkout.containers.fake.contract import CopyParams


@dataclass(frozen=True)
class Machine:
    """Where the test's things are."""

    checkout: Path
    folder: Path

    @property
    def settings(self) -> Settings:
        return get_settings()

    @property
    def store(self) -> Store:
        return open_store(get_settings())

    @property
    def trace(self) -> Path:
        return self.folder / "trace"

    @property
    def n_executions(self) -> int:
        return len(self.trace.read_text().splitlines()) if self.trace.exists() else 0

    @contextmanager
    def process(self, script: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Another process on this machine, which the test may kill and which ends with it."""
        environment = {**os.environ, "PYTHONPATH": f"{self.checkout}:{ROOT}"}
        command = [sys.executable, "-c", script, str(self.checkout), *arguments]
        process = subprocess.Popen(command, cwd=self.folder, env=environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def copy_params(self, cls: type[CopyParams] = CopyParams, **values: object) -> CopyParams:
        return cls.model_validate({"trace": str(self.trace), **values})


def make_checkout(folder: Path) -> Path:
    """A checkout with the real `containers/base` and a fake image."""
    shutil.copytree(ROOT / "tests" / "tasks" / "checkout", folder)
    (folder / "containers" / "base").symlink_to(ROOT / "containers" / "base")
    return folder


def point_settings(monkeypatch: pytest.MonkeyPatch, folder: Path, store: str) -> None:
    for name, value in {"STORE": store, "SCRATCH": str(folder / "scratch"), "RUNNER": "local"}.items():
        monkeypatch.setenv(f"CLEARGROUND_{name}", value)
    get_settings.cache_clear()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Folder store, local runner, fake checkout."""
    checkout = make_checkout(tmp_path / "checkout")
    point_settings(monkeypatch, tmp_path, str(tmp_path / "store"))
    with use_runner(LocalRunner(checkout)):
        yield Machine(checkout, tmp_path)
    get_settings.cache_clear()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store, once in a folder and once in a bucket."""
    place = str(tmp_path / "store")
    if request.param == "bucket":
        server: S3Server = request.getfixturevalue("s3_server")
        place = f"s3://{server.bucket}/store"
    point_settings(monkeypatch, tmp_path, place)
    yield open_store(get_settings())
    get_settings.cache_clear()


@pytest.fixture
def written(store: Store) -> Callable[..., File]:
    """Writes a file into an attempt folder, and describes it as a step would."""

    def write(folder: Path, name: str = "a.tif", content: str = "pixels") -> File:
        (folder / name).write_text(content)
        return output_file(folder / name)

    return write


@pytest.fixture
def serve(monkeypatch) -> Iterator[Callable[..., str]]:
    """A local catalogue: `respond(path, query, body)` gives status and JSON, or a function of the base URL for it."""
    monkeypatch.setattr(session, "BACKOFF_S", 0.001)
    servers = []

    def start(respond: Callable[[str, dict[str, list[str]], bytes, str], tuple[int, Any]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                base = f"http://127.0.0.1:{self.server.server_port}"
                status, answer = respond(parts.path, parse_qs(parts.query), body, base)
                payload = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
