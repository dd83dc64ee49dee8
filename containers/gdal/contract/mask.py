"""What hides the ground in one acquisition: cloud, cirrus, shadow, snow."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.step import Resources, StepParams, StepResult
from containers.gdal.contract.observe import Image, Observation

Engine = Literal["multitemporal", "hollstein", "scl", "s2cloudless", "omnicloudmask"]
BackgroundMethod = Literal["nearest", "least_cloudy"]
COMPONENTS = ("tree1", "tree2", "tree3", "percentile1", "percentile5")
"""The binary features of the mask's forest, in its order; 255 where one could not be computed."""


class Multitemporal(Contract):
    """The comparison with a cloud-free background, after the reference method (docs/vegetation_productivity.md)."""

    clusters: int = Field(default=10, ge=2, le=64, description="Clusters of the change image")
    sample: int = Field(default=5_000, ge=100, description="Pixels that the clusters are found on")
    seed: int = Field(default=0, description="Seed of that sample")
    temporal_score: float = Field(default=0.04, description="Smallest brightening of a cloud, in reflectance")
    reflectance_score: float = Field(default=0.175, description="Smallest brightness of a cloud, in reflectance")
    opening_px: int = Field(default=2, ge=0, le=20, description="Radius of the opening, in cells of the mask")
    min_backgrounds: int = Field(
        default=8, ge=1, le=40, description="Fewer background images than this leave the method out, with a warning"
    )
    min_valid_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of the background images that must see a cell"
    )


class MaskRules(Contract):
    """How masks are made. The same for every scene of a run."""

    engine: Literal["auto"] | Engine = Field(
        default="auto",
        description="auto: multitemporal where a fit model is given, else hollstein for L1C and scl for L2A",
    )
    multitemporal: Multitemporal = Multitemporal()
    cutoff: float | None = Field(
        default=None, ge=0, le=1, description="Probability above which a cell is cloud; empty: the model's own, 0.29"
    )
    dilate_m: dict[Literal["cloud", "cirrus", "shadow", "snow"], float] = Field(
        default={"cloud": 120.0, "cirrus": 60.0, "shadow": 120.0, "snow": 0.0},
        description="Class to the dilation of its mask in metres",
    )
    shadow: bool = Field(default=True, description="Look for cloud shadows by geometry and darkness")
    snow: bool = Field(default=True, description="Look for snow by its index")


class MaskResult(StepResult):
    """The mask on the tile's own grid; values of containers.base.contract.legend.Sky."""

    scene_id: str
    engine: Engine | Literal["imported"] = Field(description="The engine that was used; imported: made elsewhere")
    grid: Grid
    mask: File = Field(description="Sky classes, uint8, nodata 0, dilated")
    probability: File | None = Field(description="Of cloud, uint8 × 1/250, nodata 255; None for engines without one")
    components: File | None = Field(description="One uint8 band per name of COMPONENTS: 0, 1, or 255 not computed")
    shares: dict[str, float] = Field(description="Class to its share of the cells with data, dilated")


class MaskParams(StepParams):
    """Classify what hides the ground, by one engine, from the features of the scene and of its backgrounds."""

    step: ClassVar[str] = "gdal.mask"
    result: ClassVar[type[StepResult]] = MaskResult
    resources: ClassVar[Resources] = Resources(memory_mb=3072)
    data_files: ClassVar[tuple[str, ...]] = ("rules/hollstein.toml",)

    observation: Observation
    backgrounds: dict[BackgroundMethod, tuple[Image, ...]] = Field(
        default={}, description="Method to the background images of other dates, best first"
    )
    rules: MaskRules = MaskRules()
    model: File | None = Field(default=None, description="A trained mask model: JSON")
    weights: File | None = Field(default=None, description="Weights of an optional engine")
    allow_simulated_model: bool = Field(
        default=False, description="Let a model that was trained on simulated scenes mask real ones"
    )
    keep_components: bool = Field(default=False, description="Also write the components, to train a model from")
