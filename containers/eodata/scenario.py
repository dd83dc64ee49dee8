"""Hills and fire of an archive, and skies that hide of the land what they are wanted to."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.base.contract.step import StepError
from containers.eodata.acquisitions import Acquisition
from containers.eodata.alpine.habitat import Alps
from containers.eodata.alpine.mountains import Mountains
from containers.eodata.camera import MARGIN
from containers.eodata.contract.scenario import OpticalDate
from containers.eodata.contract.simulate import ArchiveParams
from containers.eodata.hills import Hills
from containers.eodata.landscape import Landscape
from containers.eodata.place import FINE_M, View, area_of_interest, tile_grid, world_grid
from containers.eodata.scar import BURNED_FROM, Scar
from containers.eodata.scl import HIDING_CLOUD, HIDING_SHADOW
from containers.eodata.season_scene import CIRRUS_SEEN, SeasonScene
from containers.eodata.sky import Sky
from containers.eodata.world import Window, World

_TOLERANCE: Final = 0.05
_MOST_OF_SCAR: Final = 0.25
"""How much more of the scar may be hidden than is wanted: some of it must be left to learn from."""
_DRAWS: Final = 500
_SURVEY_CELLS: Final = 8


@dataclass(frozen=True)
class Scenario:
    """What an archive has beyond its landscape."""

    hills: Hills | Mountains | None
    scar: Scar | None
    alps: Alps | None = None

    @classmethod
    def planned(cls, params: ArchiveParams, ground: Landscape) -> "Scenario":
        """Hills around the landscape's waters, and a fire where most fuel is; or pastures in their mountains."""
        if params.pastures:
            alps = Alps.planned(params)
            return cls(alps.mountains, None, alps)
        return cls(
            Hills.of(ground, params.relief) if params.relief else None,
            Scar.planned(ground, params.fire, area_of_interest(params)) if params.fire else None,
        )

    def fill(self, world: World, ground: Landscape, window: Window) -> None:
        """Compute every layer of one window and write it."""
        if self.alps:
            world.fill_stand(self.alps, window)
        else:
            world.fill(ground, window)
        if self.hills:
            world.fill_heights(self.hills, window)
        if self.scar:
            world.fill_severity(self.scar, window)


def empty_world(params: ArchiveParams, folder: Path) -> World:
    """The layers that an archive needs, not yet filled."""
    fire_day = params.fire.day if params.fire else None
    has_pastures = params.pastures is not None
    has_relief = has_pastures or params.relief is not None
    world = World(folder, world_grid(params), has_relief, fire_day, has_pastures)
    world.create(params.years, phenology=params.phenology)
    return world


def with_skies(acquisitions: list[Acquisition], params: ArchiveParams, world: World) -> list[Acquisition]:
    """The acquisitions, those of chosen dates under the first sky of their date that hides what is wanted."""
    wanted = {each.day: each for each in params.optical_dates or ()}
    draws: dict[object, int] = {}
    for each in acquisitions:
        day = each.start.date()
        if day in wanted and each.start not in draws:
            draws[each.start] = _first_draw(each, wanted[day], params, world)
    return [replace(each, sky_draw=draws.get(each.start, 0)) for each in acquisitions]


def _first_draw(acquisition: Acquisition, wanted: OpticalDate, params: ArchiveParams, world: World) -> int:
    places = [View(tile_grid(params, tile), 0) for tile in params.tiles]
    burned = _burned(world, params) if wanted.scar_hidden else None
    for draw in range(_DRAWS):
        scene = SeasonScene.prepared(replace(acquisition, sky_draw=draw), world, params.seed, params.jitter_px)
        hidden = [_hidden(scene.sky, view) for view in places]
        share = float(np.mean([part.mean() for part in hidden]))
        scar_share = float(hidden[0][burned].mean()) if burned is not None else wanted.scar_hidden
        if abs(share - wanted.hidden) < _TOLERANCE and 0 <= scar_share - wanted.scar_hidden <= _MOST_OF_SCAR:
            return draw
    raise StepError(
        "bad_parameters",
        f"none of {_DRAWS} skies hides {wanted.hidden} of the land and {wanted.scar_hidden} of the scar on "
        f"{wanted.day}.",
        "Ask for shares that are less far apart, or take another seed.",
    )


def _hidden(sky: Sky, view: View) -> npt.NDArray[np.bool_]:
    """Which cells of a coarse grid of the tile are under clouds, cirrus or shadow, by the rules of the truth."""
    spacing_m = _SURVEY_CELLS * FINE_M
    rows = round(view.grid.height * view.grid.resolution_m / spacing_m)
    over = sky.over(*view.places(0, rows, spacing_m))
    return (over.cloud > HIDING_CLOUD) | (over.cirrus > CIRRUS_SEEN) | (over.shadow > HIDING_SHADOW)


def _burned(world: World, params: ArchiveParams) -> npt.NDArray[np.bool_]:
    """Which cells of the same grid have burned."""
    tile = tile_grid(params, params.tiles[0])
    cells = slice(MARGIN + _SURVEY_CELLS // 2, -MARGIN, _SURVEY_CELLS)
    burned: npt.NDArray[np.bool_] = world.severity_under(tile, 0, tile.height)[cells, cells] >= BURNED_FROM
    return burned
