"""The form of `pasture_types` refuses what cannot be run, before anything is read."""

from typing import Any

import pytest

from tasks.parameters.pasture_types import PastureTypesParams

GOOD: dict[str, Any] = {
    "pastures": {"paths": ["pastures.gpkg"]},
    "survey": {"paths": ["sites.shp"], "fields": {"class_code": "type"}},
    "time": {"years": [2022, 2023]},
}


def test_a_survey_and_years_are_enough() -> None:
    assert PastureTypesParams.model_validate(GOOD).reflectance.source == "esa"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../x"}, "names a folder"),
        ({"survey": {}}, "give one of survey.paths, spectra, learning.model_href"),
        ({"spectra": "sites.nc"}, "give one of"),
        ({"learning": {"model_href": "model"}}, "give one of"),
        ({"reflectance": {"source": "maja"}}, "maja_folder"),
        ({"reflectance": {"maja_folder": "theia"}}, "maja_folder"),
        ({"time": {"years": [2023, 2022]}}, "must ascend"),
        ({"time": {"years": []}}, "at least 1"),
        ({"pastures": {"paths": []}}, "at least 1"),
        ({"features": {"first": "10-01", "last": "04-01"}}, "not before"),
        ({"unheard_of": 1}, "Extra inputs"),
    ],
)
def test_bad_forms_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PastureTypesParams.model_validate({**GOOD, **change})
