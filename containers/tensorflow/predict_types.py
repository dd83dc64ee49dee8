"""Vegetation types of survey sites by a trained classifier."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from containers.base.step import local_path, main
from containers.tensorflow.contract.types import PredictTypesParams, PredictTypesResult
from containers.tensorflow.type_model import TrainedTypes, read_trained, require_fit
from containers.tensorflow.type_report import prediction_columns, prediction_of, write_table
from containers.tensorflow.type_table import SiteTable, read_sites


def run(params: PredictTypesParams, out: Path) -> PredictTypesResult:
    """Raises `bad_model` where the features do not fit the model, `bad_sample` where they are none."""
    trained = read_trained(params.model)
    sites = read_sites(local_path(params.features))
    require_fit(
        trained.card,
        names=sites.names,
        source=sites.source,
        simulated=sites.simulated,
        allow_simulated=params.allow_simulated_model,
        recipe=sites.recipe,
    )
    header = ("site_id", "year", "group", *prediction_columns(trained.classes))
    return PredictTypesResult(predictions=write_table(out / "predictions.csv", header, _rows(trained, sites)))


def _rows(trained: TrainedTypes, sites: SiteTable) -> Iterator[tuple[Any, ...]]:
    for row, probabilities in enumerate(trained.probabilities(sites.values)):
        facts = (sites.site_id[row], sites.year[row], sites.group[row])
        yield (*facts, *prediction_of(trained.classes, probabilities, trained.trust))


if __name__ == "__main__":
    main(PredictTypesParams, run)
