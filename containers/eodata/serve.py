"""`python -m containers.eodata.serve --archive DIR --port P`: the archive behind a moto S3 server, where no Docker is.

moto keeps objects in memory, so each start refills it. Port P answers as S3; it is ready when `GET /eodata/.ready`
succeeds, because that object is written last.
"""

import argparse
import logging
import os
import signal
import threading
from pathlib import Path

from moto.server import ThreadedMotoServer

from containers.base import storage
from containers.eodata.load import BUCKET, load

READY_KEY = ".ready"
# moto takes any key, and makes buckets in regions of Amazon only.
_CLIENT = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded", "AWS_DEFAULT_REGION": "us-east-1"}


def serve(archive: Path, host: str, port: int) -> None:
    """Serve until a signal ends the process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=host, port=port, verbose=False)
    server.start()
    os.environ.update(_CLIENT, AWS_S3_ENDPOINT=f"{host}:{port}", AWS_HTTPS="NO", AWS_VIRTUAL_HOSTING="FALSE")
    count = load(archive)
    storage.client().put_object(Bucket=BUCKET, Key=READY_KEY, Body=b"", ACL="public-read")
    print(f"ready: {count} objects at http://{host}:{port}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="folder that eodata.simulate has written")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, required=True, help="TCP port to listen at")
    arguments = parser.parse_args()
    serve(arguments.archive, arguments.host, arguments.port)


if __name__ == "__main__":
    main()
