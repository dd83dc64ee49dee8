"""`clearground masks`: masks out of the store and into it, and what earlier systems knew of scenes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Exchange cloud masks and scene statuses with other systems.")
console = Console()

Folder = Annotated[Path, typer.Argument(help="Folder of masks.", file_okay=False)]
CloudValue = Annotated[int, typer.Option(help="Value of cloud, 1 or 0; clear is the other one.", min=0, max=1)]


@app.command("export")
def export(
    folder: Folder,
    run: Annotated[str, typer.Option(help="Flow run whose masks are meant; empty: the whole store.")] = "",
    cloud_value: CloudValue = 1,
) -> None:
    """Write every mask as a raster of cloud, clear and 255 for no data, with masks.json."""
    from tasks.masks.exchange import export_masks
    from tasks.settings import get_settings
    from tasks.store import open_store

    entries = export_masks(open_store(get_settings()), folder, run=run or None, cloud_value=1 if cloud_value else 0)
    console.print(f"{len(entries)} masks are in {folder}")


@app.command("check")
def check(
    folder: Folder,
    metadata: Annotated[str, typer.Option(help="Its metadata file; empty: masks.json, or its only one.")] = "",
    cloud_value: CloudValue = 1,
) -> None:
    """Say how many acquisitions a run could take from a folder; a fault ends with its sentence."""
    from tasks.masks.exchange import read_folder

    found = read_folder(folder, metadata, 1 if cloud_value else 0)
    console.print(f"{len(found)} acquisitions have a mask that a run can use instead of computing it")


@app.command("statuses")
def statuses(
    table: Annotated[Path, typer.Argument(help="CSV with Name, Result and Task_id.", exists=True, dir_okay=False)],
    params: Annotated[
        Path, typer.Option(help="Parameters of vegetation_productivity: its area is the one they are about.")
    ],
) -> None:
    """Take the statuses of an earlier batch system, so that runs leave out what it found out of the area."""
    from flows.foreground import flow_params, read_parameters
    from tasks.parameters.vegetation_productivity import VegetationProductivityParams
    from tasks.scene_memory import FLOW, scene_ledger
    from tasks.status_table import read_statuses
    from tasks.vegetation.intake import take_in_series

    form = VegetationProductivityParams.model_validate(flow_params(FLOW, read_parameters(params)))
    ledger = scene_ledger(take_in_series(form))
    ledger.note(read_statuses(table))
    console.print(f"The scene ledger of {form.name} now knows {len(ledger.records())} scenes")
