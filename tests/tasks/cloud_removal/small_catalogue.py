"""A catalogue of some optical images and radar slices over one small area, as a file of items."""

import json
from pathlib import Path
from typing import Any

from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry

from tasks.parameters.cloud_removal import CloudRemovalParams
from tests.tasks.radar_items import radar_item

AOI = "12.6,48,13,48.3"
TILE = box(12.3, 47.75, 13.7, 48.65)
_FILES = ("B02_10m", "B03_10m", "B04_10m", "B08_10m", "B8A_20m", "B11_20m", "B12_20m", "SCL_20m")
OPTICAL_BYTES = 1000 * len(_FILES)


def optical_name(day: str, tile: str = "33UUP", *, orbit: int = 22, baseline: str = "0500", at: str = "101031") -> str:
    return f"S2A_MSIL2A_{day}T{at}_N{baseline}_R{orbit:03}_T{tile}_20230401T120000"


def optical_item(
    day: str, tile: str = "33UUP", *, footprint: BaseGeometry = TILE, cloud: float | None = 10.0, **name: Any
) -> dict[str, Any]:
    product = optical_name(day, tile, **name)
    folder = f"s3://eodata/Sentinel-2/MSI/L2A/{product}.SAFE/GRANULE/IMG_DATA"
    when = f"{day[:4]}-{day[4:6]}-{day[6:]}T10:10:31Z"
    return {
        "type": "Feature",
        "id": product,
        "collection": "sentinel-2-l2a",
        "geometry": mapping(footprint),
        "properties": {"datetime": when, "eo:cloud_cover": cloud},
        "assets": {
            key: {
                "href": f"{folder}/R{key[-3:]}/{key}.jp2",
                "file:size": 1000,
                "file:checksum": f"1620{product}{key}",
                "raster:scale": 0.0001,
                "raster:offset": -0.1,
            }
            for key in _FILES
        },
    }


def pass_item(day: str, *, at: str = "051000", **fields: Any) -> dict[str, Any]:
    """A slice over the whole area in the morning of a day, its datatake made of the day."""
    stop = f"{int(at) + 25:06}"
    facts = {"start": f"{day}T{at}", "stop": f"{day}T{stop}", "datatake": f"0{day[3:]}", **fields}
    return radar_item(**facts)


def form(folder: Path, items: list[dict[str, Any]], dates: list[dict[str, Any]], **fields: Any) -> CloudRemovalParams:
    """The form over a file of these items."""
    path = folder / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    source = {"provider": "items", "endpoint": str(path)}
    facts = {
        "area": {"aoi": AOI},
        "source": {**source, "check_objects": False},
        "radar_source": source,
        "dates": dates,
        **fields,
    }
    return CloudRemovalParams.model_validate(facts)
