"""From candidates to scenes that a step can read: files, offsets, share of the area."""

from collections.abc import Iterable

import shapely
from shapely.geometry.base import BaseGeometry

from containers.base import sentinel2, storage
from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.candidate import Asset, Candidate
from tasks.catalogue.coverage import covered_share, nominal_tile
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.safe import read_safe

_READABLE = ("s3://", "store:")
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
    """A refusal where an object of the scene is not in the archive (a ghost), or not whole."""
    for file in filter(None, (*scene.bands.values(), scene.scl)):
        # An ETag has just been seen in the archive itself.
        if file.in_store or file.content_id.startswith("etag:"):
            continue
        try:
            size = storage.stat(file.href).size
        except StepError as error:
            if error.code != "missing_file":
                raise
            return refusal(scene.id, "ghost", error.reason)
        if size != file.size:
            return refusal(scene.id, "wrong_size", f"{file.href} has {size} bytes, the catalogue says {file.size}.")
    return None


def aoi_in_tile(candidate: Candidate, area: BaseGeometry) -> BaseGeometry:
    """The part of the area that lies in the candidate's tile."""
    if candidate.product is None:
        return shapely.Polygon()
    return (candidate.tile_outline or nominal_tile(candidate.product.tile)).intersection(area)


def _scene(candidate: Candidate, request: SearchRequest) -> Scene | Refusal:
    product, footprint, acquired = candidate.product, candidate.footprint, candidate.acquired
    if product is None or footprint is None or acquired is None:
        raise ValueError(f"{candidate.name} was to be refused at sight")
    assets, datastrip = candidate.assets, candidate.datastrip
    if not assets and candidate.safe_href:
        folder = read_safe(candidate.safe_href)
        assets, datastrip = folder.assets, folder.datastrip or datastrip
    chosen = {name: _pick(assets, sentinel2.band(name).number, request.resolution_m) for name in request.bands}
    scl = _pick(assets, "SCL", request.resolution_m) if product.level == "L2A" else None
    wanted = {**chosen, **({"scl": scl} if product.level == "L2A" else {})}
    if missing := sorted(name for name, asset in wanted.items() if asset is None):
        have = ", ".join(sorted({asset.number for asset in assets})) or "no raster"
        return refusal(candidate.name, "missing_band", f"Without {', '.join(missing)}; it has {have}.")
    bands = {name: asset for name, asset in chosen.items() if asset}
    if unreadable := [asset.href for asset in (*bands.values(), scl) if asset and not asset.href.startswith(_READABLE)]:
        return refusal(candidate.name, "unreadable_href", f"{unreadable[0]} cannot be read by a step.")
    try:
        offsets = {
            name: sentinel2.settled_offset_dn(asset.offset_dn, product.baseline) for name, asset in bands.items()
        }
    except ValueError as error:
        return refusal(candidate.name, "offset_conflict", f"{error}.")
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
        bands={name: _file(asset) for name, asset in bands.items()},
        offsets_dn=offsets,
        quantification=next(iter(bands.values())).quantification,
        scl=_file(scl) if scl else None,
        simulated=candidate.simulated,
    )


def _pick(assets: Iterable[Asset], number: str, resolution_m: float) -> Asset | None:
    """The coarsest raster of a band that is not coarser than wanted, else its finest."""
    rasters = sorted((asset for asset in assets if asset.number == number), key=lambda asset: asset.resolution_m)
    fine_enough = [asset for asset in rasters if asset.resolution_m <= resolution_m]
    return fine_enough[-1] if fine_enough else next(iter(rasters), None)


def _file(asset: Asset) -> File:
    return asset.file or storage.stat(asset.href)
