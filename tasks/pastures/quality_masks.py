"""Where the archive keeps the quality masks of L1C products: beside the bands."""

import re
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import FIRST_OFFSET_BASELINE
from containers.base.storage import SCHEME, stat
from tasks import ledger
from tasks.catalogue.rules import Acquisition

FIRST_RASTER_BASELINE: Final = FIRST_OFFSET_BASELINE
"""Masks are rasters since then, polygons before (ESA, Sentinel-2 Products Specification Document, issue 14.9)."""
_GRANULE: Final = re.compile(r"^(?P<granule>.+/GRANULE/[^/]+)/IMG_DATA/")


def quality_masks(parts: Acquisition) -> tuple[File, ...]:
    """One mask per part of an L1C acquisition; none, with a row of the ledger, where a part has none.

    L2A products, which have a scene classification, need none.
    """
    if any(part.scl for part in parts) or parts[0].level != "L1C":
        return ()
    found = []
    for part in parts:
        href = quality_mask_href(part)
        try:
            if href is None:
                raise StepError("missing_file", "its bands lie in no SAFE folder of the archive.", "")
            found.append(stat(href))
        except StepError as error:
            if error.code != "missing_file":
                raise
            hint = "Where missing masks are allowed, its layers are told to be not known."
            ledger.skip(f"quality mask of {part.id}", error.code, error.reason, hint)
            return ()
    return tuple(found)


def quality_mask_href(scene: Scene) -> str | None:
    """The address by the layout of SAFE folders; None where the bands do not lie in one.

    `…/GRANULE/<granule>/IMG_DATA/…_B04.jp2` has `…/GRANULE/<granule>/QI_DATA/MSK_CLASSI_B00.jp2` beside it.
    """
    band = next(iter(scene.bands.values())).href
    match = _GRANULE.match(band) if band.startswith(SCHEME) else None
    name = "MSK_CLASSI_B00.jp2" if scene.baseline >= FIRST_RASTER_BASELINE else "MSK_CLOUDS_B00.gml"
    return f"{match['granule']}/QI_DATA/{name}" if match else None
