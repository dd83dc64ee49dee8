"""NUTS 2024 polygons over a real Sentinel-2 band: both engines against independent computations."""

import csv
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from rasterio.features import geometry_mask

from containers.base.contract.files import File, output_file
from containers.base.grid import grid_of, transform_of
from containers.base.raster import open_raster, write_cog
from containers.grass.contract.zonal import ZonalLayer, ZonalParams
from containers.grass.zonal import run

SAMPLE_DATA = Path(os.environ.get("SAMPLE_DATA", Path(__file__).parents[2] / "../shared/data"))
NUTS = SAMPLE_DATA / "nuts-gisco-2024"
SCENE = SAMPLE_DATA / "eodag/tests/resources/products"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (NUTS.is_dir() and SCENE.is_dir()), reason=f"no sample data in {SAMPLE_DATA}"),
]


@pytest.fixture(scope="module")
def nuts_over_band(tmp_path_factory):
    """The dark half of the B01 band as an indicator, its zeros as unknown, and every NUTS level in one file."""
    store = tmp_path_factory.mktemp("nuts")
    with open_raster(next(SCENE.rglob("*_B01.jp2"))) as band:
        grid, values = grid_of(band), band.read(1)
    dark = (values < np.median(values[values > 0])).astype("uint8")
    indicator = np.where(values == 0, 255, dark).astype("uint8")
    write_cog(store / "dark.tif", indicator, grid, nodata=255)
    nuts = gpd.read_file(next(NUTS.rglob("*.shp")))
    nuts.to_file(store / "nuts.gpkg", driver="GPKG")
    return store, grid, indicator, nuts.to_crs(grid.epsg).set_index("NUTS_ID")


def counts_by(engine, store, out) -> dict[str, tuple[float, ...]]:
    def stored(name: str) -> File:
        return output_file(store / name).model_copy(update={"href": f"store:{name}"})

    layer = ZonalLayer(indicator="dark", period="2018", raster=stored("dark.tif"))
    params = ZonalParams(
        layers=(layer,),
        regions=stored("nuts.gpkg"),
        region_id_field="NUTS_ID",
        region_name_field="NAME_LATN",
        engine=engine,
    )
    with (out / run(params, out).counts.href).open() as stream:
        return {
            row["region_id"]: tuple(float(row[column]) for column in ("cells", "unknown_cells", "total_cells"))
            for row in csv.DictReader(stream)
        }


def test_real_regions_equal_the_cell_centre_rule_and_come_near_exact_cover(
    nuts_over_band, tmp_path, monkeypatch, record_property
):
    store, grid, indicator, nuts = nuts_over_band
    monkeypatch.setenv("CLEARGROUND_STORE", str(store))
    by_centre = counts_by("grass", store, tmp_path)
    assert set(nuts.loc[list(by_centre.keys() - {"ALL"}), "LEVL_CODE"]) == {0, 1, 2, 3}
    for region, counted in by_centre.items():
        inside = indicator
        if region != "ALL":
            shape = nuts.geometry[region]
            inside = indicator[geometry_mask([shape], grid.shape, transform_of(grid), invert=True)]
        assert counted == (np.count_nonzero(inside == 1), np.count_nonzero(inside == 255), inside.size), region

    by_cover = counts_by("exactextract", store, tmp_path)
    assert by_cover.keys() == by_centre.keys()
    apart = {region: abs(by_cover[region][0] - cells) for region, (cells, *_) in by_centre.items()}
    worst = max(apart, key=lambda region: apart[region] / max(1, by_centre[region][0]))
    report = (
        f"{len(apart) - 1} regions; largest difference {apart[worst]:.1f} of {by_centre[worst][0]:.0f} cells ({worst})"
    )
    record_property("centre against exact cover", report)
    print(report)
    for region, (cells, *_) in by_centre.items():
        assert apart[region] <= 0.02 * cells + 20
