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
_PROTOCOL: Final = {"AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE", "GDAL_HTTP_TCP_KEEPALIVE": "YES"}


@dataclass(frozen=True)
class LocalArchive:
    """A running local EODATA, and the folder with its labels, regions and truth."""

    provider: str
    folder: Path
    variables: dict[str, str]
    """What a shell must export to use it: the names are those of Creodias."""

    @property
    def catalogue(self) -> str:
        """Address of the STAC API, or path of the item collection."""
        return self.variables["CLEARGROUND_CATALOGUE"]


def up(profile: str) -> LocalArchive:
    """Simulate the archive of a profile, or find it in the store, and serve it."""
    result: ArchiveResult = run_step(archive_params(profile))
    return serve(open_store(get_settings()).path_of(result.simulation).parent)


def serve(folder: Path) -> LocalArchive:
    """Serve an archive folder: by the Ceph gateway where Docker runs the steps, else by moto on loopback."""
    archive = _in_container(folder) if choose_runner(get_settings()).kind == "docker" else _embedded(folder)
    VARIABLES.touch(mode=0o600)
    VARIABLES.write_text("".join(f"export {name}={value}\n" for name, value in archive.variables.items()))
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
    variables = {
        "AWS_S3_ENDPOINT": f"127.0.0.1:{checkout.ports().s3}",
        "AWS_ACCESS_KEY_ID": "embedded",  # moto takes any
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "CLEARGROUND_PROVIDER": "items",
        "CLEARGROUND_CATALOGUE": str(folder / "items.json"),
        "CLEARGROUND_ARCHIVE": str(folder),
    }
    return LocalArchive("items", folder, {**_PROTOCOL, **variables})


def _in_container(folder: Path) -> LocalArchive:
    served = gateway.start(folder)
    variables = {
        "AWS_S3_ENDPOINT": served.s3_host,
        "AWS_ACCESS_KEY_ID": served.access_key_id,
        "AWS_SECRET_ACCESS_KEY": served.secret_access_key,
        "CLEARGROUND_PROVIDER": "stac",
        "CLEARGROUND_CATALOGUE": served.stac_url,
        "CLEARGROUND_ARCHIVE": str(folder),
        "CLEARGROUND_STEP_NETWORK": served.network,
    }
    return LocalArchive("stac", folder, {**_PROTOCOL, **variables})
