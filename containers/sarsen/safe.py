"""A product's .SAFE folder as the reader wants it, made of links to where its files lie in the store."""

import re
from pathlib import Path
from typing import NamedTuple

from containers.base.contract.radar import Polarisation, SafeFolder
from containers.base.contract.step import StepError
from containers.base.safe_folder import laid_out
from containers.base.step import scratch_dir

MANIFEST = "manifest.safe"
_PATTERNS = {
    "annotation": r"annotation/[^/]*-grd-{}-[^/]*\.xml",
    "calibration": r"annotation/calibration/calibration-[^/]*-grd-{}-[^/]*\.xml",
    "noise": r"annotation/calibration/noise-[^/]*-grd-{}-[^/]*\.xml",
    "measurement": r"measurement/[^/]*-grd-{}-[^/]*\.tiff?",
}


class Channel(NamedTuple):
    """The files of one polarisation."""

    annotation: Path
    calibration: Path
    noise: Path
    measurement: Path


def lay_out(product: SafeFolder) -> Path:
    """The folder with its files under their own names. Raises `missing_file` without a manifest or a stored file."""
    if MANIFEST not in product.files:
        raise _missing(product, MANIFEST)
    return laid_out(product, scratch_dir())


def channel_of(product: SafeFolder, folder: Path, polarisation: Polarisation) -> Channel:
    """Raises `missing_file`, naming what is not there: annotation, calibration, noise or measurement."""
    found = {}
    for kind, pattern in _PATTERNS.items():
        fitting = [name for name in product.files if re.fullmatch(pattern.format(polarisation), name, re.IGNORECASE)]
        if len(fitting) != 1:
            raise _missing(product, f"{kind} of {polarisation}, but {len(fitting)} files like it")
        found[kind] = folder / fitting[0]
    return Channel(**found)


def _missing(product: SafeFolder, what: str) -> StepError:
    return StepError(
        "missing_file",
        f"{product.id} has no {what}: {len(product.files)} files are there.",
        "Fetch the product again, whole; where the archive itself lacks the file, leave the product out.",
    )
