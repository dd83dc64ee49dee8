"""The simulated radar against real Sentinel-1 products: the same geometry, the same form of metadata."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest

from containers.eodata.radar_geometry import LIGHT_M_S, GroundRange, located, zero_doppler_s
from containers.eodata.radar_orbit import Array, Orbit, State, geocentric
from containers.eodata.radar_products import RadarStored, write_radar
from tests.containers.eodata.radar_world import descending, plain

pytestmark = pytest.mark.real
ROME = "sarsen-rome/tests/data/S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371.SAFE"
LEFT_OUT = ("attitude/", "noise/", "pointingStatus/", "fineDce/", "replica/")
"""Lists that the simulator leaves empty: of the attitude, of raw noise and of the replicas."""


@dataclass(frozen=True)
class FlownOrbit(Orbit):
    """The state vectors of a product, interpolated."""

    axes: tuple[np.polynomial.Polynomial, ...] = ()

    def state(self, time_s: Array) -> State:
        return State(*(np.stack([axis.deriv(order)(time_s) for axis in self.axes], axis=-1) for order in range(3)))


@pytest.fixture(scope="module")
def rome(sample_data: Path) -> Path:
    folder = sample_data / ROME
    if not folder.is_dir():
        pytest.skip(f"no sample at {folder}")
    return folder


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bucket = tmp_path_factory.mktemp("bucket")
    stored: RadarStored = write_radar(descending(), plain(40), 1, bucket)[0]
    return bucket / stored.folder


def seconds(time: str | None) -> float:
    return float((np.datetime64(str(time)) - np.datetime64("2021-12-23T05:11:35")) / np.timedelta64(1, "s"))


def column(entries: list[ElementTree.Element], name: str) -> npt.NDArray[np.float64]:
    return np.array([float(str(entry.findtext(name))) for entry in entries])


def test_geometry_agrees_with_a_real_product(rome: Path) -> None:
    """Tie points with their own heights: time within 0.1 line, range within 0.1 pixel, place within 1 m, angles."""
    root = ElementTree.parse(next((rome / "annotation").glob("*.xml"))).getroot()
    vectors = root.findall(".//orbit")
    times = np.array([seconds(vector.findtext("time")) for vector in vectors])
    axes = tuple(np.polynomial.Polynomial.fit(times, column(vectors, f"position/{axis}"), 8) for axis in "xyz")
    orbit = FlownOrbit(0.0, 0.0, axes)
    points = root.findall(".//geolocationGridPoint")
    longitude, latitude, height, pixel, slant_s, incidence, elevation = (
        column(points, name)
        for name in ("longitude", "latitude", "height", "pixel", "slantRangeTime", "incidenceAngle", "elevationAngle")
    )
    stated_s = np.array([seconds(point.findtext("azimuthTime")) for point in points])
    places = geocentric(longitude, latitude, height)
    line_s = float(str(root.findtext(".//azimuthTimeInterval")))
    found_s = zero_doppler_s(orbit, places)
    assert found_s == pytest.approx(stated_s, abs=0.1 * line_s)
    range_m = np.linalg.norm(orbit.state(found_s).position - places, axis=-1)
    assert range_m == pytest.approx(slant_s * LIGHT_M_S / 2, abs=0.5)
    back = located(orbit, stated_s, slant_s * LIGHT_M_S / 2, height)
    returned = geocentric(back.longitude_deg, back.latitude_deg, back.height_m)
    assert np.linalg.norm(returned - places, axis=-1).max() < 1
    assert back.incidence_deg == pytest.approx(incidence, abs=0.05)
    assert back.elevation_deg == pytest.approx(elevation, abs=0.2)
    conversions = root.findall(".//coordinateConversion/coordinateConversionList/coordinateConversion")
    conversion_s = np.array([seconds(each.findtext("azimuthTime")) for each in conversions])
    for index, time in enumerate(stated_s):
        entry = conversions[int(np.argmin(abs(conversion_s - time)))]
        to_ground, to_slant = (
            np.array([float(value) for value in str(entry.findtext(name)).split()])
            for name in ("srgrCoefficients", "grsrCoefficients")
        )
        conversion = GroundRange(float(str(entry.findtext("sr0"))), to_ground, to_slant)
        assert conversion.ground_m(slant_s[index : index + 1] * LIGHT_M_S / 2) / 10 == pytest.approx(
            pixel[index], abs=0.2
        )


def paths(file: Path) -> set[str]:
    """Every element of a file by its way from the root, with its attributes, less namespaces."""
    found = set()

    def walk(entry: ElementTree.Element, way: str) -> None:
        here = f"{way}/{entry.tag.split('}')[-1]}"
        found.add(here)
        found.update(f"{here}@{name}" for name in entry.attrib)
        for child in entry:
            walk(child, here)

    walk(ElementTree.parse(file).getroot(), "")
    return found


@pytest.mark.parametrize(
    "pattern", ["annotation/*vv*.xml", "annotation/calibration/c*vv*", "annotation/calibration/n*vv*"]
)
def test_annotations_have_the_real_form(rome: Path, simulated: Path, pattern: str) -> None:
    real, made = (paths(next(folder.glob(pattern))) for folder in (rome, simulated))
    assert made - real == set()
    assert {way for way in real - made if not any(f"/{part}" in f"{way}/" for part in LEFT_OUT)} == set()


def test_manifest_has_the_real_form(rome: Path, simulated: Path) -> None:
    real, made = (paths(folder / "manifest.safe") for folder in (rome, simulated))
    assert made - real == set()
    assert {way for way in real - made if "metadataReference" not in way and "resource" not in way} <= {
        "/XFDU/informationPackageMap/contentUnit/contentUnit@dmdID",
        "/XFDU/metadataSection/metadataObject/dataObjectPointer",
        "/XFDU/metadataSection/metadataObject/dataObjectPointer@dataObjectID",
    }
