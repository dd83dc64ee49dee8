"""What an archive holds beyond Sentinel-2 and land cover: elevation, radar, the fire's truth and clear images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.base.contract.files import output_file
from containers.eodata.acquisitions import Acquisition
from containers.eodata.alpine.files import AlpineFiles
from containers.eodata.alpine.truth import PastureYear
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.elevation import write_elevation
from containers.eodata.items import BUCKET
from containers.eodata.place import tile_grid
from containers.eodata.radar_dates import StoredPass, records
from containers.eodata.scar import BURNED_FROM
from containers.eodata.scenario import Scenario
from containers.eodata.scenario_truth import write_fire
from containers.eodata.world import World


@dataclass(frozen=True)
class Extras:
    """Files of the parts that an archive has; empty where it lacks them."""

    out: Path
    scenario: Scenario
    dem: list[Path]
    geoid: list[Path]
    fire: list[Path]
    clear: list[Path]
    radar: list[StoredPass]
    alpine: AlpineFiles | None

    @classmethod
    def written(
        cls, params: ArchiveParams, world: World, scenario: Scenario, passes: list[StoredPass],
        years: list[PastureYear], out: Path,
    ) -> "Extras":  # fmt: skip
        """Write elevation and the truth of the fire; clear images and radar passes are there already."""
        hills, clear = scenario.hills, sorted((out / "truth" / "clear").glob("*.tif"))
        dem, geoid = write_elevation(hills, world.grid.bounds, out / BUCKET) if hills else ([], [])
        tile = tile_grid(params, params.tiles[0])
        fire = write_fire(world, tile, out / "truth") if scenario.scar else []
        alpine = AlpineFiles.written(params, world, scenario.alps, years, out) if scenario.alps else None
        return cls(out, scenario, dem, geoid, fire, clear, passes, alpine)

    def results(self) -> dict[str, Any]:
        """The fields of the result."""
        dem, geoid, fire = ([output_file(path, root=self.out) for path in part] for part in self._parts)
        return {
            "dem": tuple(dem),
            "geoid": next(iter(geoid), None),
            "fire_truth": fire[0] if fire else None,
            "fire_severity_truth": fire[1] if fire else None,
            "clear_truth": {path.stem: output_file(path, root=self.out) for path in self.clear},
            **(self.alpine.results(self.out) if self.alpine else {}),
        }

    def items(self) -> list[dict[str, Any]]:
        """Catalogue items of the Sentinel-1 products."""
        return [item for each in self.radar for item in each.items]

    def record(self) -> dict[str, Any]:
        """Places of the files and facts of the fire, for the archive's record; empty for a plain archive."""
        dem, geoid, fire = ([path.relative_to(self.out).as_posix() for path in part] for part in self._parts)
        scar = self.scenario.scar
        record: dict[str, Any] = {"elevation": {"dem": dem, "geoid": geoid[0]}} if dem else {}
        if scar:
            centres = [[round(value) for value in centre] for centre in scar.centres_m]
            record["fire"] = {"centres_3035": centres, "burned_from_severity": BURNED_FROM, "truth": fire}
        if self.radar:
            record["radar_products"] = list(records(self.radar))
        if self.clear:
            record["clear_truth"] = [path.relative_to(self.out).as_posix() for path in self.clear]
        if self.alpine:
            record["pastures"] = self.alpine.record(self.out)
        return record

    @property
    def _parts(self) -> tuple[list[Path], list[Path], list[Path]]:
        return self.dem, self.geoid, self.fire


def season_years(params: ArchiveParams) -> tuple[int, ...]:
    """Years whose every day is told: those of drawn dates in the lowland."""
    return params.years if params.phenology and not (params.optical_dates or params.pastures) else ()


def told_clear(acquisitions: list[Acquisition], params: ArchiveParams) -> list[Acquisition]:
    """L2A products whose clear image is told: chosen dates after the fire, or the last one where nothing burns."""
    days = [each.day for each in params.optical_dates or ()]
    told = [day for day in days if params.fire and day > params.fire.day] or days[-1:]
    return [each for each in acquisitions if each.start.date() in told and each.level == "L2A" and each.in_archive]
