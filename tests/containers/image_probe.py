"""Runs inside an image under test, and tells on standard output what it finds there."""

import contextlib
import hashlib
import importlib
import json
import os
import pkgutil
import sys
from pathlib import Path


def import_error(module: str) -> str | None:
    with contextlib.redirect_stdout(sys.stderr):
        try:
            importlib.import_module(module)
        except ImportError as error:
            return str(error)
    return None


def shared_objects(stem: str) -> list[str]:
    """Versioned libraries of this name anywhere in the image, links resolved."""
    roots = (Path("/usr"), Path("/opt"))
    return sorted({str(path.resolve()) for root in roots for path in root.rglob(f"lib{stem}*.so.*")})


def writable_places() -> list[str]:
    return [
        place for place in ("/", "/opt", "/opt/clearground", "/opt/venv", "/usr", "/etc") if os.access(place, os.W_OK)
    ]


def main() -> None:
    containers = importlib.import_module("containers")
    versions = Path("/opt/clearground/versions.json").read_bytes()
    report = {
        "uid": os.getuid(),
        "python": sys.executable,
        "writable": writable_places(),
        "gdal": shared_objects("gdal"),
        "numpy": sorted(
            str(path) for root in ("/usr/lib/python3", "/opt") for path in Path(root).rglob("numpy/version.py")
        ),
        "rooms": sorted(module.name for module in pkgutil.iter_modules(containers.__path__) if module.ispkg),
        "import_errors": {module: reason for module in sys.argv[1:] if (reason := import_error(module))},
        "versions": json.loads(versions),
        "versions_sha256": hashlib.sha256(versions).hexdigest(),
        "secrets": sorted(name for name in os.environ if name.startswith("AWS_")),
        "crs": importlib.import_module("pyproj").CRS.from_epsg(3035).name,
        "pip": Path("/opt/venv/bin/pip").exists(),
    }
    print(json.dumps(report))


main()
