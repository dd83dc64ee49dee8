"""A simulated Sentinel-2 archive whose ground truth is known exactly."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.scene import Level
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.eodata.contract.pastures import Pastures
from containers.eodata.contract.scenario import Fire, OpticalDate, RadarDate, Relief

TrapKind = Literal[
    "collection_1", "corrupt", "duplicate", "ghost", "halves", "offline", "reprocessed", "sliver", "test_baseline",
    "wrong_size",
]  # fmt: skip
AssetKey = Literal[
    "B02_10m", "B03_10m", "B04_10m", "B08_10m", "B02_20m", "B03_20m", "B04_20m", "B05_20m", "B06_20m", "B07_20m",
    "B8A_20m", "B11_20m", "B12_20m",
]  # fmt: skip

MOST_SPRING_DATES = 12
CELLS_PER_60_M = 3
"""Cells of 20 m along the edge of one of 60 m."""


class Tile(Contract):
    """One tile of the archive, placed on the UTM grid of its own zone."""

    id: str = Field(
        pattern=r"^\d{2}[N-X][A-HJ-NP-Z]{2}$", description="MGRS tile on the northern hemisphere, such as 33UTP"
    )
    column: int = Field(description="Tiles east of the archive's centre; -1 is the first one west of it")
    row: int = Field(description="Tiles south of the archive's centre; -1 is the first one north of it")

    @property
    def epsg(self) -> int:
        """WGS 84 / UTM of the tile's zone."""
        return 32600 + int(self.id[:2])


class ArchiveResult(StepResult):
    """The archive lies in the folder `eodata`; these files describe it."""

    simulation: File = Field(description="JSON: parameters, tiles, area of interest, products, planted traps, versions")
    items: File = Field(description="STAC 1.1 item collection in the style of CDSE")
    labels: File = Field(description="S2GLC codes of the first year, EPSG:3035, 10 m, with wrong labels")
    second_map: File | None = Field(
        description="CLC+ codes of the first year, EPSG:3035, 10 m, with other wrong labels"
    )
    regions: File = Field(description="Simulated regions as GeoPackage: nuts_id, region_name, level")
    truth: dict[str, File] = Field(description="Year to the true class per cell, EPSG:3035, 20 m")
    scene_truth: tuple[File, ...] = Field(description="True scene class per cell of every product, by its name")
    phenology_truth: dict[str, File] = Field(
        default={}, description="`2020` (surface) and `2020_toa` to season metrics, one band each, EPSG:3035, 20 m"
    )
    ndvi_truth: dict[str, File] = Field(
        default={}, description="The same keys to NDVI × 10 000 of every tenth day, one band per day, EPSG:3035, 20 m"
    )
    land: File | None = Field(default=None, description="Precise outline of the land as GeoPackage, EPSG:4326")
    land_coarse: File | None = Field(default=None, description="Coarse outline of the land as GeoJSON")
    areas: File = Field(description="CSV: region_id, period, indicator, area_ha, majority_area_ha")
    dem: tuple[File, ...] = Field(default=(), description="Archive objects: Copernicus DEM tiles, above the geoid")
    geoid: File | None = Field(default=None, description="Archive object: the geoid above the ellipsoid, EPSG:4326")
    fire_truth: File | None = Field(default=None, description="1 burned, 0 not, on the tile's UTM grid, 10 m")
    fire_severity_truth: File | None = Field(default=None, description="Severity 0 to 1, float32, on the same grid")
    clear_truth: dict[str, File] = Field(
        default={},
        description="L2A products of the chosen dates after the fire (else of the last one) to what they would show "
        "without clouds: bands by their descriptions, int16 × 1e-4, nodata −32768, on the tile's UTM grid, 10 m",
    )
    pastures: tuple[File, ...] = Field(
        default=(),
        description="`pastures.gpkg` and every part of `new_pasture.shp`, which holds one more in the next zone's CRS: "
        "pasture_id, name, massif",
    )
    survey: tuple[File, ...] = Field(
        default=(), description="Surveyed points and polygons, GeoJSON and every part of Shapefiles"
    )
    type_truth: dict[str, File] = Field(
        default={}, description="Tile to the vegetation type of most of each cell, on the tile's UTM grid, 10 m"
    )
    snow_free_truth: dict[str, File] = Field(
        default={}, description="`31TGK_2022` to the day from which a cell is free of winter snow, float32, same grid"
    )
    calendar_truth: File | None = Field(default=None, description="CSV: what each year was like on each pasture")
    pasture_ndvi_truth: File | None = Field(default=None, description="CSV: daily NDVI and snow of each pasture")
    theia: tuple[File, ...] = Field(default=(), description="THEIA L2A products of some dates of the first tile, ZIP")
    theia_snow: tuple[File, ...] = Field(default=(), description="Snow products of the same dates, ZIP")
    products: int = Field(ge=0, description="Products written, Sentinel-1 slices included")
    objects: tuple[File, ...] = Field(description="Every archive object, below the folder `eodata`")


class ArchiveParams(StepParams):
    """Grow a landscape from a seed, change it year by year, and photograph it as Sentinel-2 would."""

    step: ClassVar[str] = "eodata.simulate"
    result: ClassVar[type[StepResult]] = ArchiveResult
    resources: ClassVar[Resources] = Resources(memory_mb=4096)

    seed: int = Field(default=1, ge=0, lt=2**31, description="The landscape, its changes, clouds and noise")
    tiles: tuple[Tile, ...] = Field(min_length=1, description="Tiles around the centre, each in the zone of its name")
    centre_lon_deg: float = Field(default=12.0, ge=-180, le=180, description="Longitude of the centre in degrees")
    centre_lat_deg: float = Field(default=48.65, ge=0, le=75, description="Latitude of the centre in degrees")
    tile_px: int = Field(
        default=640, ge=64, le=5490, description="Edge of a tile in cells of 20 m; a true tile has 5490"
    )
    years: tuple[int, ...] = Field(min_length=1, description="Calendar years, ascending; the first one is labelled")
    levels: tuple[Level, ...] = Field(
        default=("L2A",), min_length=1, description="Processing levels of every acquisition; L1C needs `phenology`"
    )
    phenology: bool = Field(
        default=False,
        description="Seasons: plants by parcel and year, snow, layered clouds under the real sun, a sky for every date",
    )
    dates_per_year: int = Field(
        default=4, ge=1, le=80, description="Acquisitions per tile and year; more than 12 need `phenology`"
    )
    season_start: str = Field(default="05-01", pattern=r"^\d{2}-\d{2}$", description="First day of the season, MM-DD")
    season_end: str = Field(default="06-15", pattern=r"^\d{2}-\d{2}$", description="Last day of the season, MM-DD")
    bands: tuple[AssetKey, ...] = Field(
        default=("B02_20m", "B03_20m", "B04_20m", "B11_20m", "B12_20m"),
        min_length=1,
        description="Band files per L2A product; L1C products hold all 13 bands, each at its own resolution",
    )
    baselines: dict[int, str] = Field(
        default={},
        description="Year to processing baseline; else 02.12 until 2019, 05.00 (reprocessed) until 2021, then 05.10",
    )
    sealing_share: float = Field(default=0.007, ge=0, le=0.05, description="Share of all land newly sealed per year")
    greening_share: float = Field(default=0.004, ge=0, le=0.05, description="Share of all land newly green per year")
    sea_share: float = Field(
        default=0.0, ge=0, le=0.6, description="Share of the area under a sea in its west; above 0 the land is outlined"
    )
    wrong_labels: float = Field(default=0.14, ge=0, le=0.4, description="Share of labels of a wrong class")
    second_map: bool = Field(default=True, description="Also make a second, independent label map with CLC+ codes")
    jitter_px: float = Field(
        default=0.4, ge=0, lt=0.5, description="Largest misregistration of a date in cells of 20 m"
    )
    relief: Relief | None = Field(default=None, description="Hills, with a DEM and a geoid in the archive; else flat")
    fire: Fire | None = Field(default=None, description="A fire in one of the years, in an archive of one tile")
    optical_dates: tuple[OpticalDate, ...] | None = Field(
        default=None, min_length=1, description="Sentinel-2 on these days in place of `dates_per_year` drawn ones"
    )
    pastures: Pastures | None = Field(
        default=None, description="Mountains with pastures and a survey in place of the lowland, with a DEM and a geoid"
    )
    radar_dates: tuple[RadarDate, ...] | None = Field(
        default=None, min_length=1, description="Sentinel-1 passes; they need `relief`"
    )
    regions: int = Field(default=6, ge=4, le=60, description="Regions that the area of interest is cut into")
    traps: tuple[TrapKind, ...] = Field(
        default=(
            "collection_1", "corrupt", "duplicate", "ghost", "halves", "offline", "reprocessed", "sliver",
            "test_baseline", "wrong_size",
        ),
        description="Nasty products to plant; traps need at least two tiles and two dates per year",
    )  # fmt: skip

    @model_validator(mode="after")
    def _is_consistent(self) -> "ArchiveParams":
        if list(self.years) != sorted(set(self.years)):
            raise ValueError(f"years must ascend: {self.years}")
        if self.season_start >= self.season_end:
            raise ValueError(f"season_start={self.season_start} is not before season_end={self.season_end}")
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"levels repeat: {self.levels}")
        if not self.phenology and ("L1C" in self.levels or self.dates_per_year > MOST_SPRING_DATES):
            raise ValueError(f"levels={self.levels}, dates_per_year={self.dates_per_year} need phenology=true")
        if "L1C" in self.levels and self.tile_px % CELLS_PER_60_M:
            raise ValueError(f"tile_px={self.tile_px} is no multiple of 3, so bands of 60 m do not fit")
        for names in ([tile.id for tile in self.tiles], [(tile.column, tile.row) for tile in self.tiles]):
            if len(set(names)) < len(names):
                raise ValueError(f"tiles repeat: {names}")
        if len({tile.epsg for tile in self.tiles}) > 2:
            raise ValueError("tiles may lie in two neighbouring zones at most")
        return self

    @model_validator(mode="after")
    def _scenario_is_consistent(self) -> "ArchiveParams":
        """Hills, fire and chosen dates fit together."""
        wanted = {
            "relief": self.relief, "fire": self.fire, "optical_dates": self.optical_dates, "pastures": self.pastures,
        }  # fmt: skip
        if not self.phenology and (given := [name for name, value in wanted.items() if value]):
            raise ValueError(f"{given} need phenology=true")
        lowland = {"relief": self.relief, "fire": self.fire, "radar_dates": self.radar_dates, "sea": self.sea_share}
        if self.pastures and (given := [name for name, value in lowland.items() if value]):
            raise ValueError(f"pastures lie in mountains of their own, without {given}")
        if self.relief and self.sea_share:
            raise ValueError(f"relief has no coast: sea_share={self.sea_share} must be 0")
        if self.radar_dates and not self.relief:
            raise ValueError("radar_dates need relief")
        if self.fire and len(self.tiles) > 1:
            raise ValueError(f"fire needs one tile, not {len(self.tiles)}")
        days = [each.day for each in self.optical_dates or ()]
        if days != sorted(set(days)):
            raise ValueError(f"optical_dates must ascend: {[str(day) for day in days]}")
        days += [each.start.date() for each in self.radar_dates or ()] + ([self.fire.day] if self.fire else [])
        if outside := sorted({str(day) for day in days if day.year not in self.years}):
            raise ValueError(f"{outside} lie in none of the years {self.years}")
        for each in self.optical_dates or ():
            if each.scar_hidden and not (self.fire and self.fire.day < each.day):
                raise ValueError(f"scar_hidden={each.scar_hidden} on {each.day}: nothing has burned by then")
        return self

    def baseline(self, year: int) -> str:
        """Processing baseline of the year's nominal products."""
        by_year = "02.12" if year < 2020 else "05.00" if year < 2022 else "05.10"
        return self.baselines.get(year, by_year)
