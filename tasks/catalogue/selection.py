"""Which acquisitions a run uses per tile and period, which it keeps in reserve, and which tiles it can serve."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Literal

from pydantic import Field
from shapely.geometry import MultiPolygon

from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from tasks.catalogue.answer import HINTS, Refusal, refusal
from tasks.catalogue.rules import Acquisition, acquisition_cloud, acquisition_share, acquisitions, drop_poor
from tasks.periods import Period


class Choice(Contract):
    """The acquisitions of one tile and period, best first."""

    tile: str
    period: str
    acquisitions: tuple[Acquisition, ...] = Field(min_length=1, description="To be used")
    spares: tuple[Acquisition, ...] = Field(
        default=(), description="To be used, in this order, where one of the others turns out to be unreadable"
    )


class Selection(Contract):
    """What a run will read: choices in the order of period and tile, and a row for everything else."""

    periods: tuple[str, ...] = Field(description="Labels of all periods asked for, in order")
    tiles: tuple[str, ...] = Field(description="All tiles that are known over the area")
    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]


def select_scenes(
    scenes: Iterable[Scene],
    area: MultiPolygon,
    periods: Sequence[Period],
    *,
    method: Literal["best", "median"] = "best",
    max_scenes: int | None = None,
    max_cloud: float = 100.0,
    min_valid_share: float = 0.0,
    tiles: Iterable[str] = (),
) -> Selection:
    """The best `max_scenes` acquisitions per tile and period; where that is None, one for `best`, all for `median`.

    The score is the share of the area within the tile that is seen, times the share of it that is clear by
    metadata; among equals the earlier date wins. The others are spares, in order. `tiles` names further tiles that
    are expected, such as `SearchAnswer.tiles`: each tile and period without an acquisition is a row.
    """
    scenes = tuple(scenes)
    limit = 1 if max_scenes is None and method == "best" else max_scenes
    usable, poor = drop_poor(scenes, area, min_valid_share=min_valid_share, max_cloud=max_cloud)
    by_tile: dict[str, list[Acquisition]] = {tile: [] for tile in sorted({scene.tile for scene in scenes} | set(tiles))}
    for parts in sorted(acquisitions(usable), key=lambda parts: (-score(parts, area), parts[0].datetime, parts[0].id)):
        by_tile[parts[0].tile].append(parts)
    choices: list[Choice] = []
    rows = [*poor, *_outside(usable, periods)]
    for period, tile in product(periods, by_tile):
        ours = tuple(parts for parts in by_tile[tile] if parts[0].datetime in period)
        if ours:
            choices.append(
                Choice(tile=tile, period=period.label, acquisitions=ours[:limit], spares=ours[limit:] if limit else ())
            )
            rows += _unused(choices[-1], area)
        else:
            rows.append(refusal(f"{tile} {period.label}", "no_acquisition", "No acquisition is left for this tile."))
    labels = tuple(period.label for period in periods)
    return Selection(periods=labels, tiles=tuple(by_tile), choices=tuple(choices), refused=tuple(rows))


def score(parts: Acquisition, area: MultiPolygon) -> float:
    """Share of the area within the tile that is seen and clear, 0 to 1; unknown cloud counts as full."""
    cloud = acquisition_cloud(parts)
    return acquisition_share(parts, area) * (1 - (100.0 if cloud is None else cloud) / 100)


def common_tiles(selection: Selection) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """The tiles that every period has, and a row for each tile that is dropped. Raises `no_common_tile`."""
    have = {
        period: {choice.tile for choice in selection.choices if choice.period == period} for period in selection.periods
    }
    lacking = {tile: [period for period in selection.periods if tile not in have[period]] for tile in selection.tiles}
    common = tuple(tile for tile, periods in lacking.items() if not periods)
    if not common:
        counts = ", ".join(f"{len(tiles)} in {period}" for period, tiles in have.items())
        raise StepError(
            "no_common_tile",
            f"None of the {len(selection.tiles)} tiles has an acquisition in every period: {counts}.",
            HINTS["not_in_all_periods"],
        )
    rows = [
        refusal(tile, "not_in_all_periods", f"It has no acquisition in {', '.join(periods)}.")
        for tile, periods in lacking.items()
        if periods
    ]
    return common, tuple(rows)


def _outside(scenes: Iterable[Scene], periods: Sequence[Period]) -> list[Refusal]:
    return [
        refusal(scene.id, "outside_periods", f"Taken on {scene.datetime:%Y-%m-%d}.")
        for scene in scenes
        if not any(scene.datetime in period for period in periods)
    ]


def _unused(choice: Choice, area: MultiPolygon) -> list[Refusal]:
    last = score(choice.acquisitions[-1], area)
    return [
        refusal(
            part.id, "not_chosen", f"Score {score(parts, area):.3f}, the last one used {last:.3f}: kept in reserve."
        )
        for parts in choice.spares
        for part in parts
    ]
