"""The one analysis grid of a run: plain numbers, so that the host needs no GDAL."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import Field, model_validator

from containers.base.contract.model import Contract


class Bounds(NamedTuple):
    """West, south, east, north in the units of their CRS."""

    west: float
    south: float
    east: float
    north: float

    def intersects(self, other: "Bounds") -> bool:
        return (
            self.west < other.east and other.west < self.east and self.south < other.north and other.south < self.north
        )


class Grid(Contract):
    """A north-up raster grid with square cells, whose origin lies on a multiple of the resolution."""

    epsg: int = Field(gt=0, description="EPSG code of the coordinate reference system")
    resolution_m: float = Field(gt=0, description="Edge of a cell in metres")
    west_m: float = Field(description="Easting of the upper left corner in metres")
    north_m: float = Field(description="Northing of the upper left corner in metres")
    width: int = Field(gt=0, description="Columns")
    height: int = Field(gt=0, description="Rows")

    @model_validator(mode="after")
    def _origin_is_snapped(self) -> "Grid":
        for name, value in (("west_m", self.west_m), ("north_m", self.north_m)):
            if not math.isclose(value / self.resolution_m, round(value / self.resolution_m), abs_tol=1e-6):
                raise ValueError(f"{name}={value} is not a multiple of resolution_m={self.resolution_m}")
        return self

    @classmethod
    def covering(cls, bounds: Bounds, *, epsg: int, resolution_m: float, block_px: int = 1) -> "Grid":
        """The smallest grid whose origin and size are multiples of `block_px` cells and that covers `bounds`."""
        step_m = resolution_m * block_px
        west, south = math.floor(bounds.west / step_m), math.floor(bounds.south / step_m)
        east, north = math.ceil(bounds.east / step_m), math.ceil(bounds.north / step_m)
        if east <= west or north <= south:
            raise ValueError(f"bounds {tuple(bounds)} have no area")
        return cls(
            epsg=epsg,
            resolution_m=resolution_m,
            west_m=west * step_m,
            north_m=north * step_m,
            width=(east - west) * block_px,
            height=(north - south) * block_px,
        )

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            self.west_m,
            self.north_m - self.height * self.resolution_m,
            self.west_m + self.width * self.resolution_m,
            self.north_m,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def cell_area_ha(self) -> float:
        return self.resolution_m**2 / 10_000

    def clipped_to(self, bounds: Bounds, block_px: int = 1) -> "Grid":
        """The part of this grid that covers `bounds`, on block edges counted from this grid's own origin.

        Raises ValueError where they do not meet.
        """
        if not self.bounds.intersects(bounds):
            raise ValueError(f"bounds {tuple(bounds)} do not meet the grid {tuple(self.bounds)}")
        step_m = self.resolution_m * block_px
        first_col = max(0, math.floor((bounds.west - self.west_m) / step_m)) * block_px
        first_row = max(0, math.floor((self.north_m - bounds.north) / step_m)) * block_px
        last_col = min(self.width, math.ceil((bounds.east - self.west_m) / step_m) * block_px)
        last_row = min(self.height, math.ceil((self.north_m - bounds.south) / step_m) * block_px)
        return self.model_copy(
            update={
                "west_m": self.west_m + first_col * self.resolution_m,
                "north_m": self.north_m - first_row * self.resolution_m,
                "width": last_col - first_col,
                "height": last_row - first_row,
            }
        )


def spanning(grids: Iterable[Grid]) -> Grid:
    """The smallest window that holds windows of one and the same grid."""
    windows = list(grids)
    lattices = {(grid.epsg, grid.resolution_m) for grid in windows}
    if len(lattices) != 1:
        raise ValueError(f"grids differ in CRS or resolution: {sorted(lattices)}")
    first = windows[0]
    west, north = min(grid.bounds.west for grid in windows), max(grid.bounds.north for grid in windows)
    east, south = max(grid.bounds.east for grid in windows), min(grid.bounds.south for grid in windows)
    size = {"width": round((east - west) / first.resolution_m), "height": round((north - south) / first.resolution_m)}
    return first.model_copy(update={"west_m": west, "north_m": north, **size})
