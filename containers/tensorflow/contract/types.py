"""Classifiers of vegetation types: trained on sites, judged by groups, applied to sites and to pastures."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult

Classifier = Literal["discriminant", "random_forest", "gradient_boosting", "temporal_network"]
TYPE_NODATA = 0
"""Code of cells outside the pasture; types count from 1 in the order of the card."""
TYPE_OTHER, TYPE_DOUBTFUL, TYPE_UNSEEN = 253, 254, 255
"""A type that the model has never learnt, which only a reference can tell; cells whose type the model does not know;
cells that were seen too seldom."""
OTHER_TYPES = "other types"
"""The indicator of `TYPE_OTHER` in the tables."""


class TypesModel(Contract):
    """A trained classifier with everything that using it needs."""

    model: File = Field(description="skops file of a scikit-learn model, or a Keras 3 .keras file")
    card: File = Field(
        description="JSON: classes in order, classifier, recipe and names of the features, source (esa or maja), "
        "simulated, grouping, doubt, metrics, training domain, versions"
    )


class TypeTraining(Contract):
    """How a classifier is trained and judged: what an analyst may choose."""

    classifier: Classifier = Field(
        default="discriminant",
        description="discriminant: linear discriminants on random subspaces, which do best with some hundred sites; "
        "random_forest; gradient_boosting; temporal_network: convolutions along time, for thousands of sites",
    )
    grouping: dict[str, str] = Field(
        default={}, description="Survey code to the type it counts as; codes that are not named stay as they are"
    )
    min_sites: int = Field(default=10, ge=2, description="Types of fewer sites are left out, and counted")
    folds: int = Field(default=5, ge=2, le=20, description="Folds of the outer cross-validation, split by group")
    tuned: bool = Field(default=True, description="Choose settings by an inner cross-validation, also by group")
    trust: float = Field(
        default=0.0, ge=0, lt=1, description="Below this probability the model does not know; 0: it always answers"
    )
    seed: int = Field(default=0, ge=0, description="Seed of folds and classifier")


class TrainTypesResult(StepResult):
    model: TypesModel
    predictions: File = Field(description="CSV of sites in folds that did not train on them: site_id, year, group, "
                              "fold, class, predicted, confidence, p_<class>…")  # fmt: skip
    metrics: File = Field(
        description="CSV: name, class (empty: all), value, lower, upper (95 %, bootstrap by group); plain_…, "
        "majority_…: of the plain forest and of the commonest type; gain_…: over the plain forest; coverage_…, "
        "accuracy_…: of sites with at least that probability"
    )
    confusion: File = Field(description="CSV: class, predicted, sites")
    importance: File = Field(
        description="CSV: feature (a set, a layer along time, or one feature), drop of macro-F1 when permuted, its "
        "standard error"
    )
    learning: File = Field(description="CSV: groups learnt from, accuracy and macro_f1 with their 95 % intervals")
    figures: dict[str, File] = Field(description="PNG: confusion, importance, calibration, learning")
    left_out: dict[str, int] = Field(default={}, description="Reason to the number of sites not used")


class TrainTypesParams(TypeTraining, StepParams):
    """Train on all sites; judge by groups that were not trained on. Raises `bad_sample`, `bad_config`."""

    step: ClassVar[str] = "tensorflow.train_types"
    result: ClassVar[type[StepResult]] = TrainTypesResult
    resources: ClassVar[Resources] = Resources(memory_mb=4096, timeout_s=14_400)

    features: File = Field(description="Parquet of the step `site_features`")
    recipe: str = Field(description="JSON of the features' recipe: the card keeps it for whoever makes features")


class PredictTypesResult(StepResult):
    predictions: File = Field(description="CSV: site_id, year, group, predicted, confidence, p_<class>…")


class PredictTypesParams(StepParams):
    """Types of sites by a trained model. Raises `bad_model` for features of another recipe, source or archive."""

    step: ClassVar[str] = "tensorflow.predict_types"
    result: ClassVar[type[StepResult]] = PredictTypesResult
    resources: ClassVar[Resources] = Resources(memory_mb=2048)

    model: TypesModel
    features: File = Field(description="Parquet of the step `site_features`")
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated scenes classify real ones"
    )


class MapTypesResult(StepResult):
    types: File = Field(
        description="COG uint8: codes of the card from 1; 0 outside the pasture, 254 not known, 255 not seen"
    )
    confidence: File = Field(description="COG uint8 × 1/250: probability of the most probable type, nodata 255")
    style: File = Field(description="QGIS style of the types: QGIS takes it with the raster, whose name it has")
    counts: File = Field(
        description="CSV as gdal.areas reads it, of the pasture (region ALL): region_id, period (the year), indicator "
        "(a type, or `other types`), cells, unknown_cells, total_cells"
    )
    pasture_id: str
    year: int
    legend: dict[str, str] = Field(description="Code to type")
    colours: dict[str, str] = Field(description="Code, 254 and 255 included, to #rrggbb")
    cells: dict[str, int] = Field(description="Type, `doubtful` or `unknown` to its cells inside the outline")
    cell_area_ha: float = Field(gt=0, description="Area of one cell in hectares")
    simulated: bool = Field(description="Whether the spectra or the model are simulated")


class MapTypesParams(StepParams):
    """Types of every cell of one pasture. Raises `bad_model` as `predict_types` does."""

    step: ClassVar[str] = "tensorflow.map_types"
    result: ClassVar[type[StepResult]] = MapTypesResult
    resources: ClassVar[Resources] = Resources(memory_mb=3072)

    model: TypesModel
    features: File = Field(
        description="HDF5 of the step `pasture_features`: it tells year, grid, source and recipe itself"
    )
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated scenes classify real ones"
    )
