"""HDF5 chunks packed outside the HDF5 library, which would do it on one thread: shuffle, then deflate.

The bytes are those of the library's own filters, so that any HDF5 reader unpacks them. Deflate looks for runs only:
shuffled reflectance is runs of equal high bytes and noise, where longer matches save a few percent and cost double.
"""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFLATE_LEVEL = 4
Array = NDArray[Any]


def pack(chunk: Array) -> bytes:
    """A chunk with its bytes sorted by significance and deflated."""
    planes = np.ascontiguousarray(chunk).view(np.uint8).reshape(-1, chunk.itemsize).T
    deflate = zlib.compressobj(DEFLATE_LEVEL, strategy=zlib.Z_RLE)
    return deflate.compress(planes.tobytes()) + deflate.flush()


def unpack(packed: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """The chunk again. Raises `zlib.error`, also where the checksum that deflate keeps does not fit, and ValueError."""
    planes = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(shape)


def split(rows: Array, size: int, fill: float) -> list[Array]:
    """One row of chunks, (size, size) each; what lies beyond the raster's edge is `fill`."""
    height, width = rows.shape
    padded = np.full((size, -(-width // size) * size), fill, dtype=rows.dtype)
    padded[:height, :width] = rows
    return [np.ascontiguousarray(chunk) for chunk in np.split(padded, padded.shape[1] // size, axis=1)]
