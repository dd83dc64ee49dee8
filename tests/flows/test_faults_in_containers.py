"""Kills and wrong keys while steps run in containers over a Ceph gateway: the same command goes on, nothing changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tasks.docker_runner import LABEL
from tasks.owner import Owner
from tests.demo_run import Demo, Lost, artifacts, forgotten, latest_runs, product_sums, remade, subjects_with
from tests.tasks.waiting import wait_until

if TYPE_CHECKING:
    import subprocess

    from docker import DockerClient
    from docker.models.containers import Container

pytestmark = [pytest.mark.container, pytest.mark.slow]
STEP_LIMIT_S = 300.0


def steps_of(engine: "DockerClient", run: "subprocess.Popen[bytes]") -> "list[Container]":
    """The step containers that a flow process has made and that are still there, running or not."""
    found = engine.containers.list(all=True, filters={"label": f"{LABEL}=step"}, ignore_removed=True)
    owners = [(container, Owner.model_validate_json(container.labels[f"{LABEL}.owner"])) for container in found]
    return [container for container, owner in owners if owner.pid == run.pid]


def running_step(engine: "DockerClient", run: "subprocess.Popen[bytes]", lost: Lost) -> "Container":
    """The container that makes an artifact, as soon as it runs."""
    key = "/".join(lost.record.parent.parts[-2:])
    running: list[Container] = []

    def is_there() -> bool:
        assert run.poll() is None, "the run ended before its step began"
        for container in steps_of(engine, run):
            makes_it = any(key in mount["Destination"] for mount in container.attrs["Mounts"])
            if makes_it and container.status == "running":
                running.append(container)
        return bool(running)

    wait_until(is_there, STEP_LIMIT_S, pause_s=0.05)
    return running[0]


def gateway_of(engine: "DockerClient", demo: Demo) -> "Container":
    """The demo's own gateway: other checkouts have theirs on the same engine."""
    [network] = engine.networks.list(names=[demo.variables["CLEARGROUND_STEP_NETWORK"]], greedy=True)
    [gateway] = [found for found in network.containers if found.labels.get(LABEL) == "eodata"]
    return gateway


def test_killed_container_then_killed_flow_then_done(contained: Demo, docker_engine: "DockerClient") -> None:
    before, product = artifacts(contained), product_sums(contained)
    with forgotten(contained, "gdal.composite") as lost:
        attempts = lost.attempts

        with contained.started() as run:
            running_step(docker_engine, run, lost).kill("SIGKILL")
            assert run.wait(STEP_LIMIT_S) != 0
        assert "gdal.composite was killed" in contained.log
        assert lost.attempts == attempts, "a killed step leaves nothing"
        assert steps_of(docker_engine, run) == []

        with contained.started() as run:
            orphan = running_step(docker_engine, run, lost)
            run.kill()
            run.wait()
        assert steps_of(docker_engine, run) == [orphan]
        assert not lost.record.exists()

        contained.run_again()
    assert steps_of(docker_engine, run) == []
    assert remade(contained, before) == {lost.record}
    assert product_sums(contained) == product
    [made_again] = subjects_with(contained, status="done")
    assert made_again.startswith("composite ")
    assert [run["state_type"] for run in latest_runs(contained, 3)] == ["COMPLETED", "CRASHED", "FAILED"]
    assert not list((contained.state / "scratch" / "jobs").iterdir())
    verified = contained.clearground("store", "verify")
    assert verified.returncode == 0, verified.stdout


@contextmanager
def another_step(engine: "DockerClient", gateway: "Container") -> Iterator[None]:
    """A container that joins the gateway's network while it is dead, as every step does that is tried meanwhile."""
    [network] = gateway.attrs["NetworkSettings"]["Networks"]
    other = engine.containers.run(gateway.image, ["sleep", "600"], network=network, detach=True, init=True)
    try:
        yield
    finally:
        other.remove(force=True)


def test_killed_gateway_comes_back_and_the_run_goes_on(contained: Demo, docker_engine: "DockerClient") -> None:
    before, product = artifacts(contained), product_sums(contained)
    gateway = gateway_of(docker_engine, contained)
    with forgotten(contained, "gdal.align") as lost, contained.started() as run:
        running_step(docker_engine, run, lost)
        gateway.kill("SIGKILL")
        with another_step(docker_engine, gateway):
            wait_until(lambda: lost.aligned_scene in subjects_with(contained, status="failed"), STEP_LIMIT_S, 0.5)
            up = contained.clearground("eodata", "up", "--archive", gateway.labels[f"{LABEL}.archive"])
            assert up.returncode == 0, up.stdout + up.stderr
            assert run.wait(STEP_LIMIT_S) == 0, contained.log[-3000:]
    assert gateway_of(docker_engine, contained) != gateway
    assert remade(contained, before) == {lost.record}
    assert subjects_with(contained, status="done") == {lost.aligned_scene}, "its heirs are the same, and reused"
    assert product_sums(contained) == product
    assert steps_of(docker_engine, run) == []


def test_wrong_keys_end_the_run_before_any_step(contained: Demo) -> None:
    before = artifacts(contained)
    attempts = set((contained.state / "store").glob("*.*/*/*"))
    stranger = replace(contained, variables=contained.variables | {"AWS_SECRET_ACCESS_KEY": "a-wrong-secret"})
    with stranger.started() as run:
        assert run.wait(STEP_LIMIT_S) != 0
    assert "access_denied" in stranger.log
    assert "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in stranger.log
    assert "a-wrong-secret" not in stranger.log
    [flow_run] = latest_runs(contained, 1)
    assert flow_run["state_type"] == "FAILED"
    [search] = latest_runs(contained, 1, "task")
    assert (search["flow_run_id"], search["name"][:11]) == (flow_run["id"], "find scenes")
    assert search["run_count"] == 1, "keys that are wrong now are wrong in a minute, too"
    assert artifacts(contained) == before
    assert set((contained.state / "store").glob("*.*/*/*")) == attempts
