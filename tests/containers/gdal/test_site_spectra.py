"""Spectra of sites against the pixels they were read from, looked up one by one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from containers.base.contract.grid import Grid
from containers.base.contract.step import Execution, StepError
from containers.base.grid import transform_of
from containers.gdal import site_spectra
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.contract.sites import SiteSpectraParams, SiteSpectraResult
from containers.gdal.site_file import open_site_file
from containers.gdal.site_spectra import cells_of, sampled
from tests.containers.gdal.small_sites import GRID, NODATA, UNKNOWN, made_sites, made_slice, values_of

PLACES = {
    "upper_left": (700_000.0, 5_000_000.0),
    "lower_right": (700_699.9, 4_999_500.1),
    "middle": (700_123.4, 4_999_876.5),
    "same_cell": (700_129.9, 4_999_870.1),
}


def ran(store: Any, *, sites: Any, slices: Any, **options: Any) -> tuple[SiteSpectraResult, Path]:
    out = store.folder("gdal.site_spectra")
    return site_spectra.run(SiteSpectraParams(sites=sites, slices=tuple(slices), **options), out), out / "spectra.nc"


def refused(store: Any, **parts: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        ran(store, **parts)
    return caught.value


def test_values_are_those_of_the_pixels_that_hold_the_sites(raster_store) -> None:
    dates = [datetime(2020, month, 1, 10, 30, tzinfo=UTC) for month in (7, 5, 6)]
    slices = [made_slice(raster_store, values_of(date.month), acquired=date) for date in dates]
    result, path = ran(raster_store, sites=made_sites(raster_store, PLACES), slices=slices)
    assert (result.sites, result.slices, result.warnings) == (4, 3, ())
    cells = {"lower_right": (49, 69), "middle": (12, 12), "same_cell": (12, 12), "upper_left": (0, 0)}
    with open_site_file(path) as file:
        spectra, header = file.read(), file.header
    assert header.sites["site_id"].tolist() == list(cells)
    assert header.slices["time"].tolist() == [int(date.timestamp()) for date in sorted(dates)]
    assert header.bands == TEN_BANDS
    for number, month in enumerate((5, 6, 7)):
        for site, (row, col) in enumerate(cells.values()):
            expected = values_of(month)[:, row, col].astype(np.float64) / 1e4
            assert spectra.reflectance[number, site] == pytest.approx(expected, abs=1e-7)
    assert (spectra.layers == 0).all()


def test_bands_go_by_their_names_and_not_by_their_order(raster_store) -> None:
    """B8A before B8, as files sort: the bands of the file are turned round, and come out right."""
    stored = values_of(1)
    first = made_slice(raster_store, stored)
    turned = made_slice(raster_store, stored[::-1], bands=TEN_BANDS[::-1], acquired=datetime(2020, 6, 11, tzinfo=UTC))
    _, path = ran(raster_store, sites=made_sites(raster_store, PLACES), slices=[first, turned])
    with open_site_file(path) as file:
        spectra, bands = file.read(), file.header.bands
    assert bands == TEN_BANDS
    assert (spectra.reflectance[0] == spectra.reflectance[1]).all()
    assert (spectra.reflectance[:, :, bands.index("nir")] != spectra.reflectance[:, :, bands.index("nir08")]).all()


def test_outside_a_slice_is_nan_and_never_a_wrapped_index(raster_store) -> None:
    """West and north of the window an index would be −1, which numpy takes for the last column."""
    places = {
        "west": (699_999.9, 4_999_900.0),
        "north": (700_100.0, 5_000_000.1),
        "east": (700_700.0, 4_999_900.0),
        "south": (700_100.0, 4_999_500.0),
        "inside": (700_100.0, 4_999_900.0),
    }
    result, path = ran(
        raster_store, sites=made_sites(raster_store, places), slices=[made_slice(raster_store, values_of(2))]
    )
    with open_site_file(path) as file:
        spectra, names = file.read(0), file.header.sites["site_id"].tolist()
    outside = np.array([name != "inside" for name in names])
    assert np.isnan(spectra.reflectance[outside]).all()
    assert np.isfinite(spectra.reflectance[~outside]).all()
    assert (spectra.layers[:, outside] == -1).all()
    (warning,) = result.warnings
    assert warning.code == "sites_outside"
    assert "4 sites: east, north, south, west" in warning.reason


def test_slices_of_one_tile_may_have_different_windows(raster_store) -> None:
    small = Grid(epsg=32631, resolution_m=10, west_m=700_100, north_m=4_999_900, width=20, height=20)
    stored = values_of(3)
    whole = made_slice(raster_store, stored)
    part = made_slice(raster_store, stored[:, 10:30, 10:30], grid=small, acquired=datetime(2020, 6, 11, tzinfo=UTC))
    _, path = ran(raster_store, sites=made_sites(raster_store, PLACES), slices=[whole, part])
    with open_site_file(path) as file:
        spectra = file.read()
    seen = np.isfinite(spectra.reflectance).all(axis=2)
    assert seen.tolist() == [[True] * 4, [False, True, True, False]]
    assert (spectra.reflectance[1, 1:3] == spectra.reflectance[0, 1:3]).all()


def test_nodata_is_nan_and_layers_say_yes_no_and_not_known(raster_store) -> None:
    stored, layers = values_of(4), np.zeros((3, *GRID.shape), np.uint8)
    stored[:, 0, 0], stored[3, 12, 12], stored[0, 49, 69] = NODATA, NODATA, -30
    layers[0, 12, 12], layers[1], layers[2, 49, 69] = 1, UNKNOWN, 1
    item = made_slice(raster_store, stored, layers, unmasked=("shadow",), orbit=None, product_ids=("A", "B"))
    result, path = ran(raster_store, sites=made_sites(raster_store, PLACES), slices=[item])
    with open_site_file(path) as file:
        spectra, header = file.read(0), file.header
    known = dict(zip(header.sites["site_id"], np.isfinite(spectra.reflectance).sum(axis=1).tolist(), strict=True))
    assert known == {"lower_right": 10, "middle": 9, "same_cell": 9, "upper_left": 0}
    assert spectra.reflectance[0, 0] == pytest.approx(-0.003)
    assert spectra.layers.tolist() == [[0, 1, 1, 0], [-1] * 4, [1, 0, 0, 0]]
    row = header.slices.iloc[0]
    assert (row["product_id"], row["orbit"], row["unmasked"]) == ("A B", 0, "shadow")
    assert row["mask_share"] == 1
    assert [warning.code for warning in result.warnings] == ["sites_without_data"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_sampling_equals_looking_up_each_cell(data) -> None:
    height, width = data.draw(st.integers(1, 70)), data.draw(st.integers(1, 70))
    grid = Grid(epsg=32631, resolution_m=10, west_m=0, north_m=10 * height, width=width, height=height)
    metres = st.floats(-50, 750, allow_nan=False)
    places = data.draw(st.lists(st.tuples(metres, metres), min_size=1, max_size=40))
    x_m, y_m = np.array(places).T
    cells = cells_of(x_m, y_m, grid)
    stored = values_of(5, grid, ("red", "nir"))
    with rasterio.MemoryFile() as memory:
        profile = {"driver": "GTiff", "width": width, "height": height, "count": 2, "dtype": "int16"}
        profile["transform"] = transform_of(grid)
        with memory.open(**profile, tiled=True, blockxsize=16, blockysize=32) as sink:
            sink.write(stored)
        with memory.open() as source:
            found = sampled(source, [1, 2], cells, NODATA)
    for site, (x, y) in enumerate(places):
        col, row = int(np.floor(x / 10)), int(np.floor((10 * height - y) / 10))
        is_inside = 0 <= row < height and 0 <= col < width
        assert found[site].tolist() == (stored[:, row, col].tolist() if is_inside else [NODATA, NODATA])


def test_the_same_slices_give_the_same_bytes_whatever_their_order_and_the_threads(raster_store) -> None:
    sites = made_sites(raster_store, PLACES)
    dates = [datetime(2020, 6, day, 10, 30, tzinfo=UTC) for day in range(1, 9)]
    slices = [made_slice(raster_store, values_of(date.day), acquired=date) for date in dates]
    first, _ = ran(raster_store, sites=sites, slices=slices, execution=Execution(threads=1))
    second, _ = ran(raster_store, sites=sites, slices=slices[::-1], execution=Execution(threads=4))
    assert first.dataset.content_id == second.dataset.content_id


def test_slices_of_two_tiles_are_refused_before_anything_is_read(raster_store) -> None:
    slices = [made_slice(raster_store, values_of(1), tile=tile) for tile in ("31TGK", "31TGL")]
    with pytest.raises(ValidationError, match="31TGK, 31TGL"):
        SiteSpectraParams(sites=made_sites(raster_store, PLACES), slices=tuple(slices))


def test_a_tile_without_sites_is_told_with_those_that_have_some(raster_store) -> None:
    item = made_slice(raster_store, values_of(1), tile="31TFJ")
    error = refused(raster_store, sites=made_sites(raster_store, PLACES), slices=[item])
    assert error.code == "no_common_tile"
    assert "31TGK" in error.reason


def test_a_tile_of_another_zone_is_refused(raster_store) -> None:
    sites = made_sites(raster_store, PLACES, epsg=32632)
    error = refused(raster_store, sites=sites, slices=[made_slice(raster_store, values_of(1))])
    assert error.code == "grid_mismatch"
    assert "EPSG:32631 and EPSG:32632" in error.reason


def test_a_slice_that_lies_elsewhere_than_it_says_is_refused(raster_store) -> None:
    item = made_slice(raster_store, values_of(1))
    moved = item.model_copy(update={"grid": GRID.model_copy(update={"west_m": 700_010.0})})
    assert refused(raster_store, sites=made_sites(raster_store, PLACES), slices=[moved]).code == "grid_mismatch"


def test_slices_with_other_bands_are_refused(raster_store) -> None:
    nine = TEN_BANDS[:9]
    slices = [
        made_slice(raster_store, values_of(1)),
        made_slice(raster_store, values_of(1, bands=nine), bands=nine, acquired=datetime(2020, 6, 2, tzinfo=UTC)),
    ]
    error = refused(raster_store, sites=made_sites(raster_store, PLACES), slices=slices)
    assert error.code == "unknown_band"
    assert "swir22" in error.reason
    unnamed = made_slice(raster_store, values_of(1), bands=tuple("abcdefghij"))
    assert refused(raster_store, sites=made_sites(raster_store, PLACES), slices=[unnamed]).code == "unknown_band"


def test_columns_of_the_survey_come_along_and_other_tiles_do_not(raster_store) -> None:
    columns = {
        "tile": ["31TGK", "31TGL", "31TGK", "31TGK"],
        "class_code": ["NA", "SUB", "", "ALP"],
        "group": [None, "B", "C", "D"],
        "polygon_id": ["", "", "P1", "P1"],
    }
    sites = made_sites(raster_store, PLACES, **columns)
    _, path = ran(raster_store, sites=sites, slices=[made_slice(raster_store, values_of(1))])
    with open_site_file(path) as file:
        table = file.header.sites.set_index("site_id")
    assert table["class_code"].to_dict() == {"middle": "", "same_cell": "ALP", "upper_left": "NA"}
    assert table["group"].to_dict() == {"middle": "C", "same_cell": "D", "upper_left": ""}
    assert table["polygon_id"].to_dict() == {"middle": "P1", "same_cell": "P1", "upper_left": ""}
    assert (table["lon"].between(5.5, 5.6) & table["lat"].between(45.1, 45.2)).all()


@pytest.mark.parametrize(
    ("columns", "word"), [({"site_id": ["a", "b", "a", "c"]}, "1 site: a"), ({"class_code": None}, "class_code")]
)
def test_sites_with_one_name_twice_or_without_a_column_are_refused(columns, word, raster_store, tmp_path) -> None:
    sites = made_sites(raster_store, PLACES, **{name: value for name, value in columns.items() if value})
    if "class_code" in columns:
        import geopandas

        path = raster_store.root / sites.store_path
        geopandas.read_parquet(path).drop(columns="class_code").to_parquet(path)
    error = refused(raster_store, sites=sites, slices=[made_slice(raster_store, values_of(1))])
    assert error.code == "bad_sample"
    assert word in error.reason
