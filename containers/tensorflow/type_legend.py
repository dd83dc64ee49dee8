"""Colours of vegetation types, and the style by which QGIS shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from containers.base.contract.files import File, output_file
from containers.tensorflow.contract.types import TYPE_DOUBTFUL, TYPE_UNSEEN

COLOURS: Final = (
    "#117733", "#DDCC77", "#64006F", "#00BCFF", "#C88500", "#7A0043", "#9B64A6", "#6459C8", "#85BC85", "#373700",
    "#9BFFBC", "#B13764", "#FFBC43", "#E95959", "#BCDEFF", "#8585FF", "#D390C8", "#432C9B", "#7A6F0B", "#85216F",
)  # fmt: skip
"""In this order: the first are farthest apart, for every kind of colour vision, from each other and from the greys of
what is not known (CIELAB distance of 18 up to the thirteenth, 15 for all). Found by moving one colour at a time."""
OPEN: Final = {TYPE_DOUBTFUL: ("#9E9E9E", "not known"), TYPE_UNSEEN: ("#DBDBDB", "not seen")}
"""Code of a cell without a type to its colour and label."""


def colours_of(types: Sequence[str]) -> dict[int, str]:
    """Code to #rrggbb: types count from 1, and what is not known follows."""
    own = {code: COLOURS[(code - 1) % len(COLOURS)] for code in range(1, len(types) + 1)}
    return own | {code: colour for code, (colour, _) in OPEN.items()}


def write_style(path: Path, types: Sequence[str], colours: Mapping[int, str]) -> File:
    """A QGIS layer style (.qml) of a raster of codes: QGIS opens it with the raster of the same name."""
    labels = dict(enumerate(types, start=1)) | {code: label for code, (_, label) in OPEN.items()}
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="AllStyleCategories")
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor=""
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for code, label in labels.items():
        entry = {"value": str(code), "label": label, "color": colours[code].lower(), "alpha": "255"}
        ElementTree.SubElement(palette, "paletteEntry", entry)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    path.write_text(f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n", encoding="utf-8")
    return output_file(path)
