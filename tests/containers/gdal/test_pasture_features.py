"""Features of a pasture's cells: the numbers of a site in each cell, whatever the blocks."""

import h5py
import numpy as np
import pandas
import pytest
from shapely import affinity

from containers.base.contract.step import StepError
from containers.gdal import pasture_features, site_features, site_spectra
from containers.gdal.contract.sites import SiteSpectraParams
from containers.gdal.contract.type_features import FeatureRecipe, PastureFeaturesParams, SiteFeaturesParams, Terrain
from tests.containers.gdal.small_sites import made_sites
from tests.containers.gdal.small_slices import OUTLINE, PASTURE_GRID, TILE_GRID, SmallSlices, inside_by_hand

ALL_SETS = FeatureRecipe(sets=("curves", "bands", "medians", "season", "terrain"))


@pytest.fixture
def meadow(raster_store) -> SmallSlices:
    return SmallSlices(raster_store)


@pytest.fixture
def terrain(raster_store) -> Terrain:
    """Of pixels as wide as three cells, which start one cell west and north of the tile."""
    grid = TILE_GRID.model_copy(
        update={"resolution_m": 30, "west_m": 699_990, "north_m": 5_000_010, "width": 40, "height": 34}
    )
    rng = np.random.default_rng(1)
    layers = {
        name: rng.uniform(*limits, grid.shape).astype(np.float32)
        for name, limits in {"height": (900, 2400), "slope": (0, 50), "aspect": (-1, 360)}.items()
    }
    return Terrain(**{name: raster_store.cog(layer, grid, nodata=-9999, name=name) for name, layer in layers.items()})


@pytest.fixture
def mapped(meadow, raster_store):
    """Run the step; its result and what is in the file."""

    def run(slices=None, **options):
        out = raster_store.folder("gdal.pasture_features")
        facts = {"outline": meadow.outlines(), "pasture_id": "A1", "grid": PASTURE_GRID, "year": 2024}
        params = PastureFeaturesParams(slices=slices or meadow.slices(), **(facts | options))
        result = pasture_features.run(params, out)
        with h5py.File(out / result.features.href) as file:
            return result, file["values"][:], file["inside"][:], dict(file.attrs)

    return run


def test_cells_have_the_features_of_a_site_in_them(meadow, mapped, terrain, raster_store) -> None:
    """By the steps that make features of survey sites, wherever in their cell these lie."""
    slices, rng = meadow.slices(), np.random.default_rng(3)
    result, values, inside, _ = mapped(slices, recipe=ALL_SETS, terrain=terrain)
    assert np.isnan(values[:, inside == 0]).all()
    cells = rng.choice(np.argwhere(inside), 40, replace=False)
    east, south = rng.uniform(0.1, 9.9, (2, len(cells)))
    places = {
        f"{row} {column}": (PASTURE_GRID.west_m + column * 10 + x, PASTURE_GRID.north_m - row * 10 - y)
        for (row, column), x, y in zip(cells, east, south, strict=True)
    }
    out = raster_store.folder("gdal.site_spectra")
    spectra = site_spectra.run(SiteSpectraParams(sites=made_sites(raster_store, places), slices=slices), out)
    dataset = raster_store.adopt(spectra.dataset, out)
    sites = site_features.run(SiteFeaturesParams(dataset=dataset, recipe=ALL_SETS, terrain=(terrain,)), out)
    table = pandas.read_parquet(out / sites.features.href).set_index("site_id")
    assert sites.names == result.names
    known = {f"{row} {column}" for row, column in cells if np.isfinite(values[:, row, column]).all()}
    assert set(table.index) == known
    assert len(known) > 20
    for place, features in table[list(sites.names)].iterrows():
        row, column = map(int, place.split())
        np.testing.assert_array_equal(values[:, row, column], features.to_numpy(np.float32))


def test_cells_are_those_with_their_centre_in_the_outline(mapped) -> None:
    result, values, inside, attributes = mapped()
    np.testing.assert_array_equal(inside, inside_by_hand())
    assert result.cells == inside.sum()
    assert result.known == np.isfinite(values).all(axis=0).sum()
    assert 0.5 * result.cells < result.known <= result.cells
    assert (attributes["source"], attributes["simulated"], attributes["year"]) == ("esa", 1, 2024)
    assert FeatureRecipe.model_validate_json(attributes["recipe"]) == FeatureRecipe()


def test_blocks_make_no_difference(mapped, monkeypatch) -> None:
    whole = mapped()[1]
    monkeypatch.setattr(pasture_features, "_BLOCK_PX", 32)
    np.testing.assert_array_equal(mapped()[1], whole)


def test_equal_runs_give_equal_bytes_whatever_the_order_of_slices(meadow, mapped) -> None:
    slices = meadow.slices()
    assert mapped(slices)[0].features.content_id == mapped(slices[::-1])[0].features.content_id


def test_of_two_slices_of_one_day_the_clearer_one_counts(meadow, mapped) -> None:
    slices = meadow.slices()
    cloudy = {"valid": 0.95, "cloud": 0.9, "shadow": 0.0, "snow": 0.0}
    twin = meadow.slice(0, acquired=slices[9].acquired, product_ids=("A",), shares=cloudy)
    np.testing.assert_array_equal(mapped((*slices, twin))[1], mapped(slices)[1])


def test_cells_that_are_seen_too_seldom_have_no_features(mapped) -> None:
    result, values, _, _ = mapped(recipe=FeatureRecipe(min_observations=22))
    assert result.known == 0
    assert np.isnan(values).all()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"pasture_id": "B"}, "bad_regions", "0 rows of the pasture 'B'"),
        ({"grid": PASTURE_GRID.model_copy(update={"west_m": 700_300})}, "grid_mismatch", "beyond"),
    ],
)
def test_places_that_do_not_fit_are_refused(mapped, options, code, said) -> None:
    with pytest.raises(StepError, match=said) as raised:
        mapped(**options)
    assert raised.value.code == code


def test_an_outline_off_the_grid_is_refused(meadow, mapped) -> None:
    away = meadow.outlines(affinity.translate(OUTLINE, 50_000))
    with pytest.raises(StepError, match="has its centre in the pasture") as raised:
        mapped(outline=away)
    assert raised.value.code == "no_valid_pixels"


@pytest.mark.parametrize("fields", [{"tile": "31TGL"}, {"source": "maja"}])
def test_slices_of_several_tiles_or_processors_are_refused(meadow, mapped, fields) -> None:
    slices = (meadow.slice(0), meadow.slice(1, **fields))
    with pytest.raises(StepError, match=next(iter(fields))) as raised:
        mapped(slices)
    assert raised.value.code == "bad_dataset"


def test_a_slice_without_a_band_is_refused(raster_store, mapped) -> None:
    meadow = SmallSlices(raster_store, ("blue", "green", "red"))
    with pytest.raises(StepError, match="no rededge071") as raised:
        mapped((meadow.slice(0),))
    assert raised.value.code == "unknown_band"


def test_the_set_terrain_needs_terrain(mapped) -> None:
    with pytest.raises(ValueError, match="give the terrain"):
        mapped(recipe=ALL_SETS)
