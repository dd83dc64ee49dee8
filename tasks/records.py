"""What the store knows of one finished step: its key, its files and where it came from."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, Field

from containers.base.contract.files import STORE_SCHEME, File, sha256_of
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError, StepParams, StepResult, files_in
from tasks.code_id import Code

T = TypeVar("T")
USER_FOLDER: Final = "user"
SCENES_FOLDER: Final = "scenes"


class StoredFile(Contract):
    """One file of an attempt, as it was when the step ended."""

    path: str = Field(description="Path below the store's root")
    size: int
    sha256: str


class Record(Contract):
    """`result.json` of the store: the promise that these files are there and are the answer to this key."""

    step: str
    key: str
    attempt: str
    code_id: str
    tools: str = Field(description="Runner, and versions or image that the step ran with")
    created: datetime
    seconds: float
    peak_mb: float | None = Field(
        default=None, description="Largest memory of the step or a program it ran, in MiB; older records have none"
    )
    params: dict[str, Any]
    result: dict[str, Any]
    files: tuple[StoredFile, ...]
    parents: tuple[str, ...] = Field(
        description="Store folders (`<step>/<key>`, `user/<sha256>`) that it was made from"
    )
    sources: tuple[str, ...] = Field(description="Archive objects that it was made from")
    members: dict[str, int] = Field(
        description="Store paths, with sizes, that the result refers to beside its own files"
    )


def entry_of(path: str) -> str:
    """The store folder that a store path lies in: `<step>/<key>` or `user/<sha256>`."""
    return "/".join(path.split("/")[:2])


def with_files(value: T, change: Callable[[File], File]) -> T:
    """A copy of a contract value with every `File` in it, members first, replaced by what `change` makes of it."""
    return cast(T, _changed(value, change))


def _changed(value: object, change: Callable[[File], File]) -> object:
    if isinstance(value, File):
        members = tuple(with_files(member, change) for member in value.members)
        return change(value.model_copy(update={"members": members}))
    if isinstance(value, BaseModel):
        fields = {name: _changed(getattr(value, name), change) for name in type(value).model_fields}
        return value.model_copy(update=fields)
    if isinstance(value, tuple | list):
        items = [_changed(item, change) for item in value]
        return value._make(items) if hasattr(value, "_make") else type(value)(items)
    if isinstance(value, dict):
        return {name: _changed(item, change) for name, item in value.items()}
    return value


def key_of(params: StepParams, code_id: str) -> str:
    """SHA-256 of everything that decides the result: step, parameters without `execution`, input contents, code."""
    identified = with_files(params, _identity)
    document = {
        "step": params.step,
        "params": identified.model_dump(mode="json", exclude={"execution"}),
        "code": code_id,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _identity(file: File) -> File:
    """A file without its place. An ETag alone does not identify, so the size goes with it."""
    return File(href="-", content_id=file.content_id, size=file.size if file.content_id.startswith("etag:") else 0)


def record_of(
    params: StepParams,
    result: StepResult,
    *,
    key: str,
    folder: Path,
    code: Code,
    seconds: float,
    peak_mb: float | None = None,
) -> Record:
    """Describe an attempt folder whose step has ended, with its bare file names turned into store hrefs.

    Raises crashed where the step announced a file that is absent or of another size.
    """
    prefix = f"{params.step}/{key}/{folder.name}"
    own = {file.href: _stored(file, folder, prefix) for file in files_in(result) if _is_bare(file)}
    final = with_files(result, lambda file: _placed(file, prefix))
    inputs = list(params.input_files())
    return Record(
        step=params.step,
        key=key,
        attempt=folder.name,
        code_id=code.id,
        tools=code.tools,
        created=datetime.now(UTC),
        seconds=round(seconds, 3),
        peak_mb=peak_mb,
        params=params.model_dump(mode="json"),
        result=final.model_dump(mode="json"),
        files=tuple(own.values()),
        parents=tuple(sorted({entry_of(file.store_path) for file in inputs if file.in_store})),
        sources=tuple(sorted({file.href for file in inputs if not file.in_store})),
        members=dict(_members(final, prefix)),
    )


def _is_bare(file: File) -> bool:
    return ":" not in file.href


def _placed(file: File, prefix: str) -> File:
    return file.model_copy(update={"href": f"{STORE_SCHEME}{prefix}/{file.href}"}) if _is_bare(file) else file


def _members(result: StepResult, prefix: str) -> Iterator[tuple[str, int]]:
    for file in files_in(result):
        if file.in_store and not file.store_path.startswith(f"{prefix}/"):
            yield file.store_path, file.size


def _stored(file: File, folder: Path, prefix: str) -> StoredFile:
    path = folder / file.href
    is_inside = path.resolve().is_relative_to(folder.resolve())
    size = path.stat().st_size if is_inside and path.is_file() else None
    if size != file.size:
        raise StepError(
            "crashed",
            f"the step announced {file.href} with {file.size} bytes, but found were {size}.",
            "This is a defect of the step: report it with the log.",
        )
    is_hashed = file.content_id.startswith("sha256:")
    digest = file.content_id if is_hashed else sha256_of(path)
    return StoredFile(path=f"{prefix}/{file.href}", size=size, sha256=digest.removeprefix("sha256:"))
