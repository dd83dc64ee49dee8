"""Which of the candidate images of a date is taken, once the mask says how much of the area each of them hides."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from pydantic import Field

from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from tasks.catalogue.answer import Refusal, refusal
from tasks.cloud_removal.scenes import ImageCandidates, TiledImage
from tasks.failures import UNREADABLE
from tasks.parameters.cloud_removal import DateWindow

COMPARED: Final = 5
"""Images of the criterion least_cloudy that are masked before one is taken. Metadata only order them: the percentage
of a whole tile says little about a small area. Each more costs the reading of an image."""


class ImageChoice(Contract):
    """The image of one date, and a row for every product that was left out."""

    image: TiledImage
    hidden_share: float = Field(ge=0, le=1, description="Share of the area that its mask hides")
    refused: tuple[Refusal, ...] = ()


class _Measured(NamedTuple):
    image: TiledImage
    hidden_share: float


def choose_image(
    candidates: ImageCandidates,
    window: DateWindow,
    measure: Callable[[TiledImage], float],
    after: datetime | None = None,
) -> ImageChoice:
    """The image of a date, by `measure(image)`, the share of the area that its mask hides, 0 to 1.

    begin and end take the first candidate, in their order, that hides at most `max_cloud`. least_cloudy takes the one
    that hides least of the first five by metadata; where none of them is clear enough, of the next five, and so on.
    No more is measured than that needs, and nothing after an image that hides nothing. A named product is taken
    whatever it hides. `after`: when the image of the date before was taken; images up to then are left out. One that
    cannot be read is a row, and the next is tried. Raises `no_scenes` with the measured shares.
    """
    rows: list[Refusal] = []
    measured: list[_Measured] = []
    later = [image for image in candidates.images if not _is_too_early(image, after, rows)]
    limit = 1.0 if window.product else window.max_cloud / 100
    for batch in _batches(later, COMPARED if window.criterion == "least_cloudy" else 1):
        seen = list(_measure(batch, measure, rows))
        measured += seen
        best = min(seen, key=lambda each: each.hidden_share, default=None)
        if best is not None and best.hidden_share <= limit:
            rows += _left_out(measured, best, limit)
            return ImageChoice(image=best.image, hidden_share=best.hidden_share, refused=tuple(rows))
    raise _none_is_clear(candidates, window, measured, rows)


def taken_at(image: TiledImage) -> datetime:
    """When an image was taken: the earliest of its parts."""
    return min(part.datetime for part in _parts(image))


def _is_too_early(image: TiledImage, after: datetime | None, rows: list[Refusal]) -> bool:
    if after is None or taken_at(image) > after:
        return False
    reason = f"Taken on {taken_at(image):%Y-%m-%d}, not after the image of the date before."
    rows += [refusal(part.id, "outside_dates", reason) for part in _parts(image)]
    return True


def _batches(images: Iterable[TiledImage], size: int) -> Iterator[list[TiledImage]]:
    waiting = iter(images)
    while batch := list(islice(waiting, size)):
        yield batch


def _measure(
    images: Iterable[TiledImage], measure: Callable[[TiledImage], float], rows: list[Refusal]
) -> Iterator[_Measured]:
    for image in images:
        try:
            hidden_share = measure(image)
        except StepError as error:
            if error.code not in UNREADABLE:
                raise
            facts = {"code": error.code, "reason": error.reason, "hint": error.hint}
            rows += [Refusal(scene_id=part.id, **facts) for part in _parts(image)]
            continue
        yield _Measured(image, hidden_share)
        if hidden_share == 0:
            return


def _left_out(measured: list[_Measured], best: _Measured, limit: float) -> Iterator[Refusal]:
    for each in measured:
        if each is not best:
            code = "too_hidden" if each.hidden_share > limit else "not_chosen"
            reason = f"{each.hidden_share:.1%} of the area is hidden; {best.hidden_share:.1%} in the image used."
            yield from (refusal(part.id, code, reason) for part in _parts(each.image))


def _none_is_clear(
    candidates: ImageCandidates, window: DateWindow, measured: list[_Measured], rows: list[Refusal]
) -> StepError:
    clearest = sorted(measured, key=lambda each: (each.hidden_share, taken_at(each.image)))
    shares = ", ".join(f"{taken_at(each.image):%Y-%m-%d} {each.hidden_share:.1%}" for each in clearest)
    others = ", ".join(f"{row.scene_id} {row.code}" for row in rows)
    return StepError(
        "no_scenes",
        f"none of the {len(candidates.images)} images from {window.start} to {window.end} hides at most "
        f"{window.max_cloud:g} % of the area: {shares or 'none could be measured'}."
        + (f" Left out: {others}." if others else ""),
        "Raise max_cloud of this date, widen its days, or make the area smaller.",
    )


def _parts(image: TiledImage) -> Iterator[Scene]:
    return (part for parts in image for part in parts)
