"""Sentinel-1 over the landscape: each chosen pass images the ground as it is on its day."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from containers.base.contract.grid import Grid
from containers.base.contract.radar import Polarisation
from containers.eodata.backscatter import POLARISATIONS, Visit, gamma_nought
from containers.eodata.contract.scenario import RadarDate
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.elevation import undulation
from containers.eodata.items import BUCKET
from containers.eodata.moisture import wetness
from containers.eodata.noise import FloatArray, Noise
from containers.eodata.place import EPSG, FINE_M
from containers.eodata.radar_ground import RadarGround
from containers.eodata.radar_pass import RadarPass, absolute_orbit
from containers.eodata.radar_products import radar_item, write_radar
from containers.eodata.radar_safe import RadarStored
from containers.eodata.seasons import Greenness, Year
from containers.eodata.world import World


class StoredPass(NamedTuple):
    """A pass in the archive: its products, and their catalogue items."""

    pass_: RadarPass
    products: list[RadarStored]
    items: list[dict[str, Any]]


def radar_pass(wanted: RadarDate, seed: int) -> RadarPass:
    """The pass, on the orbit that the satellite flies then; its datatake is numbered by seed."""
    name = f"{seed} {wanted.start.isoformat()} {wanted.platform}"
    return RadarPass(
        wanted.start,
        wanted.platform,
        absolute_orbit(wanted.platform, wanted.relative_orbit, wanted.start),
        wanted.relative_orbit,
        wanted.direction,
        f"{zlib.crc32(name.encode()) % 2**24:06X}",
        wanted.slices,
        wanted.damage,
    )


def radar_ground(world: World, seed: int, wanted: RadarDate) -> RadarGround:
    """Heights above the ellipsoid and gamma nought of the whole landscape at the time of a pass."""
    noise, day = Noise(seed), wanted.start.date()
    green = Greenness.on(day.timetuple().tm_yday, Year.of(seed, day.year))
    visit = Visit(day.toordinal(), wanted.relative_orbit)
    heights = np.empty(world.shape, dtype=np.float32)
    gamma0: dict[Polarisation, FloatArray] = {band: np.empty(world.shape, np.float32) for band in POLARISATIONS}
    for window in world.windows():
        y_m, x_m = world.axes(window)
        heights[window] = world.heights(window) + undulation(noise, y_m, x_m)
        plants = world.plants(day.year, window)
        has_burned = world.days_since_fire(day) is not None
        severity = world.severity(window) if has_burned else np.zeros(plants.cover.shape, dtype=np.float32)
        wet = wetness(noise, day, y_m, x_m)
        for band, power in gamma_nought(noise, plants, green, severity, wet, visit, y_m, x_m).items():
            gamma0[band][window] = power
    grid = world.grid
    fine = Grid(
        epsg=EPSG, resolution_m=FINE_M, west_m=grid.west_m, north_m=grid.north_m, width=world.shape[1],
        height=world.shape[0],
    )  # fmt: skip
    return RadarGround(fine, heights, gamma0)


def write_pass(wanted: RadarDate, world: World, params: ArchiveParams, out: Path) -> StoredPass:
    """Image the ground and write the pass's products below the bucket."""
    flown = radar_pass(wanted, params.seed)
    stored = write_radar(flown, radar_ground(world, params.seed, wanted), params.seed, out / BUCKET)
    return StoredPass(flown, stored, [radar_item(each, flown) for each in stored])


def records(passes: list[StoredPass]) -> Iterator[dict[str, Any]]:
    """What the archive's record says of each product."""
    for each in passes:
        for product in each.products:
            yield {
                "id": product.name,
                "start": product.start.isoformat(),
                "platform": each.pass_.platform,
                "relative_orbit": each.pass_.relative_orbit,
                "direction": each.pass_.direction,
                "datatake": each.pass_.datatake,
                "damage": each.pass_.damage,
            }
