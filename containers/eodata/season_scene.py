"""Photograph a tile at any time of the year: ground, snow and shadow through air and clouds, as L1C or as L2A."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.eodata.acquisitions import Acquisition
from containers.eodata.alpine.ground import AlpineDay
from containers.eodata.atmosphere import Column
from containers.eodata.burn import burned, char_share
from containers.eodata.camera import MARGIN, Camera, digital_numbers, sensor_noise
from containers.eodata.colours import ALL_BANDS, SEEN_SNOW, ground_reflectance, snow_cover, snow_share, snowed_on
from containers.eodata.cover import Cover
from containers.eodata.hills import light_on_slopes
from containers.eodata.noise import FloatArray, Noise
from containers.eodata.place import FINE_M, PIXEL_M, View, true_north_deg
from containers.eodata.product import cell_m
from containers.eodata.scene import outside
from containers.eodata.scl import Missed, Scl, Surface, mapped_classes, mapped_snow, true_classes, true_snow
from containers.eodata.seasons import Greenness, Year
from containers.eodata.sky import Over, Sky
from containers.eodata.weather import Air
from containers.eodata.world import World

_STRIP_PX: Final = 510
"""A multiple of the 3 cells that one of 60 m holds."""
_WATER_CLOUD: Final = dict(
    zip(ALL_BANDS, (0.60, 0.60, 0.60, 0.61, 0.62, 0.63, 0.64, 0.65, 0.65, 0.62, 0.50, 0.46, 0.34), strict=True)
)
_ICE_CLOUD: Final = dict(
    zip(ALL_BANDS, (0.60, 0.60, 0.60, 0.60, 0.60, 0.60, 0.60, 0.60, 0.60, 0.57, 0.50, 0.31, 0.23), strict=True)
)
DIFFUSE: Final = dict(
    zip(ALL_BANDS, (0.58, 0.52, 0.46, 0.40, 0.38, 0.35, 0.33, 0.31, 0.30, 0.28, 0.25, 0.22, 0.20), strict=True)
)
"""Share of light left in full shadow."""
_GAIN_OF: Final = {"B01": "B02", "B09": "B8A", "B10": "B11"}
CIRRUS_SEEN: Final = 0.04
"""Opacity from which cirrus counts: about 0.01 in B10, where the rules of Hollstein et al. (2016) begin to see it."""
_MISSED: Final = Missed(shadow=-0.6, cirrus=-0.7)
_CLOUD_MARK, _SHADOW_MARK = 3.8, 1.9
"""How strongly opacity marks a cloud for the processor: half the cells of opacity 0.2 are mapped as cloud."""
SLOPES_LEFT: Final = 0.4
"""Power of the light on slopes that a processor to L2A leaves in mountains, whose DEM is smooth."""
_CIRRUS_UNIT: Final = 0.30 / CIRRUS_SEEN
"""From opacity to the strength by which `scl` measures cirrus."""


class _Strip(NamedTuple):
    """Some rows of a tile on its fine cells with the camera's margin."""

    reflectance: dict[str, FloatArray]
    """Of snow-free ground and snow."""
    canopy: FloatArray
    water: FloatArray
    snow: FloatArray


@dataclass(frozen=True)
class SeasonScene:
    """One acquisition with its sky and season, ready to be rendered."""

    acquisition: Acquisition
    sky: Sky
    camera: Camera
    green: Greenness
    moisture: float
    snow: float
    freshness: float
    estimated: Column
    """The air as the processor to L2A believes it to be."""
    seed: int
    world_seed: int

    @classmethod
    def prepared(cls, acquisition: Acquisition, world: World, seed: int, jitter_px: float) -> "SeasonScene":
        """All tiles of a datatake share camera, sky and season, and both levels share even the noise."""
        start = acquisition.start
        date, day = f"{start:%Y%m%dT%H%M%S}", start.timetuple().tm_yday
        random = np.random.default_rng([seed, zlib.crc32(date.encode())])
        sun = acquisition.sun()
        north_deg = true_north_deg(world.grid.bounds)
        turned = sun._replace(azimuth_deg=sun.azimuth_deg + north_deg)
        drawn = f"{date} {acquisition.sky_draw}" if acquisition.sky_draw else date
        sky = Sky.on(seed, drawn, day, acquisition.clouds, turned, world.grid.bounds)
        camera = Camera.drawn(random, jitter_px)
        aerosol, water = random.lognormal(0, 0.3), random.lognormal(0, 0.08)
        return cls(
            acquisition,
            sky,
            camera,
            Greenness.on(day, Year.of(seed, start.year)),
            float(random.uniform(0, 0.8)),
            snow_share(Noise(seed), start.toordinal(), day),
            float(random.uniform(0.72, 1.0)),
            Column(sun.zenith_deg, sky.aerosol * aerosol, sky.water_cm * water),
            zlib.crc32(f"{seed} {date} {acquisition.tile.id}".encode()),
            seed,
        )

    def cloudless(self) -> "SeasonScene":
        """The same without clouds and their shadows: equal to the digit where there were none."""
        return replace(self, sky=replace(self.sky, decks=()))

    def render(self, world: World, assets: tuple[str, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Digital numbers per asset (uint16, 0 no data), `SCL_20m` and the `truth` of it (uint8)."""
        edge = self.acquisition.grid.width
        images: dict[str, npt.NDArray[np.generic]] = {
            asset: np.zeros((edge * PIXEL_M // cell_m(asset),) * 2, dtype=np.uint16) for asset in assets
        }
        images |= {name: np.zeros((edge, edge), dtype=np.uint8) for name in ("SCL_20m", "truth")}
        for first in range(0, edge, _STRIP_PX):
            for name, strip in self._rendered(world, assets, first, min(first + _STRIP_PX, edge)):
                top = first * len(images[name]) // edge
                images[name][top : top + len(strip)] = strip
        return images

    def _rendered(
        self, world: World, assets: tuple[str, ...], first: int, last: int
    ) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
        grid = self.acquisition.grid
        strip = self._strip(world, tuple({asset[:3] for asset in assets} | {"B04"}), first, last)
        over = self.sky.over(*View(grid, 0).places(first, last, PIXEL_M))
        mask = outside(self.acquisition, first, last)
        for asset in sorted(assets):
            band, cell = asset[:3], cell_m(asset)
            seen = self._at_top(self.camera.seen(strip.reflectance[band], cell), _resampled(over, cell), band, cell)
            random = np.random.default_rng([self.seed, first, ALL_BANDS.index(band), cell])
            seen += sensor_noise(seen, random)
            if self.acquisition.level == "L2A":
                seen = self.estimated.corrected(seen, band)
            numbers = digital_numbers(seen, self.acquisition.offset_dn)
            numbers[_cells(mask.astype(np.float32), cell) >= 0.5] = 0
            yield asset, numbers
        for name, classes in self._classes(strip, over, first).items():
            yield name, np.where(mask, Scl.NODATA, classes).astype(np.uint8)

    def _strip(self, world: World, bands: tuple[str, ...], first: int, last: int) -> _Strip:
        acquisition = self.acquisition
        plants = world.plants_under(acquisition.grid, acquisition.start.year, first, last)
        ratio = PIXEL_M // FINE_M
        east, north = View(acquisition.grid, MARGIN).places(first * ratio - MARGIN, last * ratio + MARGIN)
        bare, canopy = ground_reflectance(plants, self.green, self.moisture, bands)
        snow = snow_cover(Noise(self.world_seed), self.snow, plants.cover, east, north)
        if world.has_pastures:
            bare, canopy, snow = self._alpine(world, bare, canopy, plants.cover, first, last)
        if (days := world.days_since_fire(acquisition.start.date())) is not None:
            char = char_share(world.severity_under(acquisition.grid, first, last), plants.cover, days)
            bare = {band: burned(values, char, band) for band, values in bare.items()}
            canopy *= 1 - char
        white = {band: snowed_on(values, snow, band, self.freshness) for band, values in bare.items()}
        if world.has_relief:
            slopes = world.slopes_under(acquisition.grid, first, last)
            left = SLOPES_LEFT if world.has_pastures and acquisition.level == "L2A" else 1
            for band, values in white.items():
                values *= light_on_slopes(*slopes, self.sky.sun, DIFFUSE[band]) ** left
        return _Strip(white, canopy, (plants.cover == Cover.WATER).astype(np.float32), snow)

    def _alpine(
        self, world: World, bare: dict[str, FloatArray], canopy: FloatArray, cover: npt.NDArray[np.uint8],
        first: int, last: int,
    ) -> tuple[dict[str, FloatArray], FloatArray, FloatArray]:  # fmt: skip
        """Reflectance and canopy with the pastures' plants where such grow, and the mountains' snow."""
        day = self.acquisition.start.date()
        meadow, today = (
            world.meadow_under(self.acquisition.grid, day.year, first, last),
            AlpineDay.on(self.world_seed, day),
        )
        plants, green = today.reflectance(meadow, self.moisture, tuple(bare))
        grows = meadow.kind > 0
        return (
            {band: np.where(grows, plants[band], values) for band, values in bare.items()},
            np.where(grows, green, canopy),
            today.snow(meadow) * SEEN_SNOW[cover],
        )

    def _at_top(self, ground: FloatArray, over: Over, band: str, cell: int) -> FloatArray:
        """Reflectance at the top of the atmosphere: the ground in its light, and one deck of clouds over the other."""
        across = np.linspace(-1, 1, ground.shape[1], dtype=np.float32) * np.float32(self.camera.view_slope)
        gain = np.float32(self.camera.gains[_GAIN_OF.get(band, band)])
        light = 1 - over.shadow * np.float32(1 - DIFFUSE[band])
        column = Column(self.sky.sun.zenith_deg, over.aerosol, self.sky.water_cm)
        seen = column.at_top(ground * gain * (1 + across) * light, band)
        for deck, opacity in over.decks:
            spectrum = _WATER_CLOUD if deck.name in ("low", "middle") else _ICE_CLOUD
            white = np.float32(spectrum[band] * deck.brightness) * (0.72 + 0.36 * opacity)
            seen += opacity * (column.above(deck.height_m).at_top(white, band) - seen)
        return seen

    def _classes(self, strip: _Strip, over: Over, first: int) -> dict[str, npt.NDArray[np.uint8]]:
        """The scene classification as the processor maps it, and as it truly is."""
        surface = Surface(
            *(self.camera.seen(fine, PIXEL_M) for fine in (strip.canopy, strip.water, strip.reflectance["B04"]))
        )
        snow = self.camera.seen(strip.snow, PIXEL_M)
        air = Air(over.cloud, over.shadow, over.cirrus * np.float32(_CIRRUS_UNIT), np.zeros_like(over.cloud))
        noise = Noise(self.seed)
        marked = air._replace(
            cloud=np.clip(over.cloud * np.float32(_CLOUD_MARK), 0, 1),
            shadow=np.clip(over.shadow * np.float32(_SHADOW_MARK), 0, 1),
        )
        mapped = mapped_classes(surface, marked, noise, first, _MISSED)
        return {
            "SCL_20m": mapped_snow(mapped, snow, over.cloud, noise, first),
            "truth": true_snow(true_classes(surface, air), snow),
        }


def _resampled(over: Over, cell: int) -> Over:
    """The air over cells of another size."""
    decks = tuple((deck, _cells(opacity, cell)) for deck, opacity in over.decks)
    return Over(decks, *(_cells(layer, cell) for layer in over[1:]))


def _cells(values: FloatArray, cell: int) -> FloatArray:
    """Values on cells of 20 m as values on cells of 10, 20 or 60 m."""
    if cell < PIXEL_M:
        scale = PIXEL_M // cell
        return values.repeat(scale, axis=0).repeat(scale, axis=1)
    scale = cell // PIXEL_M
    rows, columns = values.shape
    mean: FloatArray = values.reshape(rows // scale, scale, columns // scale, scale).mean(axis=(1, 3))
    return mean
