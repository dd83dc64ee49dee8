"""`clearground pastures`: train on a file of spectra at survey sites, and classify the sites of another."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tasks.pastures.spectra import SpectraSettings

app = typer.Typer(no_args_is_help=True, help="Types of alpine pastures from files of spectra.")
console = Console()

Spectra = Annotated[
    Path, typer.Argument(help="NetCDF of spectra: a dataset of ours, or B02 … B12 (time, site).", exists=True)
]
ModelFolder = Annotated[Path, typer.Argument(help="Folder of the model.", file_okay=False)]
Settings = Annotated[
    Path | None,
    typer.Option(help="YAML: fields, source, features, training; see docs/pasture_types.md.", exists=True),
]


@app.command("train")
def train(spectra: Spectra, model: ModelFolder, settings: Settings = None) -> None:
    """Train a classifier, judge it by groups of sites that it was not trained on, write it into a new folder."""
    from tasks.pastures.spectra import train_on_spectra
    from tasks.settings import get_settings
    from tasks.store import open_store

    trained = train_on_spectra(spectra, model, _settings(settings))
    metrics = pd.read_csv(
        open_store(get_settings()).path_of(trained.metrics),
        dtype={"class": str},
        keep_default_na=False,
        na_values={"lower": [""], "upper": [""]},
    )
    table = Table("", "value", "95 %", title="Sites of groups that were not trained on")
    whole: Iterator[Any] = metrics[metrics["class"] == ""].itertuples()
    for row in whole:
        interval = "" if pd.isna(row.lower) else f"{row.lower:.3f} to {row.upper:.3f}"
        table.add_row(str(row.name).replace("_", " "), f"{row.value:.3f}", interval)
    console.print(table)
    console.print(f"The model is in {model}", soft_wrap=True)


@app.command("classify")
def classify(
    spectra: Spectra,
    model: ModelFolder,
    predictions: Annotated[Path, typer.Argument(help="CSV to write: site_id, year, group, predicted, confidence, …")],
    settings: Settings = None,
    allow_simulated_model: Annotated[
        bool, typer.Option(help="Let a model that was trained on simulated data classify real sites.")
    ] = False,
) -> None:
    """Classify the sites of a file with a trained model."""
    from tasks.pastures.spectra import classify_spectra
    from tasks.settings import get_settings
    from tasks.store import open_store

    found = classify_spectra(spectra, model, _settings(settings), allow_simulated_model=allow_simulated_model)
    shutil.copyfile(open_store(get_settings()).path_of(found), predictions)
    console.print(f"{len(pd.read_csv(predictions))} sites are classified in {predictions}", soft_wrap=True)


def _settings(path: Path | None) -> "SpectraSettings":
    from flows.foreground import read_parameters, validated
    from tasks.pastures.spectra import SpectraSettings

    return validated(SpectraSettings, read_parameters(path)) if path else SpectraSettings()
