"""Which products the archive holds: the nominal ones, and the traps among them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from containers.eodata.acquisitions import Acquisition
from containers.eodata.contract.simulate import ArchiveParams, TrapKind
from containers.eodata.revisits import nominal, processed

_ORBIT_BEFORE: Final = 65


@dataclass(frozen=True)
class Trap:
    """A nasty product, and what becomes of it in a careful job."""

    kind: TrapKind
    product: str
    expectation: str


def planned(params: ArchiveParams) -> tuple[list[Acquisition], list[Trap]]:
    """All products of every level, with the wanted traps worked into each level alike."""
    acquisitions, traps = nominal(params), []
    for index, kind in enumerate(params.traps):
        tile_index, year_index = _SPOTS[kind]
        tile = params.tiles[tile_index % len(params.tiles)]
        year = params.years[min(year_index, len(params.years) - 1)]
        whole = [each for each in nominal(params) if each.tile == tile and each.start.year == year]
        if params.phenology:
            whole = sorted((each for each in whole if each.part == "whole"), key=lambda each: each.clouds)[index:]
        best = whole[0]
        if kind == "collection_1" and best.baseline >= "05.00":
            continue
        acquisitions, planted, expectation = _plant(kind, best, acquisitions)
        traps += [Trap(kind, product.name, expectation) for each in planted for product in _levels(each, params)]
    return [product for each in acquisitions for product in _levels(each, params)], traps


def _levels(acquisition: Acquisition, params: ArchiveParams) -> list[Acquisition]:
    """The acquisition's product of every level. Baselines of both levels were numbered apart until 03.00."""
    older = _BASELINES_OF_L1C.get(acquisition.baseline, acquisition.baseline)
    return [
        replace(acquisition, level=level, baseline=older if level == "L1C" else acquisition.baseline)
        for level in params.levels
    ]


_BASELINES_OF_L1C: Final = {"02.12": "02.08", "02.14": "02.09"}
"""Baseline of L2A to that of the L1C product which it was made from."""

_SPOTS: Final[dict[TrapKind, tuple[int, int]]] = {
    "offline": (0, 0), "sliver": (1, 0), "halves": (2, 0), "ghost": (3, 0),
    "wrong_size": (0, 1), "test_baseline": (1, 1), "collection_1": (2, 1),
    "duplicate": (0, 2), "reprocessed": (1, 2), "corrupt": (3, 2),
}  # fmt: skip
"""Trap to the tile and year in which it lies, so that no two meet."""


def _plant(
    kind: TrapKind, best: Acquisition, acquisitions: list[Acquisition]
) -> tuple[list[Acquisition], list[Acquisition], str]:
    """The acquisitions with one more trap, the products it consists of, and what is expected of the job."""
    if kind == "halves":
        later = best.processed + timedelta(minutes=41)
        halves = [replace(best, part="north"), replace(best, part="south", processed=later)]
        rest = [each for each in acquisitions if each != best]
        return rest + halves, halves, "both are kept and joined into one acquisition"
    product, expectation = _twin(kind, best)
    return [*acquisitions, product], [product], expectation


def _twin(kind: TrapKind, best: Acquisition) -> tuple[Acquisition, str]:
    """A trap made after the clearest acquisition of its tile and year."""
    earlier = timedelta(days=2, minutes=-10)
    other_day = replace(
        best,
        start=best.start - earlier,
        processed=best.processed - earlier,
        platform="S2A" if best.platform == "S2B" else "S2B",
        orbit=_ORBIT_BEFORE,
        clouds=0.0,
    )
    older = "02.14" if best.baseline > "02.14" else "02.06"
    collection_1 = replace(best, baseline="05.00")
    twins: dict[TrapKind, tuple[Acquisition, str]] = {
        "ghost": (replace(other_day, in_archive=False), "refused: its objects do not exist"),
        "offline": (replace(other_day, in_archive=False, online=False), "refused: not online"),
        "wrong_size": (replace(other_day, damage="resized"), "refused: an object has another size than its item says"),
        "corrupt": (replace(other_day, damage="truncated"), "refused when decoded; the next best acquisition is used"),
        "sliver": (replace(other_day, part="sliver"), "not chosen: hardly any valid area, with 0 % cloud"),
        "test_baseline": (
            replace(best, baseline="99.05", processed=best.processed + timedelta(days=400)), "refused: a test baseline",
        ),
        "duplicate": (
            replace(best, baseline=older, processed=processed(best.start, older)),
            "refused: the same acquisition has a higher baseline",
        ),
        "reprocessed": (
            replace(best, processed=best.processed + timedelta(days=90)), "kept; the earlier processing is refused",
        ),
        "collection_1": (
            replace(collection_1, processed=processed(best.start, collection_1.baseline)),
            "kept, with an offset although sensed before 2022; the lower baseline is refused",
        ),
    }  # fmt: skip
    return twins[kind]
