"""Products that SNAP cannot work on, refused before it starts."""

import fnmatch
from collections.abc import Sequence
from pathlib import Path

from rasterio.windows import Window

from containers.base.contract.radar import SafeFolder
from containers.base.contract.step import StepError
from containers.base.raster import open_raster

_SAMPLED_LINES = 256


def require_radar_files(folder: SafeFolder, polarisations: Sequence[str], *, noise: bool) -> None:
    """Raises `missing_file`, naming the kinds, where something that the chain reads is not in the product."""
    wanted = ["manifest.safe"]
    for name in polarisations:
        wanted += [f"measurement/*-{name}-*.tiff", f"annotation/s1*-{name}-*.xml"]
        wanted.append(f"annotation/calibration/calibration-*-{name}-*.xml")
        wanted += [f"annotation/calibration/noise-*-{name}-*.xml"] if noise else []
    missing = [pattern for pattern in wanted if not fnmatch.filter(folder.files, pattern)]
    if missing:
        raise StepError("missing_file", f"{folder.id} lacks {', '.join(missing)}.", "Download the product again.")


def measured_size(root: Path, polarisations: Sequence[str]) -> tuple[int, int]:
    """(lines, samples) of a product's measurements.

    Raises `corrupt_file` for a measurement that cannot be read to its end, or holds nothing but zeros.
    """
    sizes = []
    for name in polarisations:
        for path in sorted(root.glob(f"measurement/*-{name}-*.tiff")):
            sizes.append(_require_signal(path))
    return min(sizes)


def metadata_file(root: Path) -> Path:
    """The file by which SNAP opens a Sentinel-2 L2A product. Raises `missing_file`."""
    path = root / "MTD_MSIL2A.xml"
    if not path.is_file():
        raise StepError("missing_file", f"{root.name} lacks {path.name}.", "Give a whole L2A product.")
    return path


def _require_signal(path: Path) -> tuple[int, int]:
    """(lines, samples); evenly spaced lines are read, the last one included, where a file would be cut short."""
    with open_raster(path) as source:
        every = max(1, source.height // _SAMPLED_LINES)
        lines = range(source.height - 1, -1, -every)
        if not any(source.read(1, window=Window(0, line, source.width, 1)).any() for line in lines):
            raise StepError("corrupt_file", f"{path.name} holds only zeros.", "Download the product again.")
        return source.height, source.width
