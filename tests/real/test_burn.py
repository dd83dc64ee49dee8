"""A real scar, British Columbia, August 2026: the index of one date against the official perimeter of the fire."""

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from sklearn.metrics import roc_auc_score

from containers.base.contract.grid import Grid
from containers.gdal.burn_indices import nbr, reflectance
from containers.gdal.burn_scores import burned_scores
from containers.gdal.median import median_filter
from containers.gdal.perimeters import outlines

SAMPLE_DATA = Path(os.environ.get("SAMPLE_DATA", Path(__file__).parents[2] / "../shared/data"))
FIRE = SAMPLE_DATA / "bcgov-fire" / "cpp" / "kgc2" / "data"
OFFSET_DN = -1000
EDGE_M = 19.9874198046199

pytestmark = [pytest.mark.real, pytest.mark.skipif(not FIRE.is_dir(), reason=f"no sample data in {SAMPLE_DATA}")]


@pytest.fixture(scope="module")
def scar():
    """NBR after the fire, from B9 as near infrared and B12, and what lies inside the perimeter; (y, x)."""
    with rasterio.open(FIRE / "C50929_mrap_prepost.bin") as image:
        swir22, _, nir = (reflectance(np.rint(band + OFFSET_DN).astype(np.int16)) for band in image.read())
    with rasterio.open(FIRE / "C50929_hint_bcws_perimeter.bin") as image:
        inside = image.read(1) == 1
    return nbr(nir, swir22), inside


@pytest.fixture(scope="module")
def scar_grid(scar):
    """A grid of the same cells, moved by less than one: the original's origin is on no multiple of its cells."""
    height, width = scar[0].shape
    columns, rows = round(1039689.17866393 / EDGE_M), round(855689.504795379 / EDGE_M)
    return Grid(
        epsg=3005, resolution_m=EDGE_M, west_m=columns * EDGE_M, north_m=rows * EDGE_M, width=width, height=height
    )


def test_the_index_tells_the_scar_from_its_surroundings(scar, record_property) -> None:
    index, inside = scar
    known = ~np.isnan(index)
    assert known.all()
    auc = roc_auc_score(inside.ravel(), -index.ravel())
    filtered = roc_auc_score(inside.ravel(), -median_filter(index, 3).ravel())
    print(f"AUC {auc:.4f}, filtered {filtered:.4f}")
    record_property("AUC", f"{auc:.4f}, filtered {filtered:.4f}")
    assert auc >= 0.94
    assert filtered > auc


def test_a_map_of_negative_nbr_agrees_with_the_perimeter(scar, record_property) -> None:
    """Of one date there is no difference: where short-wave infrared outshines near infrared, it burned."""
    index, inside = scar
    mapped = median_filter(index, 3) < 0
    table = np.bincount(inside.ravel() * 2 + mapped.ravel(), minlength=4).reshape(2, 2)
    scores = burned_scores(table)
    assert scores.f1 is not None
    assert scores.kappa is not None
    record_property("scores", scores)
    print(scores)
    assert scores.f1 >= 0.88
    assert scores.kappa >= 0.78


def test_the_perimeter_as_a_vector_has_the_area_of_its_cells(scar, scar_grid, record_property) -> None:
    index, inside = scar
    official = outlines(inside.astype(np.uint8), scar_grid, 0).polygons
    cells_ha = inside.sum() * EDGE_M**2 / 10_000
    assert sum(polygon.area for polygon in official) / 10_000 == pytest.approx(cells_ha)
    assert cells_ha == pytest.approx(5476.3, abs=0.1)
    burned = (median_filter(index, 3) < 0).astype(np.uint8)
    mapped = outlines(burned, scar_grid, 0.5).polygons
    assert all(polygon.is_valid for polygon in mapped)
    shared = shapely.intersection(mapped[0], shapely.union_all(official)).area
    report = (
        f"{len(mapped)} perimeters, the largest {mapped[0].area / 1e4:.0f} ha, {shared / mapped[0].area:.1%} official"
    )
    record_property("perimeters", report)
    print(report)
    assert shared / mapped[0].area > 0.85
