"""The arrows of the house, read from the imports: a forbidden one fails here before it fails in an image."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("flows", "tasks", "containers")
HOST_MAY_IMPORT = ("containers.base.storage", "containers.base.sentinel2")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def is_contract(module: str) -> bool:
    return re.match(r"containers\.\w+\.contract(\.|$)", module) is not None


def forbidden(importer: str, imported: str) -> str | None:
    """Why this arrow may not be drawn; None where it may."""
    room, *rest = importer.split(".")
    if room == "flows" and imported.startswith("containers.") and not is_contract(imported):
        return "flows know steps by their contract only"
    if room == "tasks":
        if imported.startswith("flows"):
            return "tasks do not know flows"
        if (
            imported.startswith("containers.")
            and not is_contract(imported)
            and not imported.startswith(HOST_MAY_IMPORT)
        ):
            return "the host reads contracts, storage and sentinel2 only"
    if room == "containers":
        if imported.split(".")[0] in {"flows", "tasks", "prefect", "docker"}:
            return "a container knows nothing of the host"
        image = rest[0] if rest else ""
        target = imported.split(".")[1] if imported.startswith("containers.") else "base"
        if image and target not in {"base", image} and not is_contract(importer):
            return f"the image {image} does not carry containers/{target}"
    return None


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_arrows(path: Path) -> None:
    importer = module_of(path)
    broken = {name: reason for name in imports_of(path) if (reason := forbidden(importer, name))}
    assert broken == {}


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("flows.impervious_change", "containers.gdal.align"),
        ("tasks.gdal", "containers.gdal.align"),
        ("tasks.store", "flows.cli"),
        ("containers.gdal.align", "prefect"),
        ("containers.tensorflow.train", "containers.gdal.cube"),
    ],
)
def test_planted_violations_are_found(importer: str, imported: str) -> None:
    assert forbidden(importer, imported) is not None


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_sizes(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300, "a file this long holds two things"
    too_long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 40
    }
    assert too_long == {}
    assert path.stem not in {"utils", "helpers", "misc", "common"}


def contracts() -> list[type]:
    """Every step's parameter class."""
    from containers.base.contract.step import StepParams

    for path in (ROOT / "containers").glob("*/contract/*.py"):
        importlib.import_module(module_of(path))
    found: list[type] = []
    waiting = [StepParams]
    while waiting:
        for child in waiting.pop().__subclasses__():
            waiting.append(child)
            if "step" in child.__dict__ and child.__module__.startswith("containers."):
                found.append(child)
    return sorted(found, key=lambda params: params.step)


@pytest.mark.parametrize("params", contracts(), ids=lambda params: params.step)
def test_a_step_stands_in_every_room(params: type) -> None:
    image, stem = params.step.split(".")
    assert (ROOT / "containers" / image / f"{stem}.py").is_file(), "the step's file"
    assert (ROOT / "tests" / "containers" / image / f"test_{stem}.py").is_file(), "the step's test"
    if image != "eodata":
        assert params.__name__ in (ROOT / "tasks" / f"{image}.py").read_text(), "the step's task"
    for name, field in params.model_fields.items():
        numeric = field.annotation in (int, float)
        assert not numeric or field.metadata or name == "seed", f"{name} has no bounds"


def test_contracts_are_found() -> None:
    assert len(contracts()) >= 14


def test_flow_files_hold_no_models() -> None:
    for path in (ROOT / "flows").glob("*.py"):
        classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
        bases = [base for node in classes for base in node.bases]
        assert bases == [], f"{path.name} defines a model, which Prefect would load twice"


def test_no_flow_shadows_a_package() -> None:
    taken = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert not {path.stem for path in (ROOT / "flows").glob("*.py")} & taken


def test_every_entrypoint_loads() -> None:
    from prefect.flows import load_flow_from_entrypoint

    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert deployments
    for deployment in deployments:
        flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
        assert flow.name == deployment["entrypoint"].rsplit(".", 1)[-1]


def test_no_secret_or_mirror_in_the_locks() -> None:
    for lock in ROOT.rglob("requirements.lock"):
        if ".venv" not in lock.parts:
            text = lock.read_text()
            assert "://" not in text
            assert "--index" not in text
