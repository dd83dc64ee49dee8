"""A store with a small product, a DEM and orbit files in it, and a stand-in for gpt on PATH."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_bounds, from_origin

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.radar import RadarProduct, SafeFolder
from containers.snap.contract.backscatter import SnapBackscatterParams

GRID = Grid(epsg=32633, resolution_m=10, west_m=499_980, north_m=5_300_040, width=300, height=270)
START, STOP = datetime(2021, 1, 19, 5, 10, 1, tzinfo=UTC), datetime(2021, 1, 19, 5, 10, 26, tzinfo=UTC)
FOOTPRINT = "POLYGON((14 47,17 47,17 49,14 49,14 47))"
IMAGE = "s1a-iw-grd-{}-20210119t051001-20210119t051026-036200-043e5d-00{}"


class SnapStore:
    """Puts files into a store folder, under the addresses that a runner would give them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, path: Path) -> File:
        return output_file(path).model_copy(update={"href": f"store:{path.relative_to(self.root)}"})

    def text(self, name: str, text: str = "<product/>") -> File:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self.file(path)

    def raster(self, name: str, array: np.ndarray, **profile: Any) -> File:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = array.shape
        shape = {"driver": "GTiff", "count": 1, "dtype": array.dtype, "width": width, "height": height}
        with rasterio.open(path, "w", **shape, **profile) as sink:
            sink.write(array, 1)
        return self.file(path)

    def dem(self, heights: Any = 250.0, bounds: tuple[float, ...] = (14.9, 47.7, 15.2, 47.9), epsg: int = 4326) -> File:
        array = np.broadcast_to(np.float32(heights), (90, 120)).copy()
        transform = from_bounds(*bounds, 120, 90)
        return self.raster("dem/dem.tif", array, crs=f"EPSG:{epsg}", transform=transform, compress="zstd")

    def product(self, name: str, value: int = 300) -> SafeFolder:
        """A GRD product of two polarisations, 120 lines of 90 samples."""
        files = {"manifest.safe": self.text(f"{name}/manifest.safe")}
        for number, polarisation in enumerate(("vv", "vh"), start=1):
            image = IMAGE.format(polarisation, number)
            pixels = np.full((120, 90), value, np.uint16)
            place = {"crs": None, "transform": from_origin(0, 0, 1, 1)}
            files[f"measurement/{image}.tiff"] = self.raster(f"{name}/{image}.tiff", pixels, **place)
            for kind in (f"{image}.xml", f"calibration/calibration-{image}.xml", f"calibration/noise-{image}.xml"):
                files[f"annotation/{kind}"] = self.text(f"{name}/{Path(kind).name}")
        return SafeFolder(id=name, files=files)


@pytest.fixture
def snap_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SnapStore:
    root, scratch = tmp_path / "store", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("CLEARGROUND_STORE", str(root))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return SnapStore(root)


@pytest.fixture
def snap_out(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    return out


@pytest.fixture
def gpt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts the stand-in on PATH; called, it says how gpt shall end."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "gpt"
    stand_in = Path(__file__).with_name("fake_gpt.py")
    program.write_text(
        '#!/bin/sh\ncase "$*" in *--diag*) echo "SNAP Release version 13.0.0"; exit;; esac\n'
        f'exec "{sys.executable}" "{stand_in}" "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def ends(how: str, exit_code: int = 0) -> None:
        monkeypatch.setenv("FAKE_GPT", how)
        monkeypatch.setenv("FAKE_GPT_EXIT", str(exit_code))

    return ends


@pytest.fixture
def radar_slice() -> Callable[..., RadarProduct]:
    def make(name: str = "S1A_IW_GRDH_1SDV_20210119T051001", **facts: Any) -> RadarProduct:
        stated: dict[str, Any] = {
            "id": name,
            "platform": "S1A",
            "polarisations": ("vv", "vh"),
            "start": START,
            "stop": STOP,
            "datatake": "043E5D",
            "absolute_orbit": 36_200,
            "relative_orbit": 22,
            "direction": "descending",
            "footprint": FOOTPRINT,
        }
        return RadarProduct(**(stated | facts))

    return make


@pytest.fixture
def snap_params(
    snap_store: SnapStore, radar_slice: Callable[..., RadarProduct]
) -> Callable[..., SnapBackscatterParams]:
    """Parameters of one slice on the grid; anything may be stated otherwise."""

    def make(**stated: Any) -> SnapBackscatterParams:
        product = radar_slice()
        facts: dict[str, Any] = {"slices": (product,), "grid": GRID}
        facts |= stated
        if "folders" not in facts:
            facts["folders"] = tuple(snap_store.product(each.id) for each in facts["slices"])
        if "dem" not in facts:
            facts["dem"] = snap_store.dem()
        return SnapBackscatterParams(**facts)

    return make
