"""Every file that an archive of pastures has beyond its products: outlines, survey, truth, THEIA's products."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.base.contract.files import File, output_file
from containers.eodata.alpine.habitat import Alps
from containers.eodata.alpine.outlines import write_outlines
from containers.eodata.alpine.survey import next_zone, write_survey
from containers.eodata.alpine.truth import PastureYear, write_calendar, write_snow_free, write_types
from containers.eodata.alpine.types import NAMES, code_table
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.world import World


@dataclass(frozen=True)
class AlpineFiles:
    """Where they lie."""

    outlines: list[Path]
    survey: list[Path]
    types: dict[str, Path]
    snow_free: dict[str, Path]
    tables: list[Path]
    """The calendar, and the daily curves."""
    theia: list[Path]
    theia_snow: list[Path]

    @classmethod
    def written(
        cls, params: ArchiveParams, world: World, alps: Alps, years: list[PastureYear], out: Path
    ) -> "AlpineFiles":
        """Write outlines, survey and truth; THEIA's products are there already."""
        truth = out / "truth"
        return cls(
            write_outlines(alps.pastures, next_zone(params.tiles[0]), out),
            write_survey(world, alps, params, out),
            write_types(world, params, truth),
            write_snow_free(world, params, truth),
            write_calendar(alps, years, truth),
            sorted((out / "theia").glob("*.zip")),
            sorted((out / "theia_snow").glob("*.zip")),
        )

    def results(self, root: Path) -> dict[str, Any]:
        """The fields of the result."""

        def files(paths: list[Path]) -> tuple[File, ...]:
            return tuple(output_file(path, root=root) for path in paths)

        return {
            "pastures": files(self.outlines),
            "survey": files(self.survey),
            "type_truth": {key: output_file(path, root=root) for key, path in self.types.items()},
            "snow_free_truth": {key: output_file(path, root=root) for key, path in self.snow_free.items()},
            "calendar_truth": output_file(self.tables[0], root=root),
            "pasture_ndvi_truth": output_file(self.tables[1], root=root),
            "theia": files(self.theia),
            "theia_snow": files(self.theia_snow),
        }

    def record(self, root: Path) -> dict[str, Any]:
        """What the archive's record says of them."""

        def names(paths: list[Path]) -> list[str]:
            return [path.relative_to(root).as_posix() for path in paths]

        return {
            "outlines": names(self.outlines),
            "survey": names(self.survey),
            "types": {kind.name: name for kind, name in NAMES.items()},
            "type_codes": code_table(),
            "truth": names([*self.types.values(), *self.snow_free.values(), *self.tables]),
            "theia": names(self.theia + self.theia_snow),
        }
