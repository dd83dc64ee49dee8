"""`python -m containers.eodata.load --archive DIR`: the simulated archive goes into the S3 of the environment."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from containers.base import storage

BUCKET = "eodata"
_THREADS = 8


def load(archive: Path) -> int:
    """Upload every object that is not there with its size; their number."""
    client = storage.client()
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    present = dict(_stored_sizes())

    def put(path: Path) -> bool:
        key = path.relative_to(archive / BUCKET).as_posix()
        if present.get(key) == path.stat().st_size:
            return False
        client.upload_file(str(path), BUCKET, key)
        return True

    paths = sorted(path for path in (archive / BUCKET).rglob("*") if path.is_file())
    with ThreadPoolExecutor(_THREADS) as pool:
        return sum(pool.map(put, paths))


def _stored_sizes() -> Iterator[tuple[str, int]]:
    for page in storage.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            yield entry["Key"], entry["Size"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="folder that eodata.simulate has written")
    print(f"{load(parser.parse_args().archive)} objects uploaded to {BUCKET}")


if __name__ == "__main__":
    main()
