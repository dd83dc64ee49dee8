"""A folder of binary masks with their metadata: what earlier systems exchange, read with its faults, and written.

`masks.json` maps a path to the outline of the scene's data, one ring of longitudes and latitudes, and to its times in
milliseconds since 1970: {"<path>": {"geometry": [[lon, lat], …], "date_deb": ms, "date_end": ms}}. Ours adds the
raster's file name, the value of cloud and the SHA-256.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import shapely
from pydantic import Field, ValidationError
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from tasks.catalogue.coverage import area_m2, nominal_tile, normalised
from tasks.scene_ledger import acquisition_of

METADATA: Final = "masks.json"
_LARGEST_SHARE: Final = 1.5
"""Of the area of its tile: a larger outline is inverted, the globe without the scene, or of another product."""
_RING_POINTS: Final = 4


class MaskEntry(Contract):
    """One mask of a folder."""

    scene_id: str
    file: str = Field(description="Name of the raster below the folder")
    outline: str = Field(description="Outline of the scene's data as WKT, EPSG:4326")
    first: datetime
    last: datetime
    cloud_value: Literal[0, 1]
    sha256: str = Field(default="", description="Of the raster; empty: not stated")

    @property
    def acquisition(self) -> str:
        return acquisition_of(self.scene_id)


class _Metadata(Contract):
    """The value of one path in the file, unknown fields refused."""

    geometry: tuple[tuple[float | None, float | None], ...]
    date_deb: int
    date_end: int
    file: str = ""
    cloud_value: Literal[0, 1] | None = None
    sha256: str = ""


def read_entries(path: Path, cloud_value: Literal[0, 1] = 1) -> Iterator[MaskEntry]:
    """The entries of a metadata file, checked one by one; `cloud_value` is for those that do not state theirs.

    Raises `bad_masks`, naming the entry: an outline that is null, crosses itself, is not over the scene's tile, is
    inverted or has latitude first; times that go backwards; names of no scene.
    """
    try:
        document = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise _bad(f"{path.name} cannot be read: {error}", "Give the metadata file of the masks.") from error
    if not isinstance(document, dict) or not document:
        raise _bad(f"{path.name} maps no path to metadata", "Give the metadata file of the masks.")
    for name, value in document.items():
        yield _entry(name, value, cloud_value)


def write_entries(entries: Iterable[MaskEntry], path: Path) -> None:
    """Write the metadata file, renamed into place when it is whole."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w") as stream:
        separator = "{\n"
        for entry in entries:
            stream.write(f"{separator}{json.dumps(f'masks/{entry.scene_id}')}: {json.dumps(_stated(entry))}")
            separator = ",\n"
        stream.write("{}\n" if separator == "{\n" else "\n}\n")
    partial.replace(path)


def _stated(entry: MaskEntry) -> dict[str, Any]:
    outline = shapely.from_wkt(entry.outline)
    parts = list(shapely.get_parts(outline))
    single = parts[0] if len(parts) == 1 else outline.convex_hull  # the format holds one ring
    return {
        "geometry": shapely.get_coordinates(shapely.get_exterior_ring(single)).tolist(),
        "date_deb": _milliseconds(entry.first),
        "date_end": _milliseconds(entry.last),
        "file": entry.file,
        "cloud_value": entry.cloud_value,
        "sha256": entry.sha256,
    }


def _entry(name: str, value: object, cloud_value: Literal[0, 1]) -> MaskEntry:
    scene_id = name.rsplit("/", 1)[-1]
    try:
        stated = _Metadata.model_validate(value)
        tile = acquisition_of(scene_id).rpartition("_T")[2]
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"]))
        raise _bad(f"{name}: {field}: {problem['msg']}", "Each entry has geometry, date_deb and date_end.") from error
    except StepError as error:
        raise _bad(f"{name} names no Sentinel-2 scene", error.hint) from error
    if stated.date_end < stated.date_deb:
        raise _bad(f"{name} ends before it begins: {stated.date_deb} to {stated.date_end}", "Correct its times.")
    return MaskEntry(
        scene_id=scene_id,
        file=stated.file or f"{scene_id}.tif",
        outline=_outline(name, stated.geometry, tile).wkt,
        first=_time(stated.date_deb),
        last=_time(stated.date_end),
        cloud_value=cloud_value if stated.cloud_value is None else stated.cloud_value,
        sha256=stated.sha256,
    )


def _outline(name: str, ring: tuple[tuple[float | None, float | None], ...], tile: str) -> BaseGeometry:
    points = [(lon, lat) for lon, lat in ring if lon is not None and lat is not None]
    if len(points) < len(ring) or len(points) < _RING_POINTS:
        raise _bad(
            f"the outline of {name} has {len(ring) - len(points)} null points of {len(ring)}",
            "Export the metadata again with the footprint of the scene instead of the clipped image's.",
        )
    polygon = Polygon(points)
    if not polygon.is_valid:
        raise _bad(f"the outline of {name} is not valid: {shapely.is_valid_reason(polygon)}", "Repair it.")
    outline, expected = normalised(polygon), nominal_tile(tile)
    if outline is None or expected is None:
        raise _bad(f"the outline of {name} has no area", "Give the outline of the scene's data.")
    if outline.intersects(expected) and area_m2(outline) <= _LARGEST_SHARE * area_m2(expected):
        return outline
    if polygon.intersects(expected):
        ratio = area_m2(polygon) / area_m2(expected)
        raise _bad(f"the outline of {name} is inverted: it has {ratio:.0f} times the area of {tile}", "Invert it.")
    if _swapped(polygon).intersects(expected):
        raise _bad(f"the outline of {name} has latitude before longitude", "Give longitude first.")
    raise _bad(f"the outline of {name} is not over {tile}: {polygon.bounds}", "Correct the outline or the name.")


def _swapped(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: xy[:, ::-1])


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _bad(reason: str, hint: str) -> StepError:
    return StepError("bad_masks", f"{reason}.", hint)
