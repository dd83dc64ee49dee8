"""What code would make a result: an edit that cannot change it, such as of a comment, leaves the id as it is."""

import ast
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from containers.base.contract.step import StepError, StepParams


class Code(NamedTuple):
    """What a step's result depends on beside its parameters."""

    id: str
    tools: str
    """Versions, for people."""


Sources = Callable[[str], bytes | None]
"""The bytes of a file below the folder that holds `containers/`; None where there is none."""

_PARSER = threading.Lock()
_VERSION_COMMANDS = {"gdal": ("gdalinfo", "--version"), "grass": ("grass", "--config", "version")}
"""The program that an image is named after, and how it tells its version."""


def folder_sources(root: Path) -> Sources:
    """The sources of a checkout."""

    def read(path: str) -> bytes | None:
        source = root / path
        return source.read_bytes() if source.is_file() else None

    return read


def code_id(params: type[StepParams], sources: Sources, versions: str) -> str:
    """Hash of the step's syntax tree and those of its imports, its data files, its lock, and the tools' versions."""
    image, _ = params.step.split(".", 1)
    digest = hashlib.sha256(versions.encode())
    for module in sorted(imported_modules(f"containers.{params.step}", sources)):
        digest.update(f"\n{module} {_tree_id(_read_module(module, sources) or b'')}".encode())
    for name in (*params.data_files, "requirements.lock"):
        content = sources(f"containers/{image}/{name}")
        if content is None and name in params.data_files:
            raise StepError("missing_file", f"containers/{image}/{name} is absent.", "Restore it from the repository.")
        digest.update(f"\n{name} {hashlib.sha256(content or b'').hexdigest()}".encode())
    return digest.hexdigest()


def imported_modules(module: str, sources: Sources) -> set[str]:
    """The module and every `containers.…` module that it imports, directly or through others."""
    if _read_module(module, sources) is None:
        raise StepError("missing_file", f"there is no step module {module}.", "Build the image again: make images.")
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        source = _read_module(name, sources)
        if name in found or source is None:
            continue
        found.add(name)
        waiting += [imported for imported in _imports(source, name) if imported.startswith("containers.")]
    return found


def _read_module(module: str, sources: Sources) -> bytes | None:
    path = module.replace(".", "/")
    source = sources(f"{path}.py")
    return source if source is not None else sources(f"{path}/__init__.py")


@lru_cache(maxsize=512)
def _imports(source: bytes, module: str) -> tuple[str, ...]:
    """Full names of what a module imports; of `from package import name`, the package and the possible submodule."""
    return tuple(_imported_names(source, module))


def _parsed(source: bytes) -> ast.Module:
    # CPython 3.11 keeps the parser's recursion depth in one place for all threads (python/cpython#106905).
    with _PARSER:
        return ast.parse(source)


def _imported_names(source: bytes, module: str) -> Iterator[str]:
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@lru_cache(maxsize=512)
def _tree_id(source: bytes) -> str:
    return hashlib.sha256(repr(_meaning(_parsed(source))).encode()).hexdigest()


def _meaning(node: object) -> object:
    """A syntax tree as nested tuples, without positions, documentation, or what differs between Python versions."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field":
        keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        return "Field", _meaning(node.args), _meaning(keywords)
    if isinstance(node, ast.AST):
        fields = ((name, _meaning(value)) for name, value in ast.iter_fields(node) if value not in (None, []))
        return type(node).__name__, *fields
    if isinstance(node, list):
        return [_meaning(item) for item in node if not _is_text(item)]
    return node


def _is_text(node: object) -> bool:
    """A docstring, or a bare string after a field."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def local_versions(params: type[StepParams], sources: Sources) -> str:
    """Versions of Python, of the packages that the step imports, and of its image's program, on this machine."""
    modules = imported_modules(f"containers.{params.step}", sources)
    packages = sorted({package for module in modules for package in _packages_of(module, sources)})
    program = _program_version(*_VERSION_COMMANDS.get(params.step.split(".", 1)[0], ()))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return repr(("local", python, [(name, importlib.metadata.version(name)) for name in packages], program))


def _packages_of(module: str, sources: Sources) -> Iterator[str]:
    for name in _imports(_read_module(module, sources) or b"", module):
        if not name.startswith("containers"):
            yield from _distributions().get(name.split(".")[0], ())


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return {name: sorted(set(packages)) for name, packages in importlib.metadata.packages_distributions().items()}


@lru_cache(maxsize=8)
def _program_version(*command: str) -> str:
    """What the program says of itself; empty where there is none: a step that needs it fails by itself."""
    program = shutil.which(command[0]) if command else None
    if program is None:
        return ""
    answer = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    return answer.stdout.strip()
