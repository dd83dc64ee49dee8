"""What the map of each period was checked against: one that was merely predicted must say so."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

REFERENCE: Final = "the reference sample"
LABELS: Final = "labels of that period, on blocks that were not trained on: agreement, not accuracy"
NOTHING: Final = "nothing: predicted without labels or reference of that period, not validated"


def checks(periods: Iterable[str], accuracy: pd.DataFrame | None, labelled: Iterable[str]) -> dict[str, str]:
    """Period to `REFERENCE`, `LABELS` or `NOTHING`. `labelled`: periods that trained this run's own network."""
    sampled = set() if accuracy is None else set(accuracy["period"].astype(str))
    trained = set(labelled)
    return {period: REFERENCE if period in sampled else LABELS if period in trained else NOTHING for period in periods}
