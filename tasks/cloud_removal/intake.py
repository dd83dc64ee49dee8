"""What a user hands to `cloud_removal`, checked and taken into the store before any compute is spent."""

import json
import tempfile
from pathlib import Path

import shapely
from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.tensorflow.contract.removal import RemovalModel
from tasks.aoi import analysis_grid, read_aoi, utm_epsg
from tasks.disk import disk_errors
from tasks.parameters.cloud_removal import CloudRemovalParams, RemovalArea
from tasks.settings import get_settings
from tasks.store import Store, open_store
from tasks.user_files import MODEL_CARD, MODEL_WEIGHTS, take_file, take_optional_file

LATTICE_M = 60.0
"""Grids begin on multiples of this, as the tiles of Sentinel-2 do: cells of 10, 20 and 60 m then share edges."""


class RemovalInputs(Contract):
    """A run's inputs: the area, and files that are now in the store."""

    aoi: str = Field(description="WKT, EPSG:4326; empty: the common footprint of the products")
    dem: tuple[File, ...]
    geoid: File | None
    orbit_files: tuple[File, ...]
    model: RemovalModel | None
    regions: File | None
    land_cover: File | None
    true_image: File | None
    true_burn: File | None


@disk_errors()
def take_in_removal(params: CloudRemovalParams) -> RemovalInputs:
    """Check area and files. Raises `bad_aoi`, `missing_file`, `disk_full`."""
    store, radar = open_store(get_settings()), params.radar
    if radar.dem_heights == "geoid" and not radar.geoid:
        raise StepError(
            "missing_file",
            "The DEM has heights above the geoid, and radar.geoid is empty: radar needs them above the ellipsoid.",
            "Give a raster of the geoid's undulation, such as EGM2008, or say dem_heights: ellipsoid.",
        )
    return RemovalInputs(
        aoi=shapely.to_wkt(read_aoi(params.area.aoi), rounding_precision=7) if params.area.aoi else "",
        dem=tuple(take_file(store, path) for path in radar.dem),
        geoid=take_optional_file(store, radar.geoid),
        orbit_files=_orbit_files(store, radar.orbit_files),
        model=_model(store, params.learning.model_href),
        regions=take_optional_file(store, params.regions.path),
        land_cover=take_optional_file(store, params.land_cover),
        true_image=take_optional_file(store, params.truth.image),
        true_burn=take_optional_file(store, params.truth.burned),
    )


def removal_grid(zone: str, area: RemovalArea) -> Grid:
    """The grid over a zone (WKT, EPSG:4326) in its UTM zone. Raises `bad_aoi`, `bad_grid`."""
    outline = read_aoi(zone)
    block_px = max(1, round(LATTICE_M / area.resolution_m))
    return analysis_grid(outline, area.epsg or utm_epsg(outline), area.resolution_m, block_px)


def regions_file(inputs: RemovalInputs, zone: str, name: str) -> File:
    """The user's regions, or the zone as the only one, with the fields of `BurnRegions`."""
    if inputs.regions:
        return inputs.regions
    feature = {
        "type": "Feature",
        "properties": {"NUTS_ID": "AREA", "NAME_LATN": name},
        "geometry": json.loads(shapely.to_geojson(read_aoi(zone))),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zone.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        return take_file(open_store(get_settings()), str(path))


def _orbit_files(store: Store, folder: str) -> tuple[File, ...]:
    if not folder:
        return ()
    found = sorted(Path(folder).rglob("*.EOF"))
    if not found:
        raise StepError(
            "missing_file",
            f"radar.orbit_files {folder!r} holds no .EOF file.",
            "Correct the folder, or leave it empty.",
        )
    return tuple(take_file(store, str(path)) for path in found)


def _model(store: Store, href: str) -> RemovalModel | None:
    if not href:
        return None
    folder = Path(href)
    return RemovalModel(
        weights=take_file(store, str(folder / MODEL_WEIGHTS)), card=take_file(store, str(folder / MODEL_CARD))
    )
