"""What a step reads and writes: a place, and an identity that does not depend on the place."""

import hashlib
from pathlib import Path

from pydantic import Field

from containers.base.contract.model import Contract

STORE_SCHEME = "store:"
_CHUNK_BYTES = 1 << 20


class File(Contract):
    """One file: in the artifact store, in the archive, or (inside a running step) in its output folder.

    `href` is `store:<image>.<step>/<key>/<attempt>/<name>` for an artifact, `s3://bucket/key` for an archive
    object, and a name relative to the output folder in a result that its step has just written; the runner turns
    the last into the first. `content_id` is what artifact keys are made of: `sha256:…` for files of ours, the
    archive's checksum (`file:checksum`) or `etag:…` plus size for archive objects.
    """

    href: str = Field(min_length=1)
    content_id: str = Field(pattern=r"^[a-z0-9-]+:.+")
    size: int = Field(ge=0, description="Size in bytes")
    members: tuple["File", ...] = Field(
        default=(), description="Files that this one refers to, such as a VRT's sources"
    )

    @property
    def name(self) -> str:
        """The last part of the href."""
        return self.href.rsplit("/", 1)[-1].removeprefix(STORE_SCHEME)

    @property
    def in_store(self) -> bool:
        return self.href.startswith(STORE_SCHEME)

    @property
    def store_path(self) -> str:
        """The path below the store's root. Only for artifacts."""
        if not self.in_store:
            raise ValueError(f"{self.href} is not in the store")
        return self.href.removeprefix(STORE_SCHEME)


def sha256_of(path: Path) -> str:
    """The content id of a local file, read in bounded memory."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def output_file(path: Path, *, root: Path | None = None, members: tuple[File, ...] = ()) -> File:
    """Describe a file that a step has written into its output folder, or into a folder below that (`root`).

    With `members` (a VRT), the content id covers theirs instead of the bytes, because the bytes name attempts,
    which differ between equal runs; the caller's parameters decide everything else in such a file.
    """
    content_id = sha256_of(path)
    if members:
        joined = "\n".join([path.name, *(member.content_id for member in members)])
        content_id = f"members-sha256:{hashlib.sha256(joined.encode()).hexdigest()}"
    href = path.relative_to(root or path.parent).as_posix()
    return File(href=href, content_id=content_id, size=path.stat().st_size, members=members)
