"""The one policy for talking to catalogues: retries with backoff and jitter, time-outs, coded errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from containers.base.contract.step import StepError

TIMEOUT_S = (10.0, 120.0)
"""To connect, and between two bytes."""
RETRIES = 5
BACKOFF_S = 1.0
_LATER = "The catalogue is busy or the line is bad: the run tries again by itself; if it stays so, run again later."


def retry() -> Retry:
    """Five more attempts, waiting 1, 2, 4 … s plus jitter or what Retry-After says, on 429, 5xx and lost lines."""
    return Retry(
        total=RETRIES,
        backoff_factor=BACKOFF_S,
        backoff_jitter=BACKOFF_S,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
    )


def open_session(session: requests.Session | None = None) -> requests.Session:
    """A session, or the given one, that retries."""
    session = session or requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry()))
    return session


def get_bytes(session: requests.Session, url: str, params: dict[str, str] | None = None) -> bytes:
    """The body of an answer. Raises what `coded_errors` does."""
    with coded_errors(url):
        response = session.get(url, params=params, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response.content


@contextmanager
def coded_errors(url: str) -> Iterator[None]:
    """Turn what requests raises into a StepError."""
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code
        raise status_error(url, status, error.response.text[:300]) from error
    except requests.Timeout as error:
        raise StepError("storage_timeout", f"{url}: {error}.", _LATER) from error
    except requests.RequestException as error:
        raise StepError("storage_error", f"{url}: {error}.", _LATER) from error


def status_error(url: str, status: int | None, text: str) -> StepError:
    """The error for an HTTP status; None: no answer came."""
    reason = f"{url} answered {status}: {text}." if status else f"{url}: {text}."
    if status == 429:
        return StepError("throttled", reason, _LATER)
    if status in (401, 403):
        return StepError("access_denied", reason, "Check the user name, the password and the catalogue's terms.")
    if status is None or status >= 500:
        return StepError("storage_error", reason, _LATER)
    return StepError("bad_parameters", reason, "Check endpoint and collection.")
