"""The calendar of a pasture against curves and snow that are known."""

import csv

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.base.contract.step import StepError
from containers.gdal.calendar import curve_points, run
from containers.gdal.calendar_tables import write_trend
from containers.gdal.contract.calendar import EVENTS, CalendarParams
from containers.gdal.contract.fill import Filling
from containers.gdal.contract.productivity import METRICS, Season
from containers.gdal.pasture_curve import pasture_curve
from containers.gdal.pasture_events import Event, compared, season_events, snow_event
from containers.gdal.pasture_views import Summary, View, summary
from containers.gdal.productivity import Observed, season_metrics
from containers.gdal.season import first_of_january
from containers.gdal.snow_free import SnowWatch
from containers.gdal.theil_sen import trend
from tests.containers.gdal.pasture_slices import CELLS, PASTURE, STENCIL, WINDOW, PastureSlices, season

FILLING = CalendarParams.model_fields["filling"].default
Y0 = first_of_january(2021) - 1
"""The day before the first of the year: day of the year 1 is Y0 + 1."""


@pytest.fixture
def slices(raster_store):
    return PastureSlices(raster_store)


def table(out, file):
    with (out / file.href).open() as stream:
        return list(csv.DictReader(stream))


def told(tmp_path, slices, made, *, years=(2021,), **facts):
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    given_facts = {"outline": slices.outline(), "pasture_id": "alp", "grid": WINDOW} | facts
    result = run(CalendarParams(slices=tuple(made), years=years, **given_facts), out)
    return result, out, table(out, result.events)


def event_of(events, name, year=2021):
    (row,) = [row for row in events if row["event"] == name and row["year"] == str(year)]
    return row


def a_year(slices, *, every=5, rise=150, fall=255, melt=120, year=2021, hidden=lambda day: False):
    """Views from February to November, snow until `melt`, clouds where `hidden`."""
    before_first = first_of_january(year) - 1
    for day in range(40, 330, every):
        ndvi = season(np.array([before_first + day]), rise=rise, fall=fall)[0]
        yield slices.slice(before_first + day, ndvi, snow=int(day < melt), cloud=int(hidden(day)))


# --- snow ------------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    melt=st.lists(st.integers(60, 200), min_size=1, max_size=9),
    looked=st.lists(st.tuples(st.integers(1, 280), st.lists(st.booleans(), min_size=9, max_size=9)), max_size=40),
)
def test_the_true_snow_free_day_lies_between_its_limits(melt, looked):
    """Per cell, and for the median of the cells that are told."""
    true = np.array(melt)
    watch = SnowWatch((2021,), len(true), south=False)
    for day, clear in sorted(looked, key=lambda one: one[0]):
        seen = np.array(clear[: len(true)])
        watch.see(Y0 + day, seen & (day < true), seen & (day >= true))
    found = watch.of(2021)
    is_told = np.isfinite(found.day)
    assert (found.lower <= true)[is_told].all()
    assert (true <= found.upper)[is_told].all()
    for cell, day in enumerate(true):
        views = [one for one, clear in looked if clear[cell]]
        assert is_told[cell] == (any(one < day for one in views) and any(one >= day for one in views))
    event = snow_event(2021, found)
    if is_told.any():
        assert event.lower <= np.median(true[is_told]) <= event.upper
        assert event.day == np.median(found.day[is_told])
    else:
        assert np.isnan(event.day)
        assert event.doubt


def test_snow_by_hand():
    watch = SnowWatch((2021, 2022), 4, south=False)
    yes, no = np.array([True] * 4), np.array([False] * 4)
    watch.see(Y0 + 100, yes, no)
    watch.see(Y0 + 121, np.array([True, False, False, False]), np.array([False, True, False, True]))
    watch.see(Y0 + 141, np.array([False, False, False, True]), np.array([True, True, False, False]))
    watch.see(Y0 + 151, no, np.array([True, True, False, True]))
    watch.see(Y0 + 300, yes, no)  # the next winter
    found = watch.of(2021)
    assert found.lower.tolist()[:2] == [122, 101]
    assert found.upper.tolist()[:2] == [141, 121]
    assert found.day[0] == 131.5
    assert np.isnan(found.day[2])
    assert (found.lower[3], found.upper[3]) == (142, 151)  # snow fell again
    assert np.isnan(watch.of(2022).day).all()


def test_the_winter_before_counts_and_the_south_has_its_own():
    watch = SnowWatch((2021,), 1, south=False)
    watch.see(Y0 - 20, np.array([True]), np.array([False]))
    watch.see(Y0 + 90, np.array([False]), np.array([True]))
    assert watch.of(2021).lower[0] == -19
    south = SnowWatch((2021,), 1, south=True)
    south.see(Y0 - 100, np.array([True]), np.array([False]))
    south.see(Y0 - 80, np.array([False]), np.array([True]))
    south.see(Y0 + 180, np.array([True]), np.array([False]))
    assert south.of(2021).upper[0] == -80


# --- the curve and its days ------------------------------------------------------------------------------------------


def true_days(years, rise, fall):
    """Start, peak and end by the definitions, from a curve of daily values without noise."""
    days = np.arange(first_of_january(years[0]), first_of_january(years[-1] + 1), dtype=np.int32)
    values = season(days, rise=rise, fall=fall)
    metrics = season_metrics(
        days, values[:, np.newaxis].astype("float32"), Observed(days, np.ones((len(days), 1), bool)), years, Season()
    )
    found = {
        name: {year: metrics[year][METRICS.index(band), 0] for year in years}
        for name, band in {"greening": "start_day", "peak": "peak_day", "drying": "end_day"}.items()
    }
    found["forage_days"] = {
        year: sum(
            values[day - days[0]] >= 0.4
            and found["greening"][year] <= day - first_of_january(year) + 1 <= found["drying"][year]
            for day in range(first_of_january(year), first_of_january(year + 1))
        )
        for year in years
    }
    return found


def sampled(rng, years, rise, fall):
    """A third of the acquisitions, one every five days, with noise; under snow before growth and in winter."""
    days = np.arange(first_of_january(years[0]), first_of_january(years[-1] + 1), 5, dtype=np.int32)
    days = days[rng.random(len(days)) < 0.35]
    first = np.array(
        [
            first_of_january(int(year))
            for year in days.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
        ]
    )
    snow = (days - first < rise - 25) | (days - first > 320)
    means = season(days, rise=rise, fall=fall) + rng.normal(0, 0.02, len(days))
    return [
        Summary(int(day), mean, mean, mean, 0.0 if is_snow else 0.8, 0.9 if is_snow else 0.0)
        for day, mean, is_snow in zip(days, means, snow, strict=True)
    ]


def test_the_truth_lies_in_the_intervals():
    """Of 2 · 15 years and four events, nine in ten at least; and the intervals say something."""
    rng, years = np.random.default_rng(11), (2020, 2021)
    inside, widths, errors = {name: [] for name in EVENTS[1:]}, [], []
    for _ in range(15):
        rise, fall = rng.normal(150, 8), rng.normal(255, 10)
        seen = sampled(rng, years, rise, fall)
        true = true_days(years, rise, fall)
        points = curve_points(seen)
        for event in season_events(pasture_curve(FILLING, *points), points[0], years, Season(), 0.4):
            expected = true[event.event][event.year]
            inside[event.event].append(event.lower <= expected <= event.upper)
            if event.event != "forage_days":
                widths.append(event.upper - event.lower)
                errors.append(abs(event.day - expected))
    shares = {name: np.mean(hits) for name, hits in inside.items()}
    assert min(shares.values()) >= 0.8, shares
    assert np.mean(list(shares.values())) >= 0.9, shares
    assert np.median(widths) < 45
    assert np.median(errors) < 7


def test_views_through_the_year_give_the_days_of_the_curve(tmp_path, slices):
    _, _, events = told(tmp_path, slices, a_year(slices))
    true = true_days((2021,), 150, 255)
    for name in ("greening", "peak", "drying", "forage_days"):
        row = event_of(events, name)
        assert float(row["day"]) == pytest.approx(true[name][2021], abs=6)
        assert float(row["lower"]) - 1 <= true[name][2021] <= float(row["upper"]) + 1
        assert row["doubt"] == ""
    snow = event_of(events, "snow_free")
    assert (snow["day"], snow["lower"], snow["upper"]) == ("118.0", "116.0", "120.0")
    assert (
        snow["basis"]
        == "100% of the pasture: last under snow before 26 April, first without snow on 30 April (medians)"
    )
    assert [row["event"] for row in events] == list(EVENTS)


def test_a_gap_is_told_in_words_and_widens_the_interval(tmp_path, slices):
    gap = a_year(slices, hidden=lambda day: 123 < day < 160)
    _, _, events = told(tmp_path, slices, gap)
    row = event_of(events, "greening")
    assert row["doubt"] == "no clear view between 30 April and 9 June"
    assert float(row["lower"]) <= 120
    assert float(row["upper"]) >= 160
    assert event_of(events, "peak")["doubt"] == ""


def test_years_without_views_or_a_season(tmp_path, slices):
    flat = [slices.slice(first_of_january(2021) + day, 0.15) for day in range(100, 300, 10)]
    _, out, events = told(tmp_path, slices, flat, years=(2021, 2023))
    for name in ("greening", "peak", "drying"):
        assert event_of(events, name)["day"] == ""
        assert (
            event_of(events, name)["doubt"]
            == "no season was found: the curve is flat, or its rise or fall was not seen"
        )
        assert event_of(events, name, 2023)["doubt"] == "no season was found: no clear view in 2023"
    assert event_of(events, "forage_days")["doubt"] == "no season was found"
    assert event_of(events, "snow_free")["doubt"] == "no cell was seen under snow and free of it afterwards"
    assert not list(out.glob("snow_free*"))


def test_views_that_begin_and_end_within_the_season():
    days = np.arange(Y0 + 145, Y0 + 262, 4, dtype=np.int32)
    curve = pasture_curve(FILLING, days, season(days, rise=150, fall=240))
    events = {event.event: event for event in season_events(curve, days, (2021,), Season(), 0.4)}
    assert events["greening"].doubt == "the views begin only on 25 May"
    assert "the views end on 18 September" in events["drying"].doubt
    assert events["peak"].doubt == ""


def test_ndvi_below_the_forage_threshold():
    days = np.arange(Y0 + 60, Y0 + 320, 5, dtype=np.int32)
    curve = pasture_curve(FILLING, days, season(days, rise=150, fall=250))
    *_, forage = season_events(curve, days, (2021,), Season(), 0.9)
    assert forage.day == 0
    assert forage.doubt == "the NDVI never reached 0.9"


def test_snow_gives_the_curve_its_base_and_too_little_gives_nothing():
    rows = [(1, 0.3, 0.9, 0.0), (2, 0.1, 0.1, 0.8), (3, 0.9, 0.2, 0.1), (4, 0.5, 0.3, 0.6)]
    seen = [Summary(day, mean, mean, mean, clear, snow) for day, mean, clear, snow in rows]
    days, values = curve_points(seen)
    assert days.tolist() == [1, 2, 4]
    assert values == pytest.approx([0.3, 0.3 + 0.05 * 0.2, 0.5])


# --- reading slices --------------------------------------------------------------------------------------------------


def in_pasture(**cells):
    """An array of the stencil's window, 0 but in the named rectangle of the pasture's cells."""
    found = np.zeros(STENCIL.shape)
    row, col = 3 + CELLS[0].start, 4 + CELLS[1].start
    for rows, cols, value in cells.values():
        found[row + rows[0] : row + rows[1], col + cols[0] : col + cols[1]] = value
    return found


def test_figures_of_a_view_are_those_of_its_clear_cells(tmp_path, slices):
    """Of 8 · 10 cells 20 are under snow, 20 under cloud, 10 in shadow; the rest has NDVI 0.2 and 0.6."""
    ndvi = 0.6 - 0.4 * in_pasture(dry=((5, 8), (0, 5), 1.0))
    mixed = slices.slice(
        Y0 + 200, ndvi, snow=in_pasture(a=((0, 2), (0, 10), 1)), cloud=in_pasture(a=((2, 4), (0, 10), 1)),
        shadow=in_pasture(a=((4, 5), (0, 10), 1)),
    )  # fmt: skip
    others = [slices.slice(Y0 + day, 0.5) for day in (180, 190, 210, 220)]
    result, out, _ = told(tmp_path, slices, [mixed, *others])
    (row,) = [row for row in table(out, result.curve) if row["date"] == "2021-07-19"]
    assert row["observed"] == "1"
    assert [float(row[name]) for name in ("clear_share", "snow_share")] == [0.375, 0.25]
    assert [float(row[name]) for name in ("ndvi", "p10", "p90")] == pytest.approx([0.4, 0.2, 0.6], abs=2e-3)
    assert float(row["lower"]) < 0.4 < float(row["upper"])
    unseen = [row for row in table(out, result.curve) if row["date"] == "2021-07-24"]
    assert unseen[0]["observed"] == "0"
    assert unseen[0]["p10"] == unseen[0]["clear_share"] == ""


def test_the_outline_is_its_cells_by_their_centres(tmp_path, slices):
    seen = [slices.slice(Y0 + day, 0.5 + 0.3 * in_pasture(all=((0, 8), (0, 10), 1))) for day in (150, 160, 170)]
    result, out, _ = told(tmp_path, slices, seen)
    rows = [row for row in table(out, result.curve) if row["observed"] == "1"]
    assert [float(row["p10"]) for row in rows] == pytest.approx([0.8] * 3, abs=1e-3)


def test_of_two_slices_of_a_day_the_one_that_shows_more(tmp_path, slices):
    days = [(150, 0.5, 0), (160, 0.3, 0), (160, 0.7, 1), (170, 0.5, 0)]
    made = [
        slices.slice(Y0 + day, ndvi, cloud=cloud, product_ids=(f"p{n}",)) for n, (day, ndvi, cloud) in enumerate(days)
    ]
    result, out, _ = told(tmp_path, slices, made[::-1])
    rows = [row for row in table(out, result.curve) if row["observed"] == "1"]
    assert [row["ndvi"] for row in rows] == ["0.5000", "0.3000", "0.5000"]


def test_layers_that_are_not_known_hide_the_ground(tmp_path, slices):
    blind = slices.slice(Y0 + 155, 0.9, snow=255, unmasked=("snow",))
    result, out, _ = told(tmp_path, slices, [blind, *(slices.slice(Y0 + day, 0.5) for day in (150, 160))])
    assert [row["observed"] for row in table(out, result.curve) if row["clear_share"]] == ["1", "0", "1"]
    assert [warning.code for warning in result.warnings] == ["unmasked"]
    assert "1 of 3 slices say nothing of snow" in result.warnings[0].reason


def test_the_map_of_snow_free_days(tmp_path, slices):
    """The upper half is free on the second view, the lower on the third, one cell never seen without."""
    late, never = in_pasture(late=((4, 8), (0, 10), 1)), in_pasture(never=((7, 8), (9, 10), 1))
    snow = [np.ones(STENCIL.shape), late, never]
    made = [slices.slice(Y0 + day, 0.4, snow=cover) for day, cover in zip((100, 110, 130), snow, strict=True)]
    result, out, events = told(tmp_path, slices, made)
    with rasterio.open(out / result.snow_free["2021"].href) as raster:
        assert raster.nodata == -9999
        assert raster.dtypes == ("float32",)
        found = raster.read(1)
    pasture = found[CELLS]
    assert (pasture[:4] == 105.5).all()
    assert pasture[7, 9] == -9999
    assert (np.delete(pasture[4:].ravel(), -1) == 120.5).all()
    assert (found == -9999).sum() == found.size - 79
    assert event_of(events, "snow_free")["basis"].startswith("99% of the pasture")


def test_the_same_input_gives_the_same_bytes(tmp_path, slices):
    made, outline = list(a_year(slices, every=12)), slices.outline()
    written = []
    for _ in range(2):
        _, out, _ = told(tmp_path, slices, made, outline=outline)
        written.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert written[0] == written[1]
    assert len(written[0]) == 4


# --- years -----------------------------------------------------------------------------------------------------------


def test_a_year_against_the_others():
    events = [Event(2018 + number, "peak", day) for number, day in enumerate((180.0, 190.0, 200.0, np.nan))]
    found = compared(events)
    assert [event.usual for event in found] == [195, 190, 185, 190]
    assert np.isnan(compared(events[:2])[0].usual)


def test_two_years_beside_a_third(tmp_path, slices):
    shifts = {2019: 0, 2020: -10, 2021: 10}
    made = [
        one
        for year, shift in shifts.items()
        for one in a_year(slices, every=12, rise=150 + shift, melt=120 + shift, year=year)
    ]
    result, out, events = told(tmp_path, slices, made, years=tuple(shifts))
    row = event_of(events, "greening", 2021)
    others = [float(event_of(events, "greening", year)["day"]) for year in (2019, 2020)]
    assert float(row["usual"]) == pytest.approx(np.mean(others), abs=0.11)
    assert float(row["difference"]) == pytest.approx(float(row["day"]) - float(row["usual"]), abs=0.11)
    assert 5 < float(row["difference"]) < 25
    assert table(out, result.trend) == []


def test_a_trend_from_four_years_on(tmp_path):
    days = {2018: 150.0, 2019: 147.0, 2020: 141.0, 2022: 143.0, 2023: np.nan}
    events = [Event(year, "greening", day) for year, day in days.items()]
    events += [Event(year, "peak", 200.0 + year) for year in (2018, 2019, 2020)]
    write_trend("alp", events, tmp_path / "trend.csv")
    with (tmp_path / "trend.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert (row["pasture_id"], row["event"], row["years"]) == ("alp", "greening", "4")
    # Slopes of the six pairs: -6, -4.5, -3, -1.75, -1.33, 1; their median.
    assert float(row["slope_days_per_year"]) == pytest.approx((-3 - 1.75) / 2)
    expected = trend(np.array([2018, 2019, 2020, 2022]), np.array([[150.0], [147.0], [141.0], [143.0]]))
    assert [float(row[name]) for name in ("lower", "upper", "p_value")] == pytest.approx(
        [expected.lower[0], expected.upper[0], expected.p_value[0]], abs=1e-4
    )


# --- refusals --------------------------------------------------------------------------------------------------------


def code_of(tmp_path, slices, made, **facts):
    with pytest.raises(StepError) as caught:
        told(tmp_path, slices, made, **facts)
    return caught.value.code


def test_what_is_refused(tmp_path, slices):
    good = [slices.slice(Y0 + day, 0.5) for day in (150, 160)]
    assert code_of(tmp_path, slices, [good[0], good[1].model_copy(update={"tile": "32TLR"})]) == "bad_parameters"
    assert code_of(tmp_path, slices, good, pasture_id="other") == "bad_regions"
    assert code_of(tmp_path, slices, good, outline=slices.outline(("alp", "alp"))) == "bad_regions"
    assert (
        code_of(tmp_path, slices, good, outline=slices.outline(geometry=shapely.Point(750_100, 5_029_900)))
        == "bad_regions"
    )
    away = shapely.transform(PASTURE, lambda xy: xy + 9_000)
    assert code_of(tmp_path, slices, good, outline=slices.outline(geometry=away)) == "no_valid_pixels"
    wide = WINDOW.model_copy(update={"west_m": 749_990})
    assert code_of(tmp_path, slices, good, grid=wide) == "grid_mismatch"
    assert code_of(tmp_path, slices, [slices.slice(Y0 + 150, 0.5, bands=("red", "blue"))]) == "unknown_band"
    hidden = [slices.slice(Y0 + day, 0.5, cloud=1) for day in (150, 160)]
    assert code_of(tmp_path, slices, [good[0], *hidden]) == "no_valid_pixels"


def test_an_empty_view_has_no_figures():
    nothing = summary(View(1, np.full(4, np.nan, "float32"), np.array([True, False, False, False])))
    assert np.isnan([nothing.mean, nothing.p10, nothing.p90]).all()
    assert (nothing.clear_share, nothing.snow_share) == (0, 0.25)


def test_engines_of_the_filling_are_the_users():
    days = np.arange(Y0 + 60, Y0 + 320, 8, dtype=np.int32)
    values = season(days, rise=150, fall=250)
    straight = pasture_curve(Filling(engine="linear", dip=0), days, values)
    assert straight.values[4] == pytest.approx((values[0] + values[1]) / 2, abs=1e-6)
    assert straight.values[::8] == pytest.approx(values, abs=1e-6)
