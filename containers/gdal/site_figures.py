"""Pictures of a dataset's report: sites per class, observations along the year, and how classes look in summer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from containers.gdal.site_report import Journal

_DPI = 110
_BAR, _NO_CLASS, _LINE, _BAND, _SEEN = "#3F6FB5", "#AAAAAA", "#1B7837", "#A6DBA0", "#222222"
_RAMP, _DARK = "YlGnBu", 0.55
_BANNER, _BANNER_COLOUR = "SIMULATED DATA: invented land, no real place", "#7A0177"
_MOST_CLASSES, _COLUMNS = 12, 4
_NONE = "(none)"
WAVELENGTHS_NM: Final = {
    "coastal": 443, "blue": 492, "green": 560, "red": 665, "rededge071": 704, "rededge075": 741, "rededge078": 783,
    "nir": 833, "nir08": 865, "nir09": 945, "cirrus": 1374, "swir16": 1614, "swir22": 2202,
}  # fmt: skip
"""Centres of Sentinel-2A's bands (ESA, Sentinel-2 MSI user guide)."""


def draw_classes(journal: Journal, path: Path) -> Path:
    """Sites of each class, and in how many groups they lie."""
    names, codes = _classes(journal)
    sites = np.bincount(codes)
    groups = [journal.header.sites["group"][codes == code].nunique() for code in range(len(names))]
    order = np.argsort(sites, kind="stable")
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(names)), layout="constrained")
    axes = figure.subplots()
    colours = [_NO_CLASS if names[code] == _NONE else _BAR for code in order]
    axes.barh(range(len(names)), sites[order], color=colours)
    for place, code in enumerate(order):
        axes.text(sites[code], place, f" {sites[code]:,} in {_several(groups[code], 'group')}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), [names[code] for code in order], parse_math=False)
    axes.set_xlim(0, sites.max() * 1.3)
    axes.set_xlabel("sites")
    n_classes = sum(name != _NONE for name in names)
    axes.set_title(f"{_several(len(codes), 'site')}, {_several(n_classes, 'class', 'classes')}")
    return _saved(figure, journal, path)


def draw_observations(journal: Journal, path: Path) -> Path:
    """How many sites each slice shows clearly, and usable spectra per site, month and class."""
    times = [datetime.fromtimestamp(int(value), UTC) for value in journal.header.slices["time"]]
    names, codes = _classes(journal)
    months, of_month = np.unique([f"{time:%Y-%m}" for time in times], return_inverse=True)
    figure = Figure(figsize=(max(9.0, 2 + 0.5 * len(months)), 4 + 0.28 * len(names)), layout="constrained")
    above, below = figure.subplots(2, height_ratios=[3, 1 + 0.28 * len(names)])
    moments: Any = times
    above.vlines(moments, 0, journal.shown.sum(axis=1), color=_NO_CLASS, linewidth=2, label="with a value")
    above.vlines(moments, 0, journal.usable.sum(axis=1), color=_BAR, linewidth=2, label="usable")
    locator: Any = AutoDateLocator()  # type: ignore[no-untyped-call]
    above.xaxis.set_major_locator(locator)
    above.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    above.set_ylabel("sites")
    above.set_ylim(0)
    above.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    above.set_title("Sites in each slice")
    usable = np.stack([journal.usable[of_month == month].sum(axis=0) for month in range(len(months))])
    means = np.stack([usable[:, codes == code].mean(axis=1) for code in range(len(names))])
    _heat(below, means, months.tolist(), names)
    return _saved(figure, journal, path)


def draw_spectra(journal: Journal, path: Path) -> Path:
    """Of each class the median over sites of their mean summer spectrum, and the middle 80 % of sites."""
    names, codes = _classes(journal)
    seen = journal.summer_counts > 0
    counts = np.bincount(codes[seen], minlength=len(names))
    order = [code for code in np.argsort(-counts, kind="stable") if counts[code]][:_MOST_CLASSES]
    rows = max(1, -(-len(order) // _COLUMNS))
    figure = Figure(figsize=(3 * _COLUMNS, 0.8 + 2.4 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    means = journal.summer_sums / np.maximum(journal.summer_counts, 1)[:, np.newaxis]
    by_wavelength = np.argsort([WAVELENGTHS_NM[band] for band in journal.header.bands])
    wavelengths = sorted(WAVELENGTHS_NM[band] for band in journal.header.bands)
    for axes, code in zip(panels, order, strict=False):
        low, middle, high = np.percentile(means[seen & (codes == code)][:, by_wavelength], [10, 50, 90], axis=0)
        axes.fill_between(wavelengths, low, high, color=_BAND)
        axes.plot(wavelengths, middle, color=_LINE, marker="o", markersize=3)
        axes.set_title(f"{names[code]} ({_several(int(counts[code]), 'site')})", fontsize=10, parse_math=False)
        axes.grid(visible=True, color="#E2E2E2", linewidth=0.8)
    for axes in panels[len(order) :]:
        axes.set_axis_off()
    for axes in panels[max(0, len(order) - _COLUMNS) : len(order)]:
        axes.tick_params(labelbottom=True)
    left = "" if len(order) == np.count_nonzero(counts) else f", the {len(order)} with most sites"
    figure.suptitle(f"Mean spectra of June to August: median and middle 80 % of the sites of a class{left}")
    figure.supxlabel("wavelength in nm")
    figure.supylabel("reflectance")
    return _saved(figure, journal, path)


def _heat(axes: Any, means: NDArray[np.float64], months: list[str], names: list[str]) -> None:
    highest = max(float(means.max()), 1e-9)
    axes.imshow(means, cmap=_RAMP, vmin=0, vmax=highest, aspect="auto")
    for row, column in np.ndindex(means.shape):
        colour = "white" if means[row, column] > _DARK * highest else "black"
        axes.text(column, row, f"{means[row, column]:.1f}", ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(months)), months, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    axes.set_title("Usable spectra per site, by month and class")


def _classes(journal: Journal) -> tuple[list[str], NDArray[np.intp]]:
    """Names of classes, and the number of each site's."""
    names, codes = np.unique(journal.header.sites["class_code"].astype(str), return_inverse=True)
    return [name or _NONE for name in names.tolist()], codes


def _several(count: int, one: str, many: str = "") -> str:
    """With the noun in the right number."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _saved(figure: Figure, journal: Journal, path: Path) -> Path:
    if journal.header.slices["simulated"].any():
        figure.text(0.99, 0.01, _BANNER, ha="right", color="white", weight="bold", backgroundcolor=_BANNER_COLOUR)
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return path
