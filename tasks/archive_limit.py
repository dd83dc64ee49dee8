"""The archive's quota as one Prefect concurrency limit over all workers: a connection is a slot."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prefect.client.orchestration import get_client
from prefect.concurrency._asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency

from containers.base.contract.step import Resources, StepError
from tasks.settings import Settings
from tasks.step_log import in_prefect_run

_LEASE_S: Final = 60.0


def ensure_archive_limit(settings: Settings) -> None:
    """Create the limit, or set it to the settings' number of connections. Idempotent."""
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(settings.archive_limit_name, settings.archive_connections)


@contextmanager
def archive_slots(settings: Settings, resources: Resources) -> Iterator[None]:
    """Occupy as many slots as the step opens connections. Outside a Prefect run nothing is shared, so nothing is held.

    Raises bad_parameters where the limit does not exist, because Prefect would else read that as unlimited.
    """
    if not resources.connections or not in_prefect_run():
        yield
        return
    if resources.connections > settings.archive_connections:
        raise StepError(
            "bad_parameters",
            f"the step opens {resources.connections} connections; the archive grants {settings.archive_connections}.",
            "Raise CLEARGROUND_ARCHIVE_CONNECTIONS to the quota of your account.",
        )
    name, wanted = settings.archive_limit_name, resources.connections
    try:
        with concurrency(name, occupy=wanted, strict=True, lease_duration=_LEASE_S):
            yield
    except ConcurrencySlotAcquisitionError as error:
        raise StepError(
            "bad_parameters",
            f"Prefect has no concurrency limit {name!r}: {error}.",
            f"Create it: prefect gcl create {name} --limit {settings.archive_connections}.",
        ) from error
