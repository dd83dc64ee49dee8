"""What a search answers: scenes, and a row for everything that was refused."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from pydantic import Field

from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import parse_product_name
from tasks.catalogue.request import SearchRequest

HINTS: Final = {
    "unknown_product": "Only names of Sentinel-1, and of Sentinel-2 in the compact format of December 2016, are read.",
    "not_theia": "Give ZIPs under THEIA's names, such as SENTINEL2A_20170410-103021-460_L2A_T31TFJ_D_V1-4.zip.",
    "broken_zip": "Download it again from THEIA.",
    "other_level": "Search the collection of the wanted level.",
    "test_baseline": "Baseline 99.xx is not for use.",
    "offline": "Order the product, or wait until the archive has staged it.",
    "outside_dates": "Nothing to do.",
    "outside_aoi": "Nothing to do.",
    "no_footprint": "The catalogue entry is broken; report it to the archive.",
    "missing_band": "Choose other bands, or another resolution.",
    "unreadable_href": "Only s3:// objects and files of the store are read.",
    "offset_conflict": "The catalogue entry is wrong; report it to the archive.",
    "ghost": "The catalogue names an object that the archive does not hold; report it to the archive.",
    "wrong_size": "The object is incomplete or replaced; report it to the archive.",
    "broken_metadata": "The product's own metadata cannot be read; report it to the archive.",
    "superseded": "Nothing to do: a newer product of the same data is used.",
    "sliver": "Lower min_valid_share to use it.",
    "too_cloudy": "Raise max_cloud to use it.",
    "off_land": "Nothing to do.",
    "outside_periods": "Nothing to do.",
    "not_chosen": "Raise max_scenes to use it.",
    "no_acquisition": "Raise max_cloud, lower min_valid_share, or widen the period.",
    "not_in_all_periods": "Raise max_cloud, lower min_valid_share, or widen the periods.",
    "other_product": "Nothing to do: IW GRDH is read.",
    "missing_polarisation": "Choose pairing.polarisations that the products over this area have.",
    "unknown_orbit": "Search another catalogue: passes are never mixed, so track and direction must be known.",
    "other_pass": "Leave pairing.direction and pairing.relative_orbit empty to use it.",
    "filtered": "Change pairing.filters to use it.",
    "missing_annotation": "The product cannot be calibrated; report it to the archive.",
    "not_paired": "Nothing to do: another pass is nearer in time, or serves all dates.",
    "partial_cover": "Make the area smaller, or name the product to take it as it is.",
    "too_hidden": "Raise max_cloud of the date, or widen its days.",
}
"""Every code of a refusal, and what can be done about it."""


class Refusal(Contract):
    """One row of the ledger: what was not used, and why."""

    scene_id: str = Field(description="Product name, or a tile with or without its period")
    code: str
    reason: str
    hint: str


def refusal(scene_id: str, code: str, reason: str) -> Refusal:
    return Refusal(scene_id=scene_id, code=code, reason=reason, hint=HINTS[code])


class RawAnswer(NamedTuple):
    """One page of an answer as the catalogue gave it, for the caller to keep."""

    name: str
    content: bytes


@dataclass(frozen=True)
class SearchAnswer:
    """Usable scenes in the order of tile and time, and what was refused."""

    scenes: tuple[Scene, ...]
    refused: tuple[Refusal, ...]
    raw: tuple[RawAnswer, ...]

    @property
    def tiles(self) -> tuple[str, ...]:
        """Every tile that the catalogue knows here, also those of which every scene was refused."""
        named = (parse_product_name(row.scene_id) for row in self.refused if row.code != "outside_aoi")
        return tuple(sorted({scene.tile for scene in self.scenes} | {name.tile for name in named if name}))


def require_scenes(request: SearchRequest, answer: SearchAnswer) -> SearchAnswer:
    """The answer, if it holds a scene. Raises `no_scenes` with what was asked and what was refused.

    Apart from the search, so that the rows of the refused can be written first.
    """
    if answer.scenes:
        return answer
    west, south, east, north = request.area.bounds
    counts = Counter(row.code for row in answer.refused)
    refused = ", ".join(f"{count} {code}" for code, count in counts.most_common()) or "nothing was found"
    periods = f"{request.periods[0].start} to {request.periods[-1].end}"
    raise StepError(
        "no_scenes",
        f"No usable {request.level} scene of {request.collection} at {request.endpoint} for {periods}, "
        f"{west:.3f},{south:.3f},{east:.3f},{north:.3f}, cloud up to {request.max_cloud:g} %: {refused}.",
        HINTS[counts.most_common(1)[0][0]] if counts else "Check area, dates, collection and endpoint.",
    )
