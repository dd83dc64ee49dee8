"""456 sites of a survey in the French Alps with a year of MAJA spectra, as an earlier system wrote them."""

import shutil
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
import pytest

from containers.base.contract.files import File, output_file
from containers.gdal import import_spectra, site_dataset
from containers.gdal.contract.sites import ImportSpectraParams, SiteDatasetParams, SiteDatasetResult, SiteSpectraResult
from containers.gdal.site_file import Header, Spectra, open_site_file
from containers.gdal.spectrum_rules import normalised

pytestmark = pytest.mark.real


class Alps(NamedTuple):
    """The sample, and what was made of it."""

    sample: Path
    imported: SiteSpectraResult
    header: Header
    spectra: Spectra
    joined: SiteDatasetResult
    out: Path

    def band(self, name: str) -> np.ndarray:
        return self.spectra.reflectance[:, :, self.header.bands.index(name)]


@pytest.fixture(scope="module")
def alps(sample_data: Path, tmp_path_factory) -> Alps:
    sample = sample_data / "alpage" / "spectra_2017.nc"
    root = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARGROUND_STORE", str(root))
        user, first, second = (root / name / "k" / "1" for name in ("user", "import", "join"))
        for folder in (user, first, second):
            folder.mkdir(parents=True)
        shutil.copy(sample, user / "spectra.nc")
        imported = import_spectra.run(ImportSpectraParams(spectra=stored(user / "spectra.nc", root)), first)
        joined = site_dataset.run(SiteDatasetParams(parts=(stored(first / "spectra.nc", root),)), second)
    with open_site_file(first / "spectra.nc") as file:
        return Alps(sample, imported, file.header, file.read(), joined, second)


def stored(path: Path, root: Path) -> File:
    return output_file(path).model_copy(update={"href": f"store:{path.relative_to(root)}"})


def test_everything_but_nodata_comes_in(alps) -> None:
    """8,179 spectra are whole, 246 more lack some bands; 30 % of the file's values are −1.0."""
    assert (alps.imported.sites, alps.imported.slices) == (456, 56)
    assert alps.spectra.usable.sum() == 8_179
    assert alps.spectra.shown.sum() == 8_425
    with h5py.File(alps.sample) as file:
        original = {name: file[name][:] for name in ("B02", "B08", "B08A")}
        order = np.argsort(file["Id_sitesAS"].asstr()[:])
    assert (original["B02"] == -1).sum() > 7_000
    for name, number in (("blue", "B02"), ("nir", "B08"), ("nir08", "B08A")):
        expected = np.where(original[number][:, order] > -0.1, original[number][:, order], np.nan).astype(np.float32)
        assert np.array_equal(alps.band(name), expected, equal_nan=True)


def test_no_nodata_is_left(alps) -> None:
    known = alps.spectra.reflectance[np.isfinite(alps.spectra.reflectance)]
    assert known.min() > -0.0999
    assert known.max() == pytest.approx(1.7123)


def test_dates_count_backwards_and_forwards_from_the_reference(alps) -> None:
    dates = pd.to_datetime(alps.header.slices["time"], unit="s")
    assert str(dates.iloc[0].date()) == "2017-03-21"
    assert str(dates.iloc[-1].date()) == "2017-11-26"
    assert dates.is_unique


def test_sites_have_the_classes_and_groups_of_the_survey(alps) -> None:
    sites = alps.header.sites
    counts = sites["class_code"].value_counts().to_dict()
    assert (counts["SUB"], counts["ALP"], counts["PROD"], counts[""], counts["NA"]) == (126, 50, 49, 31, 9)
    assert sum(count >= 10 for name, count in counts.items() if name not in ("", "NA")) == 13
    assert sites["group"].nunique() == 25
    assert (sites["group"] != "").all()
    assert sites["group"].value_counts().to_dict()["VANCHA"] == 46
    assert (sites.loc[sites["site_id"] == "CHAALP01", "group"] == "Chartreuse").all()


def test_b8a_is_above_b8_on_vegetation(alps) -> None:
    """The plateau of vegetation rises: 1.06. Swapped it would be 0.94, and a warning."""
    nir, nir08 = alps.band("nir"), alps.band("nir08")
    dense = alps.spectra.usable & (normalised(nir, alps.band("red")) > 0.5)
    assert dense.sum() > 3_000
    assert np.median(nir08[dense] / nir[dense]) == pytest.approx(1.06, abs=0.01)
    assert "band_order" not in [warning.code for warning in (*alps.imported.warnings, *alps.joined.warnings)]


def test_the_same_file_with_swapped_names_is_told(alps, tmp_path, monkeypatch) -> None:
    path = tmp_path / "user" / "k" / "1" / "swapped.nc"
    path.parent.mkdir(parents=True)
    shutil.copy(alps.sample, path)
    with h5py.File(path, "a") as file:
        file.move("B08", "spare")
        file.move("B08A", "B08")
        file.move("spare", "B08A")
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    result = import_spectra.run(ImportSpectraParams(spectra=stored(path, tmp_path)), tmp_path)
    assert "band_order" in [warning.code for warning in result.warnings]


def test_the_dataset_is_what_was_imported(alps) -> None:
    assert alps.joined.dataset.content_id == alps.imported.dataset.content_id
    table = pd.read_parquet(alps.out / "dataset.parquet")
    assert len(table) == np.isfinite(alps.spectra.reflectance).sum()


def test_the_report_counts_and_finds_snow_that_the_file_did_not_mask(alps) -> None:
    observations = pd.read_csv(alps.out / "observations.csv", keep_default_na=False)
    assert observations["usable"].sum() == 8_179
    per_site = observations.groupby("site_id")["usable"].sum()
    assert (per_site.min(), per_site.median(), per_site.max()) == (10, 16, 35)
    suspicious = pd.read_csv(alps.out / "suspicious.csv", keep_default_na=False)
    snow = suspicious[suspicious["rule"] == "missed_snow"]
    months = pd.to_datetime(snow["time"]).dt.month
    assert len(snow) > 1_000
    assert months.isin([3, 4, 5, 11]).mean() > 0.95
    clouds = suspicious[suspicious["rule"] == "missed_cloud"]
    assert 50 < len(clouds) < 0.02 * 8_179


def test_sites_in_one_cell_are_no_copies(alps) -> None:
    """Some sites lie in one 10 m cell and have the same spectra by nature: none in different cells do."""
    suspicious = pd.read_csv(alps.out / "suspicious.csv", keep_default_na=False)
    assert not (suspicious["rule"] == "identical").any()
    whole = alps.spectra.reflectance[alps.spectra.usable]
    assert len(np.unique(whole, axis=0)) < len(whole)
