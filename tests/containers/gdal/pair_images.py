"""Made-up images of two dates that a network, or a regression, can learn from."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.legend import REFLECTANCE_NODATA, Sky
from containers.base.contract.pair import OpticalImage, Pair
from containers.base.contract.radar import BackscatterResult

BANDS = ("red", "green", "blue", "nir", "nir08", "swir16", "swir22")
GREENNESS = {"red": -0.05, "green": -0.01, "blue": -0.03, "nir": 0.12, "nir08": 0.13, "swir16": -0.06, "swir22": -0.08}
"""What a unit of vegetation adds to each band's reflectance."""
GRID = Grid(epsg=32633, resolution_m=10, west_m=500_000, north_m=5_500_000, width=256, height=192)
DATES = {"t0": datetime(2020, 5, 11, 10, tzinfo=UTC), "t1": datetime(2020, 6, 10, 10, tzinfo=UTC)}


@dataclass
class PairImages:
    """Vegetation of two dates, its radar and its reflectance. Arrays may be changed before `pair` writes them."""

    store: Any
    grid: Grid = GRID
    seed: int = 0
    bands: tuple[str, ...] = BANDS
    power: dict[str, NDArray[np.float32]] = field(init=False)
    """Such as vv_t0: linear."""
    truth: dict[str, NDArray[np.int16]] = field(init=False)
    """Such as red_t1: what the ground reflects."""
    sky: dict[str, NDArray[np.uint8]] = field(init=False)
    """By date."""

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        shape = self.grid.shape
        green = {"t0": _smooth(rng, shape)}
        green["t1"] = green["t0"] + np.minimum(0, 2 * _smooth(rng, shape))
        noise = rng.normal(0, 0.3, (4, *shape))
        self.power, self.truth = {}, {}
        for number, (date, plants) in enumerate(green.items()):
            for polarisation, level_db in (("vv", -9.0), ("vh", -16.0)):
                decibel = level_db + 2 * plants + noise[2 * number + (polarisation == "vh")]
                self.power[f"{polarisation}_{date}"] = (10 ** (decibel / 10)).astype(np.float32)
            for band in self.bands:
                ground = 0.2 + GREENNESS[band] * plants + rng.normal(0, 0.003, shape)
                self.truth[f"{band}_{date}"] = np.rint(ground * 1e4).astype(np.int16)
        self.sky = {date: np.full(shape, Sky.CLEAR, np.uint8) for date in DATES}

    def cloud(self, date: str, rows: slice, cols: slice, kind: Sky = Sky.CLOUD) -> None:
        self.sky[date][rows, cols] = kind

    def seen(self, band: str, date: str) -> NDArray[np.int16]:
        """Reflectance with bright clouds and dark shadows over it, nodata where the sky is."""
        values, sky = self.truth[f"{band}_{date}"].copy(), self.sky[date]
        values[np.isin(sky, (Sky.CLOUD, Sky.CIRRUS))] = 7000
        values[sky == Sky.SHADOW] //= 3
        values[sky == Sky.NODATA] = REFLECTANCE_NODATA
        return values

    def optical(self, date: str) -> OpticalImage:
        return OpticalImage(
            scene_ids=(f"S2_{date}",),
            acquired=DATES[date],
            grid=self.grid,
            bands={band: self._reflectance(self.seen(band, date), band) for band in self.bands},
            sky=self.store.cog(self.sky[date], self.grid, nodata=0, name="sky"),
        )

    def radar(self, date: str) -> BackscatterResult:
        bands: Any = {
            name.split("_")[0]: self.store.cog(power, self.grid, nodata=np.nan, name=name)
            for name, power in self.power.items()
            if name.endswith(date)
        }
        return BackscatterResult(
            engine="sarsen", engine_version="0", acquired=DATES[date] + timedelta(hours=6), direction="ascending",
            relative_orbit=22, platform="S1A", grid=self.grid, bands=bands, incidence=bands["vv"], valid_share=1.0,
            simulated=True,
        )  # fmt: skip

    def pair(self, label: str = "2020-05-11_2020-06-10") -> Pair:
        return Pair(
            label=label,
            radar_t0=self.radar("t0"),
            radar_t1=self.radar("t1"),
            optical_t0=self.optical("t0"),
            optical_t1=self.optical("t1"),
        )

    def true_bands(self) -> dict[str, File]:
        """Reflectance of t1 without clouds."""
        return {band: self._reflectance(self.truth[f"{band}_t1"], band) for band in self.bands}

    def _reflectance(self, values: NDArray[np.int16], band: str) -> File:
        file: File = self.store.cog(values, self.grid, nodata=REFLECTANCE_NODATA, name=band)
        return file


def _smooth(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """A random surface of unit spread with hills of about 24 cells."""
    surface = rng.normal(size=tuple(-(-length // 24) + 1 for length in shape))
    for length in shape:
        knot, beyond = np.divmod(np.arange(length) / 24, 1)
        weight = (beyond**2 * (3 - 2 * beyond))[:, np.newaxis]
        before = surface[knot.astype(int)]
        surface = (before + weight * (surface[knot.astype(int) + 1] - before)).T
    return (surface - surface.mean()) / surface.std()
