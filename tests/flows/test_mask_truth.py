"""Masks against the truth of a simulated archive: the forest on scenes that it has not seen, the trees, and SCL.

Seeds 1 to 3 are those that the darkness of shadows was chosen on; this one had no say.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from shapely.geometry import shape

from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.legend import CLOUDY, Sky
from containers.base.contract.scene import Scene
from containers.base.grid import grid_of
from containers.base.sentinel2 import band_of_number, baseline_offset_dn, parse_product_name
from containers.eodata import simulate
from containers.eodata.contract.simulate import ArchiveParams
from containers.gdal import mask, mask_table, observe, train_mask
from containers.gdal.contract.mask import COMPONENTS, MaskParams, MaskResult, MaskRules
from containers.gdal.contract.mask_model import LabelledScene, MaskTableParams, TrainMaskParams
from containers.gdal.contract.observe import Observation, ObserveParams
from containers.gdal.features import Picture
from containers.gdal.picture import block_mode, blocks_of
from containers.gdal.scene_classes import SKY_OF_CLASS, sky_of
from tasks.catalogue.backgrounds import Backgrounds, backgrounds_of
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
SEED, TILE_PX, DATES = 7, 330, 20
BACKGROUNDS = Backgrounds(count=10, preselect=16)
CODES = {int(code): sky.name.lower() for code, sky in SKY_OF_CLASS.items() if sky != Sky.NODATA}


class Archive:
    """A simulated archive in a folder that is also the store, and the steps run over it."""

    def __init__(self, root: Path) -> None:
        self.root, self._runs = root, 0
        profile = json.loads((ROOT / "containers/eodata/profiles/vegetation_tiny.json").read_text())
        size = {"seed": SEED, "tile_px": TILE_PX, "dates_per_year": DATES, "levels": ["L1C", "L2A"], "traps": []}
        simulate.run(ArchiveParams.model_validate(profile | size), root)
        items = json.loads((root / "items.json").read_text())["features"]
        self.outlines = {item["id"]: shape(item["geometry"]).wkt for item in items}
        self.cloud = {item["id"]: item["properties"]["eo:cloud_cover"] for item in items}
        observations = [self.observed(self.scene(safe)) for safe in sorted(root.rglob("*.SAFE"))]
        self.l1c = [item for item in observations if item.level == "L1C"]
        self.l2a = {item.acquired: item for item in observations if item.level == "L2A"}

    def out(self) -> Path:
        self._runs += 1
        folder = self.root / "steps" / f"{self._runs:04}" / "1"
        folder.mkdir(parents=True)
        return folder

    def file(self, path: Path) -> File:
        return File(href=f"store:{path.relative_to(self.root)}", content_id=sha256_of(path), size=path.stat().st_size)

    def adopted(self, value: Any, out: Path) -> Any:
        """A result whose files are in the store, as the runner would leave it."""
        text = json.dumps(self._adopted(json.loads(value.model_dump_json()), out))
        return type(value).model_validate_json(text)

    def _adopted(self, value: Any, out: Path) -> Any:
        if isinstance(value, list):
            return [self._adopted(item, out) for item in value]
        if not isinstance(value, dict):
            return value
        if "content_id" in value:
            return value | {"href": f"store:{(out / value['href']).relative_to(self.root)}"}
        return {name: self._adopted(item, out) for name, item in value.items()}

    def scene(self, safe: Path) -> Scene:
        name = parse_product_name(safe.name)
        assert name is not None
        bands, scl = {}, None
        for path in sorted(safe.rglob("*.jp2")):
            parts = path.stem.split("_")
            band = next((band for part in parts if (band := band_of_number(part))), None)
            if band:
                bands[band.name] = self.file(path)
            elif "SCL" in parts:
                scl = self.file(path)
        return Scene(
            id=name.name, platform=name.platform, level=name.level, tile=name.tile, datetime=name.datatake,
            datatake=name.datatake, orbit=name.orbit, baseline=name.baseline, processed=name.processed,
            footprint=self.outlines[name.name], cloud_cover=self.cloud[name.name], bands=bands,
            offsets_dn=dict.fromkeys(bands, baseline_offset_dn(name.baseline)), scl=scl, simulated=True,
        )  # fmt: skip

    def observed(self, scene: Scene) -> Observation:
        out = self.out()
        with rasterio.open(self.root / scene.bands["red"].store_path) as source:
            own = grid_of(source)
        grid = Grid.covering(own.bounds, epsg=own.epsg, resolution_m=20)
        params = ObserveParams(
            parts=(scene,), index_bands=("red",), mask_bands=tuple(scene.bands), grid=grid, block_px=16
        )
        result: Observation = self.adopted(observe.run(params, out), out)
        return result

    def masked(self, observation: Observation, **options: Any) -> MaskResult:
        out = self.out()
        chosen = backgrounds_of(observation, self.l1c, BACKGROUNDS)
        images = {method: tuple(item.background for item in items) for method, items in chosen.items()}
        params = MaskParams(observation=observation, backgrounds=images, keep_components=True, **options)
        result: MaskResult = self.adopted(mask.run(params, out), out)
        return result

    def read(self, file: File) -> np.ndarray:
        with rasterio.open(self.root / file.store_path) as source:
            return source.read()

    def truth_path(self, observation: Observation) -> Path:
        return self.root / "truth" / "scenes" / f"{observation.scene_id}.tif"

    def truth(self, observation: Observation) -> np.ndarray:
        with rasterio.open(self.truth_path(observation)) as source:
            classes, own = source.read(1), grid_of(source)
        return sky_of(block_mode(classes, blocks_of(own, observation.features.grid), 0).astype(np.int16))


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Archive:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("archive")
        patch.setenv("CLEARGROUND_STORE", str(root))
        yield Archive(root)


class Counted:
    """Hits, false alarms and misses by what was asked."""

    def __init__(self) -> None:
        self.counts: dict[str, np.ndarray] = {}

    def add(self, name: str, found: np.ndarray, true: np.ndarray, known: np.ndarray) -> None:
        counts = [(found & true & known).sum(), (found & ~true & known).sum(), (~found & true & known).sum()]
        self.counts[name] = self.counts.get(name, 0) + np.array(counts)

    def f1(self) -> dict[str, float]:
        return {name: float(2 * hit / (2 * hit + wrong + missed)) for name, (hit, wrong, missed) in self.counts.items()}


@pytest.fixture(scope="module")
def scores(archive: Archive) -> dict[str, float]:
    """F1 over the scenes that the forest was not trained on."""
    rules = MaskRules(engine="hollstein", dilate_m={})
    by_trees = {item.acquired: archive.masked(item, rules=rules) for item in archive.l1c}
    train, test = archive.l1c[::2], archive.l1c[1::2]
    out = archive.out()
    labelled = tuple(
        LabelledScene(
            observation=item, mask=by_trees[item.acquired], labels=archive.file(archive.truth_path(item)), codes=CODES
        )
        for item in train
    )
    table = archive.adopted(mask_table.run(MaskTableParams(scenes=labelled), out), out).table
    out = archive.out()
    model = archive.adopted(train_mask.run(TrainMaskParams(table=table, trees=100), out), out).model
    counted = Counted()
    for item in test:
        true, trees = archive.truth(item), by_trees[item.acquired]
        forest = archive.masked(item, model=model, rules=MaskRules(engine="multitemporal", dilate_m={}))
        scl = sky_of(Picture(archive.l2a[item.acquired].features).read()["scl"])
        skies = {"forest": archive.read(forest.mask)[0], "trees": archive.read(trees.mask)[0], "scl": scl}
        known = (true != Sky.NODATA) & np.logical_and.reduce([sky != Sky.NODATA for sky in skies.values()])
        for name, sky in skies.items():
            counted.add(f"cloud {name}", np.isin(sky, CLOUDY), np.isin(true, CLOUDY), known)
            counted.add(f"shadow {name}", sky == Sky.SHADOW, true == Sky.SHADOW, known)
        for name, layer in zip(COMPONENTS, archive.read(trees.components), strict=True):
            counted.add(f"cloud {name}", layer == 1, np.isin(true, CLOUDY), known & (layer != 255))
    found = counted.f1()
    print(json.dumps(found, indent=1))
    return found


def test_clouds_beat_the_scene_classification_and_every_component(scores) -> None:
    others = [scores["cloud scl"], *(scores[f"cloud {name}"] for name in COMPONENTS)]
    assert scores["cloud forest"] > max(others)
    assert scores["cloud trees"] > scores["cloud scl"]


def test_shadows_beat_the_scene_classification(scores) -> None:
    assert scores["shadow forest"] > scores["shadow scl"] + 0.02
    assert scores["shadow trees"] > scores["shadow scl"] + 0.02
