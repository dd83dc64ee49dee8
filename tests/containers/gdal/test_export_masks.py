"""Masks for other programs against a table of every class."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from containers.base.contract.grid import Grid
from containers.base.contract.legend import Sky
from containers.gdal import export_masks
from containers.gdal.contract.mask_exchange import ExportMasksParams
from containers.gdal.export_masks import binary_mask

GRID = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_400_000, width=300, height=280)


@pytest.mark.parametrize(
    ("hidden", "cloud_value", "expected"),
    [
        ((Sky.CLOUD, Sky.CIRRUS), 1, [255, 0, 1, 1, 0, 0]),
        ((Sky.CLOUD, Sky.CIRRUS), 0, [255, 1, 0, 0, 1, 1]),
        ((Sky.CLOUD, Sky.CIRRUS, Sky.SHADOW), 1, [255, 0, 1, 1, 1, 0]),
        ((Sky.SNOW,), 1, [255, 0, 0, 0, 0, 1]),
    ],
)
def test_every_class(hidden: Any, cloud_value: Any, expected: list[int]) -> None:
    """In the order of Sky: no data, clear, cloud, cirrus, shadow, snow. No data is neither clear nor cloud."""
    assert binary_mask(np.array(list(Sky), np.uint8), hidden, cloud_value).tolist() == expected


def test_grid_stays_and_values_are_declared(raster_store: Any, tmp_path: Path) -> None:
    """Also across block edges."""
    rng = np.random.default_rng(1)
    layers = {f"scene-{n}": rng.integers(0, 6, GRID.shape).astype(np.uint8) for n in range(2)}
    masks = {name: raster_store.cog(sky, GRID, nodata=0, name="mask") for name, sky in layers.items()}
    result = export_masks.run(ExportMasksParams(masks=masks, cloud_value=0), tmp_path)
    for name, sky in layers.items():
        with rasterio.open(tmp_path / result.masks[name].href) as dataset:
            assert (dataset.read(1) == binary_mask(sky, (Sky.CLOUD, Sky.CIRRUS), 0)).all()
            assert (dataset.nodata, dataset.tags()["CLOUD"], dataset.tags()["CLEAR"]) == (255, "0", "1")
            assert tuple(dataset.bounds) == tuple(GRID.bounds)
