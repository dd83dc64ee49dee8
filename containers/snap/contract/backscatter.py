"""Backscatter by ESA's SNAP: the production chain."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.radar import Backscatter, BackscatterResult
from containers.base.contract.step import Resources, StepResult

Resampling = Literal["NEAREST_NEIGHBOUR", "BILINEAR_INTERPOLATION", "CUBIC_CONVOLUTION", "BICUBIC_INTERPOLATION"]


class SnapBackscatterParams(Backscatter):
    """One gpt graph from a GRD product to gamma nought on the grid."""

    step: ClassVar[str] = "snap.backscatter"
    result: ClassVar[type[StepResult]] = BackscatterResult
    resources: ClassVar[Resources] = Resources(memory_mb=16_384, timeout_s=14_400)
    data_files: ClassVar[tuple[str, ...]] = ("operators.json",)

    orbit_files: tuple[File, ...] = Field(
        default=(), description="Precise or restituted orbit files (EOF) of the slices; empty: the annotation's orbit"
    )
    dem_resampling: Resampling = Field(default="BILINEAR_INTERPOLATION", description="How heights are interpolated")
    image_resampling: Resampling = Field(
        default="BILINEAR_INTERPOLATION", description="How the image is; bicubic overshoots and makes negative power"
    )
    border_limit_px: int = Field(
        default=600, ge=0, le=5000, description="How far from the edges of the swath border noise is looked for"
    )
    trim_threshold: float = Field(
        default=2.0, ge=0, le=1000, description="Pixels there are border noise below this, free of thermal noise"
    )

    @model_validator(mode="after")
    def _filter_exists_in_snap(self) -> "SnapBackscatterParams":
        speckle = self.speckle
        for name, size in (("window_px", speckle.window_px), ("target_window_px", speckle.target_window_px)):
            if size % 2 == 0:
                raise ValueError(f"speckle.{name}={size} must be odd: SNAP's windows have a middle")
        if abs(speckle.sigma * 10 - round(speckle.sigma * 10)) > 1e-9:
            raise ValueError(f"speckle.sigma={speckle.sigma} must be one of 0.5, 0.6, 0.7, 0.8, 0.9")
        return self
