"""A graph of SNAP operators as a value, and its XML: what `gpt` runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

Value: TypeAlias = bool | int | float | str | Path | tuple[str, ...]
Parameters: TypeAlias = dict[str, Value]

_VERSION = "1.0"
_PARAMETER_CLASS = "com.bc.ceres.binding.dom.XppDomElement"


@dataclass(frozen=True)
class Node:
    """One operator, the ids of the nodes that it reads, and its parameters by their names in XML."""

    id: str
    operator: str
    sources: tuple[str, ...]
    parameters: Parameters


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of work."""

    nodes: tuple[Node, ...]

    def xml(self) -> str:
        """The graph file: the same text for the same graph."""
        root = ElementTree.Element("graph", id="Graph")
        ElementTree.SubElement(root, "version").text = _VERSION
        for node in self.nodes:
            _add(root, node)
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode") + "\n"


class Chain:
    """Builds a graph node by node: each reads the one before unless told what it reads."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def add(self, operator: str, parameters: Parameters, sources: Iterable[str] | None = None) -> str:
        """The new node's id: the operator's name, numbered where there are several."""
        number = sum(node.operator == operator for node in self._nodes)
        identifier = f"{operator}-{number + 1}" if number else operator
        read = (self._nodes[-1].id,) if sources is None else tuple(sources)
        self._nodes.append(Node(identifier, operator, read, parameters))
        return identifier

    def graph(self) -> Graph:
        return Graph(tuple(self._nodes))


def text_of(value: Value) -> str:
    """A parameter as SNAP reads it.

    >>> [text_of(value) for value in (True, 2, 0.9, ("VV", "VH"))]
    ['true', '2', '0.9', 'VV,VH']
    """
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _add(root: ElementTree.Element, node: Node) -> None:
    element = ElementTree.SubElement(root, "node", id=node.id)
    ElementTree.SubElement(element, "operator").text = node.operator
    sources = ElementTree.SubElement(element, "sources")
    for number, source in enumerate(node.sources):
        ElementTree.SubElement(sources, f"sourceProduct.{number}" if number else "sourceProduct", refid=source)
    parameters = ElementTree.SubElement(element, "parameters", {"class": _PARAMETER_CLASS})
    for name, value in node.parameters.items():
        ElementTree.SubElement(parameters, name).text = text_of(value)
