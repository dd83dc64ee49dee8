"""Frames of index values as an animated GIF, each with its date, a colour bar and, where needed, a warning."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from containers.gdal.palette import UNKNOWN, percentile_limits

RAMP: Final = "YlGn"
"""Sequential and monotone in lightness, so that colour blindness does not matter."""
_N_COLOURS: Final = 96
_MISSING, _WHITE, _BLACK, _BANNER = range(_N_COLOURS, _N_COLOURS + 4)
_MIN_SIDE_PX, _KEY_PX, _HEAD_PX, _BANNER_PX, _EDGE_PX = 320, 92, 34, 22, 10
_FRAME_MS, _LAST_FRAME_MS = 200, 1500


class Film(NamedTuple):
    """What moves."""

    frames: NDArray[np.float32]
    """(time, y, x) index values, NaN where missing."""
    dates: tuple[date, ...]
    title: str
    simulated: bool = False


def save_gif(film: Film, path: Path) -> None:
    """Draw all frames with the same colours and save; small films are enlarged to 320 px."""
    limits = percentile_limits(film.frames, np.isfinite(film.frames))
    frames = _drawn(film, limits)
    first = next(frames)
    duration = [_FRAME_MS] * (len(film.dates) - 1) + [_LAST_FRAME_MS]
    # Equal pixels of the frame before are not stored again.
    first.save(path, format="GIF", save_all=True, append_images=frames, duration=duration, loop=0, optimize=False)


def _drawn(film: Film, limits: tuple[float, float]) -> Iterator[Image.Image]:
    scale = max(1, -(-_MIN_SIDE_PX // max(film.frames.shape[1:])))
    for values, day in zip(film.frames, film.dates, strict=True):
        cells = np.kron(_codes(values, limits), np.ones((scale, scale), dtype=np.uint8))
        yield _frame(cells, day, film, limits)


def _codes(values: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Numbers of colours."""
    low, high = limits
    share = np.clip((values - low) / (high - low or 1.0), 0, 1)
    codes = np.where(np.isfinite(values), np.rint(np.nan_to_num(share) * (_N_COLOURS - 1)), _MISSING)
    return codes.astype(np.uint8)


def _frame(cells: NDArray[np.uint8], day: date, film: Film, limits: tuple[float, float]) -> Image.Image:
    height, width = cells.shape
    head = _HEAD_PX + (_BANNER_PX if film.simulated else 0)
    frame = Image.new("P", (max(width + _KEY_PX, 300), max(height, 190) + head + _EDGE_PX), _WHITE)
    frame.putpalette(_palette())
    frame.paste(Image.fromarray(cells), (0, head))
    draw = ImageDraw.Draw(frame)
    draw.text((_EDGE_PX, head - _HEAD_PX + 6), f"{film.title}  {day:%d %b %Y}", fill=_BLACK, font=_font(18))
    if film.simulated:
        draw.rectangle((0, 0, frame.width, _BANNER_PX), fill=_BANNER)
        draw.text((_EDGE_PX, 4), "SIMULATED DATA: no real place", fill=_WHITE, font=_font(13))
    _draw_key(draw, (width + _EDGE_PX, head + _EDGE_PX), limits)
    return frame


def _draw_key(draw: ImageDraw.ImageDraw, corner: tuple[int, int], limits: tuple[float, float]) -> None:
    left, top = corner
    for code in range(_N_COLOURS):
        draw.line((left, top + _N_COLOURS - code, left + 16, top + _N_COLOURS - code), fill=code)
    for share in (0.0, 0.5, 1.0):
        value = limits[0] + share * (limits[1] - limits[0])
        place = (left + 22, top + round(_N_COLOURS * (1 - share)) - 7)
        draw.text(place, f"{value:.2f}", fill=_BLACK, font=_font(12))
    bottom = top + _N_COLOURS + 18
    draw.rectangle((left, bottom, left + 16, bottom + 12), fill=_MISSING, outline=_BLACK)
    draw.text((left + 22, bottom - 1), "no data", fill=_BLACK, font=_font(12))


def _palette() -> list[int]:
    ramp = mpl.colormaps[RAMP](np.linspace(0, 1, _N_COLOURS), bytes=True)[:, :3].ravel().tolist()
    others = [mpl.colors.to_rgb(colour) for colour in (UNKNOWN, "#FFFFFF", "#111111", "#7A0177")]
    return [*ramp, *(round(part * 255) for colour in others for part in colour)]


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
