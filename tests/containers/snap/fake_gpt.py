"""Stands in for gpt: reads the graph, and writes what SNAP's rules of the grid would, with values known by position.

FAKE_GPT tells how it ends: well, or in one of the ways in which gpt fails.
"""

import math
import os
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

SIZE_M, TILE_NORTH = 10, 5_300_040


def parameters(graph: ElementTree.Element, operator: str) -> dict[str, str]:
    for node in graph.iter("node"):
        if node.findtext("operator") == operator:
            return {element.tag: element.text or "" for element in node.find("parameters")}
    return {}


def snap_transform(graph: ElementTree.Element) -> tuple[Any, int, int, str]:
    """Transform, width and height by the rule of SNAP's CRSGeoCodingHandler: the centre of the upper left cell."""
    from rasterio.transform import Affine
    from rasterio.warp import transform_bounds

    terrain = parameters(graph, "Terrain-Correction")
    crs, size = terrain["mapProjection"], float(terrain["pixelSpacingInMeter"])
    region = next(graph.iter("geoRegion")).text or ""
    lon, lat = (np.array(re.findall(r"-?\d+\.?\d*", region), float)[axis::2] for axis in (0, 1))
    west, south, east, north = transform_bounds(
        "EPSG:4326", crs, lon.min(), lat.min(), lon.max(), lat.max(), densify_pts=21
    )
    origin_x, origin_y = float(terrain["standardGridOriginX"]), float(terrain["standardGridOriginY"])
    easting = math.floor((west - origin_x) / size) * size + origin_x
    northing = math.ceil((north - origin_y) / size) * size + origin_y
    if os.environ.get("FAKE_GPT") == "off the lattice":
        easting += size / 2
    width, height = math.ceil((east - easting) / size), math.ceil((northing - south) / size)
    return Affine(size, 0, easting - size / 2, 0, -size, northing + size / 2), width, height, crs


def value_at(easting: np.ndarray, northing: np.ndarray, band: int) -> np.ndarray:
    """What a band holds at a cell's centre: another value in every cell of a kilometre."""
    return (0.05 + 0.1 * band + (easting % 1000) * 1e-5 + (northing % 1000) * 1e-8).astype(np.float32)


def write_gamma(graph: ElementTree.Element, path: str) -> None:
    import rasterio

    transform, width, height, crs = snap_transform(graph)
    names = parameters(graph, "BandSelect")["sourceBands"].split(",")
    col, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    easting, northing = transform.c + 10 * col, transform.f - 10 * row
    layers = [value_at(easting, northing, band) for band in range(len(names))]
    layers[-1] = np.full((height, width), 38.5, np.float32)
    mode = os.environ.get("FAKE_GPT", "")
    if mode == "edge and holes":
        for layer in layers:
            layer[:, : width // 2] = 0
        row, col = np.array([height // 2, height // 2 + 4, height // 2 + 9]), np.array([3 * width // 5] * 3)
        layers[0][row, col] = (-0.5, 0, np.nan)
    if mode == "empty":
        layers = [np.zeros_like(layer) for layer in layers]
    if mode == "a band short":
        layers = layers[1:]
    profile = {"driver": "GTiff", "width": width, "height": height, "count": len(layers), "dtype": "float32"}
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as sink:
        sink.write(np.stack(layers))


def write_bands(graph: ElementTree.Element, path: str) -> None:
    """Digital numbers: 1000 times the place of the band in the request, 0 in the first column."""
    import rasterio
    from rasterio.transform import Affine

    size = int(parameters(graph, "Resample")["targetResolution"])
    names = parameters(graph, "BandSelect")["sourceBands"].split(",")
    layers = np.stack([np.full((30, 40), 1000 * (number + 1), np.uint16) for number in range(len(names))])
    layers[:, :, 0] = 0
    dtype = "float32" if os.environ.get("FAKE_GPT") == "floats" else "uint16"
    transform = Affine(size, 0, 399_960, 0, -size, TILE_NORTH)
    profile = {"driver": "GTiff", "width": 40, "height": 30, "count": len(layers), "dtype": dtype}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=transform, **profile) as sink:
        sink.write(layers.astype(dtype))


def say(text: str) -> None:
    os.write(1, text.encode())


def main() -> int:
    arguments = sys.argv[1:]
    Path("arguments.txt").write_text("\n".join(arguments))
    mode = os.environ.get("FAKE_GPT", "")
    graph_path = next(argument for argument in arguments if argument.endswith(".xml"))
    graph = ElementTree.parse(graph_path).getroot()
    output = parameters(graph, "Write")["file"]
    say("SEVERE: org.esa.s2tbx.dataio.gdal.activator.GDALDistributionInstaller: LD_LIBRARY_PATH has no '.'\n")
    say("Executing processing graph\n....10%....20%....30%")
    if mode.startswith("says "):
        say(mode.removeprefix("says ") + "\n")
        return int(os.environ.get("FAKE_GPT_EXIT", "0"))
    if mode == "is killed":
        os.kill(os.getpid(), 9)
    if mode == "dies silently":
        return 1
    if mode == "ignores the orbit":
        say("\nWARNING: eu.esa.sar.orbits.gpf.ApplyOrbitFileOp: ApplyOrbit ignoring error and continuing: java.io.")
        say("IOException: No valid orbit file found\n")
    if mode != "writes nothing":
        (write_bands if parameters(graph, "Resample") else write_gamma)(graph, output)
    if mode == "writes half":
        size = os.path.getsize(output)
        os.truncate(output, size // 2)
    say("....90% done.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
