"""A trained classifier of vegetation types: its card, its file, and whether it fits what it shall classify."""

import io
import platform
import re
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import skops.io
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from containers.base.contract.model import Contract
from containers.base.contract.step import StepError
from containers.base.step import local_path
from containers.tensorflow.contract.types import Classifier, TypesModel
from containers.tensorflow.type_folds import spread, tempered
from containers.tensorflow.type_network import network_probabilities

TRUSTED: Final = (
    "containers.tensorflow.type_discriminant.SubspaceDiscriminant",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""Types that hold numbers only; skops itself knows the others, and nothing else is loaded."""
_ID: Final = re.compile(r'"__id__": (\d+)')
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class TypesDomain(Contract):
    """Where and when the classifier has learnt."""

    groups: tuple[str, ...] = Field(description="Pastures, or what else sites have in common")
    years: tuple[int, ...]
    sites: dict[str, int] = Field(description="Type to its sites")


class TypesCard(Contract):
    """Stored beside the model as JSON."""

    classes: tuple[str, ...] = Field(min_length=2, description="Types in order; codes of maps count from 1")
    classifier: Classifier
    setting: int = Field(ge=0, description="Number of the settings that inner folds have chosen")
    temperature: float = Field(gt=0, description="By which probabilities are made honest: p^(1/T), scaled to 1")
    names: tuple[str, ...] = Field(min_length=1, description="Features in order")
    recipe: str = Field(description="JSON of the recipe of the features")
    source: str = Field(pattern="^(esa|maja)$", description="Who made the reflectance")
    simulated: bool
    grouping: dict[str, str]
    trust: float = Field(ge=0, lt=1, description="Below this probability the type is not known")
    metrics: dict[str, float] = Field(description="On groups that the judged models had not seen")
    domain: TypesDomain
    versions: dict[str, str]


@dataclass(frozen=True)
class TrainedTypes:
    """A model ready to use."""

    card: TypesCard
    model: Any

    @property
    def classes(self) -> tuple[str, ...]:
        return self.card.classes

    @property
    def trust(self) -> float:
        return self.card.trust

    def probabilities(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, type) from features (n, feature) without gaps, in the order of the card."""
        network = isinstance(self.model, keras.Model)
        plain = network_probabilities(self.model, values) if network else spread(self.model, values, len(self.classes))
        return tempered(plain, self.card.temperature)


def versions() -> dict[str, str]:
    """What a model was trained with."""
    names = ("scikit-learn", "skops", "keras", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def write_plain(estimator: Any, path: Path) -> Path:
    """A skops file whose bytes depend on the estimator alone: without addresses in memory and without the time."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as source:
        schema = source.read("schema.json").decode()
        numbers = {address: str(number) for number, address in enumerate(dict.fromkeys(_ID.findall(schema)))}
        schema = _ID.sub(lambda match: f'"__id__": {numbers[match[1]]}', schema)
        schema = re.sub(r'"(\d+)\.npy"', lambda match: f'"{numbers[match[1]]}.npy"', schema)
        arrays = {f"{numbers[Path(name).stem]}.npy": source.read(name) for name in source.namelist() if name[0] != "s"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in {**dict(sorted(arrays.items())), "schema.json": schema.encode()}.items():
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return path


def read_trained(model: TypesModel) -> TrainedTypes:
    """Raises `bad_model` where a file is damaged, of another version of its library, or holds what is not trusted."""
    path, card = local_path(model.model), read_card(local_path(model.card))
    library = "keras" if card.classifier == "temporal_network" else "scikit-learn"
    if (mine := version(library)) != (its := card.versions.get(library)):
        raise bad_model(f"it was trained with {library} {its}, this release has {mine}", "Train it again.")
    try:
        loaded = keras.saving.load_model(path, compile=False) if library == "keras" else _loaded(path)
    except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise bad_model(f"{path.name} cannot be read: {error}", "Give the file that train_types wrote.") from error
    return TrainedTypes(card, loaded)


def read_card(path: Path) -> TypesCard:
    """Raises `bad_model`."""
    try:
        return TypesCard.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        raise bad_model(
            f"{path.name} is no card of vegetation types: {error}", "Give the card of train_types."
        ) from error


def require_fit(
    card: TypesCard,
    *,
    names: tuple[str, ...],
    source: str,
    simulated: bool,
    allow_simulated: bool,
    recipe: str | None = None,
) -> None:
    """Raises `bad_model` where features are not those that the model has learnt; `recipe` as JSON, if it is known."""
    if missing := sorted(set(card.names) - set(names)):
        raise bad_model(
            f"it needs {len(missing)} features that are not there: {', '.join(missing[:5])}",
            "Make features by the recipe of its card.",
        )
    if names != card.names or recipe not in (None, card.recipe):
        raise bad_model("the features are of another recipe", "Make features by the recipe of its card.")
    if source != card.source:
        raise bad_model(
            f"it was trained on reflectance of {card.source}, these features are of {source}",
            f"Give spectra of {card.source}, or train a model on {source}: both correct the atmosphere otherwise.",
        )
    if card.simulated and not simulated and not allow_simulated:
        raise bad_model(
            "it was trained on simulated scenes, these features are of real ones",
            "Train on real sites, or set allow_simulated_model if you know what that means.",
        )


def bad_model(reason: str, hint: str) -> StepError:
    return StepError("bad_model", f"The model does not serve: {reason}.", hint)


def _loaded(path: Path) -> Any:
    if foreign := sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)):
        raise bad_model(f"{path.name} holds {', '.join(foreign)}", "Load no models of people that you do not know.")
    return skops.io.load(path, trusted=list(TRUSTED))
