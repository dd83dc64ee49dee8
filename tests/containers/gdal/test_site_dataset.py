"""Parts joined: the same values in one file and one table, contradictions refused, doubts told."""

import csv
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.gdal import site_dataset
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.contract.sites import SiteDatasetParams, SiteDatasetResult
from containers.gdal.site_file import Header, Spectra, open_site_file
from containers.gdal.spectrum_rules import alike, drops, suspicions
from tests.containers.gdal.small_sites import made_dataset

GRASS = np.array([0.03, 0.06, 0.04, 0.1, 0.3, 0.36, 0.38, 0.4, 0.2, 0.1], np.float32)
"""A spectrum of vegetation in the order of the ten bands: NDVI 0.81, nir08 above nir."""
DAY = 86_400


class Joined:
    """A run and what it left."""

    def __init__(self, store: Any, *parts: File, **options: Any) -> None:
        self.out = store.folder("gdal.site_dataset")
        self.result: SiteDatasetResult = site_dataset.run(SiteDatasetParams(parts=parts, **options), self.out)
        with open_site_file(self.out / "dataset.nc") as file:
            self.header: Header = file.header
            self.spectra: Spectra = file.read()
        self.file = store.adopt(self.result.dataset, self.out)

    def report(self, name: str) -> list[dict[str, str]]:
        with (self.out / f"{name}.csv").open() as stream:
            return list(csv.DictReader(stream))

    @property
    def codes(self) -> list[str]:
        return [warning.code for warning in self.result.warnings]


def grass(n_times: int, n_sites: int, seed: int = 0) -> Any:
    """Spectra that differ a little from each other."""
    return GRASS + np.random.default_rng(seed).uniform(0, 0.005, (n_times, n_sites, 10)).astype(np.float32)


def refused(store: Any, *parts: File) -> str:
    with pytest.raises(StepError) as caught:
        Joined(store, *parts)
    assert caught.value.code == "bad_dataset"
    return caught.value.reason


def tile(name: str, n_sites: int, **slices: Any) -> dict[str, Any]:
    """Columns of a tile whose sites are named after it."""
    ids = [f"{name}_{number}" for number in range(n_sites)]
    return {"sites": {"site_id": ids, "tile_of_site": name}, "slices": {"tile": name} | slices}


def test_one_part_comes_out_as_it_went_in(raster_store) -> None:
    part = made_dataset(raster_store, grass(4, 3))
    assert Joined(raster_store, part).result.dataset.content_id == part.content_id


def test_tiles_share_one_site_dimension_and_their_slices_are_sorted_by_time(raster_store) -> None:
    east, west = grass(2, 2, 1), grass(3, 1, 2)
    first = made_dataset(raster_store, east, **tile("31TGL", 2))
    second = made_dataset(raster_store, west, **tile("31TGK", 1))
    joined = Joined(raster_store, first, second)
    assert joined.header.sites["site_id"].tolist() == ["31TGK_0", "31TGL_0", "31TGL_1"]
    assert joined.header.slices["tile"].tolist() == ["31TGK", "31TGL", "31TGK", "31TGL", "31TGK"]
    assert joined.header.slices["time"].is_monotonic_increasing
    reflectance, layers = joined.spectra
    assert (reflectance[0::2, :1] == west).all()
    assert (reflectance[1::2, 1:] == east).all()
    assert np.isnan(reflectance[0::2, 1:]).all()
    assert (layers[:, 0::2, 1:] == -1).all()
    assert np.array_equal(joined.header.slices["mask_share"], [0] * 5)


def test_a_new_year_leaves_the_old_ones_as_they_were(raster_store) -> None:
    years = [
        made_dataset(
            raster_store,
            grass(3, 2, year),
            slices={"time": DAY * (365 * year + 18_000 + np.arange(3)), "product_id": f"P{year}"},
        )
        for year in range(3)
    ]
    old, new = Joined(raster_store, *years[:2]), Joined(raster_store, *years)
    assert new.header.slices[:6].equals(old.header.slices)
    assert (new.spectra.reflectance[:6] == old.spectra.reflectance).all()
    assert (new.spectra.layers[:, :6] == old.spectra.layers).all()
    step_by_step = Joined(raster_store, old.file, years[2])
    backwards = Joined(raster_store, *years[::-1])
    assert step_by_step.result.dataset.content_id == new.result.dataset.content_id
    assert backwards.result.dataset.content_id == new.result.dataset.content_id
    assert backwards.result.table.content_id == new.result.table.content_id


def test_the_same_name_is_the_same_site_and_parts_complete_each_other(raster_store) -> None:
    known = {"site_id": ["a", "b"], "class_code": ["NAR", ""], "lon": [6.1, np.nan], "epsg": [32631, 0]}
    also = {"site_id": ["b", "c"], "class_code": ["SUB", "NA"], "lon": [6.2, np.nan], "x_m": [1_000.004, 2_000.0]}
    first = made_dataset(raster_store, grass(1, 2), sites=known)
    second = made_dataset(raster_store, grass(1, 2), sites=also, slices={"time": [DAY * 19_000]})
    sites = Joined(raster_store, first, second).header.sites.set_index("site_id")
    assert sites["class_code"].to_dict() == {"a": "NAR", "b": "SUB", "c": "NA"}
    assert sites["epsg"].to_dict() == {"a": 32631, "b": 0, "c": 0}
    assert sites["lon"].tolist() == pytest.approx([6.1, 6.2, np.nan], nan_ok=True)


def test_contradictions_are_refused_with_a_list(raster_store) -> None:
    first = made_dataset(raster_store, grass(1, 3), sites={"class_code": ["NAR", "SUB", "NA"]})
    second = made_dataset(
        raster_store, grass(1, 3), sites={"class_code": ["NAR", "ALP", ""], "x_m": [0.0, 1_000.0, 9.0]}
    )
    reason = refused(raster_store, first, second)
    assert "2 sites" in reason
    assert "s1: class_code SUB, ALP" in reason
    assert "s2: x_m 2000.0, 9.0" in reason
    assert "s0" not in reason


def test_different_bands_are_refused_and_another_order_is_not(raster_store) -> None:
    values = grass(1, 2)
    part = made_dataset(raster_store, values)
    turned = made_dataset(raster_store, values[:, :, ::-1], bands=TEN_BANDS[::-1], slices={"time": [DAY * 19_000]})
    joined = Joined(raster_store, part, turned)
    assert (joined.spectra.reflectance[0] == joined.spectra.reflectance[1]).all()
    fewer = made_dataset(raster_store, values[:, :, :9], bands=TEN_BANDS[:9])
    assert "swir22" in refused(raster_store, part, fewer)


def twins(store: Any, second: dict[str, Any], shown: Any = slice(None)) -> tuple[File, File]:
    """Two parts with a slice of one tile on one day; of the first, one of four sites is cloudy."""
    layers = np.zeros((3, 1, 4), np.int8)
    layers[0, 0, 0] = 1
    first = made_dataset(store, grass(1, 4), layers=layers, slices={"product_id": ["A"]})
    values = np.full((1, 4, 10), np.nan, np.float32)
    values[:, shown] = grass(1, 4, 1)[:, shown]
    return first, made_dataset(store, values, slices={"product_id": ["B"]} | second)


def products(joined: Joined) -> list[str]:
    return joined.header.slices["product_id"].tolist()


def test_of_one_tile_and_day_the_clearest_stays(raster_store) -> None:
    joined = Joined(raster_store, *twins(raster_store, {}))
    assert products(joined) == ["B"]
    (row,) = joined.report("duplicates")
    assert (row["product_id"], row["clearer_product_id"], row["common_sites"], row["done"]) == (
        "A",
        "B",
        "4",
        "dropped",
    )
    assert (row["mask_share"], row["clearer_mask_share"]) == ("0.2500", "0.0000")
    assert "duplicate_dates" in joined.codes


def test_a_sliver_without_clouds_is_not_the_clearest(raster_store) -> None:
    """It shows one site of four: the share counts sites without a value, too."""
    assert products(Joined(raster_store, *twins(raster_store, {}, shown=slice(1, 2)))) == ["A"]


def test_a_slice_without_masks_loses_against_one_with_masks(raster_store) -> None:
    assert products(Joined(raster_store, *twins(raster_store, {"unmasked": "cloud shadow"}))) == ["A"]


def test_all_are_kept_where_the_user_wants_it_but_no_product_twice(raster_store) -> None:
    first, second = twins(raster_store, {})
    joined = Joined(raster_store, first, second, duplicate_dates="all")
    assert products(joined) == ["A", "B"]
    assert [row["done"] for row in joined.report("duplicates")] == ["kept"]
    assert products(Joined(raster_store, first, first, duplicate_dates="all")) == ["A"]


def test_other_days_other_tiles_and_other_sites_are_no_duplicates(raster_store) -> None:
    for facts in ({"time": [18_384 * DAY]}, {"tile": "31TGL"}):
        joined = Joined(raster_store, *twins(raster_store, facts))
        assert sorted(products(joined)) == ["A", "B"]
        assert joined.report("duplicates") == []
    halves = [made_dataset(raster_store, grass(1, 2), sites={"site_id": ids}) for ids in (["a", "b"], ["c", "d"])]
    assert len(Joined(raster_store, *halves).header.slices) == 2


def test_the_table_has_a_row_for_every_value(raster_store) -> None:
    values = grass(3, 2)
    values[0, 1], values[1, 0, 4] = np.nan, np.nan
    layers = np.zeros((3, 3, 2), np.int8)
    layers[2, 2, 1] = 1
    sites = {"class_code": ["NA", ""], "group": ["A", "B"]}
    joined = Joined(raster_store, made_dataset(raster_store, values, layers=layers, sites=sites))
    table = pd.read_parquet(joined.out / "dataset.parquet")
    assert len(table) == np.isfinite(values).sum() == 49
    assert not table.duplicated(["site_id", "time", "band"]).any()
    times, bands = joined.header.slices["time"].tolist(), list(TEN_BANDS)
    for row in table.itertuples():
        time, site, band = times.index(int(row.time.timestamp())), int(row.site_id[1:]), bands.index(row.band)
        assert row.reflectance == values[time, site, band]
        assert (row.class_code, row.group) == (("NA", "A"), ("", "B"))[site]
        assert (row.cloud, row.shadow, row.snow) == tuple(layers[:, time, site])
        assert (row.product_id, row.tile, row.source, row.simulated) == (f"P{time}", "31TGK", "esa", False)


def test_observations_are_counted_per_site_and_month(raster_store) -> None:
    """Slices of 1, 11, 21 and 31 May and 10 June."""
    values = grass(5, 2)
    values[0, 0], values[1, 1, 3] = np.nan, np.nan
    layers = np.zeros((3, 5, 2), np.int8)
    layers[1, 4, 0] = 1
    joined = Joined(raster_store, made_dataset(raster_store, values, layers=layers))
    rows = {(row["site_id"], row["month"]): (row["slices"], row["usable"]) for row in joined.report("observations")}
    assert rows == {
        ("s0", "2020-05"): ("3", "3"),
        ("s0", "2020-06"): ("1", "0"),
        ("s1", "2020-05"): ("4", "3"),
        ("s1", "2020-06"): ("1", "1"),
    }
    (row,) = joined.report("classes")
    assert (row["class_code"], row["sites"], row["usable_spectra"]) == ("NAR", "2", "7")
    assert [row["sites_usable"] for row in joined.report("slices")] == ["1", "1", "2", "2", "1"]


def test_gaps_of_the_season_are_told_from_date_to_date(raster_store) -> None:
    """s0 is not seen between 1 May and 30 June, s1 not after 21 May; winter is no gap."""
    values = grass(7, 3)
    values[1:6, 0], values[3:, 1] = np.nan, np.nan
    days = [
        pd.Timestamp(day)
        for day in ("2020-01-10", "2020-05-01", "2020-05-21", "2020-06-10", "2020-06-20", "2020-06-25", "2020-06-30")
    ]
    values[1, 0] = GRASS
    times = np.array([int(day.timestamp()) for day in days])
    joined = Joined(raster_store, made_dataset(raster_store, values, slices={"time": times}), max_gap_days=39)
    rows = [(row["site_id"], row["first"], row["last"], row["days"]) for row in joined.report("gaps")]
    assert rows == [("s0", "2020-05-01", "2020-06-30", "60"), ("s1", "2020-05-21", "2020-06-30", "40")]


def spectrum(**bands: float) -> Any:
    changed = GRASS.copy()
    for name, value in bands.items():
        changed[TEN_BANDS.index(name)] = value
    return changed


@pytest.mark.parametrize(
    ("rule", "values", "value"),
    [
        ("bright_blue", spectrum(blue=0.31), 0.31),
        ("above_one", spectrum(swir16=1.02), 1.02),
        ("negative", spectrum(blue=-0.06), -0.06),
        ("missed_snow", spectrum(green=0.7, swir16=0.1), 0.75),
        ("band_order", spectrum(nir=0.4, nir08=0.3), 0.75),
        ("flat", np.linspace(0.2, 0.215, 10, dtype=np.float32), 0.015),
    ],
)
def test_a_spectrum_that_breaks_a_rule_is_told_with_its_value(rule, values, value) -> None:
    spectra = np.stack([GRASS, values, values + 0.0001]).astype(np.float32)
    cells = np.array([[0, 0], [5, 5], [9, 9]])
    assert list(suspicions(spectra, np.array([True, False, False]), TEN_BANDS, cells)) == []
    found = {each.rule: each for each in suspicions(spectra, np.array([True, True, False]), TEN_BANDS, cells)}
    assert found[rule].sites.tolist() == [1]
    assert found[rule].values[0] == pytest.approx(value, rel=1e-5)


def test_equal_spectra_in_different_cells_are_suspicious_in_one_cell_they_are_natural() -> None:
    spectra = np.stack([GRASS, GRASS, GRASS, GRASS * 2])
    cells = np.array([[0, 0], [0, 0], [7, 0], [8, 0]])
    assert alike(spectra, cells).tolist() == [1, 1, 2, 0]


@given(st.data())
def test_alike_equals_comparing_all_pairs(data) -> None:
    n_sites = data.draw(st.integers(1, 12))
    spectra = data.draw(arrays(np.float32, (n_sites, 2), elements=st.sampled_from([0.0, 0.5, 1.0])))
    cells = data.draw(arrays(np.int64, (n_sites, 2), elements=st.integers(0, 1)))
    expected = [
        sum((spectra[one] == spectra[other]).all() and (cells[one] != cells[other]).any() for other in range(n_sites))
        for one in range(n_sites)
    ]
    assert alike(spectra, cells).tolist() == expected


@given(st.data())
def test_drops_equal_a_search_for_the_neighbours(data) -> None:
    n_times = data.draw(st.integers(1, 9))
    ndvi = data.draw(arrays(np.float32, (n_times, 2), elements=st.floats(-1, 1, width=32)))
    usable = data.draw(arrays(bool, (n_times, 2)))
    seconds = DAY * np.cumsum(data.draw(arrays(np.int64, n_times, elements=st.integers(1, 25))))
    found = drops(np.where(usable, ndvi, np.nan), usable, seconds)
    for time, site in itertools.product(range(n_times), range(2)):
        before = [other for other in range(time) if usable[other, site]]
        after = [other for other in range(time + 1, n_times) if usable[other, site]]
        near = usable[time, site] and before and after
        near = near and max(seconds[time] - seconds[before[-1]], seconds[after[0]] - seconds[time]) <= 30 * DAY
        if near:
            assert found[time, site] == min(ndvi[before[-1], site], ndvi[after[0], site]) - ndvi[time, site]
        else:
            assert np.isnan(found[time, site])


def test_suspicious_spectra_are_listed_and_stay(raster_store) -> None:
    """A cloud that no mask tells: NDVI falls and comes back; where a mask tells it, nothing is suspicious."""
    values = grass(5, 2)
    values[2] = np.linspace(0.5, 0.45, 10, dtype=np.float32)
    layers = np.zeros((3, 5, 2), np.int8)
    layers[0, 2, 1] = 1
    joined = Joined(raster_store, made_dataset(raster_store, values, layers=layers))
    rows = [(row["site_id"], row["time"], row["rule"]) for row in joined.report("suspicious")]
    assert rows == [("s0", "2020-05-21T10:30:00Z", "bright_blue"), ("s0", "2020-05-21T10:30:00Z", "missed_cloud")]
    assert "bright_blue 1, missed_cloud 1" in joined.result.warnings[0].reason
    assert (joined.spectra.reflectance == values).all()


def test_sites_that_are_never_seen_are_told(raster_store) -> None:
    values = grass(2, 3)
    values[:, 1] = np.nan
    joined = Joined(raster_store, made_dataset(raster_store, values))
    (warning,) = joined.result.warnings
    assert warning.code == "sites_without_spectra"
    assert warning.reason.startswith("1 of 3 sites")


def test_class_na_is_a_class_and_an_empty_one_is_none(raster_store) -> None:
    sites = {"class_code": ["NA", "", "NA", "nan"]}
    joined = Joined(raster_store, made_dataset(raster_store, grass(2, 4), sites=sites))
    assert {row["class_code"]: row["sites"] for row in joined.report("classes")} == {"": "1", "NA": "2", "nan": "1"}
    assert joined.header.sites["class_code"].tolist() == sites["class_code"]


def test_figures_are_pictures_and_the_same_bytes_again(raster_store) -> None:
    part = made_dataset(raster_store, grass(4, 3), sites={"class_code": ["NA", "", "$x$"]}, slices={"simulated": 1})
    one, two = Joined(raster_store, part), Joined(raster_store, part)
    assert set(one.result.figures) == {"classes", "observations", "spectra"}
    for name in one.result.figures:
        assert (one.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert one.result == two.result


@pytest.mark.parametrize("content", [b"", b"CDF\x01", b"\x89HDF"])
def test_what_is_no_dataset_is_refused(content, raster_store) -> None:
    path: Path = raster_store.folder("user") / "part.nc"
    path.write_bytes(content)
    assert "part.nc" in refused(raster_store, raster_store.file(path))
