"""Names of DEM tiles in all quarters of the globe, and which of them the archive holds."""

from typing import Any

import pytest

from containers.base import storage
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.step import StepError
from tasks.elevation import COPDEM, area_of, stored_tiles, tile_hrefs


def corners(area: Bounds) -> list[str]:
    """Such as N48E012."""
    parts = [href.rsplit("/", 1)[-1].split("_") for href in tile_hrefs(area)]
    return [part[4] + part[6] for part in parts]


def test_the_archives_address() -> None:
    assert tile_hrefs(Bounds(12.2, 48.2, 12.4, 48.3)) == (
        "s3://eodata/auxdata/CopDEM_COG/copernicus-dem-30m/Copernicus_DSM_COG_10_N48_00_E012_00_DEM/"
        "Copernicus_DSM_COG_10_N48_00_E012_00_DEM.tif",
    )


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        (Bounds(11.9, 47.9, 12.1, 48.1), ["N47E011", "N47E012", "N48E011", "N48E012"]),
        (Bounds(-0.1, 51.4, 0.1, 51.6), ["N51W001", "N51E000"]),
        (Bounds(-70.6, -33.5, -70.5, -33.4), ["S34W071"]),
        (Bounds(147.2, -42.95, 147.3, -41.9), ["S43E147", "S42E147"]),
        (Bounds(9.9, -0.1, 10.0, 0.1), ["S01E009", "S01E010", "N00E009", "N00E010"]),
        (Bounds(179.9, -16.5, -179.9, -16.4), ["S17E179", "S17W180"]),
        (Bounds(-180.0, 65.2, -179.5, 65.3), ["N65W180"]),
    ],
)
def test_corners(area: Bounds, expected: list[str]) -> None:
    assert corners(area) == expected


def test_the_margin_asks_for_the_next_tile() -> None:
    """The grid ends 5 km south of 48° N."""
    grid = Grid(epsg=32633, resolution_m=10, west_m=330_000, north_m=5_312_000, width=500, height=500)
    assert corners(area_of(grid, 2_000)) == ["N47E012"]
    assert corners(area_of(grid, 10_000)) == ["N47E012", "N48E012"]


def test_what_is_not_there_is_sea(s3_server: Any) -> None:
    hrefs = tile_hrefs(Bounds(9.5, 54.5, 10.5, 54.6))
    key = hrefs[0].removeprefix("s3://eodata/")
    storage.client().put_object(Bucket=s3_server.bucket, Key=key, Body=b"heights")
    found = stored_tiles(hrefs)
    assert [(file.href, file.size) for file in found.files] == [(hrefs[0], 7)]
    assert found.absent == hrefs[1:]
    with pytest.raises(StepError, match=r"none of the 1 DEM tiles.*N54_00_E010") as caught:
        stored_tiles(hrefs[1:])
    assert caught.value.code == "missing_file"
    assert COPDEM.startswith("s3://eodata/")
