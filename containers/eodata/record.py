"""What is in the archive: the item collection, and the record of how it was simulated."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from shapely import box
from shapely.geometry import mapping

from containers.eodata.acquisitions import Acquisition
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.items import collection, item
from containers.eodata.place import EPSG, area_of_interest, tile_grid, world_grid
from containers.eodata.product import image_path, metadata_paths
from containers.eodata.regions import outline_4326
from containers.eodata.scene import Stored
from containers.eodata.traps import Trap


def write_items(
    acquisitions: list[Acquisition], stored: dict[Acquisition, Stored], radar: list[dict[str, Any]], out: Path
) -> Path:
    """The item collection. Products that are not in the archive are described as their nearest sibling is."""
    features = list(radar)
    for acquisition in acquisitions:
        product = stored.get(acquisition) or _imagined(acquisition, stored)
        features.append(item(acquisition, product.files, product.class_counts))
    return _write_json(out / "items.json", collection(features))


def _imagined(acquisition: Acquisition, stored: dict[Acquisition, Stored]) -> Stored:
    """Files as another product of the same tile and year has them, under this product's own paths."""
    sibling = next(
        product
        for other, product in stored.items()
        if (other.level, other.tile) == (acquisition.level, acquisition.tile)
        and other.start.year == acquisition.start.year
    )
    metadata = metadata_paths(acquisition)
    files = [
        file._replace(path=metadata.get(file.asset) or image_path(acquisition, file.asset)) for file in sibling.files
    ]
    return Stored(files, sibling.class_counts)


def write_simulation(
    params: ArchiveParams, acquisitions: list[Acquisition], traps: list[Trap], more: dict[str, Any], out: Path
) -> Path:
    """Parameters, places, products, traps and what `more` there is to tell, as JSON."""
    area = area_of_interest(params)
    record = {
        "simulated": True,
        "note": "Made by Clearground's simulator: no satellite has seen any of this.",
        "parameters": params.model_dump(mode="json", exclude={"execution"}, exclude_none=True),
        "tiles": [{"id": tile.id, **tile_grid(params, tile).model_dump()} for tile in params.tiles],
        "truth_grid": world_grid(params).model_dump(),
        "area_of_interest": {
            "epsg": EPSG,
            "bounds": list(area),
            "geometry": mapping(outline_4326(box(*area).segmentize(2_000), EPSG)),
        },
        "products": [_product(each) for each in acquisitions],
        "traps": [{"id": f"{trap.kind}-{index}", **asdict(trap)} for index, trap in enumerate(traps)],
        **more,
        "versions": {"numpy": np.__version__, "rasterio": rasterio.__version__, "gdal": rasterio.__gdal_version__},
    }
    return _write_json(out / "simulation.json", record)


def _product(acquisition: Acquisition) -> dict[str, Any]:
    return {
        "id": acquisition.name,
        "tile": acquisition.tile.id,
        "datetime": acquisition.start.isoformat(),
        "baseline": acquisition.baseline,
        "offset_dn": acquisition.offset_dn,
        "clouds": round(acquisition.clouds, 4),
        "part": acquisition.part,
        "in_archive": acquisition.in_archive,
        "online": acquisition.online,
        "damage": acquisition.damage,
    }


def _write_json(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
