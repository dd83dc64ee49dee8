"""An object gateway for the benchmark of downloads: files of a folder by ranged GET, straight from the page cache.

The bucket `fast` gives what the machine can; `eodata` gives every connection what the general quota of CDSE does.
"""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

QUOTA_BYTES_S, SLICE_BYTES = 20e6, 1 << 18
ETAG = '"benchmark"'
"""Of every object."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path

    def do_GET(self) -> None:
        with self._file().open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            first, last = self._range(size)
            self._begin(first, last, size)
            start, begun = first, time.monotonic()
            while first <= last:
                n_bytes = min(SLICE_BYTES, last + 1 - first) if self._is_limited() else last + 1 - first
                first += os.sendfile(self.connection.fileno(), stream.fileno(), first, n_bytes)
                if self._is_limited():
                    time.sleep(max(0.0, begun + (first - start) / QUOTA_BYTES_S - time.monotonic()))

    def do_HEAD(self) -> None:
        size = self._file().stat().st_size
        self._begin(0, size - 1, size)

    def _file(self) -> Path:
        _bucket, _, key = self.path.partition("?")[0].lstrip("/").partition("/")
        return self.root / key

    def _is_limited(self) -> bool:
        return self.path.startswith("/eodata/")

    def _range(self, size: int) -> tuple[int, int]:
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        return int(first), min(int(last or size - 1), size - 1)

    def _begin(self, first: int, last: int, size: int) -> None:
        is_part = "Range" in self.headers
        self.send_response(206 if is_part else 200)
        self.send_header("ETag", ETAG)
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        if is_part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    Handler.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
