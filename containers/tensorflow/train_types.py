"""Train a classifier of vegetation types on survey sites, and judge it by groups that it has not seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from containers.base.contract.files import output_file
from containers.base.contract.step import StepError, StepWarning
from containers.base.step import local_path, main, progress
from containers.tensorflow.contract.types import TrainTypesParams, TrainTypesResult, TypesModel
from containers.tensorflow.network import prepare_backend
from containers.tensorflow.type_classifiers import Asked, candidates, plain_forest
from containers.tensorflow.type_figures import draw_calibration, draw_confusion, draw_importance, draw_learning
from containers.tensorflow.type_folds import Fitted, Sample, fit_chosen, judge
from containers.tensorflow.type_importance import importances, learning_curve
from containers.tensorflow.type_model import TypesCard, TypesDomain, versions, write_plain
from containers.tensorflow.type_report import Report, Verdict, write_tables
from containers.tensorflow.type_scores import calibration_error
from containers.tensorflow.type_table import SiteTable, bad_sample, read_sites, usable

_STAGES: Final = 5


def run(params: TrainTypesParams, out: Path) -> TrainTypesResult:
    """Raises `bad_sample`, `bad_config`."""
    with threadpool_limits(limits=1, user_api="blas"):  # Many small products: BLAS would wait for itself.
        return _trained(params, out)


def _trained(params: TrainTypesParams, out: Path) -> TrainTypesResult:
    prepare_backend(threads=params.execution.threads, seed=params.seed)
    read = read_sites(local_path(params.features))
    if read.recipe and read.recipe != params.recipe:
        raise StepError("bad_config", "The recipe is not that of the features.", "Give the recipe they were made by.")
    sites, left_out = usable(read, params.grouping, params.min_sites)
    types, numbers = np.unique(sites.label, return_inverse=True)
    groups = np.unique(sites.group, return_inverse=True)[1]
    verdict = judged_by_groups(sites, numbers, groups, params)
    sample = Sample(sites.values, numbers, groups)
    offered = candidates(params.classifier, _asked(sites, params), tuned=params.tuned)
    final = fit_chosen(offered, sample, params.seed, len(types))
    progress(3, _STAGES, "trained on all groups")
    importance = list(importances(verdict.ours, sample, sites.names, params.seed))
    progress(4, _STAGES, "importance of features")
    learning = list(learning_curve(offered[final.choice], sample, params.folds, params.seed, len(types)))
    report = Report(tuple(map(str, types)), sites, numbers, groups, verdict, importance, learning, params.seed)
    return TrainTypesResult(
        model=_written_model(report, final, params, out),
        **write_tables(report, out),
        figures=_figures(report, out),
        left_out=left_out,
        warnings=tuple(_warnings(report, params)),
    )


def judged_by_groups(
    sites: SiteTable, types: NDArray[np.intp], groups: NDArray[np.intp], params: TrainTypesParams
) -> Verdict:
    """What the classifier, a plain forest and the commonest type say of sites of unseen groups, on the same folds."""
    n_types = int(types.max()) + 1
    if not sites.plain.shape[1]:
        raise bad_sample("the features lack the columns of the plain forest")
    sample = Sample(sites.values, types, groups)
    offered = candidates(params.classifier, _asked(sites, params), tuned=params.tuned)
    ours = judge(offered, sample, params.folds, params.seed, n_types)
    progress(1, _STAGES, f"{params.classifier} judged on {params.folds} folds")
    forest = plain_forest(params.seed)
    plain = np.zeros_like(ours.probabilities)
    majority = np.zeros(len(types), dtype=np.intp)
    for fold in range(params.folds):
        train, test = np.flatnonzero(ours.folds != fold), np.flatnonzero(ours.folds == fold)
        fitted = forest.fit(sites.plain[train], types[train])
        plain[np.ix_(test, fitted.classes_)] = fitted.predict_proba(sites.plain[test])
        majority[test] = np.bincount(types[train]).argmax()
    progress(2, _STAGES, "plain forest judged on the same folds")
    return Verdict(ours, plain.argmax(axis=1), majority)


def _asked(sites: SiteTable, params: TrainTypesParams) -> Asked:
    return Asked(sites.names, params.seed)


def _written_model(report: Report, final: Fitted, params: TrainTypesParams, out: Path) -> TypesModel:
    if params.classifier == "temporal_network":
        path = out / "model.keras"
        final.estimator.model_.save(path)
    else:
        path = write_plain(final.estimator, out / "model.skops")
    sites = report.sites
    card = TypesCard(
        classes=report.types,
        classifier=params.classifier,
        setting=final.choice,
        temperature=final.temperature,
        names=sites.names,
        recipe=params.recipe,
        source=sites.source,
        simulated=sites.simulated,
        grouping=params.grouping,
        trust=params.trust,
        metrics={row.name: row.interval.value for row in report.rows() if not row.type},
        domain=TypesDomain(
            groups=tuple(map(str, np.unique(sites.group))),
            years=tuple(map(int, np.unique(sites.year))),
            sites=dict(zip(report.types, np.bincount(report.numbers).tolist(), strict=True)),
        ),
        versions=versions(),
    )
    (out / "card.json").write_text(card.model_dump_json(indent=1))
    return TypesModel(model=output_file(path), card=output_file(out / "card.json"))


def _figures(report: Report, out: Path) -> dict[str, Any]:
    number = f"{len(report.numbers)} sites of {report.groups.max() + 1} groups"
    note = f"{number},\njudged by models that never saw their group"
    note = f"{note} (simulated)" if report.sites.simulated else note
    error = float(calibration_error(report.calibration.sums.sum(axis=0)))
    return {
        "confusion": draw_confusion(report.confusions.sum(axis=0), report.types, note, out / "confusion.png"),
        "importance": draw_importance(report.importance, note, out / "importance.png"),
        "calibration": draw_calibration(report.calibration, error, note, out / "calibration.png"),
        "learning": draw_learning(report.learning, note, out / "learning.png"),
    }


def _warnings(report: Report, params: TrainTypesParams) -> Iterator[StepWarning]:
    """What the scores do not say."""
    lower = {row.name: row.interval.lower for row in report.rows()}
    if lower["gain_overall_accuracy"] <= 0 or lower["gain_macro_f1"] <= 0:
        yield StepWarning(
            code="no_sure_gain",
            reason=f"{params.classifier} is not surely better than a plain forest on these groups.",
            hint="Survey more pastures, group types that look alike, or try another classifier.",
        )


if __name__ == "__main__":
    main(TrainTypesParams, run)
