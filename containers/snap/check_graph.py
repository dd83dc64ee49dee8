"""What is wrong with a SNAP graph, found without SNAP: against the operators' descriptors, and node against node.

`python -m containers.snap.check_graph graph.xml` prints the faults of any graph file.
"""

import json
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from containers.base.sentinel2 import parse_xml

OPERATORS: Final[dict[str, dict[str, Any]]] = json.loads(Path(__file__).with_name("operators.json").read_text())[
    "operators"
]
_NUMBERS: Final = {"int": int, "Integer": int, "float": float, "double": float, "Double": float}
_SOURCE_COUNTS: Final = {"none": (0, 0), "one": (1, 1), "many": (2, 99)}
_SHARED_TERRAIN: Final = ("demName", "externalDEMFile", "externalDEMNoDataValue", "externalDEMApplyEGM")
_TERRAIN: Final = ("Terrain-Flattening", "Terrain-Correction")


def faults(xml: str) -> list[str]:
    """Sentences that each name the node; empty for a valid graph. Raises `corrupt_file` where it is not XML."""
    nodes = list(parse_xml(xml.encode()).iter("node"))
    found = [fault for node in nodes for fault in _node_faults(node)]
    return found + list(_connection_faults(nodes)) + list(_terrain_faults(nodes))


def _node_faults(node: ElementTree.Element) -> Iterator[str]:
    name, descriptor = _name(node), OPERATORS.get(_operator(node))
    if descriptor is None:
        yield f"{name}: there is no operator {_operator(node)!r}"
        return
    given = _parameters(node)
    for parameter, value in given.items():
        rule = descriptor["parameters"].get(parameter)
        if rule is None:
            yield f"{name}: {_operator(node)} has no parameter {parameter!r}"
        else:
            yield from (f"{name}: {parameter}={value!r} {problem}" for problem in _value_problems(value, rule))
    for parameter, rule in descriptor["parameters"].items():
        if rule.get("notNull") and not given.get(parameter):
            yield f"{name}: {parameter} must be given"
    least, most = _SOURCE_COUNTS[descriptor["sources"]]
    if not least <= len(_sources(node)) <= most:
        yield f"{name}: {_operator(node)} reads {descriptor['sources']} product(s), not {len(_sources(node))}"


def _value_problems(value: str, rule: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one value; an empty one stands for the default."""
    if not value:
        return
    if rule["type"].lower() == "boolean" and value not in ("true", "false"):
        yield "is neither true nor false"
    if "valueSet" in rule and value not in rule["valueSet"]:
        yield f"is not one of {', '.join(rule['valueSet'])}"
    if rule["type"] in _NUMBERS:
        try:
            number = _NUMBERS[rule["type"]](value)
        except ValueError:
            yield f"is no {rule['type']}"
            return
        if "interval" in rule and not _inside(number, rule["interval"]):
            yield f"is outside {rule['interval']}"


def _inside(number: float, interval: str) -> bool:
    """Whether a number lies in an interval as SNAP writes it.

    >>> _inside(1, "(1, 100]"), _inside(100, "(1, 100]"), _inside(0.1, "(0, *)")
    (False, True, True)
    """
    low, high = (end.strip() for end in interval[1:-1].split(","))
    above = low == "*" or number > float(low) or (interval[0] == "[" and number == float(low))
    below = high == "*" or number < float(high) or (interval[-1] == "]" and number == float(high))
    return above and below


def _connection_faults(nodes: list[ElementTree.Element]) -> Iterator[str]:
    names = [_name(node) for node in nodes]
    read = {source for node in nodes for source in _sources(node)}
    yield from (f"{name}: the id is taken twice" for name in sorted({name for name in names if names.count(name) > 1}))
    for node in nodes:
        yield from (
            f"{_name(node)}: reads {source!r}, which is no node" for source in _sources(node) if source not in names
        )
        if _operator(node) != "Write" and _name(node) not in read:
            yield f"{_name(node)}: nothing reads it"
    if not any(_operator(node) == "Write" for node in nodes):
        yield "the graph writes nothing"
    try:
        TopologicalSorter({_name(node): _sources(node) for node in nodes}).prepare()
    except CycleError as error:
        yield f"the graph runs in a circle: {' → '.join(error.args[1])}"


def _terrain_faults(nodes: list[ElementTree.Element]) -> Iterator[str]:
    """The terrain operators must use one DEM alike. Their defaults differ: of the geoid, and of the DEM."""
    terrain = [node for node in nodes if _operator(node) in _TERRAIN]
    for parameter in _SHARED_TERRAIN:
        values = {_effective(node, parameter) for node in terrain}
        if len(values) > 1:
            yield f"{' and '.join(map(_name, terrain))}: {parameter} differs: {sorted(map(str, values))}"


def _effective(node: ElementTree.Element, parameter: str) -> str | None:
    default: str | None = OPERATORS[_operator(node)]["parameters"][parameter]["default"]
    value = _parameters(node).get(parameter) or default
    return str(float(value)) if value and parameter == "externalDEMNoDataValue" else value


def _name(node: ElementTree.Element) -> str:
    return node.get("id", "")


def _operator(node: ElementTree.Element) -> str:
    return (node.findtext("operator") or "").strip()


def _sources(node: ElementTree.Element) -> list[str]:
    return [source.get("refid", "") for source in node.findall("sources/*")]


def _parameters(node: ElementTree.Element) -> dict[str, str]:
    return {element.tag: (element.text or "").strip() for element in node.findall("parameters/*")}


if __name__ == "__main__":
    problems = faults(Path(sys.argv[1]).read_text())
    print("\n".join(problems))
    sys.exit(bool(problems))
