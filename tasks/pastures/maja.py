"""THEIA's products in a user's folder: which of them are used, and the snow product of each date."""

import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import shapely

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.base.sentinel2 import SIMULATED_MARK, TheiaName, parse_theia_name
from containers.base.storage import SCHEME
from containers.gdal.contract.cut import MajaProduct
from tasks.catalogue.answer import Refusal, refusal
from tasks.catalogue.coverage import nominal_tile
from tasks.catalogue.safe import list_folder
from tasks.parameters.pasture_types import Reflectance
from tasks.periods import Period
from tasks.settings import get_settings
from tasks.store import Store, open_store

UNKNOWN_VERSION: Final = "unknown"
_SUFFIX: Final = ".zip"
_MARK_WITHIN_BYTES: Final = 4096
_DAMAGES: Final = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
"""What a ZIP that is cut off, encrypted or packed in an unusual way makes the reader raise."""


class Zip(NamedTuple):
    """A ZIP whose name could be read."""

    id: str
    name: TheiaName
    place: Path | File
    """On this machine, or in a bucket, from where the step fetches it."""
    is_simulated: bool = False
    """As its metadata say; of one in a bucket the step finds out."""

    @property
    def version(self) -> str:
        return self.name.version or UNKNOWN_VERSION

    @property
    def rank(self) -> tuple[int, int, str]:
        """The higher, the newer."""
        major, _, minor = (self.name.version or "-1-0").rpartition("-")
        return int(major or -1), int(minor), self.id


class MajaFound(NamedTuple):
    """Products by tile, and a row for each ZIP that is not used."""

    tiles: dict[str, tuple[str, tuple[MajaProduct, ...]]]
    """Tile to its outline as WKT in EPSG:4326, and to its products in the order of time."""
    refused: tuple[Refusal, ...]


def find_maja(reflectance: Reflectance, aoi: str, searched: Period) -> MajaFound:
    """The products over an area (WKT, EPSG:4326) in a period; what is chosen is taken into the store.

    Folders are local, with all below them, or prefixes such as s3://bucket/theia; snow products may lie among the
    others. Raises `missing_file`.
    """
    store = open_store(get_settings())
    zips, unreadable = read_folder(reflectance.maja_folder)
    others, unreadable_others = read_folder(reflectance.snow_folder) if reflectance.snow_folder else ([], [])
    outlines = outlines_over(aoi, {found.name.tile for found in zips})
    chosen, refused = choose([found for found in zips if not found.name.is_snow], outlines, searched)
    snow = sorted((found for found in (*zips, *others) if found.name.is_snow), key=lambda found: found.rank)
    snow_of = {(found.name.tile, found.name.acquired.date()): found for found in snow}
    tiles: dict[str, list[MajaProduct]] = defaultdict(list)
    for found in chosen:
        date = (found.name.tile, found.name.acquired.date())
        tiles[found.name.tile].append(_product(store, found, snow_of.get(date)))
    return MajaFound(
        tiles={tile: (outlines[tile], tuple(products)) for tile, products in sorted(tiles.items())},
        refused=tuple(dict.fromkeys((*unreadable, *unreadable_others, *refused))),
    )


def read_folder(place: str) -> tuple[list[Zip], list[Refusal]]:
    """Every ZIP below a folder, in the order of names, and rows for those that are none of THEIA's."""
    zips, refused = [], []
    for file in _files(place):
        name = file.name.removesuffix(_SUFFIX)
        parsed = parse_theia_name(name)
        if parsed is None:
            refused.append(refusal(file.name, "not_theia", "Its name is none of THEIA's."))
            continue
        try:
            zips.append(_looked_into(name, parsed, file) if isinstance(file, Path) else Zip(name, parsed, file))
        except _DAMAGES as error:
            refused.append(refusal(name, "broken_zip", f"It cannot be read: {error}."))
    return zips, refused


def choose(zips: list[Zip], outlines: Mapping[str, str], searched: Period) -> tuple[list[Zip], list[Refusal]]:
    """One ZIP per acquisition in the order of time: the highest version."""
    refused: list[Refusal] = []
    newest: dict[tuple[str, str, str], Zip] = {}
    for found in sorted(zips, key=lambda found: found.rank, reverse=True):
        key = (found.name.tile, found.name.platform, found.name.acquired.isoformat())
        if found.name.tile not in outlines:
            refused.append(refusal(found.id, "outside_aoi", f"Tile {found.name.tile} does not meet the area."))
        elif found.name.acquired not in searched:
            refused.append(refusal(found.id, "outside_dates", f"It is of {found.name.acquired:%Y-%m-%d}."))
        elif key in newest:
            refused.append(refusal(found.id, "superseded", f"{newest[key].id} is the same acquisition, newer."))
        else:
            newest[key] = found
    return sorted(newest.values(), key=lambda found: (found.name.acquired, found.id)), refused


def outlines_over(aoi: str, tiles: set[str]) -> dict[str, str]:
    """The tiles that an area meets, with their outlines as WKT."""
    area, outlines = shapely.from_wkt(aoi), {tile: nominal_tile(tile) for tile in sorted(tiles)}
    return {
        tile: shapely.to_wkt(outline, rounding_precision=7)
        for tile, outline in outlines.items()
        if outline is not None and outline.intersects(area)
    }


def _files(place: str) -> Iterator[Path | File]:
    if place.startswith(SCHEME):
        yield from (file for file in list_folder(place) if file.name.endswith(_SUFFIX))
        return
    folder = Path(place)
    if not folder.is_dir():
        raise StepError("missing_file", f"{place!r} is no folder where the flow runs.", "Correct the path.")
    yield from sorted(path for path in folder.rglob(f"*{_SUFFIX}") if path.is_file())


def _looked_into(name: str, parsed: TheiaName, path: Path) -> Zip:
    """With the version of the folder in the ZIP, where the ZIP's own name has none."""
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        inner = [parse_theia_name(folder) for folder in sorted({member.partition("/")[0] for member in members})]
        same = next((found for found in inner if found and found.stem == parsed.stem), parsed)
        texts = [member for member in members if member.endswith("_MTD_ALL.xml")]
        is_simulated = any(SIMULATED_MARK in _beginning(archive, text) for text in texts[:1])
    return Zip(name, parsed if parsed.version else same, path, is_simulated)


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(_MARK_WITHIN_BYTES)


def _product(store: Store, found: Zip, snow: Zip | None) -> MajaProduct:
    return MajaProduct(
        id=found.id,
        platform=found.name.platform,
        tile=found.name.tile,
        acquired=found.name.acquired,
        version=found.version,
        archive=_taken(store, found),
        snow=_taken(store, snow) if snow else None,
        simulated=found.is_simulated,
    )


def _taken(store: Store, found: Zip) -> File:
    return store.import_file(found.place) if isinstance(found.place, Path) else found.place
