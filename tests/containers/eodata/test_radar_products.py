"""Simulated Sentinel-1 products, as other programs read them."""

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from pyproj import Transformer
from scipy.optimize import minimize_scalar
from shapely import Point, union_all

from containers.eodata.radar_ground import RadarGround
from containers.eodata.radar_image import MARGIN_PX
from containers.eodata.radar_products import RadarStored, radar_item, write_radar
from tests.containers.eodata.radar_world import ascending, descending, hill, plain, square

CELLS = 160
REFLECTORS = ((60, 50), (85, 110), (120, 75))
"""Cells that shine like corner reflectors."""
LIGHT_M_S = 299_792_458.0


def with_reflectors(heights: npt.NDArray[np.float32]) -> RadarGround:
    ground = plain(CELLS)._replace(heights_m=heights)
    for cell in REFLECTORS:
        ground.gamma0["vv"][cell] = 3e3
    return ground


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bucket")


@pytest.fixture(scope="module")
def product(bucket: Path) -> RadarStored:
    return write_radar(descending(), with_reflectors(hill(CELLS)), 7, bucket)[0]


def file_of(stored: RadarStored, asset: str, bucket: Path) -> Path:
    return bucket / next(file.path for file in stored.files if file.asset == asset)


def image_of(stored: RadarStored, bucket: Path, asset: str = "vv") -> npt.NDArray[np.uint16]:
    with rasterio.open(file_of(stored, asset, bucket)) as source:
        image: npt.NDArray[np.uint16] = source.read(1)
    return image


def table(path: Path, entry: str, name: str) -> npt.NDArray[np.float64]:
    """A table of numbers of the first entry of a calibration or noise file."""
    found = ElementTree.parse(path).find(f".//{entry}/{name}")
    assert found is not None
    return np.array([float(each) for each in str(found.text).split()])


def test_the_safe_is_whole(product: RadarStored, bucket: Path) -> None:
    folder = bucket / product.folder
    on_disk = {path.relative_to(bucket).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert on_disk == {file.path for file in product.files}
    assert {file.asset for file in product.files} == {
        "safe_manifest", "vv", "vh", "schema-product-vv", "schema-product-vh", "schema-calibration-vv",
        "schema-calibration-vh", "schema-noise-vv", "schema-noise-vh",
    }  # fmt: skip
    for file in product.files:
        content = (bucket / file.path).read_bytes()
        assert file.size == len(content)
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert b"imulated" in content
    manifest = ElementTree.parse(folder / "manifest.safe")
    for entry in manifest.iter("byteStream"):
        location, checksum = entry.find("fileLocation"), entry.find("checksum")
        assert location is not None
        assert checksum is not None
        content = (folder / location.attrib["href"]).read_bytes()
        assert (int(entry.attrib["size"]), checksum.text) == (len(content), hashlib.md5(content).hexdigest())


def test_metadata_obey_the_product_specification(product: RadarStored, bucket: Path) -> None:
    """The schemas are ESA's own, as xarray-sentinel carries them."""
    xmlschema = pytest.importorskip("xmlschema")
    esa_safe = pytest.importorskip("xarray_sentinel.esa_safe")
    kinds = {"annotation": "schema-product", "calibration": "schema-calibration", "noise": "schema-noise"}
    for kind, asset in kinds.items():
        schema = xmlschema.XMLSchema(str(esa_safe.SENTINEL1_SCHEMAS[kind]))
        for polarisation in ("vv", "vh"):
            assert list(schema.iter_errors(str(file_of(product, f"{asset}-{polarisation}", bucket)))) == []


def test_xarray_sentinel_and_sarsen_open_every_group(product: RadarStored, bucket: Path) -> None:
    xarray_sentinel = pytest.importorskip("xarray_sentinel")
    sarsen = pytest.importorskip("sarsen")
    folder = str(bucket / product.folder)
    whole = xarray_sentinel.open_sentinel1_dataset(folder)
    assert whole.attrs["pass"] == "DESCENDING"
    assert whole.attrs["relative_orbit_number"] == 95
    assert len(whole.attrs["subgroups"]) == 21
    for group in whole.attrs["subgroups"]:
        xarray_sentinel.open_sentinel1_dataset(folder, group=group)
    information = sarsen.Sentinel1SarProduct(folder, "IW/VV").product_info()
    assert information["measurement_groups"] == ["IW/VV", "IW/VH"]
    assert information["mission_data_take_id"] == 0x04A1B2


def geocoded(
    folder: Path, stored: RadarStored, heights: npt.NDArray[np.float32], flattening: str | None
) -> npt.NDArray[np.float32]:
    """VV by sarsen's own terrain correction on the cells of the heights, north up."""
    sarsen = pytest.importorskip("sarsen")
    grid = square(len(heights))
    profile = {"driver": "GTiff", "width": grid.width, "height": grid.height, "count": 1, "dtype": "float32"}
    transform = rasterio.transform.from_origin(grid.west_m, grid.north_m, 10, 10)
    with rasterio.open(folder / "dem.tif", "w", crs="EPSG:3035", transform=transform, **profile) as target:
        target.write(heights, 1)
    made = sarsen.terrain_correction(
        sarsen.Sentinel1SarProduct(str(folder / stored.folder), "IW/VV"),
        str(folder / "dem.tif"),
        output_urlpath=str(folder / "out.tif"),
        correct_radiometry=flattening,
        interp_method="linear",
    )
    return np.asarray(made.sortby("y", ascending=False))


@pytest.mark.parametrize("height_m", [0, 180])
@pytest.mark.parametrize("towards", [descending, ascending])
def test_sarsen_finds_reflectors_where_they_stand(height_m: float, towards: Any, tmp_path: Path) -> None:
    heights = hill(CELLS, height_m)
    stored = write_radar(towards(), with_reflectors(heights), 7, tmp_path)[0]
    flattened = geocoded(tmp_path, stored, heights, "gamma_bilinear")
    for row, column in REFLECTORS:
        around = flattened[row - 5 : row + 6, column - 5 : column + 6]
        bright = np.where(around > around.max() / 10, around, 0)
        offsets = np.mgrid[-5:6, -5:6]
        assert abs((bright * offsets).sum(axis=(1, 2)) / bright.sum()) == pytest.approx(0, abs=1)


def test_sarsen_flattens_slopes_to_their_gamma(tmp_path: Path) -> None:
    """Bright ground, so that noise counts for nothing: within 4 % on both flanks, which differ by 3 dB before."""
    heights = hill(240, 250, 500)
    stored = write_radar(descending(), plain(240, vv=0.5)._replace(heights_m=heights), 7, tmp_path)[0]
    beta0, gamma0 = (geocoded(tmp_path, stored, heights, flattening) for flattening in (None, "gamma_bilinear"))
    rise = np.gradient(heights, 10, axis=1)
    # Descending, the radar looks west: ground that rises to the east falls away from it.
    flanks = [rise < -0.14, rise > 0.14]
    assert [gamma0[flank].mean() for flank in flanks] == pytest.approx([0.5, 0.5], rel=0.04)
    towards, away = (float(beta0[flank].mean()) for flank in flanks)
    assert 10 * np.log10(towards / away) > 2.5


def test_tie_points_lead_back_to_their_pixels(product: RadarStored, bucket: Path) -> None:
    """By other means: the state vectors' polynomial, PROJ, and a search for the nearest approach."""
    root = ElementTree.parse(file_of(product, "schema-product-vv", bucket)).getroot()

    def seconds(time: str | None) -> float:
        return float((np.datetime64(str(time)) - np.datetime64("2021-06-03T05:17:12")) / np.timedelta64(1, "s"))

    def values(entry: ElementTree.Element, names: str) -> list[float]:
        return [float(str(entry.findtext(name))) for name in names.split()]

    orbits = root.findall(".//orbit")
    times = np.array([seconds(each.findtext("time")) for each in orbits])
    positions = np.array([values(each, "position/x position/y position/z") for each in orbits])
    track = [np.polynomial.Polynomial.fit(times, axis, 7) for axis in positions.T]
    to_earth = Transformer.from_crs(4979, 4978, always_xy=True)
    line_s, lines = values(root, ".//azimuthTimeInterval .//numberOfLines")
    polynomial = [float(each) for each in str(root.findtext(".//srgrCoefficients")).split()]
    origin_m = float(str(root.findtext(".//sr0")))
    points = root.findall(".//geolocationGridPoint")
    assert len(points) == 126
    heights = [float(str(point.findtext("height"))) for point in points]
    assert max(heights) > 500
    for point in points:
        longitude, latitude, height, pixel = values(point, "longitude latitude height pixel")
        place = to_earth.transform(longitude, latitude, height)

        def distance(time: float, place: Any = place) -> float:
            return float(np.linalg.norm([axis(time) - at for axis, at in zip(track, place, strict=True)]))

        nearest = minimize_scalar(distance, bounds=(-5, 10), method="bounded", options={"xatol": 1e-9})
        stated_s, slant_s = seconds(point.findtext("azimuthTime")), float(str(point.findtext("slantRangeTime")))
        assert nearest.x == pytest.approx(stated_s, abs=0.1 * line_s)
        ground_m = sum(c * (nearest.fun - origin_m) ** degree for degree, c in enumerate(polynomial))
        assert ground_m / 10 == pytest.approx(pixel, abs=0.1)
        assert 2 * nearest.fun / LIGHT_M_S == pytest.approx(slant_s, abs=1e-9)
    assert lines == image_of(product, bucket).shape[0]


def test_the_tables_give_gamma_back(bucket: Path) -> None:
    """Dark water: half of what the image holds is noise, and the tables take it away again."""
    stored = write_radar(ascending(datatake="04A1B3"), plain(300, vv=0.1, vh=0.003), 7, bucket)[0]
    for polarisation, gamma0 in (("vv", 0.1), ("vh", 0.003)):
        numbers = image_of(stored, bucket, polarisation).astype(np.float64)
        calibration = file_of(stored, f"schema-calibration-{polarisation}", bucket)
        noise = file_of(stored, f"schema-noise-{polarisation}", bucket)
        samples = np.arange(numbers.shape[1])
        pixel = table(calibration, "calibrationVector", "pixel")
        gamma = np.interp(samples, pixel, table(calibration, "calibrationVector", "gamma"))
        across = np.interp(
            samples, table(noise, "noiseRangeVector", "pixel"), table(noise, "noiseRangeVector", "noiseRangeLut")
        )
        along = np.interp(
            np.arange(len(numbers)),
            table(noise, "noiseAzimuthVector", "line"),
            table(noise, "noiseAzimuthVector", "noiseAzimuthLut"),
        )
        inner = slice(MARGIN_PX, -MARGIN_PX), slice(MARGIN_PX, -MARGIN_PX)
        raw = (numbers**2 / gamma**2)[inner].mean()
        clean = ((numbers**2 - across * along[:, None]) / gamma**2)[inner].mean()
        assert clean == pytest.approx(gamma0, rel=0.01)
        assert raw - gamma0 > 0.0015
        sigma, beta = (table(calibration, "calibrationVector", name)[0] for name in ("sigmaNought", "betaNought"))
        grid_point = ElementTree.parse(file_of(stored, f"schema-product-{polarisation}", bucket)).find(
            ".//geolocationGridPoint/incidenceAngle"
        )
        assert grid_point is not None
        assert (beta / sigma) ** 2 == pytest.approx(np.sin(np.radians(float(str(grid_point.text)))), rel=1e-4)


def test_slices_are_one_image_cut_in_two(bucket: Path, product: RadarStored) -> None:
    ground = with_reflectors(hill(CELLS))
    first, second = write_radar(descending(slices=2), ground, 7, bucket / "slices")
    whole = image_of(product, bucket)
    parts = [image_of(each, bucket / "slices") for each in (first, second)]
    assert np.array_equal(np.vstack(parts), whole)
    assert min(len(part) for part in parts) > MARGIN_PX + 40
    root = ElementTree.parse(file_of(second, "schema-product-vv", bucket / "slices")).getroot()
    interval_s = float(str(root.findtext(".//azimuthTimeInterval")))
    assert (second.start - first.stop).total_seconds() == pytest.approx(interval_s, abs=2e-6)
    assert root.findtext(".//sliceNumber") == "2"
    assert first.name != second.name
    assert first.name.split("_")[6:8] == second.name.split("_")[6:8]
    assert (first.start, second.stop) == (product.start, product.stop)
    united = union_all([first.footprint, second.footprint])
    assert united.geom_type == "Polygon"
    assert united.symmetric_difference(product.footprint).area < 1e-4 * product.footprint.area


def test_the_footprint_holds_the_ground(product: RadarStored) -> None:
    west, south, east, north = square(CELLS).bounds
    to_geographic = Transformer.from_crs(3035, 4326, always_xy=True)
    for x, y in ((west, south), (west, north), (east, south), (east, north)):
        assert product.footprint.contains(Point(to_geographic.transform(x, y)))


def test_a_zero_filled_product_holds_only_zeros(tmp_path: Path) -> None:
    first, second = write_radar(descending(slices=2, damage="zero_filled"), plain(60), 7, tmp_path)
    assert not image_of(first, tmp_path).any()
    assert not image_of(first, tmp_path, "vh").any()
    assert image_of(second, tmp_path).any()


def test_a_missing_annotation_is_listed_but_not_there(tmp_path: Path) -> None:
    radar_pass = descending(damage="missing_annotation")
    stored = write_radar(radar_pass, plain(60), 7, tmp_path)[0]
    missing = [file.asset for file in stored.files if not (tmp_path / file.path).exists()]
    assert missing == ["schema-calibration-vv"]
    assert "schema-calibration-vv" in radar_item(stored, radar_pass)["assets"]


def test_item_is_that_of_the_catalogue(product: RadarStored) -> None:
    item = radar_item(product, descending())
    assert item["id"] == product.name
    assert item["collection"] == "sentinel-1-grd"
    properties = item["properties"]
    assert properties["clearground:simulated"] is True
    assert properties["datetime"] == "2021-06-03T05:17:12.345678Z"
    assert properties["sar:polarizations"] == ["VV", "VH"]
    assert (properties["sat:orbit_state"], properties["sat:relative_orbit"]) == ("descending", 95)
    assert properties["eopf:datatake_id"] == str(0x04A1B2)
    asset = item["assets"]["vh"]
    assert asset["href"].startswith(
        f"s3://eodata/Sentinel-1/SAR/IW_GRDH_1S/2021/06/03/{product.name}.SAFE/measurement/"
    )
    assert asset["file:local_path"].startswith(f"{product.name}.SAFE/")
    assert asset["file:checksum"].startswith("1220")
    west, south, east, north = item["bbox"]
    assert west < 11.9 < east
    assert south < 48.66 < north


def test_the_same_seed_gives_the_same_bytes_in_any_process(tmp_path: Path, product: RadarStored) -> None:
    """In another interpreter, with another hash seed."""
    code = (
        "import pickle, sys; from containers.eodata.radar_products import write_radar\n"
        "print(*(file.sha256 for file in write_radar(*pickle.load(sys.stdin.buffer))[0].files))\n"
    )

    def sums(seed: int) -> list[str]:
        job = pickle.dumps((descending(), with_reflectors(hill(CELLS)), seed, tmp_path / str(seed)))
        root = Path(__file__).resolve().parents[3]
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, input=job).stdout.decode().split()

    expected = {file.asset: file.sha256 for file in product.files}
    assert sums(7) == list(expected.values())
    other = dict(zip(expected, sums(8), strict=True))
    assert {asset for asset in expected if other[asset] == expected[asset]} == {
        f"schema-{kind}-{polarisation}" for kind in ("calibration", "noise") for polarisation in ("vv", "vh")
    }
