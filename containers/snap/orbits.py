"""Orbit files where SNAP looks for them, so that it never asks the network."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, cast

from containers.base.contract.files import File
from containers.base.contract.radar import RadarProduct
from containers.base.contract.step import StepError
from containers.base.step import local_path
from containers.snap.backscatter_graph import OrbitKind

_NAME = re.compile(r"^(S1[A-D])_OPER_AUX_(POEORB|RESORB)_OPOD_\d{8}T\d{6}_V(\d{8}T\d{6})_(\d{8}T\d{6})\.EOF$")
_VECTOR_LEAD = timedelta(minutes=2)
"""The annotation's first state vector, by whose month SNAP looks, is up to this much before the image."""


class OrbitFile(NamedTuple):
    """What an orbit file's name says."""

    platform: str
    kind: OrbitKind
    start: datetime
    stop: datetime

    def covers(self, product: RadarProduct) -> bool:
        return self.platform == product.platform and self.start <= product.start and product.stop <= self.stop


def parse_orbit_name(name: str) -> OrbitFile | None:
    """The parts of an orbit file's name; None where it is not one."""
    match = _NAME.match(name)
    if match is None:
        return None
    start, stop = (datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) for text in match.groups()[2:])
    return OrbitFile(match[1], cast(OrbitKind, match[2]), start, stop)


def install_orbits(files: Sequence[File], slices: Sequence[RadarProduct], user_folder: Path) -> OrbitKind | None:
    """Link the files into SNAP's folder of auxiliary data; the best kind that covers all slices, None without files.

    Raises `missing_file` where files are given and no kind covers every slice.
    """
    if not files:
        return None
    parsed = {file: orbit for file in files if (orbit := parse_orbit_name(file.name))}
    for kind in ("POEORB", "RESORB"):
        chosen = {file: orbit for file, orbit in parsed.items() if orbit.kind == kind}
        if all(any(orbit.covers(product) for orbit in chosen.values()) for product in slices):
            _link(chosen, slices, user_folder / "auxdata" / "Orbits" / "Sentinel-1" / kind)
            return kind
    raise StepError(
        "missing_file",
        f"None of {sorted(file.name for file in files)} covers {[product.id for product in slices]}.",
        "Give an orbit file of the satellite and the day, or none: then the annotation's orbit is used.",
    )


def _link(orbits: dict[File, OrbitFile], slices: Sequence[RadarProduct], folder: Path) -> None:
    months = {(moment.year, moment.month) for each in slices for moment in (each.start - _VECTOR_LEAD, each.start)}
    for file, orbit in orbits.items():
        for year, month in sorted(months):
            link = folder / orbit.platform / str(year) / f"{month:02}" / file.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(local_path(file))
