"""Sentinel-2 bands at one cell size, as a SNAP graph."""

from pathlib import Path

from containers.base.sentinel2 import band
from containers.snap.contract.resample import ResampleParams
from containers.snap.graph import Chain, Graph


def resample_graph(params: ResampleParams, product: Path, output: Path) -> Graph:
    """Read, resample all bands, cut the area out, select bands, write.

    `product` is the metadata file of an L2A product. Raises `unknown_band` for a band that L2A does not have.
    """
    chain = Chain()
    chain.add("Read", {"file": product}, sources=())
    chain.add(
        "Resample",
        {
            "targetResolution": params.resolution_m,
            "upsampling": params.upsampling,
            "downsampling": params.downsampling,
            "flagDownsampling": "First",
            "resampleOnPyramidLevels": False,
        },
    )
    if params.aoi:
        chain.add("Subset", {"geoRegion": params.aoi, "copyMetadata": True})
    chain.add("BandSelect", {"sourceBands": tuple(snap_band(name) for name in params.bands)})
    chain.add("Write", {"file": output, "formatName": "GeoTIFF-BigTIFF"})
    return chain.graph()


def snap_band(name: str) -> str:
    """SNAP's name of a band of an L2A product: its number without a leading zero.

    >>> [snap_band(name) for name in ("blue", "nir", "nir08", "swir16")]
    ['B2', 'B8', 'B8A', 'B11']
    """
    return f"B{band(name, 'L2A').number.removeprefix('B').lstrip('0')}"
