"""Vegetation types of real survey sites by groups: what the default classifier gains over a plain forest."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from containers.base.contract.files import File, output_file
from containers.gdal import import_spectra, site_features
from containers.gdal.contract.sites import ImportSpectraParams
from containers.gdal.contract.type_features import FeatureRecipe, SiteFeaturesParams
from containers.tensorflow.contract.types import TrainTypesParams
from containers.tensorflow.train_types import judged_by_groups
from containers.tensorflow.type_scores import confusions, gains, macro_f1, overall_accuracy
from containers.tensorflow.type_table import SiteTable, read_sites, usable

pytestmark = [pytest.mark.real, pytest.mark.slow]
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def survey(
    sample_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[File, SiteTable, dict[str, int]]]:
    """Features of the 456 sites by the default recipe, and the sites that can be learnt."""
    root = tmp_path_factory.mktemp("store")

    def stored(path: Path) -> File:
        return output_file(path).model_copy(update={"href": f"store:{path.relative_to(root)}"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARGROUND_STORE", str(root))
        folders = [root / name for name in ("archive", "import", "features")]
        for folder in folders:
            folder.mkdir()
        shutil.copy(sample_data / "alpage" / "spectra_2017.nc", folders[0])
        spectra = ImportSpectraParams(spectra=stored(folders[0] / "spectra_2017.nc"))
        dataset = import_spectra.run(spectra, folders[1]).dataset
        features = site_features.run(SiteFeaturesParams(dataset=stored(folders[1] / dataset.href)), folders[2]).features
        file = stored(folders[2] / features.href)
        yield file, *usable(read_sites(root / file.store_path), {}, min_sites=10)


def test_the_sites_that_can_be_learnt_are_those_of_the_survey(survey) -> None:
    _, sites, left_out = survey
    assert (len(sites), len(set(sites.label)), len(set(sites.group))) == (412, 13, 23)
    assert left_out["no type"] == 31 + 9
    assert sum(left_out.values()) == 456 - 412


def test_the_gain_over_a_plain_forest_is_sure(survey) -> None:
    """Of sites in pastures that were not trained on, over three deals of the folds; pastures resampled as pairs."""
    file, sites, _ = survey
    types = np.unique(sites.label, return_inverse=True)[1]
    groups = np.unique(sites.group, return_inverse=True)[1]
    ours, plain = (np.zeros((groups.max() + 1, 13, 13)) for _ in range(2))
    for seed in SEEDS:
        params = TrainTypesParams(features=file, recipe=FeatureRecipe().model_dump_json(), tuned=False, seed=seed)
        verdict = judged_by_groups(sites, types, groups, params)
        ours += confusions(types, verdict.ours.probabilities.argmax(axis=1), groups, 13)
        plain += confusions(types, verdict.plain, groups, 13)
    assert overall_accuracy(plain.sum(axis=0)) == pytest.approx(0.36, abs=0.03)
    assert macro_f1(plain.sum(axis=0)) == pytest.approx(0.2, abs=0.03)
    gain = dict(gains(ours, plain, seed=0))
    assert gain["overall_accuracy"].lower > 0
    assert gain["macro_f1"].lower > 0
