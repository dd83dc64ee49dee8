"""Chunks packed here are unpacked by the HDF5 library, and the other way round."""

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from containers.gdal.chunks import pack, split, unpack


@given(arrays.arrays(st.sampled_from([np.uint8, np.int16, np.int32]), arrays.array_shapes(min_dims=2, max_dims=3)))
def test_unpack_is_the_inverse_of_pack(chunk: np.ndarray) -> None:
    again = unpack(pack(chunk), chunk.dtype, chunk.shape)
    assert again.dtype == chunk.dtype
    assert (again == chunk).all()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_the_library_reads_and_writes_the_same_bytes(dtype: str, tmp_path: Path) -> None:
    chunk = np.random.default_rng(0).integers(0, 200, (32, 32)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        options = {"chunks": (32, 32), "compression": "gzip", "compression_opts": 4, "shuffle": True}
        ours = file.create_dataset("ours", (32, 32), dtype, **options)
        ours.id.write_direct_chunk((0, 0), pack(chunk))
        theirs = file.create_dataset("theirs", data=chunk, **options)
        assert (ours[:] == chunk).all()
        assert (unpack(theirs.id.read_direct_chunk((0, 0))[1], chunk.dtype, (32, 32)) == chunk).all()


def test_no_flipped_bit_changes_a_value_unnoticed() -> None:
    chunk = np.random.default_rng(0).integers(0, 50, (8, 8)).astype(np.int16)
    packed = pack(chunk)
    noticed = 0
    for position in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[position // 8] ^= 1 << position % 8
        try:
            assert (unpack(bytes(damaged), chunk.dtype, chunk.shape) == chunk).all()
        except (zlib.error, ValueError):
            noticed += 1
    assert noticed > 8 * (len(packed) - 2)


def test_split_pads_with_the_fill_value() -> None:
    first, second = split(np.array([[1, 2, 3], [4, 5, 6]], np.int16), 2, -9)
    assert (first.tolist(), second.tolist()) == ([[1, 2], [4, 5]], [[3, -9], [6, -9]])
    assert split(np.array([[7]], np.int16), 2, -9)[0].tolist() == [[7, -9], [-9, -9]]
