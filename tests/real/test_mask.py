"""Masks of real L1C pixels: one place under thick haze and cloud, and without it (SEN12MS-CR)."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rasterio

from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.raster import write_cog
from containers.base.sentinel2 import BANDS
from containers.gdal import mask
from containers.gdal.contract.mask import MaskParams, MaskResult, MaskRules
from containers.gdal.contract.observe import Image, Observation

pytestmark = pytest.mark.real
PATCH = "ROIs1970_fall_139_p839.tif"


@pytest.fixture
def observe_patch(sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A patch as an observation; its corner is moved to a whole cell, which a mask of single dates does not see."""
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))

    def observe(folder: str) -> Observation:
        path = sample_data / "glf-cr-sen12mscr" / "data" / folder / PATCH
        if not path.is_file():
            pytest.skip(f"the samples lack {path.name}")
        with rasterio.open(path) as source:
            numbers = source.read().astype("int16")
            west, north = (round(edge / 10) * 10 for edge in (source.bounds.left, source.bounds.top))
        grid = Grid(epsg=32650, resolution_m=10, west_m=west, north_m=north, width=256, height=256)
        made = tmp_path / "patch" / "key" / folder
        made.mkdir(parents=True)
        write_cog(made / "features.tif", numbers, grid, nodata=-32768, bands=tuple(band.name for band in BANDS))
        image = Image(file=stored(made / "features.tif", tmp_path), grid=grid)
        return Observation(
            scene_id=folder, tile="50TMK", acquired=datetime(2018, 10, 1, 3, 0, tzinfo=UTC), platform="S2A", orbit=75,
            level="L1C", baseline="02.06", simulated=False, cloud_cover=None, footprint="POLYGON EMPTY", grid=grid,
            bands={}, features=image, background=image, valid_share=1.0,
        )  # fmt: skip

    return observe


def stored(path: Path, root: Path) -> File:
    return File(href=f"store:{path.relative_to(root)}", content_id=sha256_of(path), size=path.stat().st_size)


def masked(observation: Observation, out: Path, engine: str, **options: Any) -> MaskResult:
    out.mkdir()
    return mask.run(MaskParams(observation=observation, rules=MaskRules(engine=engine, dilate_m={}), **options), out)


def test_trees_find_cloud_where_it_is_only(observe_patch, tmp_path) -> None:
    clear = masked(observe_patch("s2_cloudfree"), tmp_path / "clear", "hollstein").shares
    cloudy = masked(observe_patch("s2_cloudy"), tmp_path / "cloudy", "hollstein").shares
    assert clear["cloud"] + clear["cirrus"] < 0.01
    assert cloudy["cloud"] > 0.2


def test_s2cloudless_tells_them_apart(observe_patch, tmp_path) -> None:
    pytest.importorskip("lightgbm")
    weights = os.environ.get("S2CLOUDLESS_WEIGHTS")
    if not weights:
        pytest.skip("no weights of s2cloudless: set S2CLOUDLESS_WEIGHTS")
    path = tmp_path / "patch" / "weights.txt"
    path.parent.mkdir()
    path.write_bytes(Path(weights).read_bytes())
    options = {"weights": stored(path, tmp_path)}
    clear = masked(observe_patch("s2_cloudfree"), tmp_path / "clear", "s2cloudless", **options)
    cloudy = masked(observe_patch("s2_cloudy"), tmp_path / "cloudy", "s2cloudless", **options)
    assert clear.shares["cloud"] < 0.02
    assert cloudy.shares["cloud"] > 0.95
