"""A fire that is known cell by cell: what the step finds of it, and every refusal."""

import csv
import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.features import geometry_mask

from containers.base.contract.step import StepError
from containers.base.grid import transform_of
from containers.gdal import burn
from containers.gdal.contract.burn import BurnParams, BurnRules
from containers.gdal.perimeters import outlines
from tests.containers.gdal.two_dates import FOREST, GRID, NODATA, scar_of, two_dates

DNBR = (3200 - 600) / 3800 - (1000 - 1800) / 2800
RBR = DNBR / ((3200 - 600) / 3800 + 1.001)


@pytest.fixture
def mapped(raster_store):
    """Run the step over two dates; the result, and its folder."""

    def run(dates=None, **rules):
        dates = dates or two_dates()
        out = raster_store.folder("gdal.burn")
        params = BurnParams(**dates.stored(raster_store), grid=dates.grid, rules=BurnRules(**rules), period="2020")
        return burn.run(params, out), out

    return run


def refused(mapped, *args, **rules) -> StepError:
    with pytest.raises(StepError) as raised:
        mapped(*args, **rules)
    return raised.value


def rows_of(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_cells_by_hand(mapped, raster_store) -> None:
    result, out = mapped(median_px=1)
    np.testing.assert_array_equal(raster_store.read(result.burned, out), scar_of())
    severity = raster_store.read(result.severity, out)
    assert {result.names[code] for code in severity[scar_of()]} == {"high"}
    assert {result.names[code] for code in severity[~scar_of()]} == {"unburned"}
    by_hand = {"nbr_before": 2600 / 3800, "nbr_after": -800 / 2800, "dnbr": DNBR, "rbr": RBR, "ndvi_after": 0.2}
    for name, value in by_hand.items():
        index = raster_store.read(result.indices[name], out)
        np.testing.assert_allclose(index[scar_of()], value, rtol=1e-4)
    assert set(result.indices) == {
        "rbr", *(f"{name}_{date}" for name in ("ndvi", "evi", "msavi", "bai", "nbr") for date in ("before", "after")),
        *(f"d{name}" for name in ("ndvi", "evi", "msavi", "bai", "nbr")),
    }  # fmt: skip


def test_tables_by_hand(mapped) -> None:
    result, out = mapped(median_px=1)
    areas = {row["name"]: row for row in rows_of(out / result.areas.href)}
    cells = int(scar_of().sum())
    assert cells == 384 + 16 + 1
    assert areas["high"] == {
        "class": "7", "name": "high", "cells": str(cells), "area_ha": "16.04", "share": f"{cells / 3000:.6f}",
    }  # fmt: skip
    assert sum(int(row["cells"]) for row in areas.values()) == 3000
    assert rows_of(out / result.counts.href) == [
        {"region_id": "ALL", "region_name": "all", "period": "2020", "indicator": "burned", "cells": str(cells),
         "unknown_cells": "0", "total_cells": "3000"}
    ]  # fmt: skip


def test_rasters_say_what_they_are(mapped) -> None:
    result, out = mapped()
    with rasterio.open(out / result.severity.href) as raster:
        assert (raster.nodata, raster.dtypes[0]) == (0, "uint8")
        assert raster.tags()["CLASS_7"] == "high"
        assert raster.colormap(1)[7] == (0x67, 0, 0x0D, 255)
        assert raster.crs.to_epsg() == 32633
    with rasterio.open(out / result.burned.href) as raster:
        assert raster.nodata == 255
    with rasterio.open(out / result.indices["dnbr"].href) as raster:
        assert np.isnan(raster.nodata)
        assert raster.dtypes[0] == "float32"
    assert result.colours[7] == "#67000D"


def test_perimeters_keep_holes_and_leave_small_ones_out(mapped) -> None:
    result, out = mapped(median_px=1, min_area_ha=0.5)
    frame = gpd.read_file(out / result.perimeters.href, layer="perimeters")
    assert frame.crs.to_epsg() == 32633
    assert frame.area_ha.tolist() == [384 * 0.04, 16 * 0.04]
    np.testing.assert_allclose(frame.mean_dnbr, DNBR, atol=1e-4)
    west, north = GRID.west_m, GRID.north_m
    square = shapely.box(west + 200, north - 600, west + 600, north - 200)
    hole = shapely.box(west + 360, north - 440, west + 440, north - 360)
    assert frame.geometry[0].equals(square.difference(hole))
    assert frame.geometry.is_valid.all()
    all_of_them, out = mapped(median_px=1, min_area_ha=0)
    assert gpd.read_file(out / all_of_them.perimeters.href).area_ha.tolist() == [15.36, 0.64, 0.04]


def test_the_sieve_before_the_outlines_changes_nothing() -> None:
    """Random speckle: as if all outlines were made and small ones left out afterwards."""
    burned = (np.random.default_rng(4).random((80, 70)) < 0.55).astype(np.uint8)
    grid = GRID.model_copy(update={"width": 70, "height": 80})
    everything = outlines(burned, grid, 0).polygons
    assert len(everything) > 100
    for least in (0.08, 0.2, 1.0):
        kept = [polygon for polygon in everything if polygon.area / 10_000 >= least - 1e-9]
        assert outlines(burned, grid, least).polygons == kept


def test_outlines_are_the_cells_again() -> None:
    burned = (np.random.default_rng(9).random(GRID.shape) < 0.5).astype(np.uint8)
    found = outlines(burned, GRID, 0).polygons
    assert all(polygon.is_valid for polygon in found)
    assert sum(polygon.area for polygon in found) == burned.sum() * 400
    np.testing.assert_array_equal(geometry_mask(found, GRID.shape, transform_of(GRID), invert=True), burned)


def test_means_of_perimeters_across_blocks_leave_unknown_cells_out(mapped) -> None:
    grid = GRID.model_copy(update={"height": 300})
    scar = np.zeros(grid.shape, bool)
    scar[240:280, 5:10] = True
    dates = two_dates(scar, grid)
    dates.after["swir22"][270:280, 5:10] = 2400
    result, out = mapped(dates, median_px=1)
    frame = gpd.read_file(out / result.perimeters.href)
    stronger = 2600 / 3800 - (1000 - 2400) / 3400
    assert frame.mean_dnbr.tolist() == pytest.approx([(3 * DNBR + stronger) / 4], abs=1e-4)


@pytest.mark.parametrize("date", ["before", "after"])
@pytest.mark.parametrize("band", ["nir08", "swir22"])
def test_nodata_in_a_needed_band_is_unknown_never_unburned(date, band, mapped, raster_store) -> None:
    dates = two_dates()
    getattr(dates, date)[band][12:16, :] = NODATA
    result, out = mapped(dates)
    assert (raster_store.read(result.burned, out)[12:16] == 255).all()
    assert (raster_store.read(result.severity, out)[12:16] == 0).all()
    assert rows_of(out / result.counts.href)[0]["unknown_cells"] == str(4 * 60)
    assert rows_of(out / result.areas.href)[0]["name"] == "unknown"
    assert np.isnan(raster_store.read(result.indices["dnbr_median"], out)[12:16]).all()


def test_hidden_ground_is_unknown_under_cloud_cirrus_and_shadow_only(mapped, raster_store) -> None:
    sky = np.full(GRID.shape, 1, np.uint8)
    sky[:, 0:4] = (2, 3, 4, 5)
    sky[0] = 0
    images = two_dates().stored(raster_store)
    hidden = images["after"].model_copy(update={"sky": raster_store.cog(sky, GRID, nodata=0)})
    out = raster_store.folder("gdal.burn")
    result = burn.run(BurnParams(before=images["before"], after=hidden, grid=GRID), out)
    np.testing.assert_array_equal(raster_store.read(result.burned, out) == 255, np.isin(sky, (2, 3, 4)))


def test_nodata_in_another_band_spoils_that_index_only(mapped, raster_store) -> None:
    dates = two_dates()
    dates.after["blue"][:] = NODATA
    result, out = mapped(dates)
    assert np.isnan(raster_store.read(result.indices["evi_after"], out)).all()
    assert not (raster_store.read(result.burned, out) == 255).any()


def test_the_median_takes_single_cells_out_and_the_raw_difference_stays(mapped, raster_store) -> None:
    result, out = mapped(median_px=3)
    burned = raster_store.read(result.burned, out)
    assert burned[45, 50] == 0
    assert burned[20, 12] == 1
    assert raster_store.read(result.indices["dnbr"], out)[45, 50] == pytest.approx(DNBR, rel=1e-4)


def test_blocks_of_rows_do_not_matter(mapped, raster_store) -> None:
    """A window that is higher than one block, against the same cells in the middle of one block."""
    high = GRID.model_copy(update={"height": 300, "width": 40})
    scar = np.random.default_rng(2).random(high.shape) < 0.5
    whole, out = mapped(two_dates(scar, high), median_px=5)
    part_grid = high.model_copy(update={"height": 200, "north_m": high.north_m - 100 * 20})
    part, part_out = mapped(two_dates(scar[100:], part_grid), median_px=5)
    expected = raster_store.read(part.severity, part_out)[2:]
    np.testing.assert_array_equal(raster_store.read(whole.severity, out)[102:], expected)


def test_equal_images_give_equal_files(mapped) -> None:
    (first, _), (again, _) = mapped(), mapped()
    assert first == again


@pytest.mark.parametrize(("index", "value"), [("rbr", RBR), ("dndvi", 2700 / 3300 - 300 / 1500)])
def test_other_indices_tell_severity_as_well(index, value, mapped, raster_store) -> None:
    result, out = mapped(index=index, median_px=1)
    np.testing.assert_array_equal(raster_store.read(result.burned, out), scar_of())
    means = gpd.read_file(out / result.perimeters.href)[f"mean_{index}"]
    assert means.tolist() == pytest.approx([value] * 2, abs=1e-4)


def test_burned_from_moves_what_counts_as_burned(mapped, raster_store) -> None:
    dates = two_dates()
    dates.after["swir22"] = np.where(scar_of(), 900, FOREST["swir22"]).astype(np.int16)
    dates.after["nir08"] = np.where(scar_of(), 2200, FOREST["nir08"]).astype(np.int16)
    weak, out = mapped(dates, median_px=1)
    assert 0.1 <= raster_store.read(weak.indices["dnbr"], out)[20, 12] < 0.27
    assert raster_store.read(weak.burned, out).sum() == scar_of().sum()
    strict, out = mapped(dates, median_px=1, burned_from="moderate_low")
    assert raster_store.read(strict.burned, out).sum() == 0
    assert gpd.read_file(out / strict.perimeters.href).empty


def test_red_and_near_infrared_suffice_for_dndvi_and_the_rest_is_said(mapped) -> None:
    dates = two_dates()
    for bands in (dates.before, dates.after):
        for name in ("nir08", "swir22", "blue"):
            del bands[name]
    result, _ = mapped(dates, index="dndvi")
    assert [warning.code for warning in result.warnings] == ["index_left_out"] * 2
    assert {warning.reason.split()[0] for warning in result.warnings} == {"evi", "nbr"}
    error = refused(mapped, dates)
    assert error.code == "unknown_band"
    assert "dnbr needs the bands nir08, swir22" in error.reason


def test_values_outside_the_table_are_unknown_and_said(mapped, raster_store) -> None:
    table = {"classes": [{"name": "none", "low": -0.5, "high": 0.1}, {"name": "low", "low": 0.1, "high": 0.9}]}
    result, out = mapped(own_table=table, median_px=1)
    assert (raster_store.read(result.burned, out)[scar_of()] == 255).all()
    assert [warning.code for warning in result.warnings] == ["outside_table"]
    assert "13.4%" in result.warnings[0].reason


def test_images_without_a_common_cell_are_refused(mapped) -> None:
    dates = two_dates()
    dates.before["nir08"][:25] = NODATA
    dates.after["nir08"][25:] = NODATA
    assert refused(mapped, dates).code == "no_valid_pixels"


def test_another_grid_is_refused(raster_store) -> None:
    shifted = GRID.model_copy(update={"west_m": GRID.west_m + 20})
    bands = two_dates().stored(raster_store)
    with pytest.raises(StepError) as raised:
        burn.run(BurnParams(**bands, grid=shifted), raster_store.folder())
    assert raised.value.code == "grid_mismatch"


def test_an_unknown_table_is_refused(mapped) -> None:
    assert refused(mapped, table="mine").code == "bad_config"


def test_parameters_survive_their_file(raster_store) -> None:
    """Tables with bounds that JSON cannot hold would be lost between host and container."""
    table = {"classes": [{"name": "none", "low": -2, "high": 0.1}, {"name": "low", "low": 0.1, "high": 2}]}
    params = BurnParams(**two_dates().stored(raster_store), grid=GRID, rules=BurnRules(own_table=table))
    assert BurnParams.model_validate(json.loads(params.model_dump_json())) == params
