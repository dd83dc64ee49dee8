"""Copy a simulated archive into the bucket of the S3 endpoint that the AWS variables name.

`python -m containers.eodata.load --archive DIR [--prune]`
"""

import argparse
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from containers.base.storage import client
from containers.eodata.items import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_THREADS = 8
_DELETED_AT_ONCE = 1000


class Loaded(NamedTuple):
    """What a load did, in objects."""

    copied: int
    unchanged: int
    deleted: int


def load(archive: Path, s3: "S3Client", *, prune: bool = False) -> Loaded:
    """Make the bucket hold every object of the archive; with `prune`, nothing else.

    Objects that are there with the same size and MD5 are left alone. Files are streamed: memory stays bounded.
    """
    _create_bucket(s3)
    root = archive / BUCKET
    wanted = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    present = dict(_listed(s3))
    missing = [key for key, path in wanted.items() if present.get(key) != (path.stat().st_size, _md5(path))]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda key: _put(s3, key, wanted[key]), missing))
    foreign = sorted(present.keys() - wanted.keys()) if prune else []
    for first in range(0, len(foreign), _DELETED_AT_ONCE):
        keys = foreign[first : first + _DELETED_AT_ONCE]
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    return Loaded(len(missing), len(wanted) - len(missing), len(foreign))


def _create_bucket(s3: "S3Client") -> None:
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET)


def _listed(s3: "S3Client") -> Iterator[tuple[str, tuple[int, str]]]:
    """Key, size and MD5 (the ETag of an object put in one piece) of everything in the bucket."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", []):
            yield found["Key"], (found["Size"], found["ETag"].strip('"'))


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _put(s3: "S3Client", key: str, path: Path) -> None:
    with path.open("rb") as stream:
        s3.put_object(Bucket=BUCKET, Key=key, Body=stream)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--archive", type=Path, required=True, help="folder that simulate has written")
    arguments.add_argument("--prune", action="store_true", help="delete objects that are not in the archive")
    given = arguments.parse_args()
    done = load(given.archive, client(), prune=given.prune)
    print(f"eodata: {done.copied} objects copied, {done.unchanged} unchanged, {done.deleted} deleted")


if __name__ == "__main__":
    main()
