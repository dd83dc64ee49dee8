"""The demonstration: a simulated archive, a job over it, and where to look at the result."""

from collections.abc import Callable
from typing import Final, NamedTuple

from rich.console import Console

from flows.foreground import read_parameters, run_flow
from tasks import checkout, eodata, services
from tasks.headlines import print_table
from tasks.product import Publication
from tasks.vegetation_tables import print_seasons

PARAMETERS: Final = checkout.ROOT / "deployments" / "parameters"


class Job(NamedTuple):
    """What a flow's demonstration runs on, and how its table is printed."""

    profile: str
    print_table: Callable[[Publication, Console], None]


JOBS: Final = {
    "impervious_change": Job("demo", print_table),
    "vegetation_productivity": Job("vegetation", print_seasons),
}


def run(flow: str, profile: str, console: Console) -> Publication:
    """Serve the profile's archive, run the flow over it, print its table and places."""
    job = JOBS[flow]
    profile = profile or job.profile
    console.rule(f"Clearground demo, {flow}, profile {profile}: simulated data")
    with console.status("Simulated archive: a minute the first time"):
        eodata.up(profile)  # names its places in the environment
    publication: Publication = run_flow(flow, read_parameters(PARAMETERS / f"{flow}.{profile}.yaml"), console)
    job.print_table(publication, console)
    ui = services.prefect_server().ready_url.removesuffix("/api/health")
    for what, place in (("Report", publication.report), ("Map", publication.map), ("Prefect UI", ui)):
        console.print(f"[bold]{what:<11}[/]{place}", soft_wrap=True)
    return publication
