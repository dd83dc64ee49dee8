"""The demonstration: a simulated archive, the main job over it, and where to look at the result."""

import string
from pathlib import Path

import yaml
from rich.console import Console

from flows.foreground import run_flow
from tasks import checkout, eodata, services
from tasks.headlines import print_table
from tasks.publish import Publication

PARAMETERS = checkout.ROOT / "deployments" / "parameters"


def run(profile: str, console: Console) -> Publication:
    """Serve the profile's archive, run `impervious_change` over it, print its table and places."""
    console.rule(f"Clearground demo, profile {profile}: simulated data")
    with console.status("Simulated archive: a minute the first time"):
        archive = eodata.up(profile)
    publication: Publication = run_flow("impervious_change", demo_parameters(profile, archive), console)
    print_table(publication, console)
    ui = services.prefect_server().ready_url.removesuffix("/api/health")
    for what, place in (("Report", publication.report), ("Map", publication.map), ("Prefect UI", ui)):
        console.print(f"[bold]{what:<11}[/]{place}", soft_wrap=True)
    return publication


def demo_parameters(profile: str, archive: eodata.LocalArchive) -> dict[str, object]:
    """The profile's parameters with the places of the local archive filled in."""
    template = string.Template((PARAMETERS / f"impervious_change.{profile}.yaml").read_text())
    places = {"PROVIDER": archive.provider, "CATALOGUE": archive.catalogue, "ARCHIVE": str(Path(archive.folder))}
    values: dict[str, object] = yaml.safe_load(template.substitute(places))
    return values
