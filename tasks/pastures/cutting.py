"""A tile's products, a year of them per task, each cut to one batch of stencils."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from prefect import task

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.scene import BandName
from containers.gdal.contract.cut import TEN_BANDS, CutParams, MajaProduct, Slice
from tasks.catalogue.rules import Acquisition
from tasks.pastures.quality_masks import quality_masks
from tasks.runner import STEP_TASK
from tasks.step_batch import perform_each


class CutBatch(Contract):
    """A tile and a year, and what is cut out of its products."""

    tile: str
    year: int
    stencils: File
    acquisitions: tuple[Acquisition, ...] = ()
    maja: tuple[MajaProduct, ...] = ()
    bands: tuple[BandName, ...] = TEN_BANDS
    missing_masks: Literal["refuse", "flag"] = "refuse"


@task(**STEP_TASK, task_run_name="cut {batch.tile} {batch.year}")
def cut_tile(batch: CutBatch) -> tuple[Slice, ...]:
    """A slice of each product that shows the stencils, in the order of time; the others are rows of the ledger."""

    def esa(parts: Acquisition) -> CutParams:
        return _params(batch, parts=parts, quality_masks=quality_masks(parts))

    # Told by their ids: a tile can be seen by two datatakes of a day.
    steps = {f"cut {parts[0].id}": partial(esa, parts) for parts in batch.acquisitions}
    steps |= {f"cut {product.id}": partial(_params, batch, maja=product) for product in batch.maja}
    slices: tuple[Slice, ...] = perform_each(steps)
    return tuple(sorted(slices, key=lambda each: (each.acquired, each.product_ids)))


def by_year(
    tile: str, stencils: File, acquisitions: Sequence[Acquisition] = (), maja: Sequence[MajaProduct] = ()
) -> Iterator[CutBatch]:
    """A batch per calendar year of a tile's products, in the order of time."""
    esa_of: dict[int, list[Acquisition]] = defaultdict(list)
    maja_of: dict[int, list[MajaProduct]] = defaultdict(list)
    for parts in acquisitions:
        esa_of[parts[0].datetime.year].append(parts)
    for product in maja:
        maja_of[product.acquired.year].append(product)
    for year in sorted(esa_of.keys() | maja_of.keys()):
        yield CutBatch(
            tile=tile, year=year, stencils=stencils, acquisitions=tuple(esa_of[year]), maja=tuple(maja_of[year])
        )


def _params(batch: CutBatch, **product: object) -> CutParams:
    return CutParams.model_validate(
        {"stencils": batch.stencils, "bands": batch.bands, "missing_masks": batch.missing_masks, **product}
    )
