"""Features of survey sites from a small dataset."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from containers.base.contract.step import StepError
from containers.gdal import site_features
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.contract.type_features import FeatureRecipe, SiteFeaturesParams
from containers.gdal.site_features import run
from containers.gdal.site_file import SITE_COLUMNS, SLICE_COLUMNS, Header, Spectra, create_site_file
from containers.gdal.type_features import features_of, masked

RECIPE = FeatureRecipe(first="05-01", last="09-28", every_days=30, min_observations=3)
DAYS = [f"{year}-{month:02}-{day:02}" for year in (2019, 2020) for month in (5, 6, 7, 8, 9) for day in (3, 20)]


def ground(n_sites: int) -> np.ndarray:
    """(time, site, band)."""
    return np.random.default_rng(0).uniform(0.02, 0.5, (len(DAYS), n_sites, 10)).astype(np.float32)


@pytest.fixture
def make_dataset(raster_store):
    def make(reflectance=None, bands=TEN_BANDS, **slices):
        reflectance = ground(6) if reflectance is None else reflectance
        n_sites = reflectance.shape[1]
        texts = {name: "" for name, kind in SITE_COLUMNS.items() if kind is object}
        sites = pd.DataFrame([texts | {"epsg": 32631, "x_m": 0.0, "y_m": 0.0, "lon": 6.0, "lat": 45.0}] * n_sites)
        sites["site_id"] = [f"S{number:02}" for number in range(n_sites)]
        sites["class_code"], sites["group"] = (["NA", "SUB", "ALP"] * n_sites)[:n_sites], "VANROS"
        seconds = [(date.fromisoformat(day) - date(1970, 1, 1)).days * 86_400 + 37_800 for day in DAYS]
        facts = {name: "" for name, kind in SLICE_COLUMNS.items() if kind is object}
        facts |= {"source": "maja", "orbit": 0, "simulated": 0, "mask_share": 0.0}
        table = pd.DataFrame([facts] * len(DAYS)).assign(time=seconds, **slices)
        path = raster_store.folder() / "sites.nc"
        layers = np.full((3, len(DAYS), n_sites), -1, np.int8)
        with create_site_file(path, Header(sites[list(SITE_COLUMNS)], table[list(SLICE_COLUMNS)], bands)) as writer:
            for number, values in enumerate(reflectance):
                writer.write(number, Spectra(values, layers[:, number]), 0.0)
        return raster_store.file(path)

    return make


def table_of(result, out):
    return parquet.read_table(out / result.features.href)


def test_rows_are_what_the_pure_function_says_of_every_year(make_dataset, tmp_path) -> None:
    result = run(SiteFeaturesParams(dataset=make_dataset(), recipe=RECIPE), tmp_path)
    table = table_of(result, tmp_path)
    found = table.to_pandas(types_mapper=None)
    assert found[["site_id", "year"]].to_numpy().tolist() == [[f"S{n:02}", y] for n in range(6) for y in (2019, 2020)]
    assert found["class_code"][:2].tolist() == ["NA", "NA"]
    assert (found["source"] == "maja").all()
    assert (found["observations"] == 10).all()
    days = np.array([(date.fromisoformat(day) - date(1970, 1, 1)).days for day in DAYS], np.int32)
    spectra = masked(ground(6).swapaxes(0, 1), np.full((6, len(DAYS), 3), -1, np.int8), RECIPE)
    for year in (2019, 2020):
        values, names = features_of(spectra, days, year, RECIPE)
        assert result.names == names
        assert (found.loc[found["year"] == year, list(names)].to_numpy(np.float32) == values).all()
    assert json.loads(table.schema.metadata[b"recipe"]) == json.loads(RECIPE.model_dump_json())


def test_the_plain_forest_has_columns_of_its_own(make_dataset, tmp_path) -> None:
    only = RECIPE.model_copy(update={"sets": ("season",)})
    result = run(SiteFeaturesParams(dataset=make_dataset(), recipe=only), tmp_path)
    plain = [name for name in table_of(result, tmp_path).column_names if name.startswith("plain ")]
    assert len(plain) == 8 * 12
    assert not set(plain) & set(result.names)


def test_blocks_of_sites_do_not_show(make_dataset, tmp_path, monkeypatch) -> None:
    contents = []
    for size in (4096, 2):
        monkeypatch.setattr(site_features, "_BLOCK_SITES", size)
        out = tmp_path / str(size)
        out.mkdir()
        contents.append(run(SiteFeaturesParams(dataset=make_dataset(), recipe=RECIPE), out).features.content_id)
    assert contents[0] == contents[1]


def test_sites_seen_too_seldom_are_left_out_and_counted(make_dataset, tmp_path) -> None:
    reflectance = ground(6)
    reflectance[2:10, 4] = np.nan  # two days of 2019 are left
    result = run(SiteFeaturesParams(dataset=make_dataset(reflectance), recipe=RECIPE), tmp_path)
    found = table_of(result, tmp_path)
    assert result.left_out == {"seen less than 3 times": 1}
    assert ("S04", 2019) not in set(zip(found["site_id"].to_pylist(), found["year"].to_pylist(), strict=True))
    assert found.num_rows == 11


def mixed(make_dataset):
    return (
        {"dataset": make_dataset(source=["maja"] * 12 + ["esa"] * 8)},
        "bad_dataset",
        "2020 are of the sources esa, maja",
    )


def unknown(make_dataset):
    return {"dataset": make_dataset(source=[""] * 20)}, "bad_dataset", "not known"


def bandless(make_dataset):
    return {"dataset": make_dataset(bands=("coastal", *TEN_BANDS[1:]))}, "unknown_band", "blue"


def flat(make_dataset):
    recipe = RECIPE.model_copy(update={"sets": ("terrain",)})
    return {"dataset": make_dataset(), "recipe": recipe}, "bad_config", "no terrain"


def unseen(make_dataset):
    return {"dataset": make_dataset(np.full_like(ground(2), np.nan))}, "no_valid_pixels", "seen less than 3 times"


@pytest.mark.parametrize("case", [mixed, unknown, bandless, flat, unseen])
def test_refusals_name_the_values(case, make_dataset, tmp_path) -> None:
    given, code, reason = case(make_dataset)
    with pytest.raises(StepError, match=reason) as caught:
        run(SiteFeaturesParams(**({"recipe": RECIPE} | given)), tmp_path)
    assert caught.value.code == code
    assert not list(tmp_path.glob("*.parquet"))
