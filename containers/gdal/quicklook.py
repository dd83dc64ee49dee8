"""Pictures that a person looks at."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
from geopandas import GeoSeries

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError
from containers.base.step import local_path, main, progress
from containers.gdal.contract.quicklook import Picture, QuicklookParams, QuicklookResult
from containers.gdal.map_sheet import ColourBar, Entry, Sheet, draw_bare, draw_sheet
from containers.gdal.palette import (
    CYCLE,
    DAYS_RAMP,
    DIVERGING,
    RAMP,
    UNKNOWN,
    UNKNOWN_BY_WHITE,
    Rgb,
    change_colours,
    class_colours,
    compose,
    paint,
    percentile_limits,
    shade,
    symmetric_limits,
)
from containers.gdal.preview import Preview, read_codes, read_highest, read_quantities

_N_BANDS_OF_RGB = 3
_YEAR, _HALF_A_YEAR = 365.25, 183.0
"""Days."""


class Drawing(NamedTuple):
    """A raster in colours, with what explains them."""

    preview: Preview
    picture: Rgb
    key: tuple[Entry, ...] | ColourBar
    notes: tuple[str, ...] = ()


def rgb(paths: list[Path], picture: Picture, max_px: int) -> Drawing:
    if len(paths) != _N_BANDS_OF_RGB:
        raise StepError(
            "bad_parameters", f"an rgb picture has {len(paths)} rasters", "Give three: red, green, blue as displayed."
        )
    preview = read_quantities(paths, max_px)
    key = (Entry(UNKNOWN, "no data"),)
    shown = "from {:g} to {:g}".format(*picture.limits) if picture.limits else "from 2 % to 98 %"
    return Drawing(
        preview, compose(preview.values, preview.valid, picture.limits), key, (f"each band stretched {shown}",)
    )


def classes(paths: list[Path], picture: Picture, max_px: int) -> Drawing:
    preview = read_codes(paths[0], max_px)
    return _coded(preview, picture, class_colours, "most frequent class per picture cell")


def change(paths: list[Path], picture: Picture, max_px: int) -> Drawing:
    preview = read_highest(paths[0], max_px)
    return _coded(preview, picture, change_colours, "a picture cell shows change where any of its cells changed")


def probability(paths: list[Path], picture: Picture, max_px: int) -> Drawing:
    preview = read_quantities(paths, max_px)
    percent = preview.values[0] * 100
    limits = (0.0, 100.0)
    return Drawing(preview, shade(percent, preview.valid, limits), ColourBar(limits, "percent"))


def count(paths: list[Path], picture: Picture, max_px: int) -> Drawing:
    preview = read_quantities(paths, max_px)
    values, valid = preview.values[0], preview.valid
    limits = (0.0, max(1.0, float(np.ceil(values[valid].max()))) if valid.any() else 1.0)
    return Drawing(preview, shade(values, valid, limits), ColourBar(limits, "count", whole_numbers=True))


def continuous(paths: list[Path], picture: Picture, max_px: int) -> Drawing:
    preview = read_quantities(paths, max_px, picture.band)
    values, valid = preview.values[0], preview.valid
    if picture.decibel:
        valid = valid & (values > 0)
        values = 10 * np.log10(np.where(valid, values, 1.0))
    notes, unknown = () if picture.limits else ("colours from 2 % to 98 %",), UNKNOWN
    limits, ramp = picture.limits or percentile_limits(values, valid), RAMP
    if picture.palette == "diverging":
        limits, ramp, unknown = symmetric_limits(values, valid), DIVERGING, UNKNOWN_BY_WHITE
        notes = ("colours of 98 %, the middle is zero",)
    elif picture.palette == "days" and limits[1] - limits[0] > _HALF_A_YEAR:
        values, limits, ramp = (values - 1) % _YEAR + 1, (1.0, 366.0), CYCLE
        notes = ("day of the year: its end meets its start",)
    elif picture.palette == "days":
        ramp = DAYS_RAMP
    bar = ColourBar(limits, _bar_label(picture), ramp=ramp, missing="" if valid.all() else unknown)
    return Drawing(preview, shade(values, valid, limits, ramp, unknown), bar, notes)


def _bar_label(picture: Picture) -> str:
    return "day of the year" if picture.palette == "days" else picture.unit or "value"


KINDS: Mapping[str, Callable[[list[Path], Picture, int], Drawing]] = {
    "rgb": rgb,
    "classes": classes,
    "change": change,
    "probability": probability,
    "count": count,
    "continuous": continuous,
}


def _coded(preview: Preview, picture: Picture, colours_of: Callable[[list[int]], dict[int, str]], note: str) -> Drawing:
    """Codes with their legend; a code that occurs without a label is shown by its number, never dropped."""
    codes, valid = preview.values[0], preview.valid
    labelled = {int(code): f"code {code}" for code in np.unique(codes[valid])} | picture.labels
    colours = colours_of(sorted(labelled)) | picture.colours
    key = [Entry(colours[code], labelled[code]) for code in sorted(labelled)]
    if picture.nodata_is_outside:
        return Drawing(preview, paint(codes, valid, colours, unknown="#FFFFFF"), tuple(key), (note,))
    if not valid.all() and UNKNOWN not in colours.values():
        key.append(Entry(UNKNOWN, "unknown"))
    return Drawing(preview, paint(codes, valid, colours), tuple(key), (note,))


def _outlines(path: Path, epsg: int) -> GeoSeries:
    read = geopandas.read_parquet if path.suffix == ".parquet" else geopandas.read_file
    return read(path).geometry.to_crs(epsg=epsg)


def _draw(picture: Picture, params: QuicklookParams, path: Path) -> None:
    rasters = [local_path(raster) for raster in picture.rasters]
    drawing = KINDS[picture.kind](rasters, picture, params.max_px)
    preview = drawing.preview
    regions = _outlines(local_path(params.regions), preview.grid.epsg) if params.regions else None
    sheet = Sheet(
        title=picture.title,
        picture=drawing.picture,
        bounds=preview.bounds,
        grid=preview.grid,
        key=drawing.key,
        notes=drawing.notes,
        regions=regions,
        simulated=params.simulated,
    )
    (draw_bare if params.bare else draw_sheet)(sheet, path)


def run(params: QuicklookParams, out: Path) -> QuicklookResult:
    """Raises `bad_parameters`, `corrupt_file`, `grid_mismatch`."""
    pictures = {}
    for done, picture in enumerate(params.pictures):
        progress(done, len(params.pictures), picture.name)
        path = out / f"{picture.name}.png"
        _draw(picture, params, path)
        pictures[picture.name] = output_file(path)
    return QuicklookResult(pictures=pictures)


if __name__ == "__main__":
    main(QuicklookParams, run)
