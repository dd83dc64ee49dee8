"""Which image a step runs in: what this checkout has built, what the engine has by tag, or what the registry has."""

import json
from typing import TYPE_CHECKING

from docker.errors import APIError, ImageNotFound

from containers.base.contract.step import StepError
from tasks import checkout
from tasks.settings import Settings

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image


def reference(settings: Settings, name: str, *, has_gpu: bool = False) -> str:
    """The image's name: `[registry/]clearground/<name>:<tag>`."""
    registry = f"{settings.registry.rstrip('/')}/" if settings.registry else ""
    variant = "-gpu" if has_gpu else ""
    return f"{registry}clearground/{name}:{settings.image_tag}{variant}"


def find(engine: "DockerClient", settings: Settings, name: str, *, has_gpu: bool = False) -> "Image":
    """The image, pulled where a registry is named. Raises no_image, or the transient image_pull."""
    wanted = reference(settings, name, has_gpu=has_gpu)
    for candidate in (_built_here(name, wanted), wanted):
        if candidate:
            try:
                return engine.images.get(candidate)
            except ImageNotFound:
                continue
    if not settings.registry:
        raise StepError(
            "no_image", f"the engine has no image {wanted}.", f"Build it: make images, or build only {name}."
        )
    return _pull(engine, wanted)


def _built_here(name: str, wanted: str) -> str | None:
    """The id of this checkout's own build, so that two checkouts with one tag never run each other's code."""
    notes = checkout.STATE / "images.json"
    if not notes.is_file():
        return None
    note = json.loads(notes.read_text()).get(name, {})
    return str(note["id"]) if note.get("image") == wanted else None


def _pull(engine: "DockerClient", wanted: str) -> "Image":
    try:
        repository, _, tag = wanted.rpartition(":")
        return engine.images.pull(repository, tag)
    except ImageNotFound as error:
        raise StepError("no_image", f"the registry has no image {wanted}.", "Push it: make images-push.") from error
    except APIError as error:
        raise StepError(
            "image_pull", f"{wanted} cannot be pulled: {error.explanation}.", "It is tried again."
        ) from error
