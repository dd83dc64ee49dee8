"""A Sentinel-2 archive of a few small scenes, made by hand: for what must go wrong."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import geopandas
import numpy as np
import rasterio
from numpy.typing import NDArray
from shapely.geometry import box, mapping

from containers.base import storage
from tasks.parameters.impervious_change import ImperviousChangeParams

EDGE_PX, CELL_M = 96, 20.0
WEST_M, NORTH_M = 349_200.0, 5_344_800.0
"""The scenes' upper left corner in EPSG:32633, inside tile 33UUP."""
OUTLINE = (12.973, 48.2235, 12.992, 48.2365)
"""Longitudes and latitudes well inside the scenes."""
LABELS_EPSG = 3035
Damage = Literal["truncated", "empty", "cloudy"]


def jp2(path: Path, values: NDArray[Any]) -> bytes:
    """A lossless JP2 of these digital numbers."""
    profile = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": 64, "BLOCKYSIZE": 64}
    transform = rasterio.Affine(CELL_M, 0, WEST_M, 0, -CELL_M, NORTH_M)
    size = {"width": EDGE_PX, "height": EDGE_PX, "count": 1, "dtype": values.dtype}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=transform, **size, **profile) as sink:
        sink.write(values, 1)
    return path.read_bytes()


@dataclass
class SmallArchive:
    """Its catalogue is a file; its objects, where a test needs any, lie in the S3 that the environment names."""

    folder: Path
    items: list[dict[str, Any]] = field(default_factory=list)

    def add(self, start: str, *, tile: str = "33UUP", cloud: float = 5.0, sizes: dict[str, int] | None = None) -> str:
        """A catalogue entry of the day `start`, such as 20180510; returns its folder in the archive."""
        product = f"S2A_MSIL2A_{start}T101031_N0500_R022_T{tile}_{start}T160000"
        safe = f"s3://eodata/Sentinel-2/MSI/L2A/{product}.SAFE"
        taken = datetime.strptime(start, "%Y%m%d").replace(hour=10, tzinfo=UTC)
        names = {"B04_20m": {"raster:scale": 0.0001, "raster:offset": -0.1}, "SCL_20m": {}}
        self.items.append(
            {
                "type": "Feature",
                "stac_version": "1.1.0",
                "id": product,
                "collection": "sentinel-2-l2a",
                "geometry": mapping(box(12.9, 48.1, 13.1, 48.3)),
                "properties": {"datetime": taken.isoformat(), "eo:cloud_cover": cloud},
                "links": [],
                "assets": {
                    name: {
                        "href": f"{safe}/{name}.jp2",
                        "gsd": 20,
                        "proj:code": "EPSG:32633",
                        "proj:bbox": [WEST_M, NORTH_M - EDGE_PX * CELL_M, WEST_M + EDGE_PX * CELL_M, NORTH_M],
                        "file:size": (sizes or {}).get(name, 1000),
                        "file:checksum": f"1620{start}{len(self.items):04}",
                        **facts,
                    }
                    for name, facts in names.items()
                },
            }
        )
        return safe

    def add_scene(self, start: str, dn: int, damage: Damage | None = None, **facts: Any) -> None:
        """A catalogue entry with its pixels: all `dn`, but 0 where empty; all cloud where cloudy."""
        red = np.full((EDGE_PX, EDGE_PX), 0 if damage == "empty" else dn, dtype=np.uint16)
        red += np.random.default_rng(0).integers(0, 1 + bool(red.any()), red.shape, dtype=np.uint16)
        contents = {
            "B04_20m": jp2(self.folder / "made.jp2", red),
            "SCL_20m": jp2(self.folder / "made.jp2", np.full(red.shape, 9 if damage == "cloudy" else 4, np.uint8)),
        }
        if damage == "truncated":
            contents["B04_20m"] = contents["B04_20m"][: len(contents["B04_20m"]) * 2 // 3]
        safe = self.add(start, sizes={name: len(content) for name, content in contents.items()}, **facts)
        for name, content in contents.items():
            bucket, key = storage.split_s3_href(f"{safe}/{name}.jp2")
            storage.client().put_object(Bucket=bucket, Key=key, Body=content)

    def write_labels(self, codes: tuple[int, ...], *, is_elsewhere: bool = False) -> Path:
        """A label raster of 100 m cells in EPSG:3035, over the scenes or 300 km away from them."""
        west, south, east, north = self._region().to_crs(LABELS_EPSG).total_bounds
        shift = 300_000 if is_elsewhere else 0
        transform = rasterio.Affine(100, 0, west - 1000 + shift, 0, -100, north + 1000)
        shape = (int(north - south + 2000) // 100, int(east - west + 2000) // 100)
        size = {"height": shape[0], "width": shape[1], "count": 1, "dtype": "uint8", "nodata": 0}
        path = self.folder / "labels.tif"
        with rasterio.open(path, "w", driver="GTiff", crs=LABELS_EPSG, transform=transform, **size) as sink:
            sink.write(np.resize(np.array(codes, np.uint8), shape), 1)
        return path

    def params(self, **changes: Any) -> dict[str, Any]:
        """The form of a run over 2018 and 2019 that would end well; `a__b` changes the field b of the part a."""
        catalogue, regions = self.folder / "items.json", self.folder / "regions.gpkg"
        catalogue.write_text(json.dumps({"type": "FeatureCollection", "features": self.items}))
        self._region().to_file(regions)
        labels = self.folder / "labels.tif"
        if not labels.exists():
            self.write_labels((62, 73, 121))
        values: dict[str, Any] = {
            "name": "small",
            "source": {"provider": "items", "endpoint": str(catalogue), "check_objects": False},
            "time": {"years": [2018, 2019], "period": "season", "months": [5, 6]},
            "bands": ["red"],
            "selection": {"max_scenes": 1},
            "labels": {"map": str(labels), "period": "2018-MJ"},
            "regions": {"path": str(regions)},
            "reference": {},
            "output": str(self.folder / "products"),
        }
        for name, value in changes.items():
            *parts, last = name.split("__")
            place = values[parts[0]] if parts else values
            place[last] = value
        return values

    def form(self, **changes: Any) -> ImperviousChangeParams:
        return ImperviousChangeParams.model_validate(self.params(**changes))

    def _region(self) -> geopandas.GeoDataFrame:
        columns = {"NUTS_ID": ["XX1"], "NAME_LATN": ["Somewhere"]}
        return geopandas.GeoDataFrame(columns, geometry=[box(*OUTLINE)], crs=4326)
