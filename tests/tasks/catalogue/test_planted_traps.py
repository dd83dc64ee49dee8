"""The simulated archive's catalogue, without its pixels: every planted trap meets its rule."""

import json

import pytest

from containers.base.contract.files import File
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.items import collection, item
from containers.eodata.product import StoredFile, image_path
from containers.eodata.traps import planned
from tasks.catalogue import scenes as scenes_module
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import acquisitions
from tasks.catalogue.search import search_scenes
from tasks.catalogue.selection import common_tiles, select_scenes
from tasks.periods import make_periods

TILES = [("32UQV", -1, -1), ("33UTQ", 0, -1), ("32UQU", -1, 0), ("33UTP", 0, 0)]
PERIODS = make_periods("season", [2018, 2019, 2020], (5, 6))
CLEAR = [0, 0, 0, 0, 60, 30, 10, 0, 0, 0, 0, 0]
SIZE = 1000


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """The catalogue file and the traps, over an archive that holds what the simulator would have put there."""
    params = ArchiveParams(
        tiles=tuple({"id": name, "column": column, "row": row} for name, column, row in TILES),
        tile_px=128,
        years=(2018, 2019, 2020),
        dates_per_year=3,
    )
    products, traps = planned(params)
    objects, items = {}, []
    for product in products:
        files = [
            StoredFile(asset, image_path(product, asset), SIZE, f"{index:064x}")
            for index, asset in enumerate(("B04_20m", "B11_20m", "SCL_20m"))
        ]
        items.append(item(product, files, CLEAR))
        if product.in_archive:
            size = SIZE - 1 if product.damage == "resized" else SIZE
            objects |= {f"s3://eodata/{file.path}": size for file in files}

    def list_folder(folder: str) -> list[File]:
        return [
            File(href=href, content_id="etag:x", size=size) for href, size in objects.items() if href.startswith(folder)
        ]

    monkeypatch.setattr(scenes_module, "list_folder", list_folder)
    path = tmp_path / "items.json"
    path.write_text(json.dumps(collection(items)))
    outlines = [shape for product in items for shape in [product["bbox"]]]
    west, south = (min(box[i] for box in outlines) for i in (0, 1))
    east, north = (max(box[i] for box in outlines) for i in (2, 3))
    request = SearchRequest(
        provider="items",
        endpoint=str(path),
        aoi=f"{west},{south},{east},{north}",
        periods=PERIODS,
        bands=("red", "swir16"),
    )
    return request, traps


def test_every_trap_is_met(archive):
    request, traps = archive
    answer = search_scenes(request)
    refused = {row.scene_id: row.code for row in answer.refused}
    kept = {scene.id for scene in answer.scenes}
    met = {trap.kind: refused.get(trap.product, "kept" if trap.product in kept else "lost") for trap in traps}
    assert met == {
        "ghost": "ghost",
        "wrong_size": "wrong_size",
        "offline": "offline",
        "test_baseline": "test_baseline",
        "sliver": "sliver",
        "duplicate": "superseded",
        "reprocessed": "kept",
        "collection_1": "kept",
        "halves": "kept",
        "corrupt": "kept",  # only its decoder can tell: align refuses it, and a spare takes its place
    }
    assert all(scene.simulated for scene in answer.scenes)


def test_halves_make_one_acquisition_and_offsets_follow_the_baseline(archive):
    request, traps = archive
    answer = search_scenes(request)
    halves = {trap.product for trap in traps if trap.kind == "halves"}
    (joined,) = [parts for parts in acquisitions(answer.scenes) if len(parts) > 1]
    assert {part.id for part in joined} == halves
    assert {scene.baseline: set(scene.offsets_dn.values()) for scene in answer.scenes}["05.00"] == {-1000.0}
    (reprocessed,) = (trap.product for trap in traps if trap.kind == "collection_1")
    (scene,) = (scene for scene in answer.scenes if scene.id == reprocessed)
    assert scene.datetime.year < 2022
    assert scene.offsets_dn == {"red": -1000.0, "swir16": -1000.0}


def test_every_tile_has_every_year_with_a_spare_for_the_corrupt_one(archive):
    request, traps = archive
    answer = search_scenes(request)
    selection = select_scenes(answer.scenes, request.area, PERIODS, tiles=answer.tiles)
    assert common_tiles(selection) == (tuple(sorted(name for name, _, _ in TILES)), ())
    (corrupt,) = (trap.product for trap in traps if trap.kind == "corrupt")
    (choice,) = (choice for choice in selection.choices if (choice.tile, choice.period) == (corrupt[39:44], "2020-MJ"))
    candidates = [part.id for parts in (*choice.acquisitions, *choice.spares) for part in parts]
    assert corrupt in candidates
    assert len(candidates) >= 3
