"""The local EODATA: the simulated archive of a profile, behind the variables that are used on Creodias."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult
from tasks import checkout, gateway, services
from tasks.runner import choose_runner, run_step
from tasks.settings import get_settings
from tasks.store import open_store

PROFILES = checkout.ROOT / "containers" / "eodata" / "profiles"


@dataclass(frozen=True)
class LocalArchive:
    """Where the archive of a profile is served, and its folder with labels, regions and truth."""

    s3: str
    provider: str
    catalogue: str
    folder: Path
    variables: dict[str, str]

    @property
    def variables_path(self) -> Path:
        return checkout.STATE / "eodata.env"


def archive_params(profile: str) -> ArchiveParams:
    """The size and the seed of a profile's archive."""
    path = PROFILES / f"{profile}.json"
    if not path.is_file():
        known = sorted(candidate.stem for candidate in PROFILES.glob("*.json"))
        raise ValueError(f"there is no profile {profile!r}; there are {known}")
    return ArchiveParams.model_validate_json(path.read_text())
