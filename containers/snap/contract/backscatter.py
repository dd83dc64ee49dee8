"""Backscatter by ESA's SNAP: the production chain."""

from typing import ClassVar, Literal

from pydantic import Field

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
