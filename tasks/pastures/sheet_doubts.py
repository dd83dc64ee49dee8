"""What a reader of a pasture's sheet must know before trusting it, in plain words."""

from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from typing import Final, NamedTuple

from tasks.pastures.findings import Calendar
from tasks.pastures.sheet_areas import TypeAreas, percent
from tasks.pastures.sheet_calendar import EVENTS

_FEW_VIEWS, _LONG_GAP_DAYS = 12, 30
_MAX_CHARACTERS, _MAX_SENTENCE = 1100, 220
"""What fits the page, and at most of one sentence."""
_PROCESSORS: Final = {"esa": "ESA's own processing (Sen2Cor)", "maja": "the MAJA processing of THEIA"}


class ModelSkill(NamedTuple):
    """How often the model names the right type on pastures that it has not seen, with a 95 % interval."""

    accuracy: float
    lower: float
    upper: float
    sites: int
    pastures: int


def doubts(
    areas: TypeAreas,
    calendar: Calendar,
    year: int,
    *,
    skill: ModelSkill | None,
    source: str,
    simulated: bool,
) -> tuple[str, ...]:
    """Sentences, the most important first."""
    found = [
        *(["Everything here is simulated: it describes no real place."] if simulated else []),
        *_of_model(skill),
        *_of_areas(areas),
        *_of_views(calendar, year),
        f"Reflectance comes from {_PROCESSORS.get(source, source)}; the model was trained on the same.",
        *_of_events(calendar, year),
    ]
    sentences = [_cut(sentence) for sentence in found]
    lengths = accumulate(map(len, sentences))
    return tuple(sentence for sentence, length in zip(sentences, lengths, strict=True) if length <= _MAX_CHARACTERS)


def _of_model(skill: ModelSkill | None) -> Iterator[str]:
    if skill is None:
        yield "How often the model names the right type on a pasture that it has not seen is not known."
        return
    right, lower, upper = (round(share * 100) for share in (skill.accuracy, skill.lower, skill.upper))
    yield (
        f"The map is a model's opinion: on pastures that it had not seen it named the type right at {right} of 100 "
        f"places ({lower} to {upper}; tried at {skill.sites} places of {skill.pastures} pastures or groups)."
    )


def _of_areas(areas: TypeAreas) -> Iterator[str]:
    if areas.is_estimated:
        yield (
            f"Areas are estimated from the map and {areas.points} places whose true type is known. Of 100 such ranges "
            "about 95 hold the true area."
        )
    else:
        yield "Areas are counted on the map, whose errors they share: nobody has checked it at places of this pasture."
    if areas.doubtful_share:
        where = f"On {percent(areas.doubtful_share)} of the pasture the model cannot tell which type grows (not known)"
        yield f"{where}{': the types above share this area in brackets' if areas.is_estimated else ''}."
    if areas.unseen_share:
        yield f"{percent(areas.unseen_share)} of the pasture was seen too seldom for a type (not seen)."


def _of_views(calendar: Calendar, year: int) -> Iterator[str]:
    days = sorted(day.day for day in calendar.curve if day.observed and day.day.year == year)
    season = [day for day in days if date(year, 4, 1) <= day <= date(year, 10, 31)]
    few = "only " if len(season) < _FEW_VIEWS else ""
    text = f"From April to October the pasture was seen on {few}{len(season)} days"
    gaps = zip([date(year, 4, 1), *season], [*season, date(year, 10, 31)], strict=True)
    first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
    if (last - first).days >= _LONG_GAP_DAYS:
        text += f"; nothing was seen from {_day(first)} to {_day(last)}, and what happened then is guessed"
    yield f"{text}."


def _of_events(calendar: Calendar, year: int) -> Iterator[str]:
    for each in calendar.events:
        if each.year == year and each.doubt:
            yield f"{EVENTS.get(each.event, each.event)}: {each.doubt.strip(' .')}."


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _MAX_SENTENCE else f"{sentence[: _MAX_SENTENCE - 1]}…"
