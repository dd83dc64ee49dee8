"""The last task of `cloud_mask_model`: model, measures, pictures and a page of summary in one folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import files_in
from containers.gdal.contract.mask_forest import MaskModel
from containers.gdal.contract.mask_model import TrainMaskResult
from tasks.parameters.cloud_mask_model import CloudMaskModelParams
from tasks.publishing.product_folder import link_or_copy, output_folder, publish_folder
from tasks.publishing.publication import PathOf, content_id_of
from tasks.publishing.report_page import TEMPLATES
from tasks.settings import get_settings
from tasks.step_log import in_prefect_run
from tasks.store import open_store

_OWN_CODE: Final = ("masks/model_product.py", "templates/cloud_mask_model.md.j2")
_TEMPLATE: Final = "cloud_mask_model.md.j2"
_MEASURES: Final = ("accuracy", "precision", "recall", "f1")
_FOREST: Final = "forest"


class ModelPublication(Contract):
    """Where a model was published: places on the machine that the flow ran on."""

    name: str
    folder: str
    model: str
    summary: str
    content_id: str
    is_new: bool


class ModelFiles(Contract):
    """What is published."""

    name: str
    training: TrainMaskResult
    table: File


@task(name="publish", task_run_name="publish {params.name}", cache_policy=NO_CACHE, persist_result=True)
def publish_mask_model(params: CloudMaskModelParams, table: File, training: TrainMaskResult) -> ModelPublication:
    """Publish into `output` (default: the checkout's products), announce it in Prefect, pin its files in the store."""
    store, files = open_store(get_settings()), ModelFiles(name=params.name, training=training, table=table)
    publication = write_model_publication(files, output_folder(params.output), store.path_of)
    if in_prefect_run():
        create_markdown_artifact(
            markdown=Path(publication.summary).read_text(), key="cloud-mask-model", description="The cloud-mask model"
        )
    store.publish(params.name, [file for file in files_in(files) if file.in_store])
    return publication


def write_model_publication(files: ModelFiles, output: Path, path_of: PathOf) -> ModelPublication:
    """Write the folder. The same content again changes nothing."""
    content_id = content_id_of((files,), _OWN_CODE)

    def write(folder: Path) -> None:
        training = files.training
        link_or_copy(path_of(training.model), folder / "model.json")
        link_or_copy(path_of(training.metrics), folder / "metrics.csv")
        link_or_copy(path_of(files.table), folder / f"pixels{Path(files.table.name).suffix}")
        for name, picture in training.figures.items():
            link_or_copy(path_of(picture), folder / "pictures" / f"{name}.png")
        model = MaskModel.model_validate_json(path_of(training.model).read_text())
        (folder / "summary.md").write_text(summary_of(files.name, model, pd.read_csv(path_of(training.metrics))))

    published = publish_folder(output, files.name, content_id, write)
    return ModelPublication(
        name=files.name,
        folder=str(published.path),
        model=str(published.path / "model.json"),
        summary=str(published.path / "summary.md"),
        content_id=content_id,
        is_new=published.is_new,
    )


def summary_of(name: str, model: MaskModel, metrics: pd.DataFrame) -> str:
    """Markdown: the measures on the test scenes, by classifier and by label, and the training domain."""
    environment = Environment(  # noqa: S701 - Markdown of our own figures, no HTML
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    test = metrics[metrics["split"] == "test"]
    return environment.get_template(_TEMPLATE).render(
        name=name,
        model=model,
        domain=model.training_domain,
        classifiers=list(_by_classifier(test)),
        labels=list(_by_label(test, model.cutoff)),
    )


def _by_classifier(test: pd.DataFrame) -> Iterator[dict[str, Any]]:
    whole = test[test["label"] == "all"]
    for (name, cutoff), rows in whole.dropna(subset="cutoff").groupby(["classifier", "cutoff"], sort=False):
        of = rows.set_index("measure")
        auc = whole.loc[(whole["classifier"] == name) & (whole["measure"] == "auc"), "value"].item()
        yield {
            "name": name if name == _FOREST else f"{name} alone",
            "cutoff": f"{cutoff:g}" if name == _FOREST else "",
            **{measure: _share(of.loc[measure, "value"]) for measure in _MEASURES},
            "f1_interval": _interval(of.loc["f1", "lower"], of.loc["f1", "upper"]),
            "auc": _share(auc),
        }


def _by_label(test: pd.DataFrame, cutoff: float) -> Iterator[dict[str, Any]]:
    is_shown = (test["classifier"] == _FOREST) & (test["cutoff"] == cutoff) & (test["measure"] == "called_cloud")
    for row in test[is_shown].itertuples():
        yield {
            "label": row.label,
            "value": _share(row.value),
            "interval": _interval(row.lower, row.upper),
            "pixels": f"{row.pixels:,}",
            "scenes": row.scenes,
        }


def _share(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"


def _interval(low: Any, high: Any) -> str:
    return "" if pd.isna(low) else f"{low:.3f}–{high:.3f}"
