"""One whole run of the tiny demo for every test that looks at its results; an archive by hand for bad input."""

import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tasks.archive_limit import ensure_archive_limit
from tasks.settings import get_settings
from tests.containers.conftest import docker_engine, image_ids
from tests.demo_run import ROOT, Demo, newest_folder
from tests.small_archive import SmallArchive

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["docker_engine", "image_ids"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The tiny demo by local processes: simulated archive, S3 on loopback, Prefect server, flow, product."""
    waiting = Demo(tmp_path_factory.mktemp("demo") / "state", "")
    finished = waiting.clearground("demo", "--profile", "tiny")
    try:
        assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-6000:]
        yield Demo(waiting.state, finished.stdout)
    finally:
        waiting.clearground("down")


@pytest.fixture(scope="session")
def contained(
    demo: Demo,
    tmp_path_factory: pytest.TempPathFactory,
    docker_engine: "DockerClient",
    image_ids: dict[str, str],
) -> Iterator[Demo]:
    """The same job by containers: the embedded run's archive in the Ceph gateway, and the embedded run's model."""
    bare = Demo(tmp_path_factory.mktemp("contained") / "state", "", runner="docker")
    archive = newest_folder(demo, "eodata.simulate")
    try:
        served = bare.clearground("eodata", "up", "--archive", str(archive))
        assert served.returncode == 0, served.stdout + served.stderr
        variables = exported(bare)
        params = bare.state / "params.yaml"
        params.write_text(yaml.safe_dump(tiny_job(variables["CLEARGROUND_CATALOGUE"], archive, demo.product / "model")))
        whole = replace(bare, command=("run", "impervious_change", str(params)), variables=variables)
        finished = whole.clearground(*whole.command)
        assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-5000:]
        yield whole
    finally:
        bare.clearground("down", "--forget")
    kept = [*docker_engine.networks.list(), *docker_engine.volumes.list()]
    assert whole.variables["CLEARGROUND_STEP_NETWORK"] not in {thing.name for thing in kept}


def exported(demo: Demo) -> dict[str, str]:
    """The variables that the local EODATA has written for a shell."""
    lines = (demo.state / "eodata.env").read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def tiny_job(catalogue: str, archive: Path, model: Path) -> dict[str, Any]:
    """The tiny demo's parameters with a STAC catalogue, and a model instead of training."""
    template = string.Template((ROOT / "deployments" / "parameters" / "impervious_change.tiny.yaml").read_text())
    places = {"PROVIDER": "stac", "CATALOGUE": catalogue, "ARCHIVE": str(archive)}
    variables = {f"CLEARGROUND_{name}": value for name, value in places.items()}
    values: dict[str, Any] = yaml.safe_load(template.substitute(variables))
    return {**values, "model_href": str(model.resolve())}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: None) -> Iterator[SmallArchive]:
    """An archive of nothing yet, an empty store, and the limit that steps which read the archive ask for."""
    for name, value in {"STORE": tmp_path / "store", "SCRATCH": tmp_path / "scratch"}.items():
        monkeypatch.setenv(f"CLEARGROUND_{name}", str(value))
    get_settings.cache_clear()
    ensure_archive_limit(get_settings())
    yield SmallArchive(tmp_path)
    get_settings.cache_clear()
