"""Areas of the types of a map: the parameters of the steps that sample and estimate."""

from collections.abc import Mapping
from typing import Final

from containers.base.contract.files import File
from containers.gdal.contract.areas import AreasParams, SampleClassesParams, SampleResult
from containers.tensorflow.contract.types import (
    OTHER_TYPES,
    TYPE_DOUBTFUL,
    TYPE_NODATA,
    TYPE_OTHER,
    MapTypesResult,
)

_LEAST_POINTS: Final = 5
"""In every stratum: with many types, more would leave the large ones too few (docs/pasture_maps.md)."""


def type_classes(mapped: MapTypesResult) -> dict[str, int]:
    """Type to code, and last what the model has never learnt: only a reference tells it."""
    return {name: int(code) for code, name in mapped.legend.items()} | {OTHER_TYPES: TYPE_OTHER}


def sample_params(
    mapped: MapTypesResult,
    *,
    points: int,
    seed: int = 0,
    reference: File | None = None,
    reference_types: Mapping[int, str] | None = None,
) -> SampleClassesParams:
    """A sample of one pasture, which is a population of its own: its points stay when other pastures come.

    `reference` is a raster of true types and `reference_types` its codes' names; types that the model has never
    learnt count as other ones. Without it, people fill in the sample.
    """
    classes = type_classes(mapped)
    names = {code: name if name in classes else OTHER_TYPES for code, name in (reference_types or {}).items()}
    return SampleClassesParams(
        mapped=mapped.types,
        classes=classes,
        doubtful=TYPE_DOUBTFUL,
        outside=TYPE_NODATA,
        period=str(mapped.year),
        reference=reference,
        reference_names=names,
        points=points,
        min_per_stratum=_LEAST_POINTS,
        seed=seed,
    )


def areas_params(mapped: MapTypesResult, sample: SampleResult | None) -> AreasParams:
    """Areas of one pasture's types: estimated from a sample whose reference is filled in, else counted."""
    return AreasParams(
        classes=type_classes(mapped),
        doubtful=TYPE_DOUBTFUL,
        counts=mapped.counts,
        cell_area_ha=mapped.cell_area_ha,
        sample=sample.sample if sample else None,
        strata=sample.strata if sample else None,
    )
