"""The tidy table of a dataset: one row per site, slice and band that has a value, written slice by slice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from containers.base.raster import raise_if_full
from containers.gdal.contract.cut import LAYERS
from containers.gdal.site_file import Header, Spectra

_OF_SITE: Final = ("site_id", "class_code", "group", "massif", "polygon_id")
_OF_SLICE: Final = ("tile", "product_id", "source")
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [
        *((name, _TEXT) for name in _OF_SITE),
        ("time", pa.timestamp("s", "UTC")),
        *((name, _TEXT) for name in _OF_SLICE),
        ("simulated", pa.bool_()),
        ("band", _TEXT),
        ("reflectance", pa.float32()),
        *((name, pa.int8()) for name in LAYERS),
    ]
)


class RowWriter:
    """A table in the making."""

    def __init__(self, writer: Any, header: Header) -> None:
        self._writer, self._slices, self._bands = writer, header.slices, pa.array(header.bands)
        self._sites = {name: np.unique(header.sites[name].astype(str), return_inverse=True) for name in _OF_SITE}

    def write(self, number: int, spectra: Spectra) -> None:
        """The values of one slice as one group of rows."""
        sites, bands = np.nonzero(np.isfinite(spectra.reflectance))
        if not len(sites):
            return
        item = self._slices.iloc[number]
        columns: dict[str, Any] = {name: _texts(own[0], own[1][sites]) for name, own in self._sites.items()}
        columns |= {name: _texts([item[name]], np.zeros(len(sites))) for name in _OF_SLICE}
        columns["time"] = pa.array(np.full(len(sites), item["time"], np.int64), pa.timestamp("s", "UTC"))
        columns["simulated"] = pa.array(np.full(len(sites), bool(item["simulated"])))
        columns["band"] = _texts(self._bands, bands)
        columns["reflectance"] = pa.array(spectra.reflectance[sites, bands])
        columns |= {name: pa.array(layer[sites]) for name, layer in zip(LAYERS, spectra.layers, strict=True)}
        self._writer.write_table(pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA))


@contextmanager
def create_rows(path: Path, header: Header) -> Iterator[RowWriter]:
    """A Parquet file to write slice by slice. Raises `disk_full`."""
    try:
        with parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            yield RowWriter(writer, header)
    except OSError as error:
        raise_if_full(path.parent, cause=error)
        raise


def _texts(values: Any, codes: NDArray[Any]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(values, pa.string()))
