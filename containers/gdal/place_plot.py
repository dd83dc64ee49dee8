"""The plot of one place: what was seen, the filled curve with its 90 % band, and the seasons found on it."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from containers.gdal.contract.productivity import Place
from containers.gdal.season import first_of_january

BAND_90: Final = 1.645
"""Standard deviations on either side that hold 90 % of a normal distribution."""
_CURVE, _BAND, _SEEN, _SEASON = "#1B7837", "#A6DBA0", "#222222", "#762A83"
_BANNER = "SIMULATED DATA: invented land, no real place"
_BANNER_COLOUR = "#7A0177"


class PlaceSeries(NamedTuple):
    """All that is known of one cell. Index values; days since 1970."""

    index_name: str
    observed_days: NDArray[np.integer]
    observed: NDArray[np.floating]
    days: NDArray[np.integer]
    values: NDArray[np.floating]
    quality: NDArray[np.integer]
    uncertainty: NDArray[np.floating]
    seasons: dict[int, dict[str, float]]
    """Year to metric to value; no start where there is no season."""

    @property
    def has_values(self) -> bool:
        return bool(np.isfinite(self.values).any() or self.observed.size)


def draw_place(series: PlaceSeries, place: Place, path: Path, *, simulated: bool) -> None:
    """Draw and save a PNG of 1000 × 420 px."""
    figure = Figure(figsize=(10, 4.2), dpi=100, facecolor="white")
    axes = figure.add_axes((0.07, 0.2, 0.91, 0.64))
    _draw_curve(axes, series)
    for year, metrics in series.seasons.items():
        if "start_day" in metrics:
            _draw_season(axes, first_of_january(year) - 1, metrics)
    locator: Any = AutoDateLocator(minticks=5, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_ylabel(series.index_name.upper())
    axes.grid(visible=True, color="#E2E2E2", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=5, frameon=False, fontsize=9)
    name = "".join(letter if letter.isprintable() else " " for letter in place.name)
    # A name may hold what matplotlib would read as a formula.
    figure.text(0.07, 0.87, f"{name}  ({place.lat_deg:.5f}, {place.lon_deg:.5f})", weight="bold", parse_math=False)
    if simulated:
        figure.text(0.98, 0.95, _BANNER, ha="right", color="white", weight="bold", backgroundcolor=_BANNER_COLOUR)
    figure.savefig(path, format="png")


def _draw_curve(axes: Any, series: PlaceSeries) -> None:
    dates = series.days.astype("datetime64[D]")
    margin = BAND_90 * np.nan_to_num(series.uncertainty)
    low, high = series.values - margin, series.values + margin
    axes.fill_between(dates, low, high, color=_BAND, alpha=0.6, linewidth=0, label="90 % band")
    axes.plot(dates, series.values, color=_CURVE, linewidth=1.8, label="filled")
    seen = series.observed_days.astype("datetime64[D]")
    axes.plot(seen, series.observed, "o", color=_SEEN, markersize=3.5, label="clear observation")


def _draw_season(axes: Any, day_zero: int, metrics: dict[str, float]) -> None:
    """Start and end as triangles on the curve, with the season between them, and the peak."""
    start, peak, end = (
        np.datetime64(round((day_zero + metrics[f"{name}_day"]) * 1440), "m") for name in ("start", "peak", "end")
    )
    levels = (metrics["start_value"], metrics["peak"], metrics["end_value"])
    label = "" if any(line.get_label() == "start, peak, end" for line in axes.lines) else "start, peak, end"
    axes.axvspan(start, end, color=_SEASON, alpha=0.06, linewidth=0)
    axes.plot([start, peak, end], levels, "v", color=_SEASON, markersize=8, label=label or "_", linestyle="none")
