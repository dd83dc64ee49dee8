"""The pictures of a report: planned by a flow's product, drawn by one step."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from containers.base.contract.files import File
from containers.gdal.contract.quicklook import Picture, QuicklookParams
from tasks import gdal
from tasks.publishing.publication import IllustrationFile

SIDE_PX: Final = 800


class PlannedPicture(NamedTuple):
    """A picture, and the section of the report that it belongs to."""

    section: str
    picture: Picture


def draw(
    planned: Iterable[PlannedPicture], *, simulated: bool, regions: File | None = None, side_px: int = SIDE_PX
) -> list[IllustrationFile]:
    """The pictures in their order, under outlines of regions where there are any. To be called inside a flow."""
    planned = list(planned)
    drawn = gdal.draw_quicklooks.submit(
        QuicklookParams(
            pictures=tuple(plan.picture for plan in planned), max_px=side_px, regions=regions, simulated=simulated
        )
    ).result()
    return [
        IllustrationFile(section=section, name=picture.name, caption=picture.title, file=drawn.pictures[picture.name])
        for section, picture in planned
    ]
