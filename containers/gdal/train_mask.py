"""Fit the cloud-mask forest on labelled pixels, collapse it into a table, and measure it on scenes it has not seen.

Random forests: Breiman, L. (2001), Machine Learning 45, 5–32. The components: docs/cloud_mask_model.md.
"""

import csv
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupShuffleSplit

from containers.base.contract.files import File, output_file
from containers.base.contract.step import StepWarning
from containers.base.step import local_path, main, progress
from containers.gdal import pixel_table
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_forest import MaskModel, SceneSplit, TrainingDomain
from containers.gdal.contract.mask_model import TrainMaskParams, TrainMaskResult
from containers.gdal.mask_figures import FOREST, Skill, draw_precision, draw_roc
from containers.gdal.mask_forest import UNKNOWN, cloud_probability
from containers.gdal.mask_scores import ALL, Score, combinations, count_pixels, scored
from containers.gdal.pixel_table import bad_labels, read_pixels

LEAST_DATES: Final = 5
"""With fewer, one date decides what is measured."""
HALF: Final = 0.5
_DECIMALS: Final = 9
"""Of probabilities: threads add the trees' answers in any order, which shows in the sixteenth."""


class Split(NamedTuple):
    """Pixels to fit on and pixels to measure on."""

    train: pd.DataFrame
    test: pd.DataFrame


def split_by_date(pixels: pd.DataFrame, test_share: float, seed: int) -> Split:
    """No date on both sides: scenes of one date, of overlapping tiles or of two processings, share their clouds.

    Raises `bad_labels` where there are too few dates, or a side has only cloud or only clear pixels.
    """
    dates = pixels[pixel_table.ACQUIRED].dt.normalize().to_numpy()
    if (found := len(np.unique(dates))) < LEAST_DATES:
        raise bad_labels(
            f"the table has scenes of {found} dates; {LEAST_DATES} are the least for a split by scene",
            "Label scenes of more dates, of different seasons if you can.",
        )
    shuffle = GroupShuffleSplit(n_splits=1, test_size=test_share, random_state=seed)
    train, test = next(shuffle.split(pixels, groups=dates))
    split = Split(pixels.iloc[train], pixels.iloc[test])
    for side, part in split._asdict().items():
        if part[pixel_table.CLOUD].nunique() < 2:
            kind = "cloud" if part[pixel_table.CLOUD].iloc[0] else "clear ground"
            raise bad_labels(
                f"the {side} scenes show {kind} only",
                "Label scenes that have both, more of them, or choose another seed or test_share.",
            )
    return split


def fit(train: pd.DataFrame, trees: int, seed: int, threads: int) -> RandomForestClassifier:
    """The forest of the pixels whose components are all known. A component that nobody knows is no feature."""
    forest = RandomForestClassifier(n_estimators=trees, random_state=seed, n_jobs=threads)
    features = known_pixels(train)
    return forest.fit(features[list(COMPONENTS)].to_numpy(), features[pixel_table.CLOUD].to_numpy())


def known_pixels(pixels: pd.DataFrame) -> pd.DataFrame:
    """Pixels whose components are all known; components that are known nowhere are 0. Raises `bad_labels`."""
    values = pixels[list(COMPONENTS)]
    nowhere = (values == UNKNOWN).all()
    known = values.loc[:, ~nowhere]
    is_known = (known != UNKNOWN).all(axis=1)
    if known.empty or pixels.loc[is_known, pixel_table.CLOUD].nunique() < 2:
        raise bad_labels(
            f"of {len(pixels)} pixels to train on, {int(is_known.sum())} have all components that are known somewhere, "
            "and those are not of both kinds",
            "Give scenes with enough backgrounds, so that percentile1 and percentile5 can be computed.",
        )
    return pixels[is_known].assign(**{name: np.uint8(0) for name in nowhere.index[nowhere]})


def collapse(forest: RandomForestClassifier) -> NDArray[np.float64]:
    """What the forest says of every combination of binary components, in the order of MaskModel."""
    cells = np.indices((2,) * forest.n_features_in_).reshape(forest.n_features_in_, -1).T
    probabilities: NDArray[np.float64] = forest.set_params(n_jobs=1).predict_proba(cells)[:, 1]
    return probabilities.round(_DECIMALS)


def run(params: TrainMaskParams, out: Path) -> TrainMaskResult:
    """Write model.json, metrics.csv and the figures. Raises `bad_labels`."""
    pixels = read_pixels(local_path(params.table))
    split = split_by_date(pixels, params.test_share, params.seed)
    progress(0.2, 1, f"{len(split.train)} pixels to train on, {len(split.test)} to test on")
    table = collapse(fit(split.train, params.trees, params.seed, params.execution.threads))
    model = _model(params, split, table)
    progress(0.7, 1, "the forest is fitted")
    classifiers = _classifiers(model)
    shown = tuple(dict.fromkeys((params.cutoff, HALF)))
    cutoffs = {name: shown if name == FOREST else (HALF,) for name in classifiers}
    scores = list(scored(split._asdict(), classifiers, cutoffs))
    model = model.model_copy(update={"metrics": _headline(scores, params.cutoff)})
    (out / "model.json").write_text(model.model_dump_json(indent=1) + "\n")
    counts = count_pixels(split.test).sum(axis=0)
    title = f"Cloud on {len(model.split.test)} scenes not trained on"
    skill = Skill(counts, classifiers, shown, f"{title} (simulated)" if model.training_domain.simulated else title)
    return TrainMaskResult(
        model=output_file(out / "model.json"),
        metrics=_write(out / "metrics.csv", scores),
        figures={
            "roc": output_file(draw_roc(skill, out / "roc.png")),
            "precision_recall": output_file(draw_precision(skill, out / "precision_recall.png")),
        },
        warnings=_warnings(split),
    )


def _model(params: TrainMaskParams, split: Split, table: NDArray[np.float64]) -> MaskModel:
    fitted = known_pixels(split.train)
    cells = fitted[list(COMPONENTS)].to_numpy() @ (1 << np.arange(len(COMPONENTS))[::-1])
    return MaskModel(
        features=COMPONENTS,
        probabilities=tuple(table.tolist()),
        pixels=tuple(np.bincount(cells, minlength=len(table)).tolist()),
        trees=params.trees,
        cutoff=params.cutoff,
        split=SceneSplit(
            seed=params.seed,
            train=tuple(sorted(split.train[pixel_table.SCENE].unique())),
            test=tuple(sorted(split.test[pixel_table.SCENE].unique())),
        ),
        metrics={},
        training_domain=training_domain(split.train),
        versions={"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    )


def training_domain(train: pd.DataFrame) -> TrainingDomain:
    """What the pixels that a model is fitted on show."""
    is_clear = train[pixel_table.CLOUD] == 0
    dates = train[pixel_table.ACQUIRED].dt.date
    return TrainingDomain(
        simulated=bool(train[pixel_table.SIMULATED].any()),
        level=train[pixel_table.LEVEL].iloc[0],
        mask_resolution_m=float(train[pixel_table.RESOLUTION_M].iloc[0]),
        baselines=tuple(sorted(train[pixel_table.BASELINE].unique())),
        tiles=tuple(sorted(train[pixel_table.TILE].unique())),
        surfaces=tuple(sorted(train.loc[is_clear, pixel_table.LABEL].unique())),
        first_date=dates.min(),
        last_date=dates.max(),
        scenes=train[pixel_table.SCENE].nunique(),
    )


def _classifiers(model: MaskModel) -> dict[str, NDArray[np.float64]]:
    """Name to the score of every combination; a component that is not known calls nothing cloud."""
    cells = combinations()
    forest = cloud_probability(cells.T[:, :, np.newaxis], model)[:, 0].astype(np.float64)
    alone = {name: (cells[:, n] == 1).astype(np.float64) for n, name in enumerate(COMPONENTS)}
    return {FOREST: np.nan_to_num(forest, nan=0.0), **alone}


def _headline(scores: list[Score], cutoff: float) -> dict[str, float]:
    of = [row for row in scores if (row.split, row.classifier, row.label) == ("test", FOREST, ALL)]
    shown = [row for row in of if row.measure == "auc" or row.cutoff == cutoff]
    return {row.measure: row.value for row in shown if not np.isnan(row.value)}


def _warnings(split: Split) -> tuple[StepWarning, ...]:
    values = split.train[list(COMPONENTS)]
    nowhere = [name for name in COMPONENTS if (values[name] == UNKNOWN).all()]
    n_partly = len(split.train) - len(known_pixels(split.train))
    found = []
    if nowhere:
        reason = f"Nowhere in the table are these components known: {', '.join(nowhere)}."
        hint = "The forest does without them. The trees need the cirrus band, which L1C has."
        found.append(StepWarning(code="component_unknown", reason=reason, hint=hint))
    if n_partly:
        reason = f"{n_partly} of {len(split.train)} pixels to train on lack a component: the forest was fitted without."
        hint = "They lie where too few backgrounds see the ground."
        found.append(StepWarning(code="pixels_left_out", reason=reason, hint=hint))
    return tuple(found)


def _write(path: Path, scores: list[Score]) -> File:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(Score._fields)
        table.writerows(scores)
    return output_file(path)


if __name__ == "__main__":
    main(TrainMaskParams, run)
