"""The images: unprivileged, one of each library, only their own code; and built only when something changed."""

import importlib
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from containers.base.contract.step import StepParams
from tests.conftest import ROOT

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.container
IMAGES = ("gdal", "grass", "tensorflow", "eodata")
USER = 65532
PROBE = Path(__file__).with_name("image_probe.py")


def steps_of(image: str) -> list[str]:
    """The step modules that contracts promise in this image."""
    for path in (ROOT / "containers" / image / "contract").glob("*.py"):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found, waiting = set(), [StepParams]
    while waiting:
        for child in waiting.pop().__subclasses__():
            waiting.append(child)
            found.add(child.__dict__.get("step", ""))
    return sorted(f"containers.{step}" for step in found if step.startswith(f"{image}."))


@pytest.fixture(scope="module")
def reports(docker_engine: "DockerClient", image_ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What the probe finds in each image, run as the runner runs steps."""
    found = {}
    for image in IMAGES:
        output = docker_engine.containers.run(
            image_ids[image],
            ["python", "/probe.py", *steps_of(image)],
            volumes={str(PROBE): {"bind": "/probe.py", "mode": "ro"}},
            environment={"HOME": "/tmp", "TF_CPP_MIN_LOG_LEVEL": "3"},
            tmpfs={"/tmp": "mode=1777"},
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            remove=True,
        )
        found[image] = json.loads(output.splitlines()[-1])
    return found


@pytest.mark.parametrize("image", IMAGES)
def test_runs_unprivileged(reports: dict[str, dict[str, Any]], image: str) -> None:
    report = reports[image]
    assert report["uid"] == USER
    assert report["writable"] == []
    assert report["secrets"] == []
    assert report["pip"] is False


@pytest.mark.parametrize("image", IMAGES)
def test_every_step_imports(reports: dict[str, dict[str, Any]], image: str) -> None:
    assert steps_of(image)
    assert reports[image]["import_errors"] == {}


@pytest.mark.parametrize("image", IMAGES)
def test_holds_one_of_each_library(reports: dict[str, dict[str, Any]], image: str) -> None:
    report = reports[image]
    assert len(report["gdal"]) == 1, report["gdal"]
    assert len(report["numpy"]) == 1
    assert report["python"] == "/opt/venv/bin/python"
    assert report["crs"] == "ETRS89-extended / LAEA Europe"


@pytest.mark.parametrize("image", IMAGES)
def test_carries_only_its_own_code(reports: dict[str, dict[str, Any]], image: str) -> None:
    assert reports[image]["rooms"] == sorted(["base", image])


@pytest.mark.parametrize("image", IMAGES)
def test_labels_name_what_is_inside(
    docker_engine: "DockerClient", image_ids: dict[str, str], reports: dict[str, dict[str, Any]], image: str
) -> None:
    found = docker_engine.images.get(image_ids[image])
    assert found.labels["clearground.image"] == image
    assert found.labels["clearground.versions"] == f"sha256:{reports[image]['versions_sha256']}"
    assert found.attrs["Config"]["User"] == f"{USER}:{USER}"
    assert not found.attrs["Config"]["Entrypoint"]
    versions = reports[image]["versions"]
    assert versions["dpkg"]["libgdal36"].startswith("3.10")
    assert versions["python"]["pydantic"] >= "2.11"


@pytest.fixture
def copy_of_containers(tmp_path: Path, docker_engine: "DockerClient") -> Iterator[tuple[Path, str]]:
    """Another checkout with its own tag, whose images are removed afterwards."""
    shutil.copytree(ROOT / "containers", tmp_path / "containers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    tag = f"test-{uuid.uuid4().hex[:8]}"
    yield tmp_path, tag
    for image in ("gdal", "grass"):
        docker_engine.images.remove(f"clearground/{image}:{tag}", force=True)


def build(root: Path, tag: str) -> dict[str, bool]:
    """Image to whether it was built."""
    done = subprocess.run(
        [root / "containers" / "build.sh", tag, "gdal", "grass"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "CLEARGROUND_STATE": str(root / "state")},
    )
    return {image: f"building clearground/{image}:{tag}" in done.stdout for image in ("gdal", "grass")}


def test_builds_only_what_changed(copy_of_containers: tuple[Path, str], image_ids: dict[str, str]) -> None:
    root, tag = copy_of_containers
    assert build(root, tag) == {"gdal": True, "grass": True}
    assert build(root, tag) == {"gdal": False, "grass": False}
    with (root / "containers" / "gdal" / "__init__.py").open("a") as source:
        source.write(f"# {tag}\n")
    assert build(root, tag) == {"gdal": True, "grass": False}
    notes = json.loads((root / "state" / "images.json").read_text())
    assert notes["gdal"]["image"] == f"clearground/gdal:{tag}"
    assert notes["gdal"]["id"] != image_ids["gdal"]
