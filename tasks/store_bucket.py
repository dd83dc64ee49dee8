"""The artifact store's bytes in an S3 bucket; what steps read is staged in a local copy with the same layout."""

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from containers.base.contract.step import StepError
from containers.base.storage import Endpoint, client, coded_errors, split_s3_href, status_of
from tasks.shelf import Document, Entry

_CONFLICT: Final = {409, 412}
_CHUNK_BYTES: Final = 1 << 20


class BucketShelf:
    """Conditional writes make the bucket the referee: of any number of writers, on any machine, one wins."""

    def __init__(self, href: str, endpoint: Endpoint, cache: Path) -> None:
        self._bucket, prefix = split_s3_href(href.rstrip("/") + "/-")
        self._prefix = prefix.removesuffix("-")
        self._client = client(endpoint)
        self._root = href.rstrip("/")
        self.local_root = cache.resolve()
        self.local_root.mkdir(parents=True, exist_ok=True)

    def read(self, path: str) -> Document | None:
        try:
            with coded_errors(self._href(path)):
                answer = self._client.get_object(**self._name(path))
                return Document(answer["Body"].read().decode(), answer["ETag"])
        except StepError as error:
            if error.code == "missing_file":
                return None
            raise

    def create(self, path: str, text: str) -> bool:
        return self._put(path, text, IfNoneMatch="*")

    def replace(self, path: str, text: str, version: str) -> bool:
        """Ceph compares the ETag of a conditional write without its quotes, others with them."""
        return any(self._put(path, text, IfMatch=etag) for etag in (version.strip('"'), version))

    def overwrite(self, path: str, text: str) -> None:
        self._put(path, text)

    def _put(self, path: str, text: str, **condition: Any) -> bool:
        with coded_errors(self._href(path)):
            try:
                self._client.put_object(**self._name(path), Body=text.encode(), **condition)
            except ClientError as error:
                if condition and status_of(error) in _CONFLICT:
                    return self._is_ours(path, text)
                raise
        return True

    def _is_ours(self, path: str, text: str) -> bool:
        """A retried request whose first answer was lost meets its own object."""
        current = self.read(path)
        return current is not None and current.text == text

    def delete(self, path: str) -> None:
        with coded_errors(self._href(path)):
            self._client.delete_object(**self._name(path))
        (self.local_root / path).unlink(missing_ok=True)

    def size(self, path: str) -> int | None:
        try:
            with coded_errors(self._href(path)):
                return self._client.head_object(**self._name(path))["ContentLength"]
        except StepError as error:
            if error.code == "missing_file":
                return None
            raise

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        with coded_errors(self._href(prefix)):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}{below}"
            )
            for page in pages:
                for found in page.get("Contents", []):
                    path = found["Key"].removeprefix(self._prefix)
                    yield Entry(path, found["Size"], found["LastModified"].timestamp())

    def fetch(self, path: str, size: int) -> Path:
        """Artifacts never change, so a staged copy of the right size is the artifact."""
        local = self.local_root / path
        if local.is_file() and local.stat().st_size == size:
            os.utime(local)
            return local
        local.parent.mkdir(parents=True, exist_ok=True)
        partial = local.with_name(f".{local.name}.{uuid.uuid4().hex}.part")
        try:
            with coded_errors(self._href(path)):
                self._client.download_file(self._bucket, f"{self._prefix}{path}", str(partial))
            if partial.stat().st_size != size:
                raise StepError(
                    "missing_file",
                    f"{self._href(path)} has {partial.stat().st_size} bytes instead of {size}.",
                    "Run `clearground store verify`, then the flow again: the step that makes it is repeated.",
                )
            return partial.replace(local)
        finally:
            partial.unlink(missing_ok=True)

    def keep(self, path: str) -> None:
        with coded_errors(self._href(path)):
            self._client.upload_file(str(self.local_root / path), self._bucket, f"{self._prefix}{path}")

    def forget_copies(self, older_than_s: float) -> int:
        freed = 0
        for folder, _, names in os.walk(self.local_root, topdown=False):
            for path in (Path(folder) / name for name in names):
                if path.stat().st_mtime < time.time() - older_than_s:
                    freed += path.stat().st_size
                    path.unlink()
            with suppress(OSError):  # not empty
                Path(folder).rmdir()
        return freed

    def sha256(self, path: str) -> str:
        digest = hashlib.sha256()
        with coded_errors(self._href(path)):
            for chunk in self._client.get_object(**self._name(path))["Body"].iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def _name(self, path: str) -> Any:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{path}"}

    def _href(self, path: str) -> str:
        return f"{self._root}/{path}"
