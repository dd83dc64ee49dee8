"""`containers/engine.sh` on machines that differ in what they have and may do, played by programs on PATH."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

ENGINE = ROOT / "containers" / "engine.sh"
DOCKER = """#!/bin/sh
echo "$*" >> {calls}
case "$1" in
version) exit {no_engine} ;;
image) exit {no_image} ;;
pull) exit {no_registry} ;;
esac
exit 9
"""


def ensure(folder: Path, *, engine: bool, image: bool, registry: bool) -> tuple[int, str, list[str]]:
    """Exit status, messages and calls of Docker, for a user without rights."""
    calls = folder / "calls"
    calls.touch()
    programs = {
        "docker": DOCKER.format(
            calls=calls, no_engine=int(not engine), no_image=int(not image), no_registry=int(not registry)
        ),
        "id": "#!/bin/sh\necho 1000\n",
        "apt-get": "#!/bin/sh\nexit 100\n",
    }
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    done = subprocess.run([ENGINE], capture_output=True, text=True, env={"PATH": f"{folder}:/usr/bin:/bin"})
    return done.returncode, done.stderr, [line.split()[0] for line in calls.read_text().splitlines()]


def test_nothing_is_done_where_nothing_is_missing(tmp_path: Path) -> None:
    status, messages, calls = ensure(tmp_path, engine=True, image=True, registry=True)
    assert status == 0
    assert "ready" in messages
    assert "pull" not in calls


def test_the_base_image_is_pulled_where_a_registry_answers(tmp_path: Path) -> None:
    status, _, calls = ensure(tmp_path, engine=True, image=False, registry=True)
    assert status == 0
    assert calls.count("pull") == 1


@pytest.mark.parametrize(
    ("engine", "ways_out"),
    [
        (False, ("make engine", "RUNNER=local")),
        (True, ("docker pull debian:trixie-slim", "make engine", "RUNNER=local")),
    ],
)
def test_who_may_not_install_is_told_the_ways_out(tmp_path: Path, engine: bool, ways_out: tuple[str, ...]) -> None:
    status, messages, _ = ensure(tmp_path, engine=engine, image=False, registry=False)
    assert status == 1
    for way in ways_out:
        assert way in messages
