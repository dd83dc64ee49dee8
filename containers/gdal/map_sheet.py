"""One map on one sheet: picture, outlines, title, key, scale bar and grid note, saved as a small PNG."""

import math
import textwrap
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from geopandas import GeoSeries
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from PIL import Image
from PIL.Image import Quantize

from containers.base.contract.grid import Bounds, Grid
from containers.gdal.palette import RAMP, Rgb

mpl.rcParams["font.family"] = "DejaVu Sans"

_DPI = 100
_MIN_SIDE_PX = 480
_KEY_PX, _EDGE_PX, _LINE_PX, _FOOT_PX, _BANNER_PX = 210, 12, 24, 46, 26
_BANNER = "SIMULATED DATA: invented land, no real place"
_BANNER_COLOUR = "#7A0177"
_BANNER_TEXT_PX = 440
_ENTRY_PX, _WRAPPED_PX = 25, 16
"""Height of an entry of the key, and of every further line of it."""
_OUTLINE, _HALO = "#222222", "#FFFFFF"


class Entry(NamedTuple):
    """One line of a legend."""

    colour: str
    label: str


class ColourBar(NamedTuple):
    """The key of a quantity."""

    limits: tuple[float, float]
    label: str
    whole_numbers: bool = False
    ramp: str = RAMP
    missing: str = ""
    """Colour of cells without data, where there are any."""


class Sheet(NamedTuple):
    """What is drawn."""

    title: str
    picture: Rgb
    bounds: Bounds
    grid: Grid
    key: Sequence[Entry] | ColourBar
    notes: Sequence[str] = ()
    regions: GeoSeries | None = None
    simulated: bool = False


class _Layout(NamedTuple):
    """Sizes in picture cells, from which the places of all parts follow."""

    map_width: int
    map_height: int
    head: int
    body: int
    """Height of the map or of its key, whichever is taller: both begin at the top."""

    @property
    def width(self) -> int:
        return self.map_width + _KEY_PX + 2 * _EDGE_PX

    @property
    def height(self) -> int:
        return self.body + self.head + _FOOT_PX

    def box(self, left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
        """Pixels from the lower left corner to matplotlib's fractions of the figure."""
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def draw_sheet(sheet: Sheet, path: Path) -> None:
    """Draw and save. The map's longer side has the picture's size, or 480 pixels where that is smaller."""
    lines = _title_lines(sheet)
    layout = _layout(sheet, len(lines))
    figure = Figure(figsize=(layout.width / _DPI, layout.height / _DPI), dpi=_DPI, facecolor="white")
    bottom = _FOOT_PX + layout.body - layout.map_height
    _draw_map(figure.add_axes(layout.box(_EDGE_PX, bottom, layout.map_width, layout.map_height)), sheet)
    _draw_key(figure, layout, sheet.key)
    _write_around(figure, layout, sheet, lines)
    # Of ramps every step must stay; of the rest, the colours that cover most.
    _save(figure, path, Quantize.MAXCOVERAGE if isinstance(sheet.key, ColourBar) else Quantize.MEDIANCUT)


def draw_bare(sheet: Sheet, path: Path) -> None:
    """Draw and save the map alone, with outlines and scale bar, for a page that brings title and key itself."""
    layout = _layout(sheet, 0)
    figure = Figure(figsize=(layout.map_width / _DPI, layout.map_height / _DPI), dpi=_DPI, facecolor="white")
    _draw_map(figure.add_axes((0, 0, 1, 1)), sheet)
    _save(figure, path, Quantize.MEDIANCUT)


def scale_bar_km(width_m: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten kilometres that fits a quarter of the map's width."""
    longest_km = width_m / 4 / 1000
    power = 10.0 ** math.floor(math.log10(longest_km))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= longest_km * (1 + 1e-9))


def _layout(sheet: Sheet, title_lines: int) -> _Layout:
    width_m, height_m = sheet.bounds.east - sheet.bounds.west, sheet.bounds.north - sheet.bounds.south
    longest_px = max(*sheet.picture.shape[:2], _MIN_SIDE_PX)
    factor = longest_px / max(width_m, height_m)
    head = title_lines * _LINE_PX + _EDGE_PX + (_BANNER_PX if sheet.simulated else 0)
    map_width, map_height = max(1, round(width_m * factor)), max(1, round(height_m * factor))
    return _Layout(map_width, map_height, head, max(map_height, _key_height(sheet.key)))


def _key_height(key: Sequence[Entry] | ColourBar) -> int:
    if isinstance(key, ColourBar):
        return 0
    return sum(_ENTRY_PX + (len(_wrapped(entry).splitlines()) - 1) * _WRAPPED_PX for entry in key)


def _title_lines(sheet: Sheet) -> list[str]:
    width_px = _layout(sheet, 1).width - 2 * _EDGE_PX
    characters = max(20, width_px // 9)
    return textwrap.wrap(sheet.title, characters) or [""]


def _draw_map(axes: Any, sheet: Sheet) -> None:
    west, south, east, north = sheet.bounds
    axes.imshow(sheet.picture, extent=(west, east, south, north), interpolation="nearest", aspect="auto")
    if sheet.regions is not None:
        for colour, width in ((_HALO, 2.6), (_OUTLINE, 1.1)):
            sheet.regions.boundary.plot(ax=axes, color=colour, linewidth=width, aspect=None)
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], xlabel="", ylabel="")
    _draw_scale_bar(axes, sheet.bounds)


def _draw_scale_bar(axes: Any, bounds: Bounds) -> None:
    length_km = scale_bar_km(bounds.east - bounds.west)
    fraction = length_km * 1000 / (bounds.east - bounds.west)
    place = {"transform": axes.transAxes, "zorder": 10}
    pixel = 1 / axes.bbox.height
    bottom, thickness = max(0.02, 6 * pixel), max(0.012, 4 * pixel)
    axes.add_patch(
        Rectangle((0.02, bottom), fraction, thickness, facecolor=_OUTLINE, edgecolor=_HALO, linewidth=1.5, **place)
    )
    halo = [withStroke(linewidth=3, foreground=_HALO)]
    length = f"{length_km:g} km" if length_km >= 1 else f"{length_km * 1000:g} m"
    above = bottom + thickness + 3 * pixel
    axes.text(0.02, above, length, ha="left", va="bottom", fontsize=10, path_effects=halo, **place)


def _draw_key(figure: Figure, layout: _Layout, key: Sequence[Entry] | ColourBar) -> None:
    left, lowest = _EDGE_PX + layout.map_width + _EDGE_PX, 0
    if isinstance(key, ColourBar):
        height = min(layout.map_height - (3 * _EDGE_PX if key.missing else 0), 260)
        bar = figure.add_axes(layout.box(left, _FOOT_PX + layout.body - height, 18, height))
        low, high = key.limits
        mappable = ScalarMappable(Normalize(low, high if high > low else low + 1), key.ramp)
        ticks = MaxNLocator(6, integer=key.whole_numbers)
        figure.colorbar(mappable, cax=bar, ticks=ticks).set_label(key.label, fontsize=10)
        if not key.missing:
            return
        key, lowest = (Entry(key.missing, "no data"),), height + 2 * _EDGE_PX
    handles = [Patch(facecolor=entry.colour, edgecolor="#666666", label=_wrapped(entry)) for entry in key]
    top = (_FOOT_PX + layout.body - lowest) / layout.height
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(left / layout.width, top), frameon=False, fontsize=10,
        borderaxespad=0, handlelength=1.4, handleheight=1.1, labelspacing=0.7,
    )  # fmt: skip


def _wrapped(entry: Entry) -> str:
    return textwrap.fill(entry.label, 22)


def _write_around(figure: Figure, layout: _Layout, sheet: Sheet, lines: Sequence[str]) -> None:
    left = _EDGE_PX / layout.width
    if sheet.simulated:
        strip = layout.box(0, layout.height - _BANNER_PX, layout.width, _BANNER_PX)
        figure.add_artist(Rectangle(strip[:2], strip[2], strip[3], facecolor=_BANNER_COLOUR, edgecolor="none"))
        middle = strip[1] + strip[3] / 2
        size = min(11.0, 11.0 * (layout.width - 2 * _EDGE_PX) / _BANNER_TEXT_PX)
        figure.text(left, middle, _BANNER, color="white", va="center", fontsize=size, weight="bold")
    top = 1 - ((_BANNER_PX if sheet.simulated else 0) + _EDGE_PX / 2) / layout.height
    figure.text(left, top, "\n".join(lines), va="top", fontsize=13, weight="bold")
    note = " · ".join([_grid_note(sheet), *sheet.notes])
    characters = max(40, (layout.width - 2 * _EDGE_PX) // 6)
    figure.text(left, (_FOOT_PX - 6) / layout.height, textwrap.fill(note, characters), va="top", fontsize=8.5)


def _grid_note(sheet: Sheet) -> str:
    cell_m = (sheet.bounds.east - sheet.bounds.west) / sheet.picture.shape[1]
    return f"EPSG:{sheet.grid.epsg} · cells of {sheet.grid.resolution_m:g} m · picture cells of {cell_m:.4g} m"


def _save(figure: Figure, path: Path, method: Quantize) -> None:
    """256 colours are enough for a quick look, and a quarter of the bytes."""
    rendered = BytesIO()
    figure.savefig(rendered, format="png", dpi=_DPI)
    picture = Image.open(rendered).convert("RGB").quantize(256, method=method, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
