"""The classifiers of vegetation types by name, each in the settings that inner folds choose from."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from containers.tensorflow.contract.types import Classifier
from containers.tensorflow.type_discriminant import SubspaceDiscriminant
from containers.tensorflow.type_names import blocks_of
from containers.tensorflow.type_network import TemporalNetwork, series_shape

_TREES: Final = 200


class Asked(NamedTuple):
    """What the settings depend on."""

    names: tuple[str, ...]
    """Of the features."""
    seed: int


def candidates(classifier: Classifier, asked: Asked, *, tuned: bool) -> tuple[Any, ...]:
    """Untrained classifiers, the usual setting first; only that one where they shall not be tuned."""
    found = _SETTINGS[classifier](asked)
    return found if tuned else found[:1]


def plain_forest(seed: int) -> RandomForestClassifier:
    """A forest as it comes, which every classifier is compared with (Breiman 2001, doi:10.1023/A:1010933404324)."""
    return RandomForestClassifier(_TREES, random_state=seed)


def _discriminants(asked: Asked) -> tuple[Any, ...]:
    """Subspaces of all features, and of the reflectance along time, which tells most."""
    blocks = blocks_of(asked.names)
    pools = (np.arange(len(asked.names)), *(blocks[name] for name in ("set bands",) if name in blocks))
    columns = tuple(tuple(pool.tolist()) for pool in pools)
    return tuple(SubspaceDiscriminant(columns, shrinkage=shrinkage, seed=asked.seed) for shrinkage in (0.2, 0.4))


def _forests(asked: Asked) -> tuple[Any, ...]:
    settings: tuple[dict[str, Any], ...] = (
        {"min_samples_leaf": 2, "class_weight": "balanced"},
        {"min_samples_leaf": 1},
        {"min_samples_leaf": 2, "class_weight": "balanced", "max_features": 0.2},
    )
    return tuple(RandomForestClassifier(_TREES, random_state=asked.seed, **setting) for setting in settings)


def _boosted(asked: Asked) -> tuple[Any, ...]:
    """Few, small trees: with some hundred sites larger ones learn them by heart."""
    return tuple(
        HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.08, max_leaf_nodes=leaves, min_samples_leaf=8, l2_regularization=1.0,
            max_features=0.2, class_weight="balanced", early_stopping=False, random_state=asked.seed,
        )
        for leaves in (6, 12)
    )  # fmt: skip


def _networks(asked: Asked) -> tuple[Any, ...]:
    return (TemporalNetwork(series_shape(asked.names), asked.seed),)


_SETTINGS: Final[dict[Classifier, Callable[[Asked], tuple[Any, ...]]]] = {
    "discriminant": _discriminants,
    "random_forest": _forests,
    "gradient_boosting": _boosted,
    "temporal_network": _networks,
}
