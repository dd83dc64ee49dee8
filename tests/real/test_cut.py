"""Two rasters that a cut with the wrong stencil has left, and pastures of a field survey in the French Alps."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError
from containers.base.sentinel2 import parse_theia_name
from containers.gdal import cut
from containers.gdal.contract.cut import CutParams, MajaProduct
from tasks.catalogue.coverage import nominal_tile
from tasks.parameters.pasture_types import Pastures
from tasks.pastures.stencils import place_pastures, read_pastures
from tests.containers.gdal.theia_zips import write_zip

pytestmark = pytest.mark.real
NAME = "SENTINEL2A_20170321-103021-460_L2A_T31TFJ_D_V1-4"


@pytest.fixture
def empty_product(sample_data: Path, tmp_path: Path, monkeypatch: Any) -> Any:
    """The wholly empty rasters as a THEIA product, and a stencil in their middle."""
    folder = sample_data / "alpage" / "negative"
    if not folder.is_dir():
        pytest.skip("the samples lack alpage/negative")
    band, clm = (folder / f"S2A_20170321_T31TFJ_{layer}.tif" for layer in ("B2", "CLM_R1"))
    with rasterio.open(band) as dataset:
        assert np.unique(dataset.read(1)).tolist() == [-1000]
        west, south, east, north = dataset.bounds
    monkeypatch.setenv("CLEARGROUND_STORE", str(tmp_path))
    place = tmp_path / "user" / "1"
    place.mkdir(parents=True)
    members = {f"{NAME}/{NAME}_FRE_B2.tif": band.read_bytes(), f"{NAME}/MASKS/{NAME}_CLM_R1.tif": clm.read_bytes()}
    write_zip(place / f"{NAME}.zip", members)
    centre = shapely.Point((west + east) / 2, (south + north) / 2)
    gpd.GeoDataFrame(geometry=[centre.buffer(500)], crs=32631).to_parquet(place / "stencils.parquet")

    def stored(name: str) -> Any:
        return output_file(place / name).model_copy(update={"href": f"store:user/1/{name}"})

    name = parse_theia_name(NAME)
    assert name is not None
    product = MajaProduct(
        id=NAME, platform="S2A", tile="31TFJ", acquired=name.acquired, version="1-4", archive=stored(f"{NAME}.zip")
    )
    return CutParams(maja=product, stencils=stored("stencils.parquet"), bands=("blue",), missing_masks="flag")


def test_empty_rasters_are_refused_with_their_places(empty_product: CutParams, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(StepError) as caught:
        cut.run(empty_product, tmp_path / "out")
    assert caught.value.code == "no_valid_pixels"
    for word in (NAME, "31TFJ", "781780 to 825300 east", "5014170 to 5052930 north", "EPSG:32631"):
        assert word in caught.value.reason


@pytest.mark.parametrize("tile", ["31TFJ", "31TFK", "31TGK", "31TGL", "32TLP", "32TLQ", "32TLR"])
def test_surveyed_polygons_lie_in_their_tiles(sample_data: Path, tile: str) -> None:
    files = sorted((sample_data / "alpage" / "TFE" / "TFE_2").rglob(f"*{tile}*.shp"))
    if not files:
        pytest.skip(f"the samples lack polygons of {tile}")
    outline = nominal_tile(tile)
    assert outline is not None
    found = read_pastures(Pastures(paths=(str(files[0]),), id_field="id_polygon"))
    placements = place_pastures(found, {tile: outline.wkt})
    assert {(each.tile, each.share) for each in placements} == {(tile, 1.0)}
    assert {each.grid.epsg for each in placements} == {int(f"326{tile[:2]}")}


@pytest.mark.parametrize("tile", ["32TLP", "32TLQ", "32TLR"])
def test_points_in_the_neighbours_zone_are_matched_by_geometry(sample_data: Path, tile: str) -> None:
    """Files of zone 32 with coordinates of zone 31: as numbers none lies in its tile, as places all but a few do."""
    files = sorted((sample_data / "alpage" / "TFE" / "TFE_1").glob(f"*{tile}*.shp"))
    if not files:
        pytest.skip(f"the samples lack points of {tile}")
    outline = nominal_tile(tile)
    assert outline is not None
    points = gpd.read_file(files[0]).drop_duplicates("Id_sitesAS")
    corners = shapely.box(*gpd.GeoSeries([outline], crs=4326).to_crs(f"326{tile[:2]}").total_bounds)
    assert not points.geometry.intersects(corners).any()
    inside = points[points.to_crs(4326).intersects(outline)]
    assert len(inside) > 0.9 * len(points)
    names = inside["Id_sitesAS"].astype(str)
    table = gpd.GeoDataFrame({"pasture_id": names, "pasture_name": names}, geometry=inside.geometry, crs=points.crs)
    placements = place_pastures(table, {tile: outline.wkt})
    assert {(each.tile, each.share, each.grid.shape) for each in placements} == {(tile, 1.0, (1, 1))}
    assert {each.grid.epsg for each in placements} == {int(f"326{tile[:2]}")}
