"""A long search, month by month: what a catalogue answers for years never lies in memory as a whole."""

from collections.abc import Callable, Iterator

from containers.base.contract.scene import Scene
from tasks import ledger
from tasks.catalogue.answer import Refusal
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import Acquisition, acquisitions
from tasks.catalogue.search import search_scenes
from tasks.periods import months_of

Scenes = tuple[Scene, ...]
Refusals = tuple[Refusal, ...]


def search_by_month(
    request: SearchRequest, accept: Callable[[Scenes], tuple[Scenes, Refusals]], *, keep_answers: bool
) -> Iterator[tuple[tuple[Acquisition, ...], Refusals]]:
    """For each month of the request's periods the acquisitions, and what was refused.

    `accept` parts the scenes that a month's search has found into those wanted and refusals. Answers are kept beside
    the run's ledger where wished.
    """
    for month in (month for period in request.periods for month in months_of(period)):
        answer = search_scenes(request.model_copy(update={"periods": (month,)}))
        if keep_answers:
            ledger.keep_answers(raw._replace(name=f"{month.label}-{raw.name}") for raw in answer.raw)
        wanted, refused = accept(answer.scenes)
        yield acquisitions(wanted), (*answer.refused, *refused)
