"""Heights, slope and aspect of a tile's stencils, where features of types ask for them."""

from containers.base.contract.grid import Grid
from containers.gdal.contract.dem import DemParams, DemResult
from containers.gdal.contract.type_features import FeatureRecipe, Terrain
from tasks.elevation import area_of, stored_tiles, tile_hrefs
from tasks.pastures.intake import PastureInputs

_MARGIN_M = 100.0


def needs_terrain(recipe: FeatureRecipe) -> bool:
    return "terrain" in recipe.sets


def dem_params(inputs: PastureInputs, grid: Grid) -> DemParams:
    """The user's DEM, else the tiles of the archive. Types need no height above the ellipsoid: it stays as it is."""
    tiles = inputs.dem or stored_tiles(tile_hrefs(area_of(grid, _MARGIN_M))).files
    return DemParams(tiles=tiles, heights="ellipsoid", grid=grid, margin_m=_MARGIN_M)


def terrain_of(result: DemResult) -> Terrain:
    return Terrain(height=result.dem, slope=result.slope, aspect=result.aspect)
