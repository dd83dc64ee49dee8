"""How well clouds are found on simulated archives whose seeds the forest has not seen.

`python -m benchmarks.mask_skill`: a forest is trained on the archives of some seeds; on those of others, at the same
labelled pixels, it is compared with each of its components and with the scene classification of the L2A twin. Steps
come from the store where it has them. Figures and their meaning: docs/cloud_mask_model.md.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import rasterio
import rasterio.transform
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult
from containers.gdal import pixel_table
from containers.gdal.clear import dilated
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_forest import MaskModel
from containers.gdal.contract.mask_model import MaskTableResult, TrainMaskParams, TrainMaskResult
from containers.gdal.mask_forest import UNKNOWN, cloud_probability, read_model
from containers.gdal.mask_scores import Counts, called_cloud, combinations, count_pixels, interval, threshold_measures
from tasks import checkout, eodata
from tasks.masks.tile_batches import mask_tile, observe_tile
from tasks.masks.training import (
    find_training_scenes,
    mask_batches,
    observe_batches,
    table_params,
    take_in_labels,
)
from tasks.parameters.cloud_mask_model import CloudMaskModelParams
from tasks.runner import run_step
from tasks.scene_ledger import acquisition_of
from tasks.settings import get_settings
from tasks.store import open_store

TRAINED: Final = (31, 32, 33)
SCORED: Final = (41, 42)
"""Used for nothing else; what is tuned is tuned on the others."""
TWIN: Final = {"scl": "SCL of the L2A twin", "scl_dilated": "SCL, dilated by 120 m"}
CLOUDY_SCL: Final = (8, 9, 10)
DILATION_M, PIXEL_M = 120.0, 20.0
LEAD: Final = "forest's lead in F1"

Called = tuple[Counts, NDArray[np.bool_]]
"""Pixels (scene, combination, clear or cloudy), and the combinations that are called cloud."""


class Row(NamedTuple):
    """A measure of a classifier on the scored seeds, with the 95 % interval of a bootstrap over scenes."""

    classifier: str
    measure: str
    value: float
    lower: float
    upper: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trained", type=int, nargs="+", default=TRAINED, help="seeds of the archives to train on")
    parser.add_argument("--scored", type=int, nargs="+", default=SCORED, help="seeds of the archives to score")
    parser.add_argument("--profile", default="vegetation_tiny", help="profile of the archives, with seasons")
    parser.add_argument("--tile-px", type=int, default=336, help="edge of a tile in cells of 20 m, a multiple of 12")
    parser.add_argument("--model", type=Path, help="where to keep the model")
    return parser.parse_args()


def labelled_pixels(params: ArchiveParams) -> pd.DataFrame:
    """Pixels of one archive with their components, and what the twin's classification says of them."""
    store = open_store(get_settings())
    simulated: ArchiveResult = run_step(params)
    folder = eodata.serve(store.path_of(simulated.simulation).parent).folder
    form = form_of(params, folder)
    inputs = take_in_labels(form)
    acquisitions = find_training_scenes.fn(form, inputs)
    observations = tuple(
        seen for batch in observe_batches(form, inputs, acquisitions) for seen in observe_tile.fn(batch)
    )
    masks = tuple(mask for batch in mask_batches(form, inputs, observations) for mask in mask_tile.fn(batch))
    made: MaskTableResult = run_step(table_params(form, inputs, observations, masks))
    table = pd.read_parquet(store.path_of(made.table))
    names = table[pixel_table.SCENE].astype("str")
    named = table.assign(**{pixel_table.SCENE: f"{params.seed}-" + names})
    return named.join(twin_clouds(table, folder))


def form_of(params: ArchiveParams, folder: Path) -> CloudMaskModelParams:
    """The flow's form for an archive whose true scene classes are the labels."""
    variables = {name: os.environ[f"CLEARGROUND_{name}"] for name in ("PROVIDER", "CATALOGUE")}
    first, last = date(min(params.years), 1, 1), date(max(params.years), 12, 31)
    return CloudMaskModelParams.model_validate(
        {
            "source": {
                "provider": variables["PROVIDER"],
                "endpoint": variables["CATALOGUE"],
                "collection": "sentinel-2-l1c",
                "level": "L1C",
            },
            "scenes": {"aoi": str(folder / "regions.gpkg"), "first": first, "last": last},
            "labels": {"folder": str(folder / "truth" / "scenes")},
        }
    )


def twin_clouds(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """What the scene classification of the L2A product of the same acquisition says of each pixel's centre.

    Columns: cloud (1) or not (0) as mapped, and dilated by 120 m; 255 where there is no twin, or no data.
    """
    twins = {acquisition_of(safe_name(path)): path for path in (folder / "eodata").rglob("*_SCL_20m.jp2")}
    clouds = pd.DataFrame(UNKNOWN, index=table.index, columns=list(TWIN), dtype=np.uint8)
    for scene_id, rows in table.groupby(pixel_table.SCENE, observed=True):
        path = twins.get(acquisition_of(str(scene_id)))
        if path is None:
            continue
        with rasterio.open(path) as source:
            classes = source.read(1)
            place = rasterio.transform.rowcol(source.transform, rows["x_m"], rows["y_m"])
        cloud = np.isin(classes, CLOUDY_SCL)
        grown = dilated(cloud, DILATION_M / PIXEL_M)
        for name, mask in zip(TWIN, (cloud, grown), strict=True):
            clouds.loc[rows.index, name] = np.where(classes == 0, UNKNOWN, mask)[place].astype(np.uint8)
    return clouds


def safe_name(path: Path) -> str:
    return next(part for part in path.parts if part.endswith(".SAFE"))


def train(table: pd.DataFrame) -> MaskModel:
    """The forest of these pixels, by the step that the flow uses."""
    store = open_store(get_settings())
    with tempfile.TemporaryDirectory() as folder:
        path = pixel_table.write_pixels(table, Path(folder) / "pixels.parquet")
        trained: TrainMaskResult = run_step(TrainMaskParams(table=store.import_file(path)))
    return read_model(store.path_of(trained.model))


def scores(model: MaskModel, table: pd.DataFrame) -> Iterator[Row]:
    """Every measure of every classifier on all pixels of the table."""
    cells = combinations()
    counts = count_pixels(table)
    probability = np.nan_to_num(cloud_probability(cells.T[:, :, np.newaxis], model)[:, 0])
    forest = probability > model.cutoff
    called = {f"forest > {cutoff:g}": (counts, probability > cutoff) for cutoff in (model.cutoff, 0.5)}
    called |= {f"{name} alone": (counts, cells[:, number] == 1) for number, name in enumerate(COMPONENTS)}
    for column, name in TWIN.items():
        # It takes the place of a component, so that all are counted alike.
        called[name] = count_pixels(table.assign(**{COMPONENTS[0]: table[column]})), cells[:, 0] == 1
    for name, (pixels, is_cloud) in called.items():
        for measure, function in threshold_measures(is_cloud).items():
            value = float(function(pixels.sum(axis=0)))
            yield Row(name, measure, value, *interval(function, pixels))
        yield lead(name, (counts, forest), (pixels, is_cloud))


def by_label(model: MaskModel, table: pd.DataFrame) -> Iterator[Row]:
    """The share of the pixels of each label that the forest calls cloud at its cut-off."""
    is_cloud = np.nan_to_num(cloud_probability(combinations().T[:, :, np.newaxis], model)[:, 0]) > model.cutoff
    for label, part in table.groupby(pixel_table.LABEL, observed=True):
        pixels = count_pixels(part)
        share = called_cloud(is_cloud)
        yield Row(
            f"{label}: {len(part):,} pixels", "called cloud", float(share(pixels.sum(axis=0))), *interval(share, pixels)
        )


def lead(name: str, forest: Called, rival: Called) -> Row:
    """By how much the forest's F1 is higher, on the same draws of scenes."""
    ours, theirs = (threshold_measures(is_cloud)["f1"] for _, is_cloud in (forest, rival))

    def difference(pairs: Counts) -> NDArray[np.float64]:
        return ours(pairs[..., 0, :, :]) - theirs(pairs[..., 1, :, :])

    pairs = np.stack([forest[0], rival[0]], axis=1)
    return Row(name, LEAD, float(difference(pairs.sum(axis=0))), *interval(difference, pairs))


def print_rows(rows: list[Row], title: str, console: Console) -> None:
    measures = list(dict.fromkeys(row.measure for row in rows))
    shown = Table("", *measures, title=title)
    for name in dict.fromkeys(row.classifier for row in rows):
        of = {row.measure: row for row in rows if row.classifier == name}
        cells = (of[measure] for measure in measures)
        shown.add_row(name, *(f"{row.value:.3f} ({row.lower:.3f}–{row.upper:.3f})" for row in cells))
    console.print(shown)


def main() -> None:
    checkout.use_own_prefect()
    given, console = arguments(), Console()
    base = eodata.archive_params(given.profile)
    changes = {"tile_px": given.tile_px, "levels": ("L1C", "L2A"), "bands": ("B04_20m",)}
    tables = {}
    for seed in (*given.trained, *given.scored):
        console.rule(f"Seed {seed}")
        tables[seed] = labelled_pixels(base.model_copy(update={"seed": seed, **changes}))
    model = train(pd.concat([tables[seed] for seed in given.trained], ignore_index=True))
    scored = pd.concat([tables[seed] for seed in given.scored], ignore_index=True)
    scored = scored[(scored[list(TWIN)] != UNKNOWN).all(axis=1)]
    rows, labels = list(scores(model, scored)), list(by_label(model, scored))
    print_rows(rows, f"{len(scored):,} pixels of {scored[pixel_table.SCENE].nunique()} unseen scenes", console)
    print_rows(labels, "By what the pixels show", console)
    path = checkout.STATE / "mask_skill.json"
    path.write_text(
        json.dumps({**vars(given), "rows": [row._asdict() for row in rows + labels]}, indent=1, default=str) + "\n"
    )
    console.print(f"Figures: {path}")
    if given.model:
        given.model.write_text(model.model_dump_json(indent=1) + "\n")


if __name__ == "__main__":
    main()
