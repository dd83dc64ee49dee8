"""One acquisition, read once: the same pixels as `align` on the grid, and pictures of every band in the tile's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError
from rasterio.transform import Affine

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import align, observe
from containers.gdal.contract.align import AlignParams
from containers.gdal.contract.observe import Image, Observation, ObserveParams
from tests.reference import picture_of

NODATA = -32768
WEST_M, NORTH_M = 399_960.0, 5_600_040.0
EUROPE = Grid(epsg=3035, resolution_m=20, west_m=4_574_000, north_m=3_056_000, width=256, height=256)
EDGE_M = 2_880
CELLS_M = {"red": 10, "nir": 10, "swir16": 20, "cirrus": 60}


@pytest.fixture
def numbers() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    found = {
        band: rng.integers(1000, 9000, (EDGE_M // cell_m, EDGE_M // cell_m)).astype(np.uint16)
        for band, cell_m in CELLS_M.items()
    }
    for band, cell_m in CELLS_M.items():
        found[band][: 1_000 // cell_m, : 700 // cell_m] = 0
    return found


@pytest.fixture
def make_part(raster_store, make_scene):
    def make(numbers: dict[str, Any], offset_dn: float = 0.0, scl: Any = None, **fields: Any) -> Any:
        def source(name: str, array: Any, cell_m: float) -> Any:
            transform = Affine(cell_m, 0, WEST_M, 0, -cell_m, NORTH_M)
            return raster_store.source(array, epsg=32633, transform=transform, name=f"{name}.jp2")

        files = {band: source(band, array, CELLS_M[band]) for band, array in numbers.items()}
        classes = None if scl is None else source("SCL", scl, 20)
        return make_scene(files, offsets_dn=dict.fromkeys(files, offset_dn), scl=classes, **fields)

    return make


def observed(parts: Any, out: Path, **options: Any) -> Observation:
    facts = {"index_bands": ("red", "nir"), "mask_bands": ("swir16", "red", "cirrus"), "grid": EUROPE, "block_px": 16}
    return observe.run(ObserveParams(parts=parts if isinstance(parts, tuple) else (parts,), **(facts | options)), out)


def bands_of(image: Image, out: Path) -> dict[str, Any]:
    with rasterio.open(out / image.file.href) as dataset:
        assert dataset.shape == image.grid.shape
        assert dataset.transform[2] == image.grid.west_m
        assert dataset.nodata == NODATA
        return dict(zip(dataset.descriptions, dataset.read(), strict=True))


def test_index_bands_are_those_of_align(numbers, make_part, raster_store, tmp_path) -> None:
    part = make_part(numbers, -1000.0)
    result = observed(part, tmp_path)
    (tmp_path / "aligned").mkdir()
    params = AlignParams(parts=(part,), bands=("red", "nir"), grid=EUROPE, block_px=16)
    expected = align.run(params, tmp_path / "aligned")
    assert (result.grid, result.valid_share) == (expected.grid, expected.valid_share)
    for band in ("red", "nir"):
        assert result.bands[band].content_id == expected.bands[band].content_id
    assert list(result.bands) == ["red", "nir"]


@pytest.mark.parametrize("mask_m", [20, 30, 60])
def test_pictures_are_block_means_with_offset_and_nodata_settled(mask_m, numbers, make_part, tmp_path) -> None:
    result = observed(make_part(numbers, -1000.0), tmp_path, mask_resolution_m=mask_m, background_resolution_m=240)
    features, background = bands_of(result.features, tmp_path), bands_of(result.background, tmp_path)
    assert list(features) == list(background) == ["swir16", "red", "cirrus"]
    assert (result.features.grid.resolution_m, result.background.grid.resolution_m) == (mask_m, 240)
    for band, array in features.items():
        cell_m = CELLS_M[band]
        own = Grid(epsg=32633, resolution_m=cell_m, west_m=WEST_M, north_m=NORTH_M, width=EDGE_M // cell_m,
                   height=EDGE_M // cell_m)  # fmt: skip
        settled = np.where(numbers[band] == 0, NODATA, numbers[band].astype(int) - 1000)
        expected = picture_of(settled, own, result.features.grid, NODATA)
        assert (np.isnan(expected) == (array == NODATA)).all()
        assert np.nanmax(np.abs(np.where(array == NODATA, np.nan, array) - expected)) <= 0.51
        coarse = picture_of(array, result.features.grid, result.background.grid, NODATA)
        assert np.nanmax(np.abs(np.where(background[band] == NODATA, np.nan, background[band]) - coarse)) <= 0.51
        assert np.isnan(coarse).sum() == (background[band] == NODATA).sum() > 0


def test_each_object_is_fetched_and_decoded_once(numbers, make_part, tmp_path, monkeypatch) -> None:
    fetched, decoded = [], []
    monkeypatch.setattr(observe, "fetched", lambda file, real=observe.fetched: fetched.append(file.name) or real(file))
    monkeypatch.setattr(
        observe,
        "decode",
        lambda source, window, pool, real=observe.decode: decoded.append(source.name) or real(source, window, pool),
    )
    scl = np.full((EDGE_M // 20, EDGE_M // 20), 4, np.uint8)
    observed(make_part(numbers, scl=scl), tmp_path)
    assert sorted(decoded) == ["cirrus", "nir", "red", "scl", "swir16"]
    assert sorted(fetched) == ["SCL.jp2", "cirrus.jp2", "nir.jp2", "red.jp2", "swir16.jp2"]


def test_scene_classes_are_kept_as_classes(numbers, make_part, tmp_path) -> None:
    scl = np.full((EDGE_M // 20, EDGE_M // 20), 4, np.uint8)
    scl[:3, :3], scl[3:6, :3], scl[3, 0] = 0, 9, 3
    result = observed(make_part(numbers, scl=scl), tmp_path)
    features = bands_of(result.features, tmp_path)
    assert features["scl"][:3, 0].tolist() == [NODATA, 9, 4]
    assert "scl" not in bands_of(result.background, tmp_path)
    with rasterio.open(tmp_path / "features.tif") as dataset:
        assert dataset.scales == (1e-4, 1e-4, 1e-4, 1.0)


def test_halves_with_their_own_baselines_join(numbers, make_part, tmp_path) -> None:
    upper, lower = ({band: array.copy() for band, array in numbers.items()} for _ in range(2))
    for band, cell_m in CELLS_M.items():
        upper[band][1_440 // cell_m :], lower[band][: 1_440 // cell_m] = 0, 0
        lower[band][lower[band] > 0] += 1000
    square = "POLYGON ((14 50, 14.1 50, 14.1 50.1, 14 50.1, 14 50))"
    halves = (
        make_part(upper, 0.0, footprint=square, cloud_cover=10.0, valid_share=0.25, id="upper"),
        make_part(lower, -1000.0, footprint=square.replace("50.1", "50.2"), cloud_cover=50.0, valid_share=0.75),
    )
    joined = observed(halves, tmp_path)
    (tmp_path / "whole").mkdir()
    whole = observed(make_part(numbers), tmp_path / "whole")
    assert joined.features.file.content_id == whole.features.file.content_id
    assert joined.bands["red"].content_id == whole.bands["red"].content_id
    assert (joined.scene_id, joined.cloud_cover) == ("upper", 40.0)
    assert "50.2" in joined.footprint


def test_a_band_of_another_tile_is_refused(numbers, make_part, tmp_path) -> None:
    numbers["cirrus"] = numbers["cirrus"][:-2]
    with pytest.raises(StepError, match=r"cirrus\.jp2") as caught:
        observed(make_part(numbers), tmp_path)
    assert caught.value.code == "grid_mismatch"


def test_beside_the_grid_and_without_data(numbers, make_part, tmp_path) -> None:
    beside = EUROPE.model_copy(update={"west_m": 5_000_000.0})
    with pytest.raises(StepError, match="do not meet") as caught:
        observed(make_part(numbers), tmp_path, grid=beside)
    assert caught.value.code == "no_valid_pixels"
    with pytest.raises(StepError, match="nodata") as caught:
        observed(make_part({band: array * 0 for band, array in numbers.items()}), tmp_path)
    assert caught.value.code == "no_valid_pixels"


def test_a_band_that_the_scene_lacks_is_refused_before_anything_runs(numbers, make_part, tmp_path) -> None:
    with pytest.raises(ValidationError, match="coastal"):
        observed(make_part(numbers), tmp_path, mask_bands=("coastal",))
