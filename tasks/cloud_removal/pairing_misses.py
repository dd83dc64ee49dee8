"""Why no radar pass could be paired: the nearest misses of every date."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from containers.base.contract.step import StepError
from tasks.catalogue.answer import Refusal
from tasks.cloud_removal.radar_passes import OpticalDate, PairRules, RadarPass, is_near, is_partner, shows_enough

SHOWN: Final = 3
"""Misses of one date, at most."""


def no_pair(
    images: Sequence[OpticalDate], passes: Sequence[RadarPass], rules: PairRules, refused: Sequence[Refusal]
) -> StepError:
    """The error that lists per date the passes nearest in time, and what each lacks."""
    alone = [image for image in images if not any(is_partner(each, image, rules) for each in passes)]
    if alone:
        head = f"no radar pass belongs to {', '.join(image.name for image in alone)}"
    else:
        head = "every date has a pass, but there is no track with one for each: mixed orbits are never paired"
    dates = "; ".join(f"{image.name}: {_misses(image, images, passes, rules)}" for image in images)
    counts = Counter(row.code for row in refused)
    before = ", ".join(f"{count} {code}" for code, count in counts.most_common())
    return StepError(
        "no_pair",
        f"{head}. Nearest per date: {dates}." + (f" Left out before: {before}." if before else ""),
        "Raise pairing.max_gap_days, make the area smaller, choose other dates, or leave pairing.direction and "
        "pairing.relative_orbit empty.",
    )


def _misses(image: OpticalDate, images: Sequence[OpticalDate], passes: Sequence[RadarPass], rules: PairRules) -> str:
    # What could be a partner comes first, then what is nearest in time.
    nearest = sorted(passes, key=lambda each: (not is_partner(each, image, rules), abs(each.gap(image)), each.id))
    found = [f"{_described(each, image)}, {_lack(each, image, images, passes, rules)}" for each in nearest[:SHOWN]]
    return " | ".join(found) or "none"


def _described(radar: RadarPass, image: OpticalDate) -> str:
    track, direction = radar.track
    hours = radar.gap(image).total_seconds() / 3600
    return f"{radar.id} ({hours:+.1f} h, track {track} {direction}, {radar.coverage.share:.1%} of the zone)"


def _lack(
    radar: RadarPass,
    image: OpticalDate,
    images: Sequence[OpticalDate],
    passes: Sequence[RadarPass],
    rules: PairRules,
) -> str:
    if not is_near(radar, image, rules):
        return f"more than {rules.max_gap_days:g} days away"
    if not shows_enough(radar, rules):
        return "does not contain the zone" if rules.whole_zone else "shows too little of the zone"
    same_track = [each for each in passes if each.track == radar.track]
    others = [
        other.name
        for other in images
        if other != image and not any(is_partner(each, other, rules) and each.id != radar.id for each in same_track)
    ]
    return f"its track has no partner for {', '.join(others)}" if others else "it would serve two dates"
