"""From candidates to scenes that a step can read: files, offsets, share of the area."""

from collections.abc import Sequence
from typing import NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import ProductName, band, settled_offset_dn
from containers.base.storage import stat
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.candidate import Asset, Candidate
from tasks.catalogue.coverage import covered_share, nominal_tile
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.safe import list_folder, read_safe

_READABLE = ("s3://", "store:")
_SCL = "scl"
_REFUSED_ERRORS = {"missing_file": "ghost", "corrupt_file": "broken_metadata"}
"""What one product's error in the archive makes of it; other errors concern the whole run."""


def locate(candidate: Candidate, request: SearchRequest) -> Scene | Refusal:
    """The scene with its files in the archive. Asks the archive only for what the catalogue leaves open.

    Raises `access_denied` and the transient storage errors: they say nothing about the product.
    """
    try:
        return _scene(candidate, request)
    except StepError as error:
        if error.code not in _REFUSED_ERRORS:
            raise
        return refusal(candidate.name, _REFUSED_ERRORS[error.code], error.reason)


def check_objects(scene: Scene) -> Refusal | None:
    """A refusal where an object of the scene is not in the archive (a ghost), or not whole.

    One listing per folder of the product: a request per object would soon exhaust the archive's quota.
    """
    # An ETag has just been seen in the archive itself.
    files = [
        file
        for file in filter(None, (*scene.bands.values(), scene.scl))
        if not file.in_store and not file.content_id.startswith("etag:")
    ]
    folders = {file.href.rpartition("/")[0] for file in files}
    sizes = {found.href: found.size for folder in folders for found in list_folder(folder)}
    for file in files:
        size = sizes.get(file.href)
        if size is None:
            return refusal(scene.id, "ghost", f"{file.href} is not in the archive.")
        if size != file.size:
            return refusal(scene.id, "wrong_size", f"{file.href} has {size} bytes, the catalogue says {file.size}.")
    return None


def aoi_in_tile(candidate: Candidate, area: BaseGeometry) -> BaseGeometry:
    """The part of the area that lies in the candidate's tile."""
    outline = candidate.tile_outline or (nominal_tile(candidate.product.tile) if candidate.product else None)
    return outline.intersection(area) if outline else shapely.Polygon()


def _scene(candidate: Candidate, request: SearchRequest) -> Scene | Refusal:
    product, footprint, acquired = candidate.product, candidate.footprint, candidate.acquired
    if product is None or footprint is None or acquired is None:
        raise ValueError(f"{candidate.name} was to be refused at sight")
    assets, datastrip = candidate.assets, candidate.datastrip
    if not assets and candidate.safe_href:
        folder = read_safe(candidate.safe_href)
        assets, datastrip = folder.assets, folder.datastrip or datastrip
    files = _choose(assets, product, request)
    if isinstance(files, Refusal):
        return files
    return Scene(
        id=product.name,
        platform=product.platform,
        level=product.level,
        tile=product.tile,
        datetime=acquired,
        datatake=product.datatake,
        datastrip=datastrip,
        orbit=product.orbit,
        baseline=product.baseline,
        processed=product.processed,
        cloud_cover=candidate.cloud_cover,
        footprint=footprint.wkt,
        valid_share=covered_share([footprint], aoi_in_tile(candidate, request.area)),
        bands={name: _file(asset) for name, asset in files.bands.items()},
        offsets_dn=files.offsets_dn,
        quantification=next(iter(files.bands.values())).quantification,
        scl=_file(files.scl) if files.scl else None,
        simulated=candidate.simulated,
    )


class _Files(NamedTuple):
    bands: dict[str, Asset]
    scl: Asset | None
    offsets_dn: dict[str, float]


def _choose(assets: Sequence[Asset], product: ProductName, request: SearchRequest) -> _Files | Refusal:
    """The rasters to read and their offsets, or why the product cannot be read."""
    numbers = {name: band(name).number for name in request.bands}
    if product.level == "L2A":
        numbers[_SCL] = "SCL"
    picked = {name: _pick(assets, number, request.resolution_m) for name, number in numbers.items()}
    if missing := sorted(name for name, asset in picked.items() if asset is None):
        have = ", ".join(sorted({asset.number for asset in assets})) or "no raster"
        return refusal(product.name, "missing_band", f"Without {', '.join(missing)}; it has {have}.")
    rasters = {name: asset for name, asset in picked.items() if asset}
    if unreadable := [asset.href for asset in rasters.values() if not asset.href.startswith(_READABLE)]:
        return refusal(product.name, "unreadable_href", f"{unreadable[0]} cannot be read by a step.")
    scl = rasters.pop(_SCL, None)
    try:
        offsets = {name: settled_offset_dn(asset.offset_dn, product.baseline) for name, asset in rasters.items()}
    except ValueError as error:
        return refusal(product.name, "offset_conflict", f"{error}.")
    return _Files(rasters, scl, offsets)


def _pick(assets: Sequence[Asset], number: str, resolution_m: float) -> Asset | None:
    """The coarsest raster of a band that is not coarser than wanted, else its finest."""
    rasters = sorted((asset for asset in assets if asset.number == number), key=lambda asset: asset.resolution_m)
    fine_enough = [asset for asset in rasters if asset.resolution_m <= resolution_m]
    return fine_enough[-1] if fine_enough else next(iter(rasters), None)


def _file(asset: Asset) -> File:
    return asset.file or stat(asset.href)
