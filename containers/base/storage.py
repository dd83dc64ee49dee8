"""The only code that speaks S3: the archive for steps, the archive and an S3 artifact store for the host.

The archive is named by the variables that Creodias uses: AWS_S3_ENDPOINT (host:port), AWS_HTTPS,
AWS_VIRTUAL_HOSTING, AWS_DEFAULT_REGION, and keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or, inside a step,
from the file that AWS_SHARED_CREDENTIALS_FILE names.
"""

import errno
import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

import boto3
from boto3.exceptions import Boto3Error
from botocore import exceptions as boto
from botocore.config import Config

from containers.base.contract.files import File
from containers.base.contract.step import StepError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SCHEME: Final = "s3://"
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 60.0
ATTEMPTS = 5
"""How often a request, and the transfer of one object, is tried before a transient error is raised."""
FIRST_DELAY_S = 0.5
CHUNK_BYTES: Final = 1 << 20
_NO: Final = {"NO", "FALSE", "OFF", "0"}


@dataclass(frozen=True)
class Endpoint:
    """One S3 service. Without keys, boto3 looks for them itself (environment, shared credentials file)."""

    url: str | None = None
    virtual_hosting: bool = False
    region: str = "default"
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)

    @classmethod
    def archive(cls) -> "Endpoint":
        """The archive, as the environment names it."""
        return cls(
            url=endpoint_url(os.environ.get("AWS_S3_ENDPOINT", ""), https=_is_on("AWS_HTTPS")),
            virtual_hosting=_is_on("AWS_VIRTUAL_HOSTING", default="FALSE"),
            region=os.environ.get("AWS_DEFAULT_REGION", "default"),
        )


def endpoint_url(host: str, *, https: bool) -> str | None:
    """`host:port`, with or without a scheme, as a URL; None for the empty string, which means AWS itself."""
    if not host or "://" in host:
        return host or None
    return f"{'https' if https else 'http'}://{host}"


def split_s3_href(href: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = href.removeprefix(SCHEME).partition("/")
    if not href.startswith(SCHEME) or not bucket or not key:
        raise StepError("missing_file", f"{href!r} is not of the form s3://bucket/key.", "Correct the address.")
    return bucket, key


def client(endpoint: Endpoint | None = None, *, attempts: int | None = None) -> "S3Client":
    """A client with bounded time-outs and jittered retries, by default of the archive; threads may share it."""
    identity = (os.environ.get("AWS_SHARED_CREDENTIALS_FILE", ""), os.environ.get("AWS_ACCESS_KEY_ID", ""))
    return _client(endpoint or Endpoint.archive(), attempts or ATTEMPTS, identity)


@lru_cache(maxsize=8)
def _client(endpoint: Endpoint, attempts: int, _identity: tuple[str, str]) -> "S3Client":
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "virtual" if endpoint.virtual_hosting else "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return _session(endpoint).client("s3", endpoint_url=endpoint.url, region_name=endpoint.region, config=config)


def _session(endpoint: Endpoint) -> boto3.session.Session:
    return boto3.session.Session(
        aws_access_key_id=endpoint.access_key_id, aws_secret_access_key=endpoint.secret_access_key
    )


def credentials_text(endpoint: Endpoint) -> str:
    """The keys for an endpoint as a shared credentials file for boto3 and GDAL; empty where there are none."""
    found = _session(endpoint).get_credentials()
    if found is None:
        return ""
    keys = found.get_frozen_credentials()
    token = f"aws_session_token = {keys.token}\n" if keys.token else ""
    return f"[default]\naws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n{token}"


def stat(href: str) -> File:
    """The object as it is now: size, and `etag:…` as content id. Raises missing_file and access_denied."""
    bucket, key = split_s3_href(href)
    with coded_errors(href):
        head = client().head_object(Bucket=bucket, Key=key)
    return File(href=href, content_id=etag_id(head["ETag"]), size=head["ContentLength"])


def etag_id(etag: str) -> str:
    """The content id of an object whose only known checksum is its ETag."""
    return "etag:" + etag.strip('"')


def fetch(file: File, folder: Path) -> Path:
    """Copy an archive object below `folder`, whole or not at all, and return its path; a copy already there is used.

    An interrupted transfer goes on where it stopped. Size and identity are checked: a ranged read is bound to the
    ETag seen first (`etag:` content ids to theirs), `sha256:` and `md5:` content ids are compared with the bytes.

    Raises: missing_file (absent, or a ghost of another size), access_denied, corrupt_file, disk_full, and the
    transient short_read, throttled, storage_error, storage_timeout after bounded attempts.
    """
    target = folder / hashlib.sha256(f"{file.href} {file.content_id}".encode()).hexdigest()[:12] / file.name
    if target.is_file() and target.stat().st_size == file.size:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    _transfer(file, partial)
    compare_checksum(file, partial)
    return partial.replace(target)


def _transfer(file: File, partial: Path) -> None:
    is_etag = file.content_id.startswith("etag:")
    etag = (file if is_etag else stat(file.href)).content_id.removeprefix("etag:")
    if not is_etag or (partial.is_file() and partial.stat().st_size > file.size):
        partial.unlink(missing_ok=True)
    persist(lambda: _append(file, partial, etag))


def persist(attempt: Callable[[], None]) -> None:
    """Repeat what fails for a passing reason, a bounded number of times, with backoff and jitter."""
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except StepError as error:
            if not error.transient or number == ATTEMPTS - 1:
                raise
            time.sleep(FIRST_DELAY_S * 2**number * random.uniform(0.5, 1.5))  # noqa: S311 - jitter


def _append(file: File, partial: Path, etag: str) -> None:
    """Fetch what is missing of the object; raises short_read where the stream ends early."""
    bucket, key = split_s3_href(file.href)
    with coded_errors(file.href), partial.open("ab") as sink:
        done = sink.tell()
        if done == file.size > 0:
            return
        first_byte: dict[str, Any] = {"Range": f"bytes={done}-"} if done else {}
        answer = client(attempts=1).get_object(Bucket=bucket, Key=key, IfMatch=f'"{etag}"', **first_byte)
        announced = done + answer["ContentLength"]
        if announced != file.size:
            raise other_size(file, announced)
        _copy(answer["Body"], sink)
        if sink.tell() != file.size:
            raise StepError("short_read", f"{file.href} ended after {sink.tell()} of {file.size} bytes.", LATER)


def other_size(file: File, found: int) -> StepError:
    return StepError(
        "missing_file",
        f"{file.href} has {found} bytes, but the catalogue announced {file.size}.",
        "The archive holds another version of the object, or a ghost: search again, or leave the product out.",
    )


class _Body(Protocol):
    def read(self, amt: int, /) -> bytes: ...


def _copy(body: _Body, sink: IO[bytes]) -> None:
    while chunk := body.read(CHUNK_BYTES):
        sink.write(chunk)


def compare_checksum(file: File, path: Path) -> None:
    """Compare a copy with the `sha256:` or `md5:` content id of its object; a wrong one goes. Raises corrupt_file."""
    algorithm, _, expected = file.content_id.partition(":")
    if algorithm not in {"sha256", "md5"}:
        return
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    if found != expected.lower():
        path.unlink()
        raise StepError(
            "corrupt_file",
            f"{file.href} has the {algorithm} {found}, but its catalogue entry says {expected}.",
            "The object has changed or is damaged: search again, or leave the product out.",
        )


def gdal_environment() -> dict[str, str]:
    """Configuration with which GDAL's /vsis3/ reads the archive: same endpoint and keys, retries, no listings.

    Keys of the environment are left out: they reach GDAL by themselves, and rasterio refuses them as options.
    """
    endpoint = Endpoint.archive()
    host = (endpoint.url or "").partition("://")[2]
    options = {
        "AWS_HTTPS": "NO" if (endpoint.url or "").startswith("http://") else "YES",
        "AWS_VIRTUAL_HOSTING": "TRUE" if endpoint.virtual_hosting else "FALSE",
        "AWS_DEFAULT_REGION": endpoint.region,
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_TCP_KEEPALIVE": "YES",
        "GDAL_HTTP_CONNECTTIMEOUT": f"{CONNECT_TIMEOUT_S:.0f}",
        "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
        "GDAL_HTTP_LOW_SPEED_TIME": f"{READ_TIMEOUT_S:.0f}",
        "GDAL_HTTP_MAX_RETRY": str(ATTEMPTS),
        "GDAL_HTTP_RETRY_DELAY": str(FIRST_DELAY_S),
    }
    if host:
        options["AWS_S3_ENDPOINT"] = host
    if credentials := os.environ.get("CPL_AWS_CREDENTIALS_FILE"):
        options["CPL_AWS_CREDENTIALS_FILE"] = credentials
    return options


def _is_on(variable: str, default: str = "YES") -> bool:
    return os.environ.get(variable, default).upper() not in _NO


LATER: Final = "The archive is busy or the line is bad: the run tries again by itself; if it stays so, run again later."
_CODE_OF_STATUS: Final = {401: "access_denied", 403: "access_denied", 404: "missing_file", 412: "missing_file",
                          416: "missing_file", 429: "throttled", 503: "throttled"}  # fmt: skip
_HINTS: Final = {
    "access_denied": "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, their expiry date and the archive's terms.",
    "missing_file": "The catalogue names an object that is absent or has changed: search again or leave it out.",
}


@contextmanager
def coded_errors(href: str) -> Iterator[None]:
    """Turn what boto3 raises about `href` into a StepError: the one place where S3 failures get their codes."""
    try:
        yield
    except boto.ClientError as error:
        code = _code_of(error)
        raise StepError(code, f"{href}: {error}.", _HINTS.get(code, LATER)) from error
    except Boto3Error as error:  # a managed transfer hides what stopped it
        cause = error.__context__
        code = _code_of(cause) if isinstance(cause, boto.ClientError) else "storage_error"
        raise StepError(code, f"{href}: {error}.", _HINTS.get(code, LATER)) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound) as error:
        raise StepError("access_denied", f"{href}: {error}.", _HINTS["access_denied"]) from error
    except (boto.IncompleteReadError, boto.ResponseStreamingError) as error:
        raise StepError("short_read", f"{href}: {error}.", LATER) from error
    except (boto.ConnectTimeoutError, boto.ReadTimeoutError) as error:
        raise StepError("storage_timeout", f"{href}: {error}.", LATER) from error
    except (boto.HTTPClientError, boto.ConnectionError) as error:
        raise StepError("storage_error", f"{href}: {error}.", LATER) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StepError(
            "disk_full", f"{href}: no space left for it.", "Free some space, or move the scratch folder."
        ) from error


def status_of(error: boto.ClientError) -> int:
    """The HTTP status behind a boto3 error."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _code_of(error: boto.ClientError) -> str:
    name = error.response.get("Error", {}).get("Code", "")
    if name in {"SlowDown", "RequestLimitExceeded", "Throttling", "TooManyRequests"}:
        return "throttled"
    if name in {"RequestTimeout", "RequestTimeoutException"}:
        return "storage_timeout"
    return _CODE_OF_STATUS.get(status_of(error), "storage_error")
