"""The `clearground` command, which the make targets call."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from containers.base.contract.step import StepError
from flows import cli_masks, cli_pastures
from tasks import checkout

checkout.use_own_prefect()

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
eodata = typer.Typer(no_args_is_help=True, help="The local stand-in for Creodias: S3, catalogue, simulated archive.")
store_app = typer.Typer(no_args_is_help=True, help="The artifact store.")
app.add_typer(eodata, name="eodata")
app.add_typer(store_app, name="store")
app.add_typer(cli_masks.app, name="masks")
app.add_typer(cli_pastures.app, name="pastures")
console = Console()

Profile = Annotated[str, typer.Option(help="Profile of the simulated archive: tiny, demo or full.")]
ArchiveFolder = Annotated[
    Path | None, typer.Option("--archive", help="Folder that containers.eodata.simulate has written.", file_okay=False)
]
ParamsFile = Annotated[
    Path, typer.Argument(help="YAML or JSON file of the flow's parameters.", exists=True, dir_okay=False)
]
FlowName = Annotated[str, typer.Argument(help="Name of the flow, such as impervious_change.")]


@app.command()
def demo(
    flow: Annotated[str, typer.Option(help="Flow to show; the README lists them.")] = ("impervious_change"),
    profile: Annotated[str, typer.Option(help="Profile of the simulated archive; empty: the flow's own.")] = "",
) -> None:
    """Run a job on the simulated archive and print the table per region and year."""
    from flows import demo as demonstration

    if flow not in demonstration.PROFILES:
        raise typer.BadParameter(f"{flow} has no demo; those that have: {', '.join(demonstration.PROFILES)}")
    demonstration.run(flow, profile, console)


@app.command()
def run(
    flow: FlowName,
    params: ParamsFile,
    until: Annotated[str, typer.Option(help="Last stage to run, for flows that have stages; empty: all.")] = "",
) -> None:
    """Run a flow in the foreground, against the archive that the environment names."""
    from flows.foreground import read_parameters, run_flow

    outcome = run_flow(flow, read_parameters(params) | ({"until": until} if until else {}), console)
    console.print(str(outcome), soft_wrap=True)


@app.command()
def tensorboard() -> None:
    """Watch the trainings of this checkout in TensorBoard, in the foreground."""
    from tasks import side_files
    from tasks.settings import get_settings

    command = str(Path(sys.executable).with_name("tensorboard"))
    os.execv(command, [command, "--logdir", str(get_settings().scratch / side_files.FOLDER)])  # noqa: S606 - no shell


@app.command()
def plan(flow: FlowName, params: ParamsFile) -> None:
    """Scenes, bytes, minutes and quota share of a run, before anything is read."""
    from flows.foreground import plan_flow, read_parameters

    plan_flow(flow, read_parameters(params), console)


@app.command()
def server() -> None:
    """Start this checkout's Prefect server in the background."""
    from tasks import services

    service = services.prefect_server()
    started = services.start(service)
    console.print(
        f"Prefect UI {'started' if started else 'runs already'}: {service.ready_url.removesuffix('/api/health')}"
    )


@app.command()
def down(
    forget: Annotated[bool, typer.Option(help="Also remove what the local EODATA keeps in the engine.")] = False,
) -> None:
    """Stop every service of this checkout."""
    from tasks import gateway, services

    stopped = [*services.stop_all(), *gateway.stop()]
    if forget:
        gateway.forget()
    console.print("Stopped: " + (", ".join(stopped) or "nothing was running"))


@app.command()
def deploy() -> None:
    """Register the deployments of prefect.yaml with this checkout's server. Idempotent."""
    from tasks import deployments

    deployments.register()


@app.command()
def worker() -> None:
    """Run a worker of the process pool in the foreground, until interrupted."""
    from tasks import deployments

    deployments.run_worker()


@app.command()
def doctor() -> None:
    """Say which runner would be used and what it lacks."""
    from tasks.runner import choose_runner
    from tasks.settings import get_settings

    console.print(f"Steps would run by the {choose_runner(get_settings()).kind} runner; everything it needs is here.")


@eodata.command("up")
def eodata_up(profile: Profile = "demo", archive_folder: ArchiveFolder = None) -> None:
    """Start the local EODATA with the simulated archive of a profile, or with an archive folder made before."""
    from tasks import eodata as local_eodata

    archive = local_eodata.serve(archive_folder) if archive_folder else local_eodata.up(profile)
    console.print(f"S3 at {archive.variables['AWS_S3_ENDPOINT']}, catalogue {archive.catalogue}")
    console.print(f"Variables for your shell: . {local_eodata.VARIABLES}")


@eodata.command("down")
def eodata_down() -> None:
    """Stop the local EODATA; the archive stays on disk."""
    from tasks import eodata as local_eodata

    console.print("Stopped: " + (", ".join(local_eodata.down()) or "nothing was running"))


@store_app.command("status")
def store_status() -> None:
    """Artifacts and bytes per step."""
    from tasks.settings import get_settings
    from tasks.store import open_store

    console.print(str(open_store(get_settings()).status()))


@store_app.command("verify")
def store_verify() -> None:
    """Read every artifact again and compare its checksum."""
    from tasks.settings import get_settings
    from tasks.store import open_store

    damaged = list(open_store(get_settings()).verify())
    for problem in damaged:
        console.print(str(problem))
    if damaged:
        raise typer.Exit(1)
    console.print("Every artifact has its size and checksum.")


@store_app.command("gc")
def store_gc(keep_days: float = 30, dry_run: bool = False) -> None:
    """Remove what no published product descends from."""
    from tasks.settings import get_settings
    from tasks.store import open_store

    console.print(str(open_store(get_settings()).gc(keep_days=keep_days, dry_run=dry_run)))


def main() -> None:
    """Entry point: a coded error ends with its sentence, not with a traceback."""
    try:
        app()
    except StepError as error:
        Console(stderr=True).print(f"[bold red]{error.code}[/]: {error.reason}\n[bold]Remedy:[/] {error.hint}")
        raise SystemExit(os.EX_SOFTWARE) from None


if __name__ == "__main__":
    main()
