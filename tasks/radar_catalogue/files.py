"""From candidates to products that a step can read: the objects of the SAFE folder, checked against the archive."""

import re
from collections.abc import Mapping
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.radar import RadarProduct
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.safe import list_folder
from tasks.radar_catalogue.candidate import RadarCandidate
from tasks.radar_catalogue.request import RadarRequest
from tasks.radar_catalogue.rules import span_of

MANIFEST: Final = "manifest.safe"
_WANTED: Final = re.compile(r"manifest\.safe|annotation/(?:calibration/)?[^/]+\.xml|measurement/[^/]+\.tiff?")
"""All of a GRD product that is ever read: neither previews nor schemas nor the table of interference."""
_ROLES: Final = {
    "measurement": "measurement/{stem}.tif",
    "annotation": "annotation/{stem}.xml",
    "calibration": "annotation/calibration/calibration-{stem}.xml",
    "noise": "annotation/calibration/noise-{stem}.xml",
}
"""What a polarisation is made of."""


def is_wanted(path: str) -> bool:
    """Whether a path below the SAFE folder is read by any engine."""
    return _WANTED.fullmatch(path) is not None


def locate(candidate: RadarCandidate, request: RadarRequest) -> RadarProduct | Refusal:
    """The product with its objects. The archive is asked (one listing) where the catalogue leaves anything open, and
    with `check_objects` whether all is there, whole.

    Raises `access_denied` and the transient storage errors: they say nothing about the product.
    """
    name, folder = candidate.name, candidate.safe_href
    if folder is None:
        return refusal(name, "unreadable_href", "The catalogue names no SAFE folder on S3.")
    stated = {path: file for path, file in candidate.stated.items() if is_wanted(path)}
    files = {path: file for path, file in stated.items() if file is not None}
    is_complete = MANIFEST in files and not _lacking(files, request)
    if request.check_objects or not is_complete:
        found = {file.href.removeprefix(f"{folder}/"): file for file in list_folder(folder)}
        if refused := _contradiction(name, folder, stated, found):
            return refused
        # A checksum of the catalogue's says more than an ETag.
        files = {path: files.get(path, file) for path, file in sorted(found.items()) if is_wanted(path)}
    return _refuse_incomplete(name, folder, files, request) or _product(candidate, files)


def _contradiction(
    name: str, folder: str, stated: Mapping[str, File | None], found: Mapping[str, File]
) -> Refusal | None:
    if not found:
        return refusal(name, "ghost", f"There is nothing in {folder}.")
    for path, file in stated.items():
        if path not in found:
            is_annotation = path.startswith("annotation/")
            return refusal(
                name, "missing_annotation" if is_annotation else "ghost", f"{folder}/{path} is not in the archive."
            )
        if file is not None and found[path].size != file.size:
            reason = f"{file.href} has {found[path].size} bytes, the catalogue says {file.size}."
            return refusal(name, "wrong_size", reason)
    return None


def _refuse_incomplete(name: str, folder: str, files: Mapping[str, File], request: RadarRequest) -> Refusal | None:
    if MANIFEST not in files:
        return refusal(name, "ghost", f"{folder} holds {len(files)} readable objects and no {MANIFEST}.")
    lacking = _lacking(files, request)
    for polarisation, role in lacking:
        if role != "measurement":
            return refusal(name, "missing_annotation", f"{folder} has no {role} of {polarisation}.")
    if lacking:
        return refusal(name, "ghost", f"{folder} has no measurement of {lacking[0][0]}.")
    return None


def _lacking(files: Mapping[str, File], request: RadarRequest) -> list[tuple[str, str]]:
    """Wanted polarisations and what of them there is no object of."""
    return [
        (polarisation, role)
        for polarisation in request.polarisations
        for role, pattern in _ROLES.items()
        if not any(_stem(polarisation, pattern).match(path) for path in files)
    ]


def _stem(polarisation: str, pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(".", r"\.").format(stem=f"s1[a-d]-iw-grd-{polarisation}-[^/]+"))


def _product(candidate: RadarCandidate, files: dict[str, File]) -> RadarProduct:
    product, footprint = candidate.product, candidate.footprint
    track, direction = candidate.relative_orbit, candidate.direction
    if product is None or footprint is None or track is None or direction is None:
        raise ValueError(f"{candidate.name} was to be refused at sight")
    start, stop = span_of(candidate)
    return RadarProduct(
        id=product.name,
        platform=product.platform,
        polarisations=product.polarisations,
        start=start,
        stop=stop,
        datatake=product.datatake,
        absolute_orbit=product.absolute_orbit,
        relative_orbit=track,
        direction=direction,
        footprint=footprint.wkt,
        files=files,
        simulated=candidate.simulated,
    )
