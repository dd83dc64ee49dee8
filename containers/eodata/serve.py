"""EODATA without a container: an archive folder served as an S3 bucket by moto on loopback.

`python -m containers.eodata.serve --archive DIR --port P` prints one line when the bucket is full and answers
`GET /ready` with 200 from then on, 503 before. With `--check` it only asks that of a server that runs. moto accepts any
key and keeps nothing over its end, so every start fills the bucket anew; until it is full, everybody but the filler is
told to come back, because an object that is not there yet must not pass for a missing one.
"""

import argparse
import logging
import os
import resource
import secrets
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from containers.base.storage import Endpoint, client
from containers.eodata.load import load

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

_READY_PATH = "/ready"
_IN_MEMORY_BYTES = 1 << 16
"""Larger objects lie in temporary files, one open descriptor each."""
_REGION = "us-east-1"
"""The only region in which moto makes a bucket without being told where; it is then served under any."""

StartResponse = Callable[..., Any]


class Application:
    """The moto application, which serves only its filler until the bucket is full."""

    def __init__(self) -> None:
        os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(_IN_MEMORY_BYTES)
        from moto.server import DomainDispatcherApplication, create_backend_app

        self._moto = DomainDispatcherApplication(create_backend_app)
        self.ready = threading.Event()
        self.filler = f"filler-{secrets.token_hex(8)}"
        """Access key of the one who fills the bucket."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        is_full, asks_for_ready = self.ready.is_set(), environ["PATH_INFO"] == _READY_PATH
        if not asks_for_ready and (is_full or f"={self.filler}/" in environ.get("HTTP_AUTHORIZATION", "")):
            answer: Iterable[bytes] = self._moto(environ, start_response)
            return answer
        status, text = ("200 OK", b"ready\n") if is_full else ("503 Service Unavailable", b"filling\n")
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]


def start(archive: Path, host: str, port: int) -> "BaseWSGIServer":
    """Serve in a thread of this process and fill the bucket; `port` 0 takes a free one."""
    from werkzeug.serving import make_server

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = Application()
    server = make_server(host, port, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://{host}:{server.server_port}"
    filler = Endpoint(url=url, region=_REGION, access_key_id=application.filler, secret_access_key=application.filler)
    load(archive, client(filler))
    application.ready.set()
    return server


def is_ready(host: str, port: int) -> bool:
    """Whether a server runs there and its bucket is full."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:{port}{_READY_PATH}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--archive", type=Path, help="folder that simulate has written")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--check", action="store_true", help="exit with 0 if a server there is ready, else 1")
    given = arguments.parse_args()
    if given.check:
        sys.exit(0 if is_ready(given.host, given.port) else 1)
    if given.archive is None or not (given.archive / "items.json").is_file():
        arguments.error(f"--archive {given.archive} holds no items.json; make it with containers.eodata.simulate")
    started = time.monotonic()
    server = start(given.archive, given.host, given.port)
    print(
        f"eodata: ready at http://{given.host}:{server.server_port} after {time.monotonic() - started:.1f} s",
        flush=True,
    )
    threading.Event().wait()


if __name__ == "__main__":
    main()
