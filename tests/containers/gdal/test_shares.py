"""Severity by class, cell by cell, and class codes that are taken, never mixed."""

import csv
from collections import Counter

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rasterio.transform import Affine
from rasterio.warp import transform

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal import shares
from containers.gdal.contract.burn import SharesParams
from containers.gdal.terrain_classes import aspect_codes, aspect_names, slope_codes, slope_names

GRID = Grid(epsg=32633, resolution_m=20, west_m=500_000, north_m=5_300_000, width=48, height=270)
SEVERITIES = {0: "unknown", 1: "unburned", 2: "low", 3: "high"}


@pytest.mark.parametrize(
    ("degrees", "name"),
    [(0, "gentle"), (9.99, "gentle"), (10, "moderate"), (25, "steep"), (35, "very_steep"), (90, "very_steep")],
)
def test_slopes_by_hand(degrees, name) -> None:
    assert slope_names()[int(slope_codes(np.float32([degrees]))[0])] == name


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 360, width=32))
def test_aspects_are_the_nearest_of_eight_directions_north_across_zero(bearing) -> None:
    names = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
    found = aspect_names()[int(aspect_codes(np.float32([bearing]))[0])]
    if abs(bearing % 45 - 22.5) > 1e-3:
        assert found == names[round(bearing / 45) % 8]


@pytest.mark.parametrize(
    ("bearing", "name"),
    [(337.5, "north"), (337.49, "northwest"), (22.49, "north"), (22.5, "northeast"), (360, "north"), (-1, "flat")],
)
def test_aspects_by_hand(bearing, name) -> None:
    assert aspect_names()[int(aspect_codes(np.float32([bearing]))[0])] == name


def test_terrain_that_is_not_known_has_no_class() -> None:
    assert slope_codes(np.float32([np.nan, -1, 91])).tolist() == [0, 0, 0]
    assert aspect_codes(np.float32([np.nan])).tolist() == [0]


@pytest.fixture
def severity():
    return np.random.default_rng(6).integers(0, 4, GRID.shape).astype(np.uint8)


@pytest.fixture
def shared(raster_store, severity):
    def run(**layers):
        tags = {f"CLASS_{code}": name for code, name in SEVERITIES.items() if code}
        path = raster_store.folder("gdal.burn") / "severity.tif"
        stored = raster_store.file(write_cog(path, severity, GRID, nodata=0, tags=tags))
        out = raster_store.folder("gdal.shares")
        result = shares.run(SharesParams(severity=stored, grid=GRID, **layers), out)
        with (out / result.shares.href).open() as stream:
            return list(csv.DictReader(stream)), result

    return run


def slow_counts(names, severity) -> Counter:
    return Counter(zip(names.ravel().tolist(), [SEVERITIES[code] for code in severity.ravel()], strict=True))


def counted(rows, by) -> Counter:
    return Counter({(row["name"], row["severity"]): int(row["cells"]) for row in rows if row["by"] == by})


def test_terrain_equals_a_count_cell_by_cell(shared, raster_store, severity) -> None:
    rng = np.random.default_rng(7)
    slope, aspect = rng.uniform(0, 60, GRID.shape).astype(np.float32), rng.uniform(0, 360, GRID.shape).astype("f4")
    slope[:, 5], aspect[:, 6], aspect[:, 7] = np.nan, np.nan, -1
    rows, result = shared(
        slope=raster_store.cog(slope, GRID, nodata=np.nan), aspect=raster_store.cog(aspect, GRID, nodata=np.nan)
    )
    names = np.select([slope < 10, slope < 25, slope < 35, slope <= 90], list(slope_names().values()), "unknown")
    assert +counted(rows, "slope") == slow_counts(names, severity)
    flat = [row for row in rows if row["name"] == "flat"]
    assert sum(int(row["cells"]) for row in flat) == 270
    assert [warning.code for warning in result.warnings] == ["class_unknown"] * 2


def test_shares_are_of_the_cells_whose_severity_is_known(shared, raster_store, severity) -> None:
    cover = np.where(np.arange(48) < 12, 4, 9).astype(np.uint8) * np.ones(GRID.shape, np.uint8)
    rows, result = shared(land_cover=raster_store.cog(cover, GRID, nodata=0), land_cover_names={4: "pine"})
    assert result.warnings == ()
    pine = {row["severity"]: row for row in rows if row["name"] == "pine"}
    inside = severity[:, :12]
    assert float(pine["high"]["share_of_class"]) == pytest.approx((inside == 3).sum() / (inside > 0).sum(), abs=1e-6)
    assert pine["unknown"]["share_of_class"] == ""
    assert float(pine["low"]["area_ha"]) == pytest.approx((inside == 2).sum() * 0.04)
    assert {row["name"] for row in rows} == {"pine", "code 9"}
    assert {row["class"] for row in rows} == {"4", "9"}


@pytest.fixture
def foreign_cover(raster_store):
    """A class raster of 0.0003° in geographic coordinates that covers part of the grid, and its codes."""
    codes = np.random.default_rng(8).choice([3, 40, 250], (200, 60)).astype(np.int16)
    codes[20:30] = -5
    (west,), (north,) = transform("EPSG:32633", "EPSG:4326", [GRID.west_m + 101], [GRID.north_m + 500])
    place = Affine(0.0003, 0, west, 0, -0.0003, north)

    def store(**options):
        path = raster_store.folder("user") / "cover.tif"
        profile = {"width": 60, "height": 200, "count": 1, "dtype": "int16", "crs": "EPSG:4326", "transform": place}
        with rasterio.open(path, "w", driver="GTiff", **(profile | options)) as sink:
            sink.write(codes.astype((profile | options)["dtype"]), 1)
        return raster_store.file(path)

    return codes, place, store


@pytest.mark.parametrize("nodata", [None, -5])
def test_codes_of_another_crs_are_those_of_the_cell_that_holds_each_centre(
    nodata, foreign_cover, shared, severity
) -> None:
    codes, place, store = foreign_cover
    rows, result = shared(land_cover=store(nodata=nodata))
    row, column = np.indices(GRID.shape)
    x, y = GRID.west_m + (column.ravel() + 0.5) * 20, GRID.north_m - (row.ravel() + 0.5) * 20
    lon, lat = transform("EPSG:32633", "EPSG:4326", x, y)
    pixels = (np.array(lon) - place.c) / place.a, (np.array(lat) - place.f) / place.e
    source = [np.floor(values).astype(int) for values in pixels]
    inside = (source[0] >= 0) & (source[0] < 60) & (source[1] >= 0) & (source[1] < 200)
    taken = codes[np.where(inside, source[1], 0), np.where(inside, source[0], 0)]
    known = inside & (taken != nodata)
    names = np.array([f"code {code}" if ok else "unknown" for code, ok in zip(taken, known, strict=True)])
    expected = slow_counts(names, severity)
    found = counted(rows, "land_cover")
    differing = sum(abs(found[key] - expected[key]) for key in expected | found) / 2
    assert differing <= 0.01 * severity.size, "a centre within a sixteenth of a pixel of an edge may fall beyond"
    assert {name for name, _ in +found} == {name for name, _ in expected}, "a code that the source lacks, or a loss"
    assert [warning.code for warning in result.warnings] == ["class_unknown"]


def test_a_cover_that_is_elsewhere_is_unknown(foreign_cover, shared) -> None:
    _, place, store = foreign_cover
    rows, _ = shared(land_cover=store(transform=Affine(0.0003, 0, place.c + 3, 0, -0.0003, place.f)))
    assert {row["name"] for row in rows} == {"unknown"}


@pytest.mark.parametrize(
    ("options", "words"), [({"dtype": "float32"}, "holds float32"), ({"crs": None}, "no coordinate reference system")]
)
def test_rasters_that_are_no_classes_are_refused(options, words, foreign_cover, shared) -> None:
    _, _, store = foreign_cover
    with pytest.raises(StepError) as raised:
        shared(land_cover=store(**options))
    assert raised.value.code == "bad_labels"
    assert words in raised.value.reason


def test_terrain_of_another_grid_is_refused(shared, raster_store) -> None:
    other = GRID.model_copy(update={"width": 47})
    with pytest.raises(StepError) as raised:
        shared(slope=raster_store.cog(np.zeros(other.shape, np.float32), other, nodata=np.nan))
    assert raised.value.code == "grid_mismatch"


def test_a_severity_raster_without_legend_is_refused(raster_store, severity) -> None:
    plain = raster_store.cog(severity, GRID, nodata=0)
    with pytest.raises(StepError) as raised:
        shares.run(SharesParams(severity=plain, grid=GRID, slope=plain), raster_store.folder())
    assert raised.value.code == "bad_labels"


def test_there_must_be_something_to_tell_apart_by(raster_store, severity) -> None:
    with pytest.raises(ValidationError, match="nothing to tell severity apart by"):
        SharesParams(severity=raster_store.cog(severity, GRID, nodata=0), grid=GRID)
