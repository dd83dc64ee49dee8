"""XML of Sentinel-1 metadata from nested dictionaries: element name to text, child elements, or a list of either."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias
from xml.etree import ElementTree as Tree

import numpy as np
import numpy.typing as npt

Content: TypeAlias = "str | int | float | Mapping[str, Content] | Sequence[Mapping[str, Content]]"
NOTE: Final = " Simulated by Clearground: no satellite has seen this. "


def document(name: str, content: Content) -> bytes:
    """A whole file. A key `@name` is an attribute, `#` the text beside attributes; floats keep 16 digits."""
    root = element(name, content)
    root.insert(0, Tree.Comment(NOTE))
    Tree.indent(root)
    body: bytes = Tree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return body + b"\n"


def element(name: str, content: Content) -> Tree.Element:
    made = Tree.Element(name)
    if not isinstance(content, Mapping):
        made.text = text(content)
        return made
    for key, value in content.items():
        if key == "#":
            made.text = text(value)
        elif key.startswith("@"):
            made.set(key[1:], text(value))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            made.extend(element(key, each) for each in value)
        else:
            made.append(element(key, value))
    return made


def text(value: Content) -> str:
    if isinstance(value, float):
        return f"{value:.15e}"
    return str(value)


def counted(name: str, entries: Sequence[Mapping[str, Content]]) -> dict[str, Content]:
    """A list with its attribute `count`."""
    return {"@count": len(entries), name: entries}


def numbers(values: npt.NDArray[np.generic]) -> dict[str, Content]:
    """Numbers in one element, with their count: floats with the 7 digits of the tables."""
    form = "{:d}" if np.issubdtype(values.dtype, np.integer) else "{:.6e}"
    return {"@count": len(values), "#": " ".join(form.format(each) for each in values.tolist())}


def coefficients(values: npt.NDArray[np.float64]) -> dict[str, Content]:
    """Polynomial coefficients, with all their digits."""
    return {"@count": len(values), "#": " ".join(f"{each:.15e}" for each in values.tolist())}
