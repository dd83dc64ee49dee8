"""Masks out of a store into a folder and in again; metadata of an earlier system, sound and unsound."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.raster import write_cog
from containers.gdal.contract.mask import MaskParams, MaskResult, MaskRules
from containers.gdal.contract.observe import Image, Observation
from tasks import ledger
from tasks.catalogue.backgrounds import Backgrounds
from tasks.code_id import Code
from tasks.local_runner import LocalRunner
from tasks.masks.exchange import export_masks, import_params, read_folder, stored_masks
from tasks.masks.folder import METADATA, MaskEntry, read_entries, write_entries
from tasks.masks.tile_batches import MaskBatch, mask_tile
from tasks.records import record_of
from tasks.runner import run_step, use_runner
from tasks.settings import get_settings
from tasks.store import Store, open_store
from tests.tasks.conftest import point_settings

GRID = Grid(epsg=32631, resolution_m=60, west_m=399_960, north_m=5_700_000, width=70, height=60)
OUTLINE = "POLYGON ((1.6 50.5, 3.1 50.5, 3.1 51.4, 1.6 51.4, 1.6 50.5))"
"""Over tile 31UDS."""
MakeMask = Callable[..., MaskResult]


def scene_id(day: int) -> str:
    return f"S2A_MSIL1C_201807{day:02}T105031_N0206_R051_T31UDS_201807{day:02}T130000"


def observation(day: int) -> Observation:
    image = Image(file=File(href="store:a/b/c/d.tif", content_id="sha256:0", size=1), grid=GRID)
    return Observation(
        scene_id=scene_id(day),
        tile="31UDS",
        acquired=datetime(2018, 7, day, 10, 50, 31, tzinfo=UTC),
        platform="S2A",
        orbit=51,
        level="L1C",
        baseline="02.06",
        simulated=False,
        cloud_cover=20.0,
        footprint=OUTLINE,
        grid=GRID,
        bands={},
        features=image,
        background=image,
        valid_share=1.0,
    )


@pytest.fixture
def real_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder store; steps run by local processes of this checkout."""
    point_settings(monkeypatch, tmp_path, str(tmp_path / "store"))
    with use_runner(LocalRunner()):
        yield open_store(get_settings())
    get_settings.cache_clear()


@pytest.fixture
def add_mask(real_store: Store) -> MakeMask:
    """A finished mask step in the store, without having run."""

    def add(day: int, sky: Any, seed: int = 0) -> MaskResult:
        params = MaskParams(observation=observation(day), rules={"multitemporal": {"seed": seed}})
        key = real_store.key_of(params, "code")
        attempt = real_store.new_attempt(params.step, key)
        write_cog(attempt / "mask.tif", sky, GRID, nodata=0)
        size = (attempt / "mask.tif").stat().st_size
        result = MaskResult(
            scene_id=scene_id(day),
            engine="scl",
            grid=GRID,
            mask=File(href="mask.tif", content_id="etag:none", size=size),
            probability=None,
            components=None,
            shares={},
        )
        record = record_of(params, result, key=key, folder=attempt, code=Code("code", "stub"), seconds=1.0)
        return MaskResult.model_validate(real_store.commit(record).result)

    return add


def random_sky(seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 3, GRID.shape).astype(np.uint8)


def test_exported_masks_come_in_again(real_store: Store, add_mask: MakeMask, tmp_path: Path) -> None:
    """Cloud, clear and no data survive the way out and in, in either polarity."""
    skies = {day: random_sky(day) for day in (3, 8)}
    for day, sky in skies.items():
        add_mask(day, sky)
    entries = export_masks(real_store, tmp_path / "out", cloud_value=0)
    assert [entry.scene_id for entry in entries] == [scene_id(3), scene_id(8)]
    found = read_folder(tmp_path / "out")
    assert list(found) == ["20180703T105031_T31UDS", "20180708T105031_T31UDS"]
    for day, sky in skies.items():
        params = import_params(observation(day), found, tmp_path / "out", real_store)
        assert params is not None
        assert params.cloud_value == 0
        imported: MaskResult = run_step(params)
        with rasterio.open(real_store.path_of(imported.mask)) as dataset:
            assert (dataset.read(1) == sky).all()
    assert list(read_folder(tmp_path / "out", wanted={"20180708T105031_T31UDS"})) == ["20180708T105031_T31UDS"]
    batch = MaskBatch(
        tile="31UDS",
        year=2018,
        observations=tuple(observation(day) for day in skies),
        neighbours=(),
        backgrounds=Backgrounds(),
        rules=MaskRules(),
        model=None,
        weights=None,
        allow_simulated_model=False,
        imported_masks=str(tmp_path / "out"),
    )
    assert [mask.engine for mask in mask_tile.fn(batch)] == ["imported", "imported"]
    assert import_params(observation(20), found, tmp_path / "out", real_store) is None
    assert {item.scene_id for item in stored_masks(real_store)} == {scene_id(3), scene_id(8)}


def test_metadata_say_where_and_when(real_store: Store, add_mask: MakeMask, tmp_path: Path) -> None:
    """In the fields of the earlier system."""
    add_mask(3, random_sky(3))
    export_masks(real_store, tmp_path / "out")
    stated = json.loads((tmp_path / "out" / METADATA).read_text())[f"masks/{scene_id(3)}"]
    assert stated["date_deb"] == stated["date_end"] == 1_530_615_031_000
    assert shapely.Polygon(stated["geometry"]).equals(shapely.from_wkt(OUTLINE))
    with rasterio.open(tmp_path / "out" / stated["file"]) as dataset:
        assert set(np.unique(dataset.read(1))) == {0, 1, 255}


def test_the_newest_mask_of_a_scene_is_exported(real_store: Store, add_mask: MakeMask) -> None:
    add_mask(3, random_sky(1), seed=1)
    newest = add_mask(3, random_sky(2), seed=2)
    assert [item.mask for item in stored_masks(real_store)] == [newest.mask]


def test_masks_of_one_run(real_store: Store, add_mask: MakeMask, tmp_path: Path) -> None:
    masks = {day: add_mask(day, random_sky(day)) for day in (3, 8)}
    ledger.add("done", "mask", key=masks[8].mask.store_path.split("/")[1])
    assert [item.scene_id for item in stored_masks(real_store, ledger.run_id())] == [scene_id(8)]
    with pytest.raises(StepError, match="no mask") as caught:
        export_masks(real_store, tmp_path / "out", run="another")
    assert caught.value.code == "no_scenes"


def test_a_damaged_or_absent_raster_is_noticed(real_store: Store, add_mask: MakeMask, tmp_path: Path) -> None:
    add_mask(3, random_sky(3))
    export_masks(real_store, tmp_path / "out")
    found, path = read_folder(tmp_path / "out"), tmp_path / "out" / f"{scene_id(3)}.tif"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])
    with pytest.raises(StepError, match="not the file that was exported") as caught:
        import_params(observation(3), found, tmp_path / "out", real_store)
    assert caught.value.code == "bad_masks"
    path.unlink()
    with pytest.raises(StepError, match="absent") as caught:
        read_folder(tmp_path / "out")
    assert caught.value.code == "bad_masks"


def test_metadata_of_another_name_are_found(real_store: Store, add_mask: MakeMask, tmp_path: Path) -> None:
    add_mask(3, random_sky(3))
    out = tmp_path / "out"
    export_masks(real_store, out)
    (out / METADATA).rename(out / "Metadata_mask.json")
    assert list(read_folder(out)) == ["20180703T105031_T31UDS"]
    (out / "another.json").write_text("{}")
    with pytest.raises(StepError, match="2 JSON files") as caught:
        read_folder(out)
    assert caught.value.code == "bad_masks"


def test_two_halves_are_left_out_and_that_is_said(real_store: Store, tmp_path: Path) -> None:
    names = [f"20180703T105031_20180703T1050{second}_T31UDS" for second in (33, 35)]
    entries = [
        MaskEntry(
            scene_id=name,
            file=f"{name}.tif",
            outline=OUTLINE,
            first=datetime(2018, 7, 3, tzinfo=UTC),
            last=datetime(2018, 7, 3, tzinfo=UTC),
            cloud_value=1,
        )
        for name in names
    ]
    write_entries(entries, tmp_path / METADATA)
    for name in names:
        (tmp_path / f"{name}.tif").write_bytes(b"")
    assert [entry.scene_id for entry in read_entries(tmp_path / METADATA)] == names
    assert read_folder(tmp_path) == {}
    assert [row.code for row in ledger.rows() if row.subject == "20180703T105031_T31UDS"] == ["several_masks"]


@pytest.mark.real
def test_the_404_real_outlines(sample_data: Path) -> None:
    """All over their tiles, in the first days of 2018; all come back from our own file."""
    entries = list(read_entries(sample_data / "cloud-mask-tables" / "Metadata_mask_404_images.json"))
    assert len(entries) == 404
    assert (min(e.first for e in entries).isoformat(), max(e.last for e in entries).isoformat()) == (
        "2018-01-01T10:54:35.460000+00:00",
        "2018-01-09T11:06:03.470000+00:00",
    )
    assert len({entry.acquisition.rpartition("_T")[2] for entry in entries}) > 50
    areas = [shapely.from_wkt(entry.outline).area for entry in entries]
    assert 0 < min(areas) < max(areas) < 2


@pytest.mark.real
def test_real_outlines_survive_our_own_file(sample_data: Path, tmp_path: Path) -> None:
    entries = list(read_entries(sample_data / "cloud-mask-tables" / "Metadata_mask_404_images.json"))
    write_entries(entries, tmp_path / METADATA)
    for before, after in zip(entries, read_entries(tmp_path / METADATA), strict=True):
        assert shapely.from_wkt(before.outline).equals(shapely.from_wkt(after.outline))
        assert (before.first, before.last, before.file) == (after.first, after.last, after.file)


@pytest.mark.real
def test_the_real_null_outlines_are_refused(sample_data: Path) -> None:
    with pytest.raises(StepError, match=r"T30VVJ has 5 null points of 5") as caught:
        list(read_entries(sample_data / "cloud-mask-tables" / "Metadata_NDVI_images_null_geometry.json"))
    assert caught.value.code == "bad_masks"


def ring(wkt: str) -> list[list[float]]:
    return shapely.get_coordinates(shapely.from_wkt(wkt)).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"geometry": [[lat, lon] for lon, lat in ring(OUTLINE)]}, "latitude before longitude"),
        ({"geometry": ring("POLYGON ((-179 -89, 179 -89, 179 89, -179 89, -179 -89))")}, "inverted"),
        ({"geometry": ring("POLYGON ((10 45, 11 45, 11 46, 10 45))")}, "not over 31UDS"),
        ({"geometry": ring("POLYGON ((1.6 50.5, 3.1 51.4, 3.1 50.5, 1.6 51.4, 1.6 50.5))")}, "not valid"),
        ({"geometry": []}, "null points of 0"),
        ({"date_end": 5}, "ends before it begins"),
        ({"date_deb": "yesterday"}, "date_deb"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_unsound_metadata_are_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    good = {"geometry": ring(OUTLINE), "date_deb": 1_530_615_031_000, "date_end": 1_530_615_031_000}
    path = tmp_path / METADATA
    path.write_text(json.dumps({f"masks/{scene_id(3)}": good}))
    assert len(list(read_entries(path))) == 1
    path.write_text(json.dumps({f"masks/{scene_id(3)}": good | change}))
    with pytest.raises(StepError, match=reason) as caught:
        list(read_entries(path))
    assert caught.value.code == "bad_masks"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"masks/holiday": {"geometry": [], "date_deb": 1, "date_end": 1}}'])
def test_what_is_no_metadata_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / METADATA).write_text(text)
    with pytest.raises(StepError) as caught:
        list(read_entries(tmp_path / METADATA))
    assert caught.value.code == "bad_masks"
