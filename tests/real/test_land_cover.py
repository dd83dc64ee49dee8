"""Real Sentinel-2 patches with a land-cover map, through the steps to a predicted map.

The labels are another model's map, so agreement with them is no accuracy: it shows that the chain learns from real
pixels, and that no step shifts, scales or drops them.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import rasterio

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Bounds, Grid
from containers.base.contract.legend import LandCover
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError, StepParams, StepResult
from containers.base.raster import write_cog
from containers.gdal.align import run as align
from containers.gdal.composite import run as composite
from containers.gdal.contract.align import AlignParams, AlignResult
from containers.gdal.contract.composite import CompositeParams
from containers.gdal.contract.cube import CubeParams, CubeResult
from containers.gdal.contract.labels import LabelsParams
from containers.gdal.contract.mosaic import PeriodLayers
from containers.gdal.cube import run as write_cube
from containers.gdal.labels import run as align_labels
from containers.tensorflow.contract.predict import PredictParams
from containers.tensorflow.contract.train import Network, TrainParams
from containers.tensorflow.predict import run as predict
from containers.tensorflow.train import run as train

P = TypeVar("P", bound=StepParams)
R = TypeVar("R", bound=StepResult)
pytestmark = pytest.mark.real

CHILE, BRAZIL, HUDSON_BAY = "433D_629L_3_1", "282D_485L_3_3", "609U_541L_3_0"
STORED_BANDS = (
    "coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "nir09", "swir16",
    "swir22",
)  # fmt: skip
BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")
CLASS_OF_CODE = {
    1: LandCover.OTHER,  # water
    2: LandCover.GREEN,  # trees
    3: LandCover.GREEN,  # flooded vegetation
    4: LandCover.GREEN,  # crops
    5: LandCover.IMPERVIOUS,  # built
    6: LandCover.IMPERVIOUS,  # bare ground, which the legend counts as natural material surface
    7: LandCover.OTHER,  # snow
    9: LandCover.GREEN,  # rangeland
}
PERIOD = "2020"
TRAINING = {
    "network": Network(filters=(8, 16), bottleneck=32),
    "patch_px": 32,
    "block_px": 36,
    "gap_px": 2,
    "batch": 8,
    "patches_per_epoch": 96,
    "max_epochs": 12,
    "learning_rate": 3e-3,
}


class Chain:
    """A store, and the steps that are run into it one after another."""

    def __init__(self, root: Path, samples: Path) -> None:
        self.root, self.samples, self.numbers = root, samples / "terramind-examples" / "examples", count()

    def run(self, step: Callable[[P, Path], R], params: P) -> R:
        """The step's result with its files named as the runner names them."""
        out = self.folder()
        result = step(params, out)
        return type(result).model_validate(_in_store(result.model_dump(), out.name))

    def folder(self) -> Path:
        path = self.root / f"attempt-{next(self.numbers)}"
        path.mkdir()
        return path

    def file(self, path: Path) -> File:
        return output_file(path).model_copy(update={"href": f"store:{path.relative_to(self.root)}"})

    def read(self, file: File) -> np.ndarray:
        with rasterio.open(self.root / file.store_path) as source:
            return source.read(1)

    def scene(self, patch: str, offset_dn: float) -> Scene:
        """The patch as a product whose bands are GeoTIFFs."""
        out = self.folder()
        with rasterio.open(self.samples / "S2L2A" / f"{patch}.tif") as source:
            profile, values = source.profile | {"count": 1, "dtype": "uint16"}, source.read()
        for name, band in zip(STORED_BANDS, values, strict=True):
            with rasterio.open(out / f"{name}.tif", "w", **profile) as sink:
                sink.write(band.astype(np.uint16), 1)
        when = datetime(2020, 7, 1, tzinfo=UTC)
        return Scene(
            id=patch,
            platform="S2A",
            level="L2A",
            tile="18GXR",
            datetime=when,
            datatake=when,
            orbit=1,
            baseline="04.00",
            processed=when,
            footprint="POLYGON EMPTY",
            bands={name: self.file(out / f"{name}.tif") for name in BANDS},
            offsets_dn=dict.fromkeys(BANDS, offset_dn),
        )

    def grid(self, patch: str) -> Grid:
        """The 10 m grid of the patch's own UTM zone, on multiples of 10 m."""
        with rasterio.open(self.samples / "LULC" / f"{patch}.tif") as source:
            return Grid.covering(Bounds(*source.bounds), epsg=source.crs.to_epsg(), resolution_m=10)

    def align(self, patch: str, offset_dn: float) -> AlignResult:
        scene = self.scene(patch, offset_dn)
        return self.run(align, AlignParams(parts=(scene,), bands=BANDS, grid=self.grid(patch), block_px=16))

    def labels(self, patch: str, grid: Grid) -> File:
        """The land-cover map on the grid, in the legend's classes."""
        source = self.folder() / "lulc.tif"
        source.write_bytes((self.samples / "LULC" / f"{patch}.tif").read_bytes())
        codes = self.read(self.run(align_labels, LabelsParams(source=self.file(source), grid=grid)).codes)
        classes = np.zeros(256, np.uint8)
        classes[list(CLASS_OF_CODE)] = list(CLASS_OF_CODE.values())
        return self.file(write_cog(self.folder() / "classes.tif", classes[codes], grid, nodata=0))

    def cube(self, patch: str, offset_dn: float) -> CubeResult:
        image = self.run(
            composite,
            CompositeParams(tile="18GXR", period=PERIOD, acquisitions=(self.align(patch, offset_dn),)),
        )
        layers = image.bands | {"observations": image.observations, "source_date": image.source_date}
        params = CubeParams(
            grid=image.grid,
            periods=(PeriodLayers(period=PERIOD, layers=layers),),
            bands=BANDS,
            labels={PERIOD: self.labels(patch, image.grid)},
            chunk_px=64,
        )
        return self.run(write_cube, params)


def _in_store(value: Any, folder: str) -> Any:
    """A dumped result whose bare file names are hrefs in the store."""
    if isinstance(value, dict):
        named = {key: _in_store(item, folder) for key, item in value.items()}
        if "content_id" in value and ":" not in value["href"]:
            named["href"] = f"store:{folder}/{value['href']}"
        return named
    if isinstance(value, list | tuple):
        return [_in_store(item, folder) for item in value]
    return value


@pytest.fixture
def chain(tmp_path: Path, sample_data: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    monkeypatch.setenv("CLEARGROUND_SIDE", str(tmp_path))
    return Chain(tmp_path, sample_data)


@pytest.mark.parametrize(
    ("patch", "offset_dn", "least_agreement"), [(CHILE, -1000, 0.75), (BRAZIL, 0, 0.8)], ids=["chile", "brazil"]
)
def test_learns_and_predicts_a_real_patch(
    chain: Chain, patch: str, offset_dn: float, least_agreement: float, record_property: Callable[[str, object], None]
) -> None:
    cube = chain.cube(patch, offset_dn)
    training = chain.run(train, TrainParams(cube=cube.cube, **TRAINING))
    card = json.loads((chain.root / training.model.card.store_path).read_text())
    test = card["scores"][-1]
    labelled = np.array(test["confusion"]).sum(axis=1)
    for name, value in (("agreement", test["accuracy"]), ("f1", test["f1"]), ("labels", labelled.tolist())):
        record_property(name, value)
        print(f"{patch} on blocks not trained on: {name} {value}")
    assert test["part"] == "test"
    assert test["accuracy"] > max(least_agreement, labelled.max() / labelled.sum() + 0.05)
    assert card["domain"]["simulated"] is False
    assert card["domain"]["epsg"] == cube.grid.epsg

    predicted = chain.run(
        predict,
        PredictParams(cube=cube.cube, model=training.model, period=PERIOD, window_px=64, overlap_px=16),
    )
    classes, labels = chain.read(predicted.classes), chain.read(chain.labels(patch, cube.grid))
    both = (classes > 0) & (labels > 0)
    assert both.mean() > 0.98, "the patch fills its grid but for the cells that snapping cuts"
    assert (classes == labels)[both].mean() > test["accuracy"] - 0.1


def test_offset_that_nobody_removed_is_noticed(chain: Chain) -> None:
    """Chile is of a baseline with +1000 still in the pixels; given as 0, the darkest percentile tells."""
    assert [warning.code for warning in chain.align(CHILE, offset_dn=0).warnings] == ["offset_suspected"]
    assert chain.align(CHILE, offset_dn=-1000).warnings == ()
    assert chain.align(BRAZIL, offset_dn=0).warnings == ()


def test_patch_of_one_class_cannot_teach(chain: Chain) -> None:
    """Hudson Bay is all snow."""
    cube = chain.cube(HUDSON_BAY, offset_dn=0)
    with pytest.raises(StepError, match="impervious has 0 cells") as caught:
        chain.run(train, TrainParams(cube=cube.cube, **TRAINING))
    assert caught.value.code == "bad_labels"
