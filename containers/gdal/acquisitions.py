"""Which acquisitions make a series: in order of time, each once, all on one lattice of cells."""

from datetime import UTC, datetime

from containers.base.contract.step import StepError
from containers.base.grid import offset_in
from containers.base.sentinel2 import parse_product_name
from containers.gdal.contract.series import INDEX_BANDS, Seen, SeriesParams


def in_time(seen: tuple[Seen, ...]) -> list[Seen]:
    """By time, then by scene id: the order in which they fill a date, whatever the order of the input."""
    return sorted(seen, key=lambda item: (item.acquired, item.scene_id))


def tile_of(scene_id: str) -> str:
    """The tile in a product's name; of other names, all of it."""
    name = parse_product_name(scene_id)
    return name.tile if name else scene_id


def require_fit(params: SeriesParams) -> None:
    """Raises `bad_dates` for times that go backwards or come twice, `grid_mismatch`, and `unknown_band`."""
    _require_times(params.seen)
    for item in params.seen:
        offset_in(params.grid, item.grid)
        if missing := set(INDEX_BANDS[params.index]) - set(item.bands):
            raise StepError(
                "unknown_band",
                f"{params.index} needs {sorted(missing)}; {item.scene_id} has {sorted(item.bands)}.",
                "Observe the scenes with the bands of the index.",
            )


def _require_times(seen: tuple[Seen, ...]) -> None:
    latest, known = seen[0], dict[tuple[str, datetime], str]()
    for item in seen:
        if item.acquired < latest.acquired:
            raise StepError(
                "bad_dates",
                f"{item.scene_id} of {item.acquired} follows {latest.scene_id} of {latest.acquired}.",
                "Give acquisitions in order of time.",
            )
        key = (tile_of(item.scene_id), item.acquired.astimezone(UTC))
        if key in known:
            raise StepError(
                "bad_dates",
                f"{known[key]} and {item.scene_id} are the same acquisition: {key[0]} at {item.acquired}.",
                "Give each acquisition once: the newest processing of it.",
            )
        latest, known[key] = item, item.scene_id
