"""A cut is a naive full read inside the stencils and nodata outside, whatever the product; layers are never guessed."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rasterio.transform import Affine

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import cut, source, theia_archive
from containers.gdal.contract.cut import LAYERS, CutParams, MajaProduct, Slice
from containers.gdal.layer_tables import rules_of, tables_of
from containers.gdal.stencils import cut_of
from tests.containers.gdal.theia_zips import METADATA, NODATA_DN, theia_members, write_zip

NODATA, UNKNOWN = -32768, 255
EPSG, WEST_M, NORTH_M, EDGE = 32631, 600_000.0, 5_000_040.0, 600
TILE = Grid(epsg=EPSG, resolution_m=10, west_m=WEST_M, north_m=NORTH_M, width=EDGE, height=EDGE)
CELLS_M = {"red": 10, "nir": 10, "nir08": 20, "swir16": 20}
BANDS = tuple(CELLS_M)
THEIA = "SENTINEL2A_20170410-103021-460_L2A_T31TFJ_D_V1-4"
SNOW = "SENTINEL2A_20170410-103021-460_L2B-SNOW_T31TFJ_D_V1-0"


def square(col: float, row: float, cells: float) -> Any:
    """A square by the column and row of its upper left corner, counted in cells of the tile."""
    return shapely.box(WEST_M + col * 10, NORTH_M - (row + cells) * 10, WEST_M + (col + cells) * 10, NORTH_M - row * 10)


def in_cells(geometry: Any) -> Any:
    """A geometry of columns and rows in metres."""
    return shapely.transform(geometry, lambda xy: np.column_stack([WEST_M + xy[:, 0] * 10, NORTH_M - xy[:, 1] * 10]))


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    """Digital numbers by band; a corner of the tile has none."""
    rng = np.random.default_rng(3)
    found = {
        band: rng.integers(1, 12_000, (EDGE * 10 // cell_m,) * 2).astype(np.uint16) for band, cell_m in CELLS_M.items()
    }
    for band, cell_m in CELLS_M.items():
        found[band][: 1_200 // cell_m, : 900 // cell_m] = 0
    return found


@dataclass
class Bench:
    """Files of a store, and the step over them."""

    store: Any
    make_scene: Callable[..., Any]

    def stencils(self, *shapes: Any, epsg: int | None = EPSG) -> File:
        frame = gpd.GeoDataFrame(geometry=list(shapes), crs=epsg)
        path = self.store.folder("user") / "stencils.parquet"
        frame.to_parquet(path)
        return self.store.file(path)

    def jp2(self, array: Any, cell_m: float, name: str = "B04.jp2", epsg: int = EPSG) -> File:
        return self.store.source(array, epsg=epsg, transform=Affine(cell_m, 0, WEST_M, 0, -cell_m, NORTH_M), name=name)

    def scene(self, numbers: dict[str, Any], scl: Any = None, offset_dn: float = -1000.0, **fields: Any) -> Any:
        files = {band: self.jp2(array, CELLS_M[band], f"{band}.jp2") for band, array in numbers.items()}
        classes = None if scl is None else self.jp2(scl, 20, "SCL.jp2")
        return self.make_scene(files, offsets_dn=dict.fromkeys(files, offset_dn), scl=classes, **fields)

    def zip(self, name: str, members: dict[str, bytes]) -> File:
        return self.store.file(write_zip(self.store.folder("user") / f"{name}.zip", members))

    def maja(self, members: dict[str, bytes], snow: File | None = None, **fields: Any) -> MajaProduct:
        facts: dict[str, Any] = {
            "id": THEIA, "platform": "S2A", "tile": "31TFJ", "version": "1-4",
            "acquired": datetime(2017, 4, 10, 10, 30, 21, 460_000, tzinfo=UTC),
        }  # fmt: skip
        return MajaProduct(archive=self.zip(THEIA, members), snow=snow, **(facts | fields))

    def cut(self, stencils: File, **options: Any) -> tuple[Slice, Path]:
        out = self.store.folder("gdal.cut")
        return cut.run(CutParams(stencils=stencils, **({"bands": BANDS} | options)), out), out


@pytest.fixture
def bench(raster_store, make_scene) -> Bench:
    return Bench(raster_store, make_scene)


def bands_of(file: File, out: Path) -> dict[str, Any]:
    with rasterio.open(out / file.href) as dataset:
        return dict(zip(dataset.descriptions, dataset.read(), strict=True))


def in_tile(result: Slice, array: Any, fill: int) -> Any:
    """A window's cells where they lie in the tile."""
    whole = np.full(TILE.shape, fill, dtype=array.dtype)
    row = round((TILE.north_m - result.grid.north_m) / 10)
    col = round((result.grid.west_m - TILE.west_m) / 10)
    whole[row : row + result.grid.height, col : col + result.grid.width] = array
    return whole


def naive(numbers: Any, cell_m: int, offset_dn: int = -1000) -> Any:
    """A whole band, settled, at 10 m."""
    settled = np.where(numbers == 0, NODATA, numbers.astype(int) + offset_dn)
    return settled.repeat(cell_m // 10, axis=0).repeat(cell_m // 10, axis=1)


def refused(bench: Bench, stencils: File, **options: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        bench.cut(stencils, **options)
    return caught.value


CLEAR = np.full((300, 300), 4, dtype=np.uint8)
FIELD = square(200, 100, 150)


class TestStencils:
    edge = 40
    cells = st.integers(0, 8 * edge).map(lambda eighths: eighths / 8)
    corners = st.lists(st.tuples(cells, cells), min_size=3, max_size=6)

    @given(st.lists(corners, min_size=1, max_size=3), st.lists(st.tuples(cells, cells), max_size=3))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_every_touched_cell_and_no_other(self, rings, points) -> None:
        polygons = [hull for ring in rings if (hull := shapely.MultiPoint(ring).convex_hull).area > 0]
        points = [point for point in points if max(point) < self.edge]
        shapes = [in_cells(shape) for shape in [*polygons, *map(shapely.Point, points)]]
        if not shapes:
            return
        tile = TILE.model_copy(update={"width": self.edge, "height": self.edge})
        found = cut_of(np.array(shapes), tile, "31TFJ")
        kept = np.zeros(tile.shape, dtype=bool)
        row, col = found.offset
        kept[row : row + found.grid.height, col : col + found.grid.width] = found.inside
        rows, cols = np.mgrid[0 : self.edge, 0 : self.edge]
        cells = shapely.box(cols, rows, cols + 1, rows + 1)
        must, may = np.zeros(tile.shape, dtype=bool), np.zeros(tile.shape, dtype=bool)
        for polygon in polygons:
            must |= shapely.area(shapely.intersection(polygon, cells)) > 1e-3
            may |= shapely.distance(polygon, cells) < 1e-3
        for x, y in points:
            must[int(y), int(x)] = may[int(y), int(x)] = True
        assert (kept >= must).all()
        assert (kept <= may).all()

    def test_the_window_lies_on_blocks_of_the_tile(self, bench, numbers) -> None:
        result, _ = bench.cut(bench.stencils(square(300, 10, 5)), parts=(bench.scene(numbers, CLEAR),))
        assert (result.grid.west_m, result.grid.north_m) == (WEST_M + 2560, NORTH_M)
        assert result.grid.shape == (256, 256)

    def test_any_crs_and_points(self, bench, numbers) -> None:
        point = shapely.Point(WEST_M + 2005, NORTH_M - 3005)
        frame = gpd.GeoSeries([point], crs=EPSG).to_crs(4326)
        result, out = bench.cut(bench.stencils(frame[0], epsg=4326), parts=(bench.scene(numbers, CLEAR),))
        red = in_tile(result, bands_of(result.bands, out)["red"], NODATA)
        assert np.argwhere(red != NODATA).tolist() == [[300, 200]]

    def test_those_beside_the_tile_are_refused_with_both_places(self, bench, numbers) -> None:
        error = refused(bench, bench.stencils(square(900, 0, 10)), parts=(bench.scene(numbers, CLEAR),))
        assert error.code == "bad_aoi"
        assert "600000 to 606000 east" in error.reason
        assert "609000 to 609100 east" in error.reason

    def test_those_of_another_zone_are_refused(self, bench, numbers) -> None:
        """The same coordinates with the neighbour's zone are half a continent away."""
        error = refused(bench, bench.stencils(FIELD, epsg=32632), parts=(bench.scene(numbers, CLEAR),))
        assert error.code == "bad_aoi"

    @pytest.mark.parametrize(
        ("shapes", "epsg", "words"),
        [
            ([FIELD], None, "no coordinate reference system"),
            ([], EPSG, "no stencil"),
            ([shapely.LineString([(WEST_M, NORTH_M), (WEST_M + 50, NORTH_M - 50)])], EPSG, "LineString"),
        ],
    )
    def test_what_is_no_stencil_is_refused(self, bench, numbers, shapes, epsg, words) -> None:
        error = refused(bench, bench.stencils(*shapes, epsg=epsg), parts=(bench.scene(numbers, CLEAR),))
        assert (error.code, words in error.reason) == ("bad_aoi", True)


class TestBands:
    @given(st.data())
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_inside_they_are_a_naive_full_read(self, bench, numbers, data) -> None:
        places = st.tuples(st.integers(-20, 590), st.integers(-20, 590), st.integers(1, 200))
        squares = data.draw(st.lists(places, min_size=1, max_size=3).filter(lambda found: any(
            col + cells > 100 and row + cells > 130 for col, row, cells in found)))  # fmt: skip
        shapes = [square(col + 0.5, row + 0.5, cells) for col, row, cells in squares]
        inside = np.zeros(TILE.shape, dtype=bool)
        for col, row, cells in squares:
            inside[max(0, row) : row + cells + 1, max(0, col) : col + cells + 1] = True
        result, out = bench.cut(bench.stencils(*shapes), parts=(bench.scene(numbers, CLEAR),))
        for name, array in bands_of(result.bands, out).items():
            expected = np.where(inside, naive(numbers[name], CELLS_M[name]), NODATA)
            np.testing.assert_array_equal(in_tile(result, array, NODATA), expected)
        valid = np.logical_and.reduce([naive(numbers[name], CELLS_M[name]) != NODATA for name in BANDS])
        assert result.shares["valid"] == pytest.approx((valid & inside).sum() / inside.sum())

    def test_the_file_says_what_it_holds(self, bench, numbers) -> None:
        result, out = bench.cut(bench.stencils(FIELD), parts=(bench.scene(numbers, CLEAR),))
        with rasterio.open(out / result.bands.href) as dataset:
            assert dataset.descriptions == BANDS
            assert (dataset.nodata, dataset.dtypes[0], dataset.scales[0]) == (NODATA, "int16", 1e-4)
            assert dataset.block_shapes[0] == (256, 256)
            assert dataset.profile["compress"] == "zstd"
        with rasterio.open(out / result.layers.href) as dataset:
            assert dataset.descriptions == LAYERS
            assert (dataset.nodata, dataset.dtypes[0]) == (UNKNOWN, "uint8")

    def test_untouched_blocks_are_sparse(self, bench, numbers) -> None:
        far = bench.stencils(square(10, 300, 5), square(550, 300, 5))
        result, out = bench.cut(far, parts=(bench.scene(numbers, CLEAR),))
        with rasterio.open(out / result.bands.href) as dataset:
            offsets = [
                dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=1) for row in (0,) for col in (0, 1, 2)
            ]
        assert [offset is None for offset in offsets] == [False, True, False]

    def test_equal_input_gives_equal_bytes(self, bench, numbers) -> None:
        scene, stencils = bench.scene(numbers, CLEAR), bench.stencils(FIELD, square(500, 500, 90))
        first, _ = bench.cut(stencils, parts=(scene,))
        again, _ = bench.cut(stencils, parts=(scene,), execution={"threads": 1})
        assert (first.bands.content_id, first.layers.content_id) == (again.bands.content_id, again.layers.content_id)

    def test_only_blocks_that_stencils_touch_are_decoded(self, bench, numbers, monkeypatch) -> None:
        read = []
        real = source.Source.read
        monkeypatch.setattr(
            source.Source, "read", lambda self, window: read.append((self.name, window)) or real(self, window)
        )
        bench.cut(bench.stencils(square(300, 300, 5)), parts=(bench.scene(numbers, CLEAR),))
        assert {name for name, _ in read} == {*BANDS, "scl"}
        assert {(int(w.col_off), int(w.row_off), w.width, w.height) for name, w in read if name == "red"} == {
            (256, 256, 256, 256)
        }
        assert {(int(w.col_off), int(w.row_off), w.width, w.height) for name, w in read if name == "swir16"} == {
            (128, 128, 128, 128)
        }

    def test_halves_with_their_own_baselines_join(self, bench, numbers) -> None:
        upper, lower = ({band: array.copy() for band, array in numbers.items()} for _ in range(2))
        for band, cell_m in CELLS_M.items():
            upper[band][1_700 // cell_m :], lower[band][: 1_700 // cell_m] = 0, 0
            lower[band][lower[band] > 0] += 1000
        halves = (bench.scene(upper, CLEAR, offset_dn=0.0, id="upper"), bench.scene(lower, CLEAR, id="lower"))
        joined, _ = bench.cut(bench.stencils(FIELD), parts=halves)
        whole, _ = bench.cut(bench.stencils(FIELD), parts=(bench.scene(numbers, CLEAR, offset_dn=0.0),))
        assert joined.bands.content_id == whole.bands.content_id
        assert joined.product_ids == ("upper", "lower")

    def test_where_it_came_from_is_told(self, bench, numbers) -> None:
        scene = bench.scene(numbers, CLEAR, simulated=True)
        result, _ = bench.cut(bench.stencils(FIELD), parts=(scene,))
        told = (result.source, result.platform, result.orbit, result.baseline, result.level, result.simulated)
        assert told == ("esa", "S2A", 22, "02.14", "L2A", True)
        assert (result.product_ids, result.acquired) == ((scene.id,), scene.datetime)

    def test_a_cut_without_data_says_which_product_and_where(self, bench, numbers) -> None:
        scene = bench.scene(numbers, CLEAR)
        error = refused(bench, bench.stencils(square(5, 5, 40)), parts=(scene,))
        assert error.code == "no_valid_pixels"
        for word in (scene.id, "33UUP", "600000 to 606000 east", "EPSG:32631", "window at"):
            assert word in error.reason

    def test_a_band_that_is_not_there(self, bench, numbers) -> None:
        error = refused(bench, bench.stencils(FIELD), parts=(bench.scene(numbers, CLEAR),), bands=("red", "swir22"))
        assert (error.code, "swir22" in error.reason) == ("unknown_band", True)

    def test_a_band_of_another_tile(self, bench, numbers) -> None:
        other = numbers | {"swir16": numbers["swir16"][:-2]}
        error = refused(bench, bench.stencils(FIELD), parts=(bench.scene(other, CLEAR),))
        assert error.code == "grid_mismatch"

    def test_one_product_is_given(self, bench) -> None:
        with pytest.raises(ValidationError, match="either parts"):
            CutParams(stencils=bench.stencils(FIELD))


class TestSceneClasses:
    @pytest.mark.parametrize(
        ("code", "cloud", "shadow", "snow"),
        [
            (0, 255, 255, 255), (1, 255, 255, 255), (2, 0, 0, 0), (3, 0, 1, 255), (4, 0, 0, 0), (5, 0, 0, 0),
            (6, 0, 0, 0), (7, 255, 255, 255), (8, 1, 0, 255), (9, 1, 0, 255), (10, 1, 0, 255), (11, 0, 0, 1),
            (12, 255, 255, 255), (99, 255, 255, 255),
        ],
    )  # fmt: skip
    def test_every_code(self, code, cloud, shadow, snow) -> None:
        tables = tables_of(rules_of("scl"))
        assert [tables[layer][code] for layer in LAYERS] == [cloud, shadow, snow]

    def test_layers_lie_under_their_bands(self, bench, numbers) -> None:
        scl = CLEAR.copy()
        scl[100, 100], scl[101, 110], scl[102, 120], scl[103, 130] = 9, 3, 11, 0
        result, out = bench.cut(bench.stencils(FIELD), parts=(bench.scene(numbers, scl),))
        layers = {name: in_tile(result, array, UNKNOWN) for name, array in bands_of(result.layers, out).items()}
        assert layers["cloud"][199:203, 200:203].tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0]]
        assert layers["shadow"][202:204, 220:222].tolist() == [[1, 1], [1, 1]]
        assert layers["snow"][204:206, 240:242].tolist() == [[1, 1], [1, 1]]
        assert layers["cloud"][206, 260] == layers["snow"][206, 260] == UNKNOWN
        assert layers["cloud"][50, 50] == UNKNOWN
        assert result.shares["cloud"] == pytest.approx(4 / 150**2, rel=0.05)
        assert result.unmasked == ()

    def test_a_cell_without_data_is_not_known(self, bench, numbers) -> None:
        holed = {band: array.copy() for band, array in numbers.items()}
        holed["red"][200, 250] = 0
        result, out = bench.cut(bench.stencils(FIELD), parts=(bench.scene(holed, CLEAR),))
        layers = bands_of(result.layers, out)
        assert in_tile(result, layers["cloud"], UNKNOWN)[200, 249:252].tolist() == [0, UNKNOWN, 0]

    def test_without_masks_it_is_refused_or_flagged_and_never_clear(self, bench, numbers) -> None:
        scene, stencils = bench.scene(numbers), bench.stencils(FIELD)
        error = refused(bench, stencils, parts=(scene,))
        assert error.code == "bad_masks"
        assert "missing_masks=flag" in error.hint
        result, out = bench.cut(stencils, parts=(scene,), missing_masks="flag")
        assert result.unmasked == LAYERS
        assert all((array == UNKNOWN).all() for array in bands_of(result.layers, out).values())
        assert (result.shares["cloud"], result.shares["snow"]) == (0, 0)


GML = """<?xml version="1.0" encoding="UTF-8"?>
<eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" gml:id="MSK_CLOUDS">
  {envelope}
  <eop:maskMembers>{members}</eop:maskMembers>
</eop:Mask>
"""
ENVELOPE = (
    '<gml:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG:8.7.1:{epsg}"><gml:lowerCorner>600000 4994040'
    "</gml:lowerCorner><gml:upperCorner>606000 5000040</gml:upperCorner></gml:Envelope></gml:boundedBy>"
)


def gml_feature(kind: str, shell: Any, *holes: Any) -> str:
    def ring(shape: Any) -> str:
        positions = " ".join(f"{x:.0f} {y:.0f}" for x, y in shape.exterior.coords)
        return f'<gml:LinearRing><gml:posList srsDimension="2">{positions}</gml:posList></gml:LinearRing>'

    inner = "".join(f"<gml:interior>{ring(hole)}</gml:interior>" for hole in holes)
    return (
        f'<eop:MaskFeature gml:id="{kind}.0"><eop:maskType codeSpace="urn:gs2:S2PDGS:maskType">{kind}</eop:maskType>'
        f"<eop:extentOf><gml:Polygon><gml:exterior>{ring(shell)}</gml:exterior>{inner}</gml:Polygon></eop:extentOf>"
        "</eop:MaskFeature>"
    )


class TestQualityMasks:
    def gml(self, bench: Bench, *members: str, envelope: str = ENVELOPE.format(epsg=EPSG)) -> File:
        path = bench.store.folder("user") / "MSK_CLOUDS_B00.gml"
        path.write_text(GML.format(envelope=envelope, members="".join(members)))
        return bench.store.file(path)

    def cut(self, bench: Bench, numbers: Any, *masks: File, **options: Any) -> tuple[Slice, Any]:
        scene = bench.scene(numbers, level="L1C", baseline="02.06")
        facts = {"parts": (scene,), "quality_masks": masks, "missing_masks": "flag"}
        result, out = bench.cut(bench.stencils(FIELD), **(facts | options))
        layers = bands_of(result.layers, out)
        return result, {name: in_tile(result, array, UNKNOWN) for name, array in layers.items()}

    def test_polygons_with_holes_are_cloud(self, bench, numbers) -> None:
        mask = self.gml(
            bench,
            gml_feature("OPAQUE", square(210, 110, 30), square(220, 120, 10)),
            gml_feature("CIRRUS", square(300, 200, 5)),
        )
        result, layers = self.cut(bench, numbers, mask)
        expected = np.zeros((150, 150), dtype=int)
        expected[10:40, 10:40], expected[20:30, 20:30], expected[100:105, 100:105] = 1, 0, 1
        np.testing.assert_array_equal(layers["cloud"][100:250, 200:350], expected)
        assert result.unmasked == ("shadow", "snow")
        assert (layers["snow"] == UNKNOWN).all()

    def test_no_polygons_mean_no_cloud_even_without_an_envelope(self, bench, numbers) -> None:
        _, layers = self.cut(bench, numbers, self.gml(bench, envelope=""))
        assert (layers["cloud"][100:250, 200:350] == 0).all()

    @pytest.mark.parametrize(
        ("mask", "code", "words"),
        [
            ({"envelope": ENVELOPE.format(epsg=32632)}, "grid_mismatch", "32632"),
            ({"members": gml_feature("OPAQUE", FIELD), "envelope": ""}, "corrupt_file", "what it covers"),
            ({"members": gml_feature("SMOKE", FIELD)}, "bad_masks", "SMOKE"),
            ({"members": gml_feature("OPAQUE", FIELD).replace("602000", "east")}, "corrupt_file", "broken polygon"),
            ({"members": "<eop:MaskFeature>"}, "corrupt_file", "Not the XML"),
        ],
    )
    def test_documents_that_are_wrong(self, bench, numbers, mask, code, words) -> None:
        document = {"envelope": ENVELOPE.format(epsg=EPSG), "members": ""} | mask
        file = self.gml(bench, document["members"], envelope=document["envelope"])
        with pytest.raises(StepError, match=words) as caught:
            self.cut(bench, numbers, file)
        assert caught.value.code == code

    def test_a_document_type_is_not_read(self, bench, numbers) -> None:
        path = bench.store.folder("user") / "MSK_CLOUDS_B00.gml"
        bomb = '<!DOCTYPE a [<!ENTITY b "cloud"><!ENTITY c "&b;&b;&b;">]>'
        path.write_text(GML.format(envelope="", members="&c;").replace("?>", f"?>{bomb}", 1))
        with pytest.raises(StepError, match="document type") as caught:
            self.cut(bench, numbers, bench.store.file(path))
        assert caught.value.code == "corrupt_file"

    def test_classes_of_newer_products(self, bench, numbers) -> None:
        classes = np.zeros((3, 100, 100), dtype=np.uint8)
        classes[0, 20, 40], classes[1, 25, 45], classes[2, 30, 50] = 1, 1, 1
        path = bench.store.folder("user") / "MSK_CLASSI_B00.jp2"
        profile = {"width": 100, "height": 100, "count": 3, "dtype": "uint8", "crs": f"EPSG:{EPSG}"}
        options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "YCC": "NO"}
        with rasterio.open(path, "w", transform=Affine(60, 0, WEST_M, 0, -60, NORTH_M), **profile, **options) as sink:
            sink.write(classes)
        result, layers = self.cut(bench, numbers, bench.store.file(path))
        expected = {"cloud": (classes[0] | classes[1]), "snow": classes[2]}
        for name, array in expected.items():
            fine = array.repeat(6, axis=0).repeat(6, axis=1)
            np.testing.assert_array_equal(layers[name][100:250, 200:350], fine[100:250, 200:350])
        assert result.unmasked == ("shadow",)

    def test_a_mask_per_part(self, bench, numbers) -> None:
        with pytest.raises(StepError, match="1 parts have 2") as caught:
            self.cut(bench, numbers, self.gml(bench), self.gml(bench))
        assert caught.value.code == "bad_masks"

    def test_shadow_is_never_told_so_it_must_be_allowed(self, bench, numbers) -> None:
        with pytest.raises(StepError, match="shadow and snow") as caught:
            self.cut(bench, numbers, self.gml(bench), missing_masks="refuse")
        assert caught.value.code == "bad_masks"


def maja_bands(numbers: dict[str, Any]) -> dict[str, Any]:
    """The same ground as THEIA writes it: int16 reflectance, −10000 outside."""
    theia = {"red": "B4", "nir": "B8", "nir08": "B8A", "swir16": "B11"}
    return {theia[name]: np.where(array == 0, NODATA_DN, array).astype(np.int16) for name, array in numbers.items()}


def maja_members(numbers: dict[str, Any], clm: Any = None, mg2: Any = None, **options: Any) -> dict[str, bytes]:
    empty = np.zeros((EDGE, EDGE), dtype=np.uint8)
    masks = {"CLM_R1": empty if clm is None else clm, "MG2_R1": empty if mg2 is None else mg2}
    return theia_members(THEIA, maja_bands(numbers), masks, corner=(WEST_M, NORTH_M), **options)


class TestTheia:
    def test_it_is_the_same_cut(self, bench, numbers) -> None:
        esa, _ = bench.cut(bench.stencils(FIELD), parts=(bench.scene(numbers, CLEAR, offset_dn=0.0),))
        theia, _ = bench.cut(bench.stencils(FIELD), maja=bench.maja(maja_members(numbers)))
        assert theia.bands.content_id == esa.bands.content_id
        assert theia.layers.content_id == esa.layers.content_id
        told = (theia.source, theia.tile, theia.orbit, theia.baseline, theia.product_ids, theia.level)
        assert told == ("maja", "31TFJ", 108, "1-4", (THEIA,), "L2A")

    def test_b8_and_b8a_go_by_their_names(self, bench, numbers) -> None:
        """Sorted, B8 comes before B8A in some lists of names and after B8A.tif in others; constants tell them apart."""
        flat = {
            "red": np.full((EDGE, EDGE), 400, np.uint16),
            "nir": np.full((EDGE, EDGE), 3000, np.uint16),
            "nir08": np.full((EDGE // 2, EDGE // 2), 3200, np.uint16),
            "swir16": np.full((EDGE // 2, EDGE // 2), 1500, np.uint16),
        }
        members = maja_members(flat)
        for ordered in (sorted(members), sorted(members, reverse=True)):
            product = bench.maja({name: members[name] for name in ordered})
            result, out = bench.cut(bench.stencils(FIELD), maja=product, bands=("nir08", "nir", "red", "swir16"))
            seen = {name: int(array[array != NODATA].mean()) for name, array in bands_of(result.bands, out).items()}
            assert seen == {"nir08": 3200, "nir": 3000, "red": 400, "swir16": 1500}

    def test_zero_is_a_reflectance_and_minus_10000_is_none(self, bench, numbers) -> None:
        members = dict(maja_bands(numbers))
        members["B4"][200, 250], members["B4"][200, 251] = 0, NODATA_DN
        empty = np.zeros((EDGE, EDGE), np.uint8)
        product = theia_members(THEIA, members, {"CLM_R1": empty, "MG2_R1": empty}, corner=(WEST_M, NORTH_M))
        result, out = bench.cut(bench.stencils(FIELD), maja=bench.maja(product))
        red = in_tile(result, bands_of(result.bands, out)["red"], NODATA)
        assert red[200, 250:252].tolist() == [0, NODATA]
        cloud = in_tile(result, bands_of(result.layers, out)["cloud"], UNKNOWN)
        assert cloud[200, 250:252].tolist() == [0, UNKNOWN]

    @pytest.mark.parametrize(
        ("bits", "cloud", "shadow"),
        [
            ([], 0, 0), ([0, 1, 2], 1, 0), ([0, 1, 3], 1, 0), ([0, 1, 4], 1, 0), ([0, 1, 5], 1, 0), ([4], 1, 0),
            ([6], 1, 0), ([7], 1, 0), ([0, 5], 0, 1), ([0, 6], 0, 1), ([0, 2], 0, 1), ([0, 3], 0, 1), ([0], 0, 1),
            ([0, 5, 7], 1, 1), ([1], 1, 0),
        ],
    )  # fmt: skip
    def test_bits_of_clm_in_either_order(self, bits, cloud, shadow) -> None:
        tables = tables_of(rules_of("maja")["clm"])
        code = sum(1 << bit for bit in bits)
        assert (tables["cloud"][code], tables["shadow"][code]) == (cloud, shadow)

    def test_no_bit_of_clm_is_clear(self) -> None:
        tables = tables_of(rules_of("maja")["clm"])
        hidden = (tables["cloud"][:256] == 1) | (tables["shadow"][:256] == 1)
        assert hidden.tolist() == [False] + [True] * 255
        assert (tables["cloud"][256:] == UNKNOWN).all()

    def test_snow_of_mg2_where_there_is_no_snow_product(self, bench, numbers) -> None:
        mg2 = np.zeros((EDGE, EDGE), dtype=np.uint8)
        mg2[200, 250:254] = [1 << 2, 1 << 1, (1 << 1) + (1 << 2), 1 << 0]
        result, out = bench.cut(bench.stencils(FIELD), maja=bench.maja(maja_members(numbers, mg2=mg2)))
        snow = in_tile(result, bands_of(result.layers, out)["snow"], UNKNOWN)
        assert snow[200, 249:255].tolist() == [0, 1, UNKNOWN, 1, 0, 0]

    def snow(self, bench: Bench, codes: Any, name: str = SNOW) -> File:
        members = theia_members(name, {}, {"SNW_R2": codes}, corner=(WEST_M, NORTH_M), edge_m=EDGE * 10)
        return bench.zip(name, members)

    def test_the_snow_product_wins(self, bench, numbers) -> None:
        codes = np.zeros((EDGE // 2, EDGE // 2), dtype=np.uint8)
        codes[100, 125:130] = [100, 205, 254, 255, 0]
        mg2 = np.full((EDGE, EDGE), 1 << 2, dtype=np.uint8)
        product = bench.maja(maja_members(numbers, mg2=mg2), snow=self.snow(bench, codes))
        result, out = bench.cut(bench.stencils(FIELD), maja=product)
        snow = in_tile(result, bands_of(result.layers, out)["snow"], UNKNOWN)
        expected = [0, 0, 1, 1, *[UNKNOWN] * 6, 0, 0]
        assert snow[200, 248:260].tolist() == snow[201, 248:260].tolist() == expected
        assert result.product_ids == (THEIA, SNOW)

    @pytest.mark.parametrize("name", [SNOW.replace("0410", "0411"), SNOW.replace("TFJ", "TFK")])
    def test_snow_of_another_day_or_tile(self, bench, numbers, name) -> None:
        snow = self.snow(bench, np.zeros((300, 300), dtype=np.uint8), name)
        error = refused(bench, bench.stencils(FIELD), maja=bench.maja(maja_members(numbers), snow=snow))
        assert (error.code, "31TFJ" in error.reason) == ("corrupt_file", True)

    @pytest.mark.parametrize(
        ("gone", "lacking"),
        [("CLM_R1", ("cloud", "shadow")), ("MG2_R1", ("snow",))],
    )
    def test_a_missing_mask_is_refused_or_flagged(self, bench, numbers, gone, lacking) -> None:
        members = {name: content for name, content in maja_members(numbers).items() if gone not in name}
        error = refused(bench, bench.stencils(FIELD), maja=bench.maja(members))
        assert (error.code, "missing_masks=flag" in error.hint) == ("bad_masks", True)
        result, out = bench.cut(bench.stencils(FIELD), maja=bench.maja(members), missing_masks="flag")
        layers = bands_of(result.layers, out)
        assert result.unmasked == lacking
        assert {name for name, array in layers.items() if (array == UNKNOWN).all()} == set(lacking)

    def test_slope_corrected_bands_only(self, bench, numbers) -> None:
        members = {name: content for name, content in maja_members(numbers).items() if "FRE_B8A" not in name}
        error = refused(bench, bench.stencils(FIELD), maja=bench.maja(members))
        assert (error.code, "FRE_B8A.tif" in error.reason) == ("corrupt_file", True)

    @pytest.mark.parametrize(("orbit", "expected"), [("108", 108), ("9398", None), ("0", None)])
    def test_an_orbit_that_is_no_relative_one(self, bench, numbers, orbit, expected) -> None:
        metadata = METADATA.format(orbit=orbit, quantification=5_000)
        result, out = bench.cut(bench.stencils(FIELD), maja=bench.maja(maja_members(numbers, metadata=metadata)))
        assert result.orbit == expected
        red = in_tile(result, bands_of(result.bands, out)["red"], NODATA)
        assert red[150, 250] == numbers["red"][150, 250] * 2

    def test_a_simulated_product_says_so(self, bench, numbers) -> None:
        metadata = METADATA.format(orbit=108, quantification=10_000)
        marked = metadata.replace("?>", "?>\n<!-- Simulated by Clearground: no satellite has seen this. -->", 1)
        told = [
            bench.cut(bench.stencils(FIELD), maja=bench.maja(maja_members(numbers, metadata=text)))[0].simulated
            for text in (metadata, marked)
        ]
        assert told == [False, True]

    def test_without_metadata_the_orbit_is_not_known(self, bench, numbers) -> None:
        result, _ = bench.cut(bench.stencils(FIELD), maja=bench.maja(maja_members(numbers, metadata=None)))
        assert result.orbit is None

    def test_the_folder_may_have_another_version_than_the_zip(self, bench, numbers) -> None:
        members = {name.replace("_D_V1-4", "_C_V2-2"): content for name, content in maja_members(numbers).items()}
        result, _ = bench.cut(bench.stencils(FIELD), maja=bench.maja(members))
        assert result.source == "maja"

    def test_a_wholly_empty_product(self, bench, numbers) -> None:
        empty = {name: np.zeros_like(array) for name, array in numbers.items()}
        error = refused(bench, bench.stencils(FIELD), maja=bench.maja(maja_members(empty)))
        assert error.code == "no_valid_pixels"
        assert THEIA in error.reason

    def test_another_name(self, bench, numbers) -> None:
        error = refused(bench, bench.stencils(FIELD), maja=bench.maja(maja_members(numbers), id="mine"))
        assert error.code == "bad_parameters"


class TestUntrustedZips:
    def broken(self, bench: Bench, numbers: Any, members: dict[str, bytes]) -> StepError:
        error = refused(bench, bench.stencils(FIELD), maja=bench.maja(members))
        assert error.code == "corrupt_file"
        return error

    def test_names_that_leave_the_folder_are_never_opened(self, bench, numbers) -> None:
        evil = {f"../{THEIA}/{THEIA}_FRE_B4.tif": b"evil", f"/{THEIA}_FRE_B4.tif": b"evil", "B4.tif": b"evil"}
        result, _ = bench.cut(bench.stencils(FIELD), maja=bench.maja(evil | maja_members(numbers)))
        plain, _ = bench.cut(bench.stencils(FIELD), maja=bench.maja(maja_members(numbers)))
        assert result.bands.content_id == plain.bands.content_id

    def test_without_the_product_in_it(self, bench, numbers) -> None:
        members = {f"../{name}": content for name, content in maja_members(numbers).items()}
        assert "0 folders" in self.broken(bench, numbers, members).reason

    def test_two_products_in_one(self, bench, numbers) -> None:
        members = maja_members(numbers)
        other = {name.replace("_V1-4", "_V2-2"): content for name, content in members.items()}
        assert "2 folders" in self.broken(bench, numbers, members | other).reason

    def test_no_zip(self, bench, numbers) -> None:
        product = bench.maja({})
        path = Path(bench.store.root / product.archive.store_path)
        path.write_bytes(b"PK no")
        error = refused(bench, bench.stencils(FIELD), maja=product)
        assert (error.code, "is no ZIP" in error.reason) == ("corrupt_file", True)

    @pytest.mark.parametrize("limit", ["MOST_MEMBERS", "MOST_RASTER_BYTES", "MOST_XML_BYTES"])
    def test_more_than_a_product_holds(self, bench, numbers, monkeypatch, limit) -> None:
        monkeypatch.setattr(theia_archive, limit, 4)
        self.broken(bench, numbers, maja_members(numbers))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_members_of_one_name(self, bench, numbers) -> None:
        product = bench.maja(maja_members(numbers))
        with zipfile.ZipFile(bench.store.root / product.archive.store_path, "a") as archive:
            archive.writestr(f"{THEIA}/{THEIA}_FRE_B4.tif", b"other")
        error = refused(bench, bench.stencils(FIELD), maja=product)
        assert (error.code, "one name" in error.reason) == ("corrupt_file", True)

    def test_a_damaged_member(self, bench, numbers) -> None:
        members = maja_members(numbers)
        members[f"{THEIA}/{THEIA}_FRE_B4.tif"] = members[f"{THEIA}/{THEIA}_FRE_B4.tif"][:5000]
        self.broken(bench, numbers, members)

    @pytest.mark.parametrize("metadata", ["<a", "<!DOCTYPE a><a/>", METADATA.format(orbit="x", quantification=1)])
    def test_damaged_metadata(self, bench, numbers, metadata) -> None:
        self.broken(bench, numbers, maja_members(numbers, metadata=metadata))

    def test_larger_than_a_tile(self, bench, numbers, monkeypatch) -> None:
        from containers.gdal import theia_product

        monkeypatch.setattr(theia_product, "_MOST_CELLS", 100)
        assert "600 × 600 cells" in self.broken(bench, numbers, maja_members(numbers)).reason
