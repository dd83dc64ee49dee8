"""The eodata container of this checkout: a real Ceph object gateway and STAC API over the simulated archive.

It is reached at its address on the checkout's own Docker network, which is the same from the host and from steps,
and after a kill the same as before: runs that wait for it need not be told a new one.
"""

import secrets
import time
import zlib
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import docker
from docker.errors import DockerException, NotFound
from docker.types import IPAMConfig, IPAMPool

from containers.base.contract.step import StepError
from tasks import checkout, images
from tasks.settings import get_settings

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.networks import Network

_S3_PORT, _STAC_PORT = 8000, 8080
_READY_FILE: Final = "/run/eodata/ready"
_START_S: Final = 180.0
_KEY_FILE: Final = checkout.STATE / "gateway.key"
_TAIL_LINES: Final = 20


class Gateway(NamedTuple):
    """Where the running gateway is reached, and its keys."""

    s3_host: str
    stac_url: str
    network: str
    access_key_id: str
    secret_access_key: str


def start(archive: Path) -> Gateway:
    """Start the gateway over this archive folder, or find it running. Raises no_image, or crashed with its log."""
    engine = docker.from_env()
    address = str(_subnet_of(_network(engine))[2])
    container = _running(engine, archive) or _create(engine, archive, address)
    _await_ready(container)
    key_id, secret = _keys()
    return Gateway(f"{address}:{_S3_PORT}", f"http://{address}:{_STAC_PORT}", _name(), key_id, secret)


def stop() -> list[str]:
    """Stop the gateway; its volume keeps the objects. The names of what was stopped."""
    with suppress(DockerException):
        container = docker.from_env().containers.get(_name())
        container.remove(force=True)
        return ["eodata"]
    return []


def forget() -> None:
    """Remove the stopped gateway's volume, with all objects, and its network."""
    with suppress(DockerException):
        engine = docker.from_env()
        for volume in engine.volumes.list(filters={"name": _name()}):
            volume.remove()
        for network in engine.networks.list(names=[_name()]):
            network.remove()


def _name() -> str:
    return f"clearground-eodata-{zlib.crc32(str(checkout.STATE).encode()):08x}"


def _network(engine: "DockerClient") -> "Network":
    """The checkout's network. Steps get addresses from its upper half, so that none takes a dead gateway's.

    An address can be asked for only in a subnet that was asked for, too: the engine is let choose a free one first.
    """
    for found in engine.networks.list(names=[_name()]):
        return found
    trial = engine.networks.create(_name(), driver="bridge")
    subnet = _subnet_of(trial)
    trial.remove()
    _, for_steps = subnet.subnets()
    pool = IPAMPool(subnet=str(subnet), iprange=str(for_steps), gateway=str(subnet[1]))
    return engine.networks.create(_name(), driver="bridge", ipam=IPAMConfig(pool_configs=[pool]))


def _subnet_of(network: "Network") -> IPv4Network:
    return IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])


def _keys() -> tuple[str, str]:
    """Throw-away keys of the local gateway, made once."""
    if not _KEY_FILE.is_file():
        _KEY_FILE.parent.mkdir(parents=True, exist_ok=True)
        _KEY_FILE.touch(mode=0o600)
        _KEY_FILE.write_text(secrets.token_hex(10) + " " + secrets.token_hex(20))
    key_id, secret = _KEY_FILE.read_text().split()
    return key_id, secret


def _running(engine: "DockerClient", archive: Path) -> "Container | None":
    try:
        container = engine.containers.get(_name())
    except NotFound:
        return None
    if container.status == "running" and container.labels.get("clearground.archive") == str(archive):
        return container
    container.remove(force=True)
    return None


def _create(engine: "DockerClient", archive: Path, address: str) -> "Container":
    key_id, secret = _keys()
    return engine.containers.run(
        images.find(engine, get_settings(), "eodata"),
        name=_name(),
        detach=True,
        init=True,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "mode=1777", "/run/eodata": "uid=65532,gid=65532"},  # noqa: S108 - the container's own
        network=_name(),
        networking_config={_name(): engine.api.create_endpoint_config(ipv4_address=address)},
        environment={"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret},
        labels={"clearground": "eodata", "clearground.archive": str(archive)},
        volumes={
            _name(): {"bind": "/var/lib/eodata", "mode": "rw"},
            str(archive): {"bind": "/archive", "mode": "ro"},
        },
    )


def _await_ready(container: "Container") -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        container.reload()
        if container.status != "running":
            break
        if container.exec_run(["test", "-e", _READY_FILE]).exit_code == 0:
            return
        time.sleep(0.5)
    tail = container.logs(tail=_TAIL_LINES).decode(errors="replace")
    raise StepError(
        "crashed",
        f"the eodata container is not ready after {_START_S:.0f} s: {tail}",
        "Run `make down`, then try again.",
    )
