"""The demonstration: a simulated archive, a job over it, and where to look at the result."""

from collections.abc import Callable
from typing import Final

from rich.console import Console

from flows.foreground import read_parameters, run_flow
from tasks import checkout, eodata, services
from tasks.pastures.tables import print_pastures
from tasks.publishing.headlines import print_table
from tasks.publishing.product import Publication
from tasks.vegetation.tables import print_seasons

PARAMETERS: Final = checkout.ROOT / "deployments" / "parameters"


PROFILES: Final = {
    "impervious_change": "demo",
    "vegetation_productivity": "vegetation",
    "cloud_removal": "cloud_removal",
    "pasture_types": "pastures",
}
"""Flow to the archive that its demonstration runs on."""
_TABLES: Final[dict[str, Callable[[Publication, Console], None]]] = {
    "impervious_change": print_table,
    "vegetation_productivity": print_seasons,
    "cloud_removal": print_table,
    "pasture_types": print_pastures,
}


def run(flow: str, profile: str, console: Console) -> Publication:
    """Serve the profile's archive, run the flow over it, print its table and places."""
    profile = profile or PROFILES[flow]
    console.rule(f"Clearground demo, {flow}, profile {profile}: simulated data")
    with console.status("Simulated archive: a minute the first time"):
        eodata.up(profile)  # names its places in the environment
    publication: Publication = run_flow(flow, read_parameters(PARAMETERS / f"{flow}.{profile}.yaml"), console)
    _TABLES[flow](publication, console)
    ui = services.prefect_server().ready_url.removesuffix("/api/health")
    for what, place in (("Report", publication.report), ("Map", publication.map), ("Prefect UI", ui)):
        console.print(f"[bold]{what:<11}[/]{place}", soft_wrap=True)
    return publication
