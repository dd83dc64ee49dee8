"""What belongs to this checkout alone: its state folder, its ports, its Prefect home.

A user's own Prefect profile, or a second checkout, never meets it.
"""

import json
import os
import socket
import zlib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
STATE = Path(os.environ.get("CLEARGROUND_STATE", ROOT / ".clearground"))
_FIRST_PORT, _PORT_BLOCKS, _BLOCK = 20_000, 1_200, 10


class Ports(NamedTuple):
    """TCP ports on 127.0.0.1."""

    prefect: int
    s3: int
    stac: int


def ports() -> Ports:
    """This checkout's ports: remembered, else the first free block counted from the hash of its path."""
    remembered = STATE / "ports.json"
    if remembered.is_file():
        return Ports(**json.loads(remembered.read_text()))
    start = zlib.crc32(str(STATE).encode()) % _PORT_BLOCKS
    for offset in range(_PORT_BLOCKS):
        first = _FIRST_PORT + (start + offset) % _PORT_BLOCKS * _BLOCK
        if all(_is_free(first + position) for position in range(len(Ports._fields))):
            chosen = Ports(*range(first, first + len(Ports._fields)))
            STATE.mkdir(parents=True, exist_ok=True)
            remembered.write_text(json.dumps(chosen._asdict()))
            return chosen
    raise OSError(f"no free block of {_BLOCK} ports from {_FIRST_PORT} on")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def prefect_environment() -> dict[str, str]:
    """Settings of this checkout's own Prefect server and of everything that talks to it."""
    home = STATE / "prefect"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_URL": f"http://127.0.0.1:{ports().prefect}/api",
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "storage"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    }


def use_own_prefect() -> None:
    """Point this process at the checkout's server, unless the user has chosen one (`PREFECT_API_URL`).

    Must run before prefect is imported.
    """
    chosen = os.environ.get("PREFECT_API_URL")
    os.environ.update(prefect_environment())
    if chosen:
        os.environ["PREFECT_API_URL"] = chosen
