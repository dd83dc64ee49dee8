"""What the rasters of different periods must have in common before any cell of them is compared."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.base.grid import grid_of


class Header(NamedTuple):
    """What must be equal in every period."""

    epsg: int
    resolution_m: float
    west_m: float
    north_m: float
    width: int
    height: int
    dtype: str
    nodata: float | None
    block: str

    @property
    def grid(self) -> Grid:
        return Grid(**{name: getattr(self, name) for name in GRID_FIELDS})


GRID_FIELDS, FORMAT_FIELDS = Header._fields[:6], Header._fields[6:]


def header_of(dataset: Any) -> Header:
    rows, cols = dataset.block_shapes[0]
    grid = grid_of(dataset).model_dump()
    return Header(**grid, dtype=dataset.dtypes[0], nodata=dataset.nodata, block=f"{rows}x{cols}")


def differences(name: str, header: Header, other_name: str, other: Header, fields: tuple[str, ...]) -> Iterator[str]:
    """One sentence per field in which two rasters differ, with both values."""
    for field in fields:
        value, other_value = getattr(header, field), getattr(other, field)
        if value != other_value:
            yield f"{field} is {value} in {name} and {other_value} in {other_name}"


def require_equal_headers(headers: dict[tuple[str, str], Header]) -> None:
    """Raises `grid_mismatch`: all rasters share one grid, and each layer its type, nodata and block in all periods."""
    (first_period, first_layer), first = next(iter(headers.items()))
    found: list[str] = []
    for (period, layer), header in headers.items():
        name = f"{period}/{layer}"
        found += differences(f"{first_period}/{first_layer}", first, name, header, GRID_FIELDS)
        same_layer = headers[first_period, layer]
        found += differences(f"{first_period}/{layer}", same_layer, name, header, FORMAT_FIELDS)
    if found:
        raise StepError("grid_mismatch", f"{'; '.join(found)}.", "Mosaic every period onto the same grid.")
