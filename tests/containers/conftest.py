"""What the tests of images share. Fixtures import late: inside an image there is no library of the engine's."""

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from docker import DockerClient


def absent(what: str) -> None:
    """Skip, or fail where container tests are mandatory."""
    if os.environ.get("CONTAINERS") == "required":
        pytest.fail(f"{what}, but CONTAINERS=required")
    pytest.skip(what)


@pytest.fixture(scope="session")
def docker_engine() -> "DockerClient":
    """The Docker engine of this machine."""
    import docker

    try:
        engine = docker.from_env(timeout=120)
        engine.ping()
    except docker.errors.DockerException as error:
        absent(f"no Docker engine answers ({error})")
    return engine


@pytest.fixture(scope="session")
def image_ids(docker_engine: "DockerClient") -> dict[str, str]:
    """Image name to the id that the runner would use."""
    from containers.base.contract.step import StepError
    from tasks import images
    from tasks.settings import Settings

    try:
        names = ("gdal", "grass", "tensorflow", "eodata")
        return {name: str(images.find(docker_engine, Settings(), name).id) for name in names}
    except StepError as error:
        absent(str(error))
        raise
