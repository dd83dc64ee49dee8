"""A product of two large and some small objects from an archive into a folder.

Floor: the line rate, a bare parallel ranged GET of the same bytes that are then forgotten, from an archive that grants
every connection 20 MB/s, as CDSE does. Rivals: the naive way, one object after another in one stream, and boto3's own
managed transfer, both with the hashes that the store needs. The cases `fast_…` have no such limit, where the machine
is the bottleneck; `fast_kept` writes and hashes the bytes, and neither checks nor resumes anything.
DOWNLOAD_BENCHMARK=s3://bucket/folder measures the archive that the AWS_ variables name instead of a local server.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import urllib3
from boto3.s3.transfer import TransferConfig

from benchmarks.cases import Case, main
from containers.base import storage
from containers.base.contract.files import File, sha256_of

CONNECTIONS, PART_BYTES, SIZE_MB = 4, 8 << 20, 192
NAMES = ("measurement/vv.tiff", "measurement/vh.tiff", "annotation/vv.xml", "annotation/vh.xml", "manifest.safe")


def prepare(folder: Path) -> None:
    """Two large objects and some small ones, which no disk compresses."""
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size_mb = SIZE_MB if name.startswith("measurement") else 1
        with path.open("wb") as sink:
            for _ in range(size_mb):
                sink.write(os.urandom(1 << 20))


def objects(bucket: str = "eodata") -> dict[str, File]:
    if place := os.environ.get("DOWNLOAD_BENCHMARK"):
        bucket, prefix = storage.split_s3_href(place)
        pages = storage.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key.removeprefix(prefix).lstrip("/"): storage.stat(f"s3://{bucket}/{key}") for key in keys}
    return {name: storage.stat(f"s3://{bucket}/{name}") for name in NAMES}


def emptied(folder: Path, case: str) -> Path:
    out = folder / "download" / case
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return out


def line(folder: Path) -> None:
    """What the gateway can give: nothing is kept, checked or written."""
    _get_in_parts("eodata", None)


def fast_line(folder: Path) -> None:
    _get_in_parts("fast", None)


def fast_kept(folder: Path) -> None:
    out = emptied(folder, "fast_kept")
    _get_in_parts("fast", out)
    for path in out.iterdir():
        sha256_of(path)


def _get_in_parts(bucket: str, out: Path | None) -> None:
    http = urllib3.PoolManager(maxsize=CONNECTIONS)

    def get(job: tuple[str, Path | None, int, int]) -> None:
        url, path, first, size = job
        last = min(first + PART_BYTES, size) - 1
        sink = os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT)
        with http.request("GET", url, headers={"Range": f"bytes={first}-{last}"}, preload_content=False) as answer:
            while chunk := answer.read(1 << 20):
                if path:
                    os.pwrite(sink, chunk, first)
                    first += len(chunk)
            answer.release_conn()
        os.close(sink)

    jobs = []
    for name, file in objects(bucket).items():
        bucket, key = storage.split_s3_href(file.href)
        # Signed, so that a real gateway answers.
        url = storage.client().generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
        path = out / name.replace("/", "-") if out else None
        jobs += [(url, path, first, file.size) for first in range(0, file.size, PART_BYTES)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(get, jobs))


def clearground(folder: Path) -> None:
    _download(emptied(folder, "clearground"), "eodata")


def fast_clearground(folder: Path) -> None:
    _download(emptied(folder, "fast_clearground"), "fast")


def _download(out: Path, bucket: str) -> None:
    from containers.gdal.contract.download import DownloadParams
    from containers.gdal.download import run

    partials = out.with_name("partials")
    partials.mkdir(exist_ok=True)
    os.environ["CLEARGROUND_PARTIALS"] = str(partials)
    run(DownloadParams(product_id="benchmark", files=objects(bucket), part_mb=PART_BYTES >> 20), out)
    shutil.rmtree(partials)


def single(folder: Path) -> None:
    out = emptied(folder, "single")
    for file in objects().values():
        sha256_of(storage.fetch(file, out))


def boto3_transfer(folder: Path) -> None:
    out = emptied(folder, "boto3")
    config = TransferConfig(max_concurrency=CONNECTIONS, multipart_chunksize=PART_BYTES, use_threads=True)
    for name, file in objects().items():
        bucket, key = storage.split_s3_href(file.href)
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        storage.client().download_file(bucket, key, str(target), Config=config)
        sha256_of(target)


CASES: dict[str, Case] = {
    "line": line,
    "clearground": clearground,
    "single": single,
    "boto3": boto3_transfer,
    "fast_line": fast_line,
    "fast_kept": fast_kept,
    "fast_clearground": fast_clearground,
}


@contextmanager
def gateway(folder: Path) -> Iterator[None]:
    """A server of the folder's objects that all cases share, unless an archive is named."""
    if "DOWNLOAD_BENCHMARK" in os.environ or "DOWNLOAD_GATEWAY" in os.environ:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.range_server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().strip() if server.stdout else ""
        os.environ |= {
            "DOWNLOAD_GATEWAY": port,
            "AWS_S3_ENDPOINT": f"127.0.0.1:{port}",
            "AWS_HTTPS": "NO",
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "NO_PROXY": "127.0.0.1",
        }
        try:
            yield
        finally:
            server.terminate()


if __name__ == "__main__":
    with gateway(Path(sys.argv[-1])):
        main("benchmarks.download", CASES, prepare)
