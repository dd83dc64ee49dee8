"""Drawing labelled pixels from scenes small enough to look every cell up."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.transform import Affine

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal import mask_table
from containers.gdal.contract.mask import COMPONENTS, MaskResult
from containers.gdal.contract.mask_model import LabelledScene, MaskTableParams, MaskTableResult
from containers.gdal.contract.observe import Image, Observation
from containers.gdal.mask_table import balanced_draw
from containers.gdal.pixel_table import read_pixels

GRID = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_400_000, width=30, height=20)
CODES = {4: "clear/vegetation", 6: "clear/water", 11: "snow", 3: "shadow", 9: "cloud", 10: "cirrus"}
MakeScene = Callable[..., LabelledScene]


@pytest.fixture
def make_scene(raster_store: Any) -> MakeScene:
    """A scene with random components and labels; labels lie at 20 m unless told otherwise."""

    def make(number: int, labels: NDArray[np.uint8] | None = None, **fields: Any) -> LabelledScene:
        rng = np.random.default_rng(number)
        layers = rng.integers(0, 2, (5, *GRID.shape), np.uint8)
        path = raster_store.folder("gdal.mask") / "components.tif"
        write_cog(path, layers, GRID, nodata=255, bands=COMPONENTS)
        if labels is None:
            labels = rng.choice(np.array([0, 1, *CODES], np.uint8), GRID.shape)
        transform = Affine(20, 0, GRID.west_m, 0, -20, GRID.north_m)
        fine = raster_store.source(labels.repeat(3, 0).repeat(3, 1), epsg=32633, transform=transform, name="labels.tif")
        image = Image(file=fine, grid=GRID)
        scene_id = f"S2A_MSIL1C_201807{number + 1:02}T100031_N0510_R122_T33UUP_201807{number + 1:02}T120000"
        observation = Observation(
            scene_id=scene_id,
            tile="33UUP",
            acquired=datetime(2018, 7, number + 1, 10, tzinfo=UTC),
            platform="S2A",
            orbit=122,
            level="L1C",
            baseline="05.10",
            simulated=True,
            cloud_cover=20.0,
            footprint="POLYGON EMPTY",
            grid=GRID,
            bands={},
            features=image,
            background=image,
            valid_share=1.0,
        )
        mask = MaskResult(
            scene_id=scene_id,
            engine="multitemporal",
            grid=GRID,
            mask=fine,
            probability=None,
            components=raster_store.file(path),
            shares={},
        )
        facts = {"observation": observation, "mask": mask, "labels": fine, "codes": CODES}
        return LabelledScene(**(facts | fields))

    return make


def tabulated(scenes: list[LabelledScene], out: Path, **options: Any) -> tuple[MaskTableResult, pd.DataFrame]:
    result = mask_table.run(MaskTableParams(scenes=tuple(scenes), **options), out)
    return result, pd.read_parquet(out / result.table.href)


def test_every_row_is_a_cell_of_its_scene(raster_store: Any, make_scene: MakeScene, tmp_path: Path) -> None:
    """Label and components are those at the row's coordinates."""
    scenes = [make_scene(number) for number in range(2)]
    result, table = tabulated(scenes, tmp_path, pixels_per_scene=40)
    assert (result.scenes, result.pixels, len(table)) == (2, 80, 80)
    layers = {scene.observation.scene_id: scene for scene in scenes}
    for row in table.itertuples():
        scene = layers[row.scene_id]
        col, line = int((row.x_m - GRID.west_m) // 60), int((GRID.north_m - row.y_m) // 60)
        with mask_table.open_raster(mask_table.local_path(scene.mask.components)) as source:
            assert [getattr(row, name) for name in COMPONENTS] == source.read()[:, line, col].tolist()
        with mask_table.open_raster(mask_table.local_path(scene.labels)) as source:
            assert row.label == CODES[int(source.read(1)[3 * line + 1, 3 * col + 1])]
        assert row.cloud == (row.label in {"cloud", "cirrus"})


def test_table_can_be_trained_from(make_scene: MakeScene, tmp_path: Path) -> None:
    tabulated([make_scene(number) for number in range(3)], tmp_path, pixels_per_scene=20)
    table = read_pixels(tmp_path / "pixels.parquet")
    assert table["acquired"].dt.day.unique().tolist() == [1, 2, 3]
    assert table["simulated"].all()
    assert set(table["mask_resolution_m"]) == {60.0}


@given(
    st.lists(st.sampled_from(["cloud", "clear", "none"]), min_size=1, max_size=60),
    st.integers(10, 80),
    st.integers(0, 3),
)
def test_the_draw_is_balanced(kinds: list[str], pixels: int, seed: int) -> None:
    kind = np.array(kinds)
    chosen = balanced_draw(kind == "cloud", kind != "none", pixels, np.random.default_rng(seed))
    drawn = kind[chosen].tolist()
    assert drawn.count("cloud") == drawn.count("clear")
    assert drawn.count("none") == 0
    assert len(set(chosen.tolist())) == len(chosen)
    assert len(chosen) == 2 * min(pixels // 2, kinds.count("cloud"), kinds.count("clear"))


def test_unlabelled_cells_and_other_codes_are_never_drawn(make_scene: MakeScene, tmp_path: Path) -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[0, :5], labels[1, :7], labels[2, :] = 9, 4, 1
    _, table = tabulated([make_scene(0, labels)], tmp_path)
    assert table["label"].value_counts().to_dict() == {"cloud": 5, "clear/vegetation": 5}
    assert table["y_m"].max() == GRID.north_m - 30


def test_a_scene_of_one_kind_is_left_out_and_that_is_said(make_scene: MakeScene, tmp_path: Path) -> None:
    clear = make_scene(1, np.full(GRID.shape, 4, np.uint8))
    result, table = tabulated([make_scene(0), clear], tmp_path)
    assert [(warning.code, clear.observation.scene_id in warning.reason) for warning in result.warnings] == [
        ("one_kind_of_label", True)
    ]
    assert table["scene_id"].nunique() == result.scenes == 1


def test_cells_without_any_component_are_left_out(raster_store: Any, make_scene: MakeScene, tmp_path: Path) -> None:
    scene = make_scene(0)
    layers = np.full((5, *GRID.shape), 255, np.uint8)
    layers[3, :, :10] = 1
    path = raster_store.folder("gdal.mask") / "components.tif"
    write_cog(path, layers, GRID, nodata=255, bands=COMPONENTS)
    mask = scene.mask.model_copy(update={"components": raster_store.file(path)})
    _, table = tabulated([scene.model_copy(update={"mask": mask})], tmp_path)
    assert table["x_m"].max() < GRID.west_m + 600
    assert set(table["percentile1"]) == {1}


def test_the_same_seed_draws_the_same_pixels(make_scene: MakeScene, tmp_path: Path) -> None:
    tables = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        tables.append(tabulated([make_scene(0)], tmp_path / name, pixels_per_scene=20, seed=seed)[1])
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({"codes": {9: "cloud", 4: "sunshine"}}, "unknown_label", "sunshine"),
        ({"codes": {0: "clear", 9: "cloud"}}, "unknown_label", "code 0"),
        ({"codes": {77: "cloud", 78: "clear"}}, "bad_labels", "none of the 1 scenes"),
    ],
)
def test_unfit_labels_are_refused(
    fields: dict[str, Any], code: str, reason: str, make_scene: MakeScene, tmp_path: Path
) -> None:
    with pytest.raises(StepError, match=reason) as caught:
        tabulated([make_scene(0, **fields)], tmp_path)
    assert caught.value.code == code


def test_a_mask_without_components_is_refused(make_scene: MakeScene, tmp_path: Path) -> None:
    scene = make_scene(0)
    bare = scene.model_copy(update={"mask": scene.mask.model_copy(update={"components": None})})
    with pytest.raises(StepError, match="keep_components") as caught:
        tabulated([bare], tmp_path)
    assert caught.value.code == "bad_parameters"


def test_labels_without_a_place_are_refused(raster_store: Any, make_scene: MakeScene, tmp_path: Path) -> None:
    labels = raster_store.source(np.full((5, 5), 9, np.uint8), epsg=None, transform=Affine.scale(20, -20), name="l.tif")
    with pytest.raises(StepError, match="coordinate reference system") as caught:
        tabulated([make_scene(0, labels=None).model_copy(update={"labels": labels})], tmp_path)
    assert caught.value.code == "bad_labels"
