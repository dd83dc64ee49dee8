"""Which products the archive holds: the nominal ones, and the traps among them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from shapely import Polygon, box
from shapely.affinity import skew

from containers.base.contract.grid import Grid
from containers.eodata.contract.simulate import ArchiveParams, Tile, TrapKind
from containers.eodata.noise import Noise
from containers.eodata.place import tile_grid

Part = Literal["whole", "swath", "north", "south", "sliver"]
_SWATHS: Final[dict[Part, tuple[float, float, float, float]]] = {
    "whole": (-1.0, -1.0, 2.0, 2.0),
    "swath": (0.42, -1.0, 2.0, 2.0),
    "north": (-1.0, 0.47, 2.0, 2.0),
    "south": (-1.0, -1.0, 2.0, 0.50),
    "sliver": (-1.0, -1.0, 0.035, 2.0),
}
"""Part to the box that the swath covers, in shares of the tile's edge from its south-western corner."""
_REVISIT_DAYS: Final = 5
_ORBIT, _NEXT_ORBIT, _ORBIT_BEFORE = 22, 122, 65


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

    @property
    def name(self) -> str:
        """Product name without .SAFE."""
        return (
            f"{self.platform}_MSIL2A_{self.start:%Y%m%dT%H%M%S}_N{self.baseline.replace('.', '')}"
            f"_R{self.orbit:03d}_T{self.tile.id}_{self.processed:%Y%m%dT%H%M%S}"
        )

    @property
    def folder(self) -> str:
        """Key of the product in the bucket: reprocessed products lie apart, so it cannot be derived from the name."""
        reprocessed = self.baseline.startswith("05") and self.start.year <= 2022
        return f"Sentinel-2/MSI/{'L2A_N0500' if reprocessed else 'L2A'}/{self.start:%Y/%m/%d}/{self.name}.SAFE"

    @property
    def strip_start(self) -> datetime:
        return self.start + timedelta(seconds={"north": 197, "south": 209}.get(self.part, 201))

    @property
    def granule(self) -> str:
        return f"L2A_T{self.tile.id}_A{self.absolute_orbit:06d}_{self.strip_start:%Y%m%dT%H%M%S}"

    @property
    def datastrip(self) -> str:
        return (
            f"{self.platform}_OPER_MSI_L2A_DS_SIML_{self.processed:%Y%m%dT%H%M%S}_S{self.strip_start:%Y%m%dT%H%M%S}"
            f"_N{self.baseline}"
        )

    @property
    def datatake(self) -> str:
        return f"G{self.platform}_{self.start:%Y%m%dT%H%M%S}_{self.absolute_orbit:06d}_N{self.baseline}"

    @property
    def offset_dn(self) -> int:
        """What is added to digital numbers before they are divided by 10 000."""
        return -1000 if self.baseline >= "04.00" else 0

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


@dataclass(frozen=True)
class Trap:
    """A nasty product, and what becomes of it in a careful job."""

    kind: TrapKind
    product: str
    expectation: str


def nominal(params: ArchiveParams) -> list[Acquisition]:
    """Every tile on every date of every year, clearest date of a year first."""
    return [
        acquisition
        for year in params.years
        for rank, start in enumerate(_dates(params, year))
        for acquisition in _datatake(params, year, rank, start)
    ]


def _datatake(params: ArchiveParams, year: int, rank: int, start: datetime) -> Iterator[Acquisition]:
    days = (start.date() - datetime(2015, 6, 23).date()).days
    partial = rank == 2
    clouds = 0.02 + 0.72 * (rank / params.dates_per_year) ** 1.2
    for tile in params.tiles:
        baseline = params.baseline(year)
        yield Acquisition(
            tile=tile,
            grid=tile_grid(params, tile),
            start=start,
            platform="S2A" if days // _REVISIT_DAYS % 2 else "S2B",
            orbit=_NEXT_ORBIT if partial else _ORBIT,
            absolute_orbit=days * 143 // 10 % 100_000,
            baseline=baseline,
            processed=_processed(start, baseline),
            clouds=clouds,
            part="swath" if partial and tile.column == min(each.column for each in params.tiles) else "whole",
        )


def _dates(params: ArchiveParams, year: int) -> list[datetime]:
    """The season's dates, clearest first; the third clearest is seen from the neighbouring orbit."""
    first = datetime.strptime(f"{year}-{params.season_start}T10:10:31", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    last = datetime.strptime(f"{year}-{params.season_end}", "%Y-%m-%d").replace(tzinfo=UTC)
    step = max(1, (last - first).days // (params.dates_per_year * _REVISIT_DAYS)) * _REVISIT_DAYS
    noise = Noise(params.seed)
    lead = 3 + int(noise.uniform(year, 0, "first date") * 2)
    dates = [first + timedelta(days=lead + index * step) for index in range(params.dates_per_year)]
    dates.sort(key=lambda date: float(noise.uniform(date.year, date.timetuple().tm_yday, "order of dates")))
    return [
        date + timedelta(days=-3 if rank == 2 else 0, minutes=-10 if rank == 2 else 0)
        for rank, date in enumerate(dates)
    ]


def _processed(start: datetime, baseline: str) -> datetime:
    """Some hours after sensing, or in the campaign that reprocessed the archive."""
    if baseline.startswith("05") and start.year <= 2022:
        return start.replace(year=2023) + timedelta(days=30, hours=7, minutes=13)
    return start + timedelta(hours=4, minutes=33, seconds=12)


def planned(params: ArchiveParams) -> tuple[list[Acquisition], list[Trap]]:
    """All acquisitions, with the wanted traps worked in."""
    acquisitions, traps = nominal(params), []
    for kind in params.traps:
        tile_index, year_index = _SPOTS[kind]
        tile = params.tiles[tile_index % len(params.tiles)]
        year = params.years[min(year_index, len(params.years) - 1)]
        best = next(each for each in acquisitions if each.tile == tile and each.start.year == year)
        if kind == "collection_1" and best.baseline >= "05.00":
            continue
        acquisitions, planted, expectation = _plant(kind, best, acquisitions)
        traps += [Trap(kind, product.name, expectation) for product in planted]
    return acquisitions, traps


_SPOTS: Final[dict[TrapKind, tuple[int, int]]] = {
    "offline": (0, 0), "sliver": (1, 0), "halves": (2, 0), "ghost": (3, 0),
    "wrong_size": (0, 1), "test_baseline": (1, 1), "collection_1": (2, 1),
    "duplicate": (0, 2), "reprocessed": (1, 2), "corrupt": (3, 2),
}  # fmt: skip
"""Trap to the tile and year in which it lies, so that no two meet."""


def _plant(
    kind: TrapKind, best: Acquisition, acquisitions: list[Acquisition]
) -> tuple[list[Acquisition], list[Acquisition], str]:
    """The acquisitions with one more trap, the products it consists of, and what is expected of the job."""
    if kind == "halves":
        later = best.processed + timedelta(minutes=41)
        halves = [replace(best, part="north"), replace(best, part="south", processed=later)]
        rest = [each for each in acquisitions if each is not best]
        return rest + halves, halves, "both are kept and joined into one acquisition"
    product, expectation = _twin(kind, best)
    return [*acquisitions, product], [product], expectation


def _twin(kind: TrapKind, best: Acquisition) -> tuple[Acquisition, str]:
    """A trap made after the clearest acquisition of its tile and year."""
    earlier = timedelta(days=2, minutes=-10)
    other_day = replace(
        best,
        start=best.start - earlier,
        processed=best.processed - earlier,
        platform="S2A" if best.platform == "S2B" else "S2B",
        orbit=_ORBIT_BEFORE,
        clouds=0.0,
    )
    older = "02.14" if best.baseline > "02.14" else "02.06"
    collection_1 = replace(best, baseline="05.00")
    twins: dict[TrapKind, tuple[Acquisition, str]] = {
        "ghost": (replace(other_day, in_archive=False), "refused: its objects do not exist"),
        "offline": (replace(other_day, in_archive=False, online=False), "refused: not online"),
        "wrong_size": (replace(other_day, damage="resized"), "refused: an object has another size than its item says"),
        "corrupt": (replace(other_day, damage="truncated"), "refused when decoded; the next best acquisition is used"),
        "sliver": (replace(other_day, part="sliver"), "not chosen: hardly any valid area, with 0 % cloud"),
        "test_baseline": (
            replace(best, baseline="99.05", processed=best.processed + timedelta(days=400)), "refused: a test baseline",
        ),
        "duplicate": (
            replace(best, baseline=older, processed=_processed(best.start, older)),
            "refused: the same acquisition has a higher baseline",
        ),
        "reprocessed": (
            replace(best, processed=best.processed + timedelta(days=90)), "kept; the earlier processing is refused",
        ),
        "collection_1": (
            replace(collection_1, processed=_processed(best.start, collection_1.baseline)),
            "kept, with an offset although sensed before 2022; the lower baseline is refused",
        ),
    }  # fmt: skip
    return twins[kind]
