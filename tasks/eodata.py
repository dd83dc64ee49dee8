"""The local EODATA: the simulated archive of a profile, behind the variables that are used on Creodias."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from containers.base.contract.step import StepError
from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult
from tasks import checkout, gateway, services
from tasks.runner import choose_runner, run_step
from tasks.settings import get_settings
from tasks.store import open_store

PROFILES: Final = checkout.ROOT / "containers" / "eodata" / "profiles"
VARIABLES: Final = checkout.STATE / "eodata.env"


@dataclass(frozen=True)
class LocalArchive:
    """A running local EODATA, and the folder with its labels, regions and truth."""

    provider: str
    catalogue: str
    """Address of the STAC API, or path of the item collection."""
    folder: Path
    variables: dict[str, str]
    """What a shell must export to use it: the names are those of Creodias."""


def up(profile: str) -> LocalArchive:
    """The local EODATA with a profile's archive."""
    return serve(archive_params(profile))


def serve(params: ArchiveParams) -> LocalArchive:
    """Simulate the archive or find it in the store, and serve it: by Ceph where Docker runs the steps, else by moto."""
    result: ArchiveResult = run_step(params)
    folder = open_store(get_settings()).path_of(result.simulation).parent
    archive = _in_container(folder) if choose_runner(get_settings()).kind == "docker" else _embedded(folder)
    VARIABLES.write_text("".join(f"export {name}={value}\n" for name, value in archive.variables.items()))
    VARIABLES.chmod(0o600)
    os.environ.update(archive.variables)
    get_settings.cache_clear()
    return archive


def down() -> list[str]:
    """Stop what serves the archive; the names of what was stopped."""
    stopped = gateway.stop()
    return [*stopped, "s3"] if services.stop(services.pid_path("s3")) else stopped


def archive_params(profile: str) -> ArchiveParams:
    """The size and the seed of a profile's archive."""
    path = PROFILES / f"{profile}.json"
    if not path.is_file():
        known = ", ".join(sorted(candidate.stem for candidate in PROFILES.glob("*.json")))
        raise StepError("bad_parameters", f"there is no profile {profile!r}.", f"Use one of: {known}.")
    return ArchiveParams.model_validate_json(path.read_text())


def _embedded(folder: Path) -> LocalArchive:
    services.start(services.embedded_s3(folder))
    host = f"127.0.0.1:{checkout.ports().s3}"
    return LocalArchive("items", str(folder / "items.json"), folder, _variables(host, "embedded", "embedded"))


def _in_container(folder: Path) -> LocalArchive:
    served = gateway.start(folder)
    variables = _variables(served.s3_host, served.access_key_id, served.secret_access_key)
    return LocalArchive("stac", served.stac_url, folder, {**variables, "CLEARGROUND_STEP_NETWORK": served.network})


def _variables(host: str, access_key_id: str, secret_access_key: str) -> dict[str, str]:
    return {
        "AWS_S3_ENDPOINT": host,
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_access_key,
        "AWS_HTTPS": "NO",
        "AWS_VIRTUAL_HOSTING": "FALSE",
        "GDAL_HTTP_TCP_KEEPALIVE": "YES",
    }
