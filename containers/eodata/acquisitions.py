"""One product of the archive: what was sensed, how it was processed, and what it is called."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pyproj import Transformer
from shapely import Polygon, box
from shapely.affinity import skew

from containers.base.contract.grid import Grid
from containers.base.contract.scene import Level
from containers.base.sun import Sun, sun_at
from containers.eodata.contract.simulate import Tile

Part = Literal["whole", "swath", "north", "south", "sliver"]
_SWATHS: Final[dict[Part, tuple[float, float, float, float]]] = {
    "whole": (-1.0, -1.0, 2.0, 2.0),
    "swath": (0.42, -1.0, 2.0, 2.0),
    "north": (-1.0, 0.47, 2.0, 2.0),
    "south": (-1.0, -1.0, 2.0, 0.50),
    "sliver": (-1.0, -1.0, 0.035, 2.0),
}
"""Part to the box that the swath covers, in shares of the tile's edge from its south-western corner."""


@dataclass(frozen=True)
class Acquisition:
    """One product: what was sensed, and how it was processed."""

    tile: Tile
    grid: Grid
    start: datetime
    """Sensing start of the datatake."""
    platform: str
    orbit: int
    absolute_orbit: int
    baseline: str
    processed: datetime
    clouds: float
    part: Part = "whole"
    in_archive: bool = True
    online: bool = True
    damage: Literal["", "truncated", "resized"] = ""
    level: Level = "L2A"
    sky_draw: int = 0
    """Which of the skies that the seed gives this date."""

    @property
    def name(self) -> str:
        """Product name without .SAFE."""
        return (
            f"{self.platform}_MSI{self.level}_{self.start:%Y%m%dT%H%M%S}_N{self.baseline.replace('.', '')}"
            f"_R{self.orbit:03d}_T{self.tile.id}_{self.processed:%Y%m%dT%H%M%S}"
        )

    @property
    def folder(self) -> str:
        """Key of the product in the bucket: reprocessed products lie apart, so it cannot be derived from the name."""
        reprocessed = self.baseline.startswith("05") and self.start.year <= 2022
        collection = f"{self.level}_N0500" if reprocessed else self.level
        return f"Sentinel-2/MSI/{collection}/{self.start:%Y/%m/%d}/{self.name}.SAFE"

    @property
    def strip_start(self) -> datetime:
        return self.start + timedelta(seconds={"north": 197, "south": 209}.get(self.part, 201))

    @property
    def granule(self) -> str:
        return f"{self.level}_T{self.tile.id}_A{self.absolute_orbit:06d}_{self.strip_start:%Y%m%dT%H%M%S}"

    @property
    def datastrip(self) -> str:
        return (
            f"{self.platform}_OPER_MSI_{self.level}_DS_SIML_{self.processed:%Y%m%dT%H%M%S}_S{self.strip_start:%Y%m%dT%H%M%S}"
            f"_N{self.baseline}"
        )

    @property
    def datatake(self) -> str:
        return f"G{self.platform}_{self.start:%Y%m%dT%H%M%S}_{self.absolute_orbit:06d}_N{self.baseline}"

    @property
    def offset_dn(self) -> int:
        """What is added to digital numbers before they are divided by 10 000."""
        return -1000 if self.baseline >= "04.00" else 0

    def sun(self) -> Sun:
        """Where the sun stands over the middle of the tile."""
        west, south, east, north = self.grid.bounds
        to_geographic = Transformer.from_crs(self.grid.epsg, 4326, always_xy=True)
        return sun_at(self.strip_start, *to_geographic.transform((west + east) / 2, (south + north) / 2))

    def footprint(self) -> Polygon:
        """Outline of the valid data in the tile's CRS. Swaths lean as the descending orbit does."""
        west, south, east, north = self.grid.bounds
        x0, y0, x1, y1 = _SWATHS[self.part]
        edge_m = east - west
        swath = box(west + x0 * edge_m, south + y0 * edge_m, west + x1 * edge_m, south + y1 * edge_m)
        if self.part != "whole":
            swath = skew(swath, xs=10, ys=-2, origin=((west + east) / 2, (south + north) / 2))
        visible = swath.intersection(box(*self.grid.bounds))
        return Polygon(visible.exterior) if isinstance(visible, Polygon) else Polygon()
