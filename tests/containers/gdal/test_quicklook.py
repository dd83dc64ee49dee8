"""The pictures: what is on them, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image
from shapely import box

from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.legend import LandCover
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal.contract.quicklook import Picture, QuicklookParams
from containers.gdal.map_sheet import scale_bar_km
from containers.gdal.palette import CHANGED, CLASS_COLOURS, UNKNOWN
from containers.gdal.quicklook import KINDS, Drawing, run

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=300, height=200)
LEGEND = {0: "unknown", 1: "impervious", 2: "green", 3: "other"}
Put = Callable[..., File]


@pytest.fixture
def put_raster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Write a raster into a store, and describe it."""
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path / "store"))
    folder = tmp_path / "store" / "gdal.made" / "key" / "attempt"
    folder.mkdir(parents=True)

    def put(name: str, array: NDArray[np.generic], nodata: float | None, grid: Grid = GRID, scale: float = 1.0) -> File:
        path = write_cog(folder / f"{name}.tif", array, grid, nodata=nodata, scale=scale)
        return File(
            href=f"store:gdal.made/key/attempt/{name}.tif", content_id=sha256_of(path), size=path.stat().st_size
        )

    return put


@pytest.fixture
def land_cover(put_raster: Put) -> File:
    classes = np.full(GRID.shape, 2, dtype=np.uint8)
    classes[50:100, 50:100] = 1
    classes[120:180, 200:280] = 3
    classes[:20, :40] = 0
    return put_raster("classes", classes, nodata=0)


def draw(picture: Picture, out: Path, **options: object) -> NDArray[np.uint8]:
    result = run(QuicklookParams(pictures=(picture,), **options), out)
    described = result.pictures[picture.name]
    path = out / described.href
    assert (described.size, described.content_id) == (path.stat().st_size, sha256_of(path))
    return np.asarray(Image.open(path).convert("RGB"))


def cells_of(picture: NDArray[np.uint8], colour: str) -> int:
    return int((picture == np.rint(np.array(to_rgb(colour)) * 255)).all(axis=-1).sum())


def test_classes_show_every_class_in_its_share(land_cover: File, tmp_path: Path) -> None:
    picture = Picture(name="classes", title="Land cover", kind="classes", rasters=(land_cover,), labels=LEGEND)
    drawn = draw(picture, tmp_path)
    shares = {code: cells_of(drawn, colour) / (480 * 320) for code, colour in CLASS_COLOURS.items()}
    # The scale bar lies on the green land.
    assert shares == pytest.approx({0: 800 / 60000, 1: 2500 / 60000, 2: 51900 / 60000, 3: 4800 / 60000}, abs=0.025)


def test_classes_take_colours_of_their_own(land_cover: File, tmp_path: Path) -> None:
    picture = Picture(
        name="own", title="Severity", kind="classes", rasters=(land_cover,), labels={2: "low"}, colours={2: "#FC8D59"}
    )
    drawn = draw(picture, tmp_path)
    assert cells_of(drawn, "#FC8D59") / (480 * 320) == pytest.approx(51900 / 60000, abs=0.025)
    assert cells_of(drawn, CLASS_COLOURS[LandCover.GREEN]) == 0
    assert cells_of(drawn, CLASS_COLOURS[LandCover.IMPERVIOUS]) > 1000


def test_legend_names_a_code_without_label(put_raster: Put, tmp_path: Path) -> None:
    codes = np.array([[1, 62], [62, 62]], dtype=np.uint8).repeat(100, 0).repeat(150, 1)
    file = put_raster("codes", codes, nodata=0)
    picture = Picture(name="c", title="Codes", kind="classes", rasters=(file,), labels={1: "built"})
    drawing = KINDS["classes"]([tmp_path / "store" / file.store_path], picture, 500)
    assert [entry.label for entry in drawing.key] == ["built", "code 62"]


def test_change_is_seen_even_if_it_is_one_cell_in_thousands(put_raster: Put, tmp_path: Path) -> None:
    codes = np.zeros(GRID.shape, dtype=np.uint8)
    file = put_raster("change", codes, nodata=255)
    picture = Picture(name="change", title="Change", kind="change", rasters=(file,), labels={0: "no", 1: "yes"})
    empty = cells_of(draw(picture, tmp_path, max_px=64), CHANGED)
    codes[77, 133] = 1
    changed = picture.model_copy(update={"rasters": (put_raster("change", codes, nodata=255),)})
    assert cells_of(draw(changed, tmp_path, max_px=64), CHANGED) - empty >= 8 * 8 / 4


def test_rgb_shows_missing_cells_as_such(put_raster: Put, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    bands = []
    for name in ("a", "b", "c"):
        band = random.integers(0, 5000, GRID.shape).astype(np.int16)
        band[:, :150] = -32768
        bands.append(put_raster(name, band, nodata=-32768, scale=1e-4))
    drawn = draw(Picture(name="rgb", title="Scene", kind="rgb", rasters=tuple(bands)), tmp_path)
    assert cells_of(drawn, UNKNOWN) / (480 * 320) == pytest.approx(0.5, abs=0.02)


def test_pictures_of_the_same_limits_can_be_compared(put_raster: Put, tmp_path: Path) -> None:
    def shown(value: float) -> int:
        file = put_raster(f"v{value}", np.full((100, 150), value, np.float32), nodata=None)
        picture = Picture(name="p", title="", kind="rgb", rasters=(file,) * 3, limits=(0.0, 0.5))
        drawing = KINDS["rgb"]([tmp_path / "store" / file.store_path] * 3, picture, 500)
        return int(drawing.picture[50, 50, 0])

    assert [shown(value) for value in (0.0, 0.1, 0.25, 0.5, 0.9)] == [0, 51, 128, 255, 255]


def test_decibels_of_linear_power(put_raster: Put, tmp_path: Path) -> None:
    power = np.array([[0.001, 0.01, 0.1, 0.0]], np.float32).repeat(80, axis=0).repeat(30, axis=1)
    file = put_raster("vv", power, nodata=None)
    picture = Picture(name="p", title="", kind="continuous", rasters=(file,), decibel=True, limits=(-30, -10))
    drawing = KINDS["continuous"]([tmp_path / "store" / file.store_path], picture, 500)
    height, width, _ = drawing.picture.shape
    columns = (width * part // 8 for part in (1, 3, 5, 7))
    dark, middle, bright, nothing = (drawing.picture[height // 2, column].tolist() for column in columns)
    assert sum(dark) < sum(middle) < sum(bright)
    assert nothing == np.rint(np.array(to_rgb(UNKNOWN)) * 255).tolist()
    assert drawing.notes == ()


def test_probability_is_a_percentage_whatever_the_data(put_raster: Put, tmp_path: Path) -> None:
    file = put_raster("p", np.full(GRID.shape, 125, dtype=np.uint8), nodata=255, scale=1 / 250)
    drawing = KINDS["probability"](
        [tmp_path / "store" / file.store_path], Picture(name="p", title="", kind="probability", rasters=(file,)), 500
    )
    assert drawing.key.limits == (0.0, 100.0)
    middle_of_cividis = [124, 123, 120]
    assert np.abs(drawing.picture[100, 100].astype(int) - middle_of_cividis).max() <= 2


def test_count_starts_at_zero(put_raster: Put, tmp_path: Path) -> None:
    file = put_raster("n", np.array([[3, 7]], dtype=np.uint8).repeat(200, 0).repeat(150, 1), nodata=None)
    drawing = KINDS["count"](
        [tmp_path / "store" / file.store_path], Picture(name="p", title="", kind="count", rasters=(file,)), 500
    )
    assert drawing.key.limits == (0.0, 7.0)


@pytest.fixture
def put_bands(put_raster: Put) -> Callable[[NDArray[np.float32]], File]:
    """A raster of a constant band 1, and a band 2 with a hole of a sixth."""

    def put(second: NDArray[np.float32]) -> File:
        second = second.copy()
        second[:, :50] = -9999
        return put_raster("season", np.stack([np.full(GRID.shape, 7, np.float32), second]), nodata=-9999)

    return put


def drawing_of(file: File, tmp_path: Path, **fields: object) -> Drawing:
    picture = Picture.model_validate({"name": "p", "title": "", "kind": "continuous", "rasters": (file,), **fields})
    return KINDS["continuous"]([tmp_path / "store" / file.store_path], picture, 500)


def test_a_band_with_its_unit(put_bands, tmp_path: Path) -> None:
    file = put_bands(np.linspace(0, 100, 200, dtype=np.float32)[:, np.newaxis].repeat(300, 1))
    drawing = drawing_of(file, tmp_path, band=2, unit="index·d")
    assert (drawing.key.label, drawing.key.ramp, drawing.key.missing) == ("index·d", "cividis", UNKNOWN)
    assert drawing.key.limits == pytest.approx((2, 98), abs=0.5)
    assert drawing_of(file, tmp_path, band=1).key.limits == (7, 7)


def test_differences_have_zero_in_the_middle(put_bands, tmp_path: Path) -> None:
    file = put_bands(np.linspace(-10, 40, 200, dtype=np.float32)[:, np.newaxis].repeat(300, 1))
    drawing = drawing_of(file, tmp_path, band=2, palette="diverging")
    low, high = drawing.key.limits
    assert low == -high
    assert high == pytest.approx(39, abs=0.6)
    assert drawing.picture[40, 200].min() > 235, "zero is nearly white"
    assert drawing.picture[0, 200, 2] < drawing.picture[0, 200, 0], "less is brown"
    assert drawing.picture[0, 0].tolist() == [0x8A] * 3, "no data is darker than the middle"


def test_days_of_a_season_and_days_of_the_whole_year(put_bands, tmp_path: Path) -> None:
    spring = put_bands(np.linspace(80, 130, 200, dtype=np.float32)[:, np.newaxis].repeat(300, 1))
    drawing = drawing_of(spring, tmp_path, band=2, palette="days")
    assert drawing.key.label == "day of the year"
    assert drawing.key.limits == pytest.approx((81, 129), abs=0.5)
    whole = put_bands(np.linspace(-100, 300, 200, dtype=np.float32)[:, np.newaxis].repeat(300, 1))
    drawing = drawing_of(whole, tmp_path, band=2, palette="days")
    assert drawing.key.limits == (1, 366)
    # Day −100 is 26 September of the year before: nearly the colour of day 265.
    first, same = drawing.picture[0, 200], drawing.picture[round(365 / 400 * 200), 200]
    assert np.abs(first.astype(int) - same).max() < 12


def test_a_band_that_is_not_there(put_bands, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="2 bands, not 3") as caught:
        drawing_of(put_bands(np.zeros(GRID.shape, np.float32)), tmp_path, band=3)
    assert caught.value.code == "unknown_band"


def test_wholly_missing_rasters_are_drawn(put_raster: Put, tmp_path: Path) -> None:
    file = put_raster("void", np.full(GRID.shape, 255, dtype=np.uint8), nodata=255)
    for kind in ("classes", "change", "probability", "count", "continuous"):
        drawn = draw(Picture(name=kind, title=kind, kind=kind, rasters=(file,)), tmp_path)
        assert cells_of(drawn, UNKNOWN) >= 480 * 320 * 0.95


def test_simulated_data_say_so(land_cover: File, tmp_path: Path) -> None:
    picture = Picture(name="classes", title="Land cover", kind="classes", rasters=(land_cover,), labels=LEGEND)
    plain, banner = draw(picture, tmp_path), draw(picture, tmp_path, simulated=True)
    assert cells_of(plain, "#7A0177") == 0
    assert cells_of(banner, "#7A0177") > 0.5 * 26 * banner.shape[1]


def test_region_outlines_are_brought_to_the_grid(land_cover: File, tmp_path: Path) -> None:
    inside = box(4_001_000, 2_997_000, 4_005_000, 2_999_000)
    path = tmp_path / "store" / "gdal.made" / "key" / "attempt" / "regions.gpkg"
    geopandas.GeoDataFrame({"region_id": ["A"]}, geometry=[inside], crs=3035).to_crs(4326).to_file(path)
    regions = File(
        href="store:gdal.made/key/attempt/regions.gpkg", content_id=sha256_of(path), size=path.stat().st_size
    )
    picture = Picture(name="classes", title="Land cover", kind="classes", rasters=(land_cover,), labels=LEGEND)
    plain, outlined = draw(picture, tmp_path), draw(picture, tmp_path, regions=regions)
    rows, cols = np.nonzero((np.abs(plain.astype(int) - outlined) > 60).any(axis=-1))
    # 1.6 picture cells per cell of 20 m; the map starts 12 px from the left and 36 px from the top.
    assert (cols.min(), cols.max()) == (pytest.approx(12 + 80, abs=3), pytest.approx(12 + 400, abs=3))
    assert (rows.min(), rows.max()) == (pytest.approx(36 + 80, abs=3), pytest.approx(36 + 240, abs=3))


def test_size_is_bounded(put_raster: Put, tmp_path: Path) -> None:
    grid = GRID.model_copy(update={"width": 3000, "height": 1000})
    file = put_raster("wide", np.ones(grid.shape, dtype=np.uint8), nodata=0, grid=grid)
    drawn = draw(Picture(name="wide", title="x" * 300, kind="classes", rasters=(file,)), tmp_path, max_px=600)
    assert drawn.shape[1] == 600 + 210 + 2 * 12
    assert drawn.shape[0] < 500


def test_rgb_needs_three_rasters(land_cover: File, tmp_path: Path) -> None:
    with pytest.raises(StepError) as caught:
        draw(Picture(name="rgb", title="Two", kind="rgb", rasters=(land_cover, land_cover)), tmp_path)
    assert caught.value.code == "bad_parameters"
    assert "2 rasters" in caught.value.reason


@pytest.mark.parametrize(
    ("width_m", "expected"), [(4_000, 1), (7_999, 1), (8_000, 2), (36_000, 5), (1_340_120, 200), (1_280, 0.2)]
)
def test_scale_bar(width_m: float, expected: float) -> None:
    assert scale_bar_km(width_m) == pytest.approx(expected)


def twelve_types(put_raster: Put, **fields: object) -> Picture:
    """A low, wide map whose key is taller than the map; a tenth lies outside."""
    codes = np.tile(np.arange(1, 13, dtype=np.uint8).repeat(24), (40, 1))
    codes[:4] = 0
    grid = GRID.model_copy(update={"width": 288, "height": 40})
    file = put_raster("types", codes, nodata=0, grid=grid)
    labels = {code: f"a type of vegetation with the number {code}" for code in range(1, 13)}
    colours = {code: f"#{20 * code:02X}{255 - 20 * code:02X}{(90 * code) % 256:02X}" for code in range(1, 13)}
    facts = {"name": "types", "title": "Types", "kind": "classes", "rasters": (file,), "labels": labels}
    return Picture.model_validate(facts | {"colours": colours, "nodata_is_outside": True} | fields)


def test_a_key_that_is_taller_than_the_map_is_shown_whole(put_raster: Put, tmp_path: Path) -> None:
    picture = twelve_types(put_raster)
    key = draw(picture, tmp_path)[:, 12 + 480 + 2 :]
    assert [code for code, colour in picture.colours.items() if cells_of(key, colour) < 100] == []


def test_what_lies_outside_is_white_and_has_no_entry(put_raster: Put, tmp_path: Path) -> None:
    drawn = draw(twelve_types(put_raster), tmp_path)
    # Edges of letters have a few greys of this kind.
    assert cells_of(drawn, UNKNOWN) < 200
    shown = draw(twelve_types(put_raster, nodata_is_outside=False), tmp_path)
    # The scale bar lies on a part of it.
    assert cells_of(shown, UNKNOWN) > 2000


def test_a_bare_map_is_the_map_alone_with_outlines_of_a_geoparquet(put_raster: Put, tmp_path: Path) -> None:
    picture = twelve_types(put_raster)
    drawn = draw(picture, tmp_path, bare=True, simulated=True)
    assert drawn.shape[:2] == (67, 480)
    assert cells_of(drawn, "#7A0177") == 0
    path = tmp_path / "store" / "gdal.made" / "key" / "attempt" / "outline.parquet"
    inside = box(4_001_000, 2_999_300, 4_005_000, 2_999_800)
    geopandas.GeoDataFrame({"pasture_id": ["A"]}, geometry=[inside], crs=3035).to_crs(4326).to_parquet(path)
    outline = File(
        href="store:gdal.made/key/attempt/outline.parquet", content_id=sha256_of(path), size=path.stat().st_size
    )
    outlined = draw(picture, tmp_path, bare=True, regions=outline)
    columns = np.nonzero((np.abs(drawn.astype(int) - outlined) > 60).any(axis=-1))[1]
    # 480 picture cells are 5760 m.
    assert (columns.min(), columns.max()) == (pytest.approx(83, abs=3), pytest.approx(417, abs=3))
