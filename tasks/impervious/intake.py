"""What a user hands in, checked and taken into the store before any compute is spent."""

from pathlib import Path

import shapely

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.tensorflow.contract.train import LandCoverModel
from tasks.aoi import analysis_grid, read_aoi
from tasks.disk import disk_errors
from tasks.parameters.impervious_change import ImperviousChangeParams
from tasks.periods import Period, make_periods
from tasks.settings import get_settings
from tasks.store import Store, open_store
from tasks.user_files import MODEL_CARD, MODEL_WEIGHTS, take_file, take_optional_file


class Inputs(Contract):
    """A run's inputs: the area, the grid, the time axis, and files that are now in the store."""

    aoi: str
    """WKT, EPSG:4326."""
    grid: Grid
    periods: tuple[Period, ...]
    regions: File
    label_map: File | None
    second_label_map: File | None
    model: LandCoverModel | None
    sample: File | None
    strata: File | None
    truth: dict[str, File]


@disk_errors()
def take_in(params: ImperviousChangeParams) -> Inputs:
    """Check area, dates and files. Raises `bad_aoi`, `bad_grid`, `bad_dates`, `missing_file`, `disk_full`."""
    store = open_store(get_settings())
    aoi = read_aoi(params.aoi or Path(params.regions.path))
    months = () if params.time.period == "year" else params.time.months
    periods = make_periods(params.time.period, params.time.years, months)
    _known_periods(params, periods)
    return Inputs(
        aoi=shapely.to_wkt(aoi, rounding_precision=7),
        grid=analysis_grid(aoi, params.epsg, params.resolution_m),
        periods=periods,
        regions=take_file(store, params.regions.path),
        label_map=take_optional_file(store, params.labels.map),
        second_label_map=take_optional_file(store, params.labels.second_map),
        model=_take_model(store, params.model_href),
        sample=take_optional_file(store, params.reference.sample),
        strata=take_optional_file(store, params.reference.strata),
        truth={period: take_file(store, path) for period, path in params.reference.truth.items()},
    )


def _known_periods(params: ImperviousChangeParams, periods: tuple[Period, ...]) -> None:
    labels = [period.label for period in periods]
    named = {
        "labels.period": params.labels.period,
        **{f"reference.truth.{name}": name for name in params.reference.truth},
    }
    for field, label in named.items():
        if label and label not in labels:
            raise StepError(
                "bad_dates", f"{field} names {label!r}, which is no period of this run.", f"Use one of {labels}."
            )


def _take_model(store: Store, href: str) -> LandCoverModel | None:
    if not href:
        return None
    folder = Path(href)
    return LandCoverModel(
        weights=take_file(store, str(folder / MODEL_WEIGHTS)), card=take_file(store, str(folder / MODEL_CARD))
    )
