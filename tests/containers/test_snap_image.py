"""SNAP itself, where its image exists: its parameters against our descriptors, its result against sarsen."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.radar import RadarProduct, SafeFolder
from containers.base.contract.step import StepError

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.container
GROUND = Grid(epsg=3035, resolution_m=10, west_m=4_470_000, north_m=2_770_000, width=300, height=280)
OPERATORS = json.loads((Path(__file__).parents[2] / "containers" / "snap" / "operators.json").read_text())["operators"]
WHEN = datetime(2021, 6, 12, 5, 17, 30, tzinfo=UTC)
PASS: dict[str, Any] = {
    "platform": "S1B",
    "datatake": "039993",
    "absolute_orbit": 30_148,
    "relative_orbit": 22,
    "direction": "descending",
}


@pytest.fixture(scope="module")
def snap_image(docker_engine: "DockerClient") -> str:
    """The image's id. It is never required: it holds what only ESA hands out."""
    from tasks import images
    from tasks.settings import Settings

    try:
        return str(images.find(docker_engine, Settings(), "snap").id)
    except StepError as error:
        pytest.skip(f"{error} It is not built by default: see docs/snap.md")


@pytest.fixture
def run_in_snap(docker_engine: "DockerClient", snap_image: str, tmp_path: Path) -> Callable[..., str]:
    """Runs a command as the runner would: without network, in a scratch folder, the test's folder at its own path."""
    scratch = tmp_path / "home"

    def run(*command: str, memory_mb: int = 4096) -> str:
        scratch.mkdir(exist_ok=True, mode=0o777)
        output = docker_engine.containers.run(
            snap_image,
            list(command),
            user="0:0",
            volumes={str(tmp_path): {"bind": str(tmp_path), "mode": "rw"}},
            environment={"HOME": str(scratch), "TMPDIR": str(scratch), "CLEARGROUND_STORE": str(tmp_path)},
            working_dir=str(scratch),
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            mem_limit=f"{memory_mb}m",
            init=True,
            remove=True,
            stderr=True,
        )
        return str(output.decode(errors="replace"))

    return run


def parameter_names(usage: str) -> set[str]:
    """What `gpt <operator> -h` lists: `-P<name>=<type>`.

    >>> sorted(parameter_names("  -PnRgLooks=<int>   looks\\n  -Psquare=<boolean>\\n  -Ssource=<file>"))
    ['nRgLooks', 'square']
    """
    return set(re.findall(r"^\s*-P(\w+)=<", usage, re.MULTILINE))


@pytest.mark.parametrize("operator", OPERATORS)
def test_parameters_are_those_of_the_descriptors(run_in_snap, tmp_path: Path, operator: str) -> None:
    usage = run_in_snap("gpt", f"-J-Duser.home={tmp_path}", f"-J-Dsnap.userdir={tmp_path}/.snap", operator, "-h")
    assert parameter_names(usage) == set(OPERATORS[operator]["parameters"])


@pytest.fixture
def simulated(tmp_path: Path) -> dict[str, Any]:
    """A pass over a cone on a plain, as what every radar engine is asked."""
    products = pytest.importorskip("containers.eodata.radar_products", reason="the archive simulates no radar")
    from pyproj import Transformer

    from containers.eodata.radar_ground import RadarGround
    from containers.eodata.radar_pass import RadarPass

    def stored(path: Path) -> File:
        return output_file(path).model_copy(update={"href": f"store:{path.relative_to(tmp_path)}"})

    def heights(x: Any, y: Any) -> Any:
        middle = GROUND.west_m + 1500, GROUND.north_m - 1400
        return (420 + 100 * np.exp(-(((x - middle[0]) / 300) ** 2) - ((y - middle[1]) / 300) ** 2)).astype(np.float32)

    rows, cols = np.mgrid[: GROUND.height, : GROUND.width] + 0.5
    surface = heights(GROUND.west_m + 10 * cols, GROUND.north_m - 10 * rows)
    power = {name: np.full(GROUND.shape, value, np.float32) for name, value in (("vv", 0.12), ("vh", 0.02))}
    pass_ = RadarPass(start=WHEN, **PASS)
    (product,) = products.write_radar(pass_, RadarGround(GROUND, surface, power), 7, tmp_path / "archive")
    folder = tmp_path / "archive" / pass_.folder(product.name)
    files = {str(path.relative_to(folder)): stored(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    west, south, east, north = Transformer.from_crs(3035, 4326, always_xy=True).transform_bounds(*GROUND.bounds)
    lon, lat = np.meshgrid(np.arange(west - 0.02, east + 0.02, 3e-4), np.arange(north + 0.02, south - 0.02, -3e-4))
    dem = heights(*Transformer.from_crs(4326, 3035, always_xy=True).transform(lon, lat))
    place = rasterio.transform.from_origin(lon[0, 0] - 1.5e-4, lat[0, 0] + 1.5e-4, 3e-4, 3e-4)
    profile = {"driver": "GTiff", "width": dem.shape[1], "height": dem.shape[0], "count": 1, "dtype": "float32"}
    with rasterio.open(tmp_path / "dem.tif", "w", crs="EPSG:4326", transform=place, **profile) as sink:
        sink.write(dem, 1)
    x, y = Transformer.from_crs(3035, 32633, always_xy=True).transform(GROUND.west_m + 1500, GROUND.north_m - 1400)
    radar = RadarProduct(
        id=product.name.removesuffix(".SAFE"),
        polarisations=("vv", "vh"),
        start=product.start,
        stop=product.stop,
        footprint=product.footprint.wkt,
        simulated=True,
        **PASS,
    )
    return {
        "slices": (radar,),
        "folders": (SafeFolder(id=radar.id, files=files),),
        "dem": stored(tmp_path / "dem.tif"),
        "grid": Grid.covering(Bounds(x - 900, y - 900, x + 900, y + 900), epsg=32633, resolution_m=10),
    }


def test_both_engines_agree(run_in_snap, simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the same grid, in the mean within half a decibel; cell by cell they differ by their interpolations."""
    sarsen = pytest.importorskip("containers.sarsen.backscatter")
    from containers.sarsen.contract.backscatter import SarsenBackscatterParams
    from containers.snap.contract.backscatter import SnapBackscatterParams

    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    outs = {name: tmp_path / name for name in ("sarsen", "snap")}
    for out in outs.values():
        out.mkdir(mode=0o777)
    expected = sarsen.run(SarsenBackscatterParams(**simulated), outs["sarsen"])
    (tmp_path / "params.json").write_text(SnapBackscatterParams(**simulated).model_dump_json())
    step = ("python", "-m", "containers.snap.backscatter", str(tmp_path / "params.json"), str(outs["snap"]))
    run_in_snap(*step, memory_mb=8192)
    found = json.loads((outs["snap"] / "result.json").read_text())
    assert found["engine"] == "snap"
    assert Grid(**found["grid"]) == expected.grid
    for name in ("vv", "vh"):
        with (
            rasterio.open(outs["snap"] / found["bands"][name]["href"]) as ours,
            rasterio.open(outs["sarsen"] / expected.bands[name].href) as theirs,
        ):
            assert (ours.transform, ours.shape, ours.crs) == (theirs.transform, theirs.shape, theirs.crs)
            ratio_db = 10 * np.log10(ours.read(1) / theirs.read(1))
        assert abs(np.nanmean(ratio_db)) < 0.5
        assert np.nanpercentile(np.abs(ratio_db), 90) < 2
