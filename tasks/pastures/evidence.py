"""Where the figures of a product of `pasture_types` are."""

from collections.abc import Iterator

import pandas as pd
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.gdal.contract.calendar import CalendarResult
from containers.gdal.contract.cut import ProductSource
from containers.tensorflow.contract.types import MapTypesResult
from tasks.pastures.sheet_doubts import ModelSkill
from tasks.publishing.publication import Evidence, PathOf


class MapEvidence(Contract):
    """One pasture in one year."""

    name: str = Field(description="Of its files")
    pasture_name: str
    tile: str
    mapped: MapTypesResult
    estimates: File
    calendar: CalendarResult | None = Field(description="None: it was never seen clearly")
    picture: File = Field(description="PNG of the types, bare")

    @property
    def sheet(self) -> str:
        """Where its sheet lies in the product's folder."""
        return f"sheets/{self.name}.html"


class PastureEvidence(Evidence):
    """Of all pastures, and of the classifier."""

    maps: tuple[MapEvidence, ...]
    pastures: File
    source: ProductSource
    card: File
    metrics: File | None = Field(description="None: the user has brought the model")
    predictions: File | None
    left_out: dict[str, int]
    notices: File | None

    @property
    def calendars(self) -> Iterator[CalendarResult]:
        """One per pasture."""
        calendars = {each.mapped.pasture_id: each.calendar for each in self.maps if each.calendar}
        yield from calendars.values()


def metrics_of(evidence: PastureEvidence, path_of: PathOf) -> pd.DataFrame:
    """The scores of this run's classifier: name, class (empty: of all), value, lower, upper."""
    empty = {name: [""] for name in ("value", "lower", "upper")}
    if evidence.metrics is None:
        return pd.DataFrame(columns=["name", "class", *empty])
    return pd.read_csv(
        path_of(evidence.metrics), dtype={"name": str, "class": str}, keep_default_na=False, na_values=empty
    )


def skill_of(evidence: PastureEvidence, path_of: PathOf) -> ModelSkill | None:
    """The share of right types on unseen groups; None where this run has not trained."""
    if evidence.predictions is None:
        return None
    metrics = metrics_of(evidence, path_of)
    overall = metrics[(metrics["name"] == "overall_accuracy") & (metrics["class"] == "")].iloc[0]
    judged = pd.read_csv(path_of(evidence.predictions), dtype=str, keep_default_na=False)
    return ModelSkill(
        accuracy=float(overall["value"]),
        lower=float(overall["lower"]),
        upper=float(overall["upper"]),
        sites=len(judged),
        pastures=judged["group"].nunique(),
    )
