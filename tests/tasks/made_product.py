"""A small product that has everything, in a store of plain files."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
from PIL import Image
from shapely import box

from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.base.contract.scene import Scene
from tasks.impervious.publish import ImperviousEvidence
from tasks.periods import Period
from tasks.publishing.product import Layer, Product
from tasks.publishing.publication import IllustrationFile

GRID = Grid(epsg=3035, resolution_m=20, west_m=4_321_000, north_m=2_900_000, width=30, height=20)
HOSTILE = "<script>alert('x')</script> & \"Sons\"'; DROP TABLE regional_data; --"
REGIONS = {"AT11": "Burgenland Süd", "NA": HOSTILE}
ESTIMATE_COLUMNS = (
    "region_id", "period", "indicator", "value", "lower", "upper", "standard_error", "unit", "interval_basis",
    "pixel_count_ha", "unknown_share", "n_points", "n_change_points",
)  # fmt: skip


@dataclass(frozen=True)
class Shelf:
    """Files under the store's scheme."""

    root: Path

    def put(self, name: str, content: bytes | str) -> File:
        path = self.root / "made.step" / "key" / "attempt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.describe(path)

    def describe(self, path: Path) -> File:
        href = f"store:{path.relative_to(self.root)}"
        return File(href=href, content_id=sha256_of(path), size=path.stat().st_size)

    def path_of(self, file: File) -> Path:
        return self.root / file.store_path


def estimate_rows(*, sampled: bool = True) -> list[tuple[Any, ...]]:
    """Two regions and the whole area, two indicators, two periods; values are 10, 11, 12 …, counts twice as large."""
    rows: list[tuple[Any, ...]] = []
    for region in (*REGIONS, "ALL"):
        for period in ("2019", "2020"):
            for indicator in ("new_green", "new_impervious"):
                value = 10.0 + len(rows)
                sample = (value, value - 2, value + 3, 1.25) if sampled else (2 * value, "", "", "")
                basis, points = ("stratified_sample", (120, 31)) if sampled else ("none", (0, 0))
                rows.append((region, period, indicator, *sample, "ha", basis, 2 * value, 0.125, *points))
    return rows


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return "\n".join(",".join(map(str, row)) for row in (columns, *rows)) + "\n"


def regions_file(shelf: Shelf, names: Mapping[str, str] = REGIONS) -> File:
    west, south, east, north = GRID.bounds
    middle = (west + east) / 2
    outlines = [box(west, south, middle, north), box(middle, south, east + 600, north)]
    columns = {"region_id": list(names), "region_name": list(names.values()), "inside_share": [1.0, 0.5]}
    path = shelf.root / "regions.gpkg"
    path.parent.mkdir(parents=True, exist_ok=True)
    geopandas.GeoDataFrame(columns, geometry=outlines, crs=3035).to_file(path)
    return shelf.put("regions.gpkg", path.read_bytes())


def raster_file(shelf: Shelf, name: str, *, bands: int = 1, nodata: int = 255, value: int = 1) -> File:
    path = shelf.root / "made.step" / "key" / "attempt" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    transform = rasterio.Affine(20, 0, GRID.west_m, 0, -20, GRID.north_m)
    size = {"width": GRID.width, "height": GRID.height, "count": bands, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", crs=3035, transform=transform, nodata=nodata, **size) as sink:
        sink.write(np.full((bands, *GRID.shape), value, dtype=np.uint8))
    return shelf.describe(path)


def picture_file(shelf: Shelf, name: str, side_px: int = 8) -> File:
    random = np.random.default_rng(side_px)
    stream = BytesIO()
    Image.fromarray(random.integers(0, 255, (side_px, side_px, 3), dtype=np.uint8)).save(stream, format="png")
    return shelf.put(name, stream.getvalue())


def made_scene(tile: str, year: int, *, simulated: bool = False) -> Scene:
    name = f"S2A_MSIL2A_{year}0601T101031_N0500_R022_T{tile}_{year}0601T160000"
    band = File(href=f"s3://eodata/Sentinel-2/{year}/{name}.SAFE/GRANULE/L2A/B04.jp2", content_id="etag:1", size=1)
    return Scene(
        id=name,
        platform="S2A",
        level="L2A",
        tile=tile,
        datetime=datetime(year, 6, 1, 10, tzinfo=UTC),
        datatake=datetime(year, 6, 1, 10, tzinfo=UTC),
        orbit=22,
        baseline="05.00",
        processed=datetime(year, 6, 1, 16, tzinfo=UTC),
        footprint="POLYGON ((0 0, 1 0, 1 1, 0 0))",
        bands={"red": band},
        offsets_dn={"red": -1000},
        simulated=simulated,
    )


def made_product(shelf: Shelf, *, simulated: bool = True, name: str = "made") -> Product:
    """Three layers over 2018 to 2020."""
    land_cover = Layer(
        name="land-cover-2019",
        title="Land cover 2019",
        file=raster_file(shelf, "classes.tif", nodata=0),
        periods=("2019",),
        bands=("class",),
        nodata=0,
        classes={1: "impervious", 2: "green", 3: "other"},
    )
    change = Layer(
        name="new-impervious-2019",
        title="Newly impervious land 2019",
        file=raster_file(shelf, "change.tif"),
        periods=("2018", "2019"),
        bands=("new_impervious",),
        nodata=255,
        classes={0: "not newly impervious", 1: "newly impervious"},
    )
    probabilities = Layer(
        name="probabilities-2020",
        title="Class probabilities 2020",
        file=raster_file(shelf, "probabilities.tif", bands=3),
        periods=("2020",),
        bands=("impervious", "green", "other"),
        nodata=255,
        scale=1 / 250,
    )
    years = (2018, 2019, 2020)
    return Product(
        name=name,
        title="Change per region",
        description="How much land was sealed.",
        simulated=simulated,
        grid=GRID,
        periods=tuple(Period(label=str(year), start=date(year, 5, 1), end=date(year, 9, 30)) for year in years),
        layers=(land_cover, change, probabilities),
        scenes={str(year): (made_scene("33UUP", year), made_scene("33UUQ", year)) for year in years},
        documents={"documents/transitions.csv": transitions_file(shelf)},
        software={"clearground": "0.1.0"},
        parameters={"name": name, "time": {"years": list(years)}, "aoi": HOSTILE},
    )


def transitions_file(shelf: Shelf) -> File:
    rows = [("2018", "2019", 2, 1, 700, 28.0), ("2018", "2019", 0, 3, 25, 1.0), ("2019", "2020", 1, 1, 100, 4.0)]
    columns = ("from_period", "to_period", "from_class", "to_class", "cells", "area_ha")
    return shelf.put("transitions.csv", table(columns, rows))


def card_file(shelf: Shelf) -> File:
    scores = {
        "part": "test",
        "accuracy": 0.9312,
        **{key: {"impervious": 0.81} for key in ("precision", "recall", "f1")},
    }
    split = {"block_px": 256, "gap_px": 16, "blocks": {"test": 6}}
    return shelf.put("card.json", json.dumps({"bands": ["red"], "scores": [scores], "split": split, "epochs": 12}))


def made_evidence(shelf: Shelf, *, sampled: bool = True, sqlite: bool = False) -> ImperviousEvidence:
    accuracy = table(
        ("period", "measure", "class", "value", "lower", "upper", "standard_error", "n_points"),
        [("2019", "overall", "", 0.912345, 0.89, 0.93, 0.01, 1500), ("2019", "user", "green", 0.8, "", "", "", 200)],
    )
    shown = [("change", "change-period"), ("cover", "land-cover-2019"), ("training", "training-curves")]
    return ImperviousEvidence(
        estimates=shelf.put("estimates.csv", table(ESTIMATE_COLUMNS, estimate_rows(sampled=sampled))),
        accuracy=shelf.put("accuracy.csv", accuracy) if sampled else None,
        regions=regions_file(shelf),
        transitions=transitions_file(shelf),
        card=card_file(shelf),
        illustrations=tuple(
            IllustrationFile(
                section=section, name=name, caption=name.replace("-", " "), file=picture_file(shelf, f"{name}.png")
            )
            for section, name in shown
        ),
        map_picture="change-period",
        sqlite=sqlite,
    )


def rows_of_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
