"""The image snap is built only by name, with the digest of its installer from the environment."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCKER = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
*--format*) echo 25 ;;
*" -") cat > /dev/null ;;
esac
"""


@pytest.fixture
def build(tmp_path: Path):
    """Runs build.sh in a copy of the checkout with a client that only notes what it is told."""
    shutil.copytree(ROOT / "containers", tmp_path / "containers", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "containers" / "engine.sh").write_text("#!/bin/sh\n")
    log = tmp_path / "told.txt"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER.format(log=log))
    program.chmod(0o755)

    def run(*arguments: str, **variables: str) -> list[str]:
        environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)} | variables
        command = [tmp_path / "containers" / "build.sh", "local", *arguments]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        return [line for line in log.read_text().splitlines() if line.startswith("build --target")]

    return run


def test_snap_is_told_version_and_digest_by_the_environment(build) -> None:
    (told,) = build("snap", SNAP_SHA256="0" * 64)
    assert "--build-arg SNAP_VERSION --build-arg SNAP_SHA256" in told
    assert "containers/snap/Dockerfile" in told


def test_the_default_list_has_no_snap(build) -> None:
    told = build()
    assert len(told) == 5
    assert not any("snap" in line.lower() for line in told)


@pytest.mark.parametrize(("digest", "passes"), [("", False), ("0" * 64, True)])
def test_without_a_digest_the_build_says_what_is_missing(digest: str, passes: bool) -> None:
    dockerfile = (ROOT / "containers" / "snap" / "Dockerfile").read_text().replace("\\\n", " ")
    check = next(line.removeprefix("RUN ") for line in dockerfile.splitlines() if line.startswith("RUN test -n"))
    variables = {"PATH": os.environ["PATH"], "SNAP_VERSION": "13.0.0", "SNAP_SHA256": digest}
    done = subprocess.run(["sh", "-c", check], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == passes
    assert passes or "Set SNAP_SHA256" in done.stderr


def test_address_of_the_installer() -> None:
    dockerfile = (ROOT / "containers" / "snap" / "Dockerfile").read_text()
    address = re.search(r'"(https://[^"]+)"', dockerfile)
    assert address is not None
    script = f'SNAP_VERSION=13.0.0; installer=esa-snap_sentinel_linux-13.0.0.sh; echo "{address[1]}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    expected = "https://download.esa.int/step/snap/13.0/installers/esa-snap_sentinel_linux-13.0.0.sh"
    assert done.stdout.strip() == expected
