"""What a run will cost, before anything is read."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from pydantic import Field

from containers.base.contract.grid import Grid
from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from tasks.catalogue.coverage import area_m2
from tasks.catalogue.rules import Acquisition, footprint_of
from tasks.catalogue.selection import Selection

CDSE_QUOTA_BYTES: Final = 12e12
"""Of CDSE's general user quota per rolling 30 days; then one connection at 1 MB/s."""


class Rates(Contract):
    """Rates on two cores, to be replaced by those of the machine (`make bench`).

    Align, training, prediction and the size of a JP2 as measured; the archive's by CDSE's general quota; composite,
    cube and stored bytes are estimates.
    """

    archive_mb_s_per_connection: float = Field(default=20.0, gt=0, description="Megabytes per second and connection")
    align_mpx_s: float = Field(
        default=7.0, gt=0, description="JP2 decode, warp and write: source megapixels per second"
    )
    composite_mpx_s: float = Field(
        default=40.0, gt=0, description="Mask and reduce: megapixels per second, band and date"
    )
    cube_mpx_s: float = Field(default=45.0, gt=0, description="Cube: megapixels per second")
    train_patches_s: float = Field(default=1.5, gt=0, description="U-Net mini, 256² patches per second")
    predict_mpx_s: float = Field(default=0.6, gt=0, description="U-Net mini: megapixels per second")
    stored_bytes_per_value: float = Field(default=1.25, gt=0, description="int16 reflectance after ZSTD or deflate")
    jp2_bytes_per_value: float = Field(default=1.12, gt=0, description="Reflectance in a JP2 of the archive")


class PlanParams(Contract):
    """What the catalogue does not know about the run."""

    grid: Grid = Field(description="The analysis grid")
    connections: int = Field(default=4, ge=1, description="Connections to the archive at once")
    patches: int = Field(default=0, ge=0, description="Training patches at most; 0 where a model is given")
    patch_px: int = Field(default=256, ge=1, description="Edge of a patch in cells")
    rates: Rates = Rates()


class Plan(Contract):
    """Bytes and minutes of a run; minutes by `Rates`."""

    scenes: int = Field(description="Products that are read")
    acquisitions: int
    tiles: int
    periods: int
    refused: int = Field(description="Products and tiles left out, each with a row")
    bytes_to_read: int = Field(description="From the archive, by the sizes in the catalogue")
    bytes_to_store: int = Field(description="Estimate of what the artifact store grows by")
    minutes: dict[str, float] = Field(description="Per stage")
    quota_share: float = Field(description="Share of CDSE's 12 TB per rolling 30 days")

    @property
    def total_minutes(self) -> float:
        return sum(self.minutes.values())

    def table(self) -> list[tuple[str, str]]:
        """Rows for people."""
        return [
            ("scenes", f"{self.scenes} in {self.acquisitions} acquisitions"),
            ("tiles × periods", f"{self.tiles} × {self.periods}"),
            ("refused or not chosen", str(self.refused)),
            ("to read", _size(self.bytes_to_read)),
            ("to store", _size(self.bytes_to_store)),
            ("share of the CDSE quota", f"{self.quota_share:.2%} of 12 TB in 30 days"),
            *((f"minutes: {stage}", f"{minutes:.1f}") for stage, minutes in self.minutes.items()),
            ("minutes in all", f"{self.total_minutes:.1f}"),
        ]


def make_plan(selection: Selection, params: PlanParams) -> Plan:
    """The cost of reading the chosen acquisitions, spares not counted, and of everything after."""
    used = [acquisition for choice in selection.choices for acquisition in choice.acquisitions]
    parts = [part for acquisition in used for part in acquisition]
    bands = max((len(part.bands) for part in parts), default=0)
    read = bytes_of(parts)
    cells = params.grid.width * params.grid.height
    work = _Work(
        bytes_to_read=read,
        aligned_mpx=bands * sum(_cells(acquisition, params.grid) for acquisition in used) / 1e6,
        composite_mpx=bands * sum(_cells(choice.acquisitions[0], params.grid) for choice in selection.choices) / 1e6,
        cube_mpx=bands * len(selection.periods) * cells / 1e6,
        map_mpx=len(selection.periods) * cells / 1e6,
    )
    stored_mpx = work.aligned_mpx + work.composite_mpx + work.cube_mpx
    return Plan(
        scenes=len(parts),
        acquisitions=len(used),
        tiles=len({choice.tile for choice in selection.choices}),
        periods=len(selection.periods),
        refused=len(selection.refused),
        bytes_to_read=read,
        bytes_to_store=round(stored_mpx * 1e6 * params.rates.stored_bytes_per_value),
        minutes=_minutes(work, params),
        quota_share=read / CDSE_QUOTA_BYTES,
    )


class _Work(NamedTuple):
    bytes_to_read: int
    aligned_mpx: float
    composite_mpx: float
    cube_mpx: float
    map_mpx: float


def _minutes(work: _Work, params: PlanParams) -> dict[str, float]:
    rates = params.rates
    seconds: dict[str, float] = {
        "download": work.bytes_to_read / 1e6 / (rates.archive_mb_s_per_connection * params.connections),
        "align": work.bytes_to_read / rates.jp2_bytes_per_value / 1e6 / rates.align_mpx_s,
        "composite": work.aligned_mpx / rates.composite_mpx_s,
        "cube": work.cube_mpx / rates.cube_mpx_s,
        "train": params.patches * (params.patch_px / 256) ** 2 / rates.train_patches_s,
        "predict": work.map_mpx / rates.predict_mpx_s,
    }
    return {stage: value / 60 for stage, value in seconds.items()}


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


def bytes_of(parts: Iterable[Scene]) -> int:
    """Bytes that reading these products takes from the archive: each object once."""
    files = (file for part in parts for file in (*part.bands.values(), part.scl) if file is not None)
    return sum({file.href: file.size for file in files}.values())


def _cells(parts: Acquisition, grid: Grid) -> float:
    """Cells of the grid that an acquisition fills at most."""
    return min(sum(area_m2(footprint_of(part)) for part in parts) / grid.resolution_m**2, grid.width * grid.height)
