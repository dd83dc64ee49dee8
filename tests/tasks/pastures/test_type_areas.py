"""Areas of the types of a map; its colours are told apart by everybody."""

from itertools import combinations

import numpy as np
import pytest

from containers.base.contract.files import File
from containers.gdal.contract.areas import SampleResult
from containers.tensorflow.type_legend import COLOURS, colours_of
from tasks.pastures.type_areas import areas_params, sample_params, type_classes
from tests.containers.gdal.test_palette import VISION, seen
from tests.tasks.pastures.made_pasture import made_map

TYPES = ("mat", "rich", "snowbed")
FILE = File(href="store:gdal.sample_classes/key/1/sample.csv", content_id="sha256:1", size=1)


def test_true_types_that_the_model_never_learnt_count_as_others() -> None:
    params = sample_params(
        made_map(TYPES), points=150, reference=FILE, reference_types={11: "mat", 12: "snowbed", 13: "heath"}
    )
    assert params.classes == {"mat": 1, "rich": 2, "snowbed": 3, "other types": 253}
    assert params.reference_names == {11: "mat", 12: "snowbed", 13: "other types"}
    assert (params.doubtful, params.outside, params.period, params.points) == (254, 0, "2024", 150)


def test_without_a_sample_areas_are_counted() -> None:
    counted = areas_params(made_map(TYPES), None)
    assert counted.sample is None
    assert counted.strata is None
    estimated = areas_params(made_map(TYPES), SampleResult(sample=FILE, strata=FILE))
    assert (estimated.sample, estimated.strata, estimated.doubtful) == (FILE, FILE, 254)
    assert estimated.classes == type_classes(made_map(TYPES))


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("types", "least"), [(13, 17.5), (len(COLOURS), 15.0)])
def test_colours_of_types_are_told_apart(vision: str, types: int, least: float) -> None:
    """2.3 is just noticeable; so many colours cannot all be as far apart as the few of land cover."""
    colours = list(colours_of([""] * types).values())
    nearest = min(float(np.linalg.norm(seen(a, vision) - seen(b, vision))) for a, b in combinations(colours, 2))
    assert nearest > least
