"""Strata of a burn map by distance, and estimates from its samples against the truth, over many draws."""

import csv
from collections import Counter

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from scipy import ndimage

from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal import areas, sample_classes
from containers.gdal.burn_tables import write_counts
from containers.gdal.contract.areas import AreasParams, SampleClassesParams
from containers.gdal.contract.burn import BURN_CLASSES

CLASSES_OF_AREAS = dict(BURN_CLASSES)
GRID = Grid(epsg=32633, resolution_m=20, west_m=500_000, north_m=5_300_000, width=220, height=280)


@pytest.fixture(scope="module")
def fire():
    """The truth, and a map of it that is shifted, speckled and partly unknown."""
    rng = np.random.default_rng(11)
    row, column = np.indices(GRID.shape)
    truth = ((row - 120) / 60) ** 2 + ((column - 100) / 40) ** 2 < 1
    mapped = np.roll(truth, (3, -4), axis=(0, 1)) ^ (rng.random(GRID.shape) < 0.02)
    mapped = np.where(ndimage.binary_erosion(mapped), 1, mapped).astype(np.uint8)
    mapped[:, 200:] = 255
    return truth.astype(np.uint8), mapped


@pytest.fixture
def drawn(raster_store, fire):
    truth, mapped = fire
    burned = raster_store.cog(mapped, GRID, nodata=255, name="burned")
    reference = raster_store.cog(truth, GRID, nodata=255, name="truth")

    def draw(out=None, **options):
        out = out or raster_store.folder("gdal.sample_classes")
        facts = {
            "mapped": burned,
            "classes": BURN_CLASSES,
            "beside": "burned",
            "period": "2020",
            "reference": reference,
            "points": 300,
        }
        return sample_classes.run(SampleClassesParams(**(facts | options)), out), out

    return draw


def rows_of(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_strata_by_distance_and_points_in_each(drawn, fire, raster_store) -> None:
    truth, mapped = fire
    result, out = drawn(buffer_m=60)
    burned = mapped == 1
    near = (mapped == 0) & (ndimage.distance_transform_edt(~burned) <= 3)
    strata = {row["stratum"]: row for row in rows_of(out / result.strata.href)}
    sizes = {name: int(row["cells"]) for name, row in strata.items()}
    assert sizes == {
        "unknown": 280 * 20, "burned": burned.sum(), "near_burned": near.sum(),
        "unburned": (mapped == 0).sum() - near.sum(),
    }  # fmt: skip
    points = rows_of(out / result.sample.href)
    assert len(points) == 300
    assert min(Counter(point["stratum"] for point in points).values()) >= 50
    for point in points:
        row = int((GRID.north_m - float(point["y_m"])) // 20)
        column = int((float(point["x_m"]) - GRID.west_m) // 20)
        assert (int(point["2020"]), int(point["map_2020"])) == (truth[row, column], mapped[row, column])
        assert (point["stratum"] == "burned") == bool(mapped[row, column])


def test_the_seed_decides_the_draw(drawn) -> None:
    first, again, other = (drawn(seed=seed)[0].sample for seed in (1, 1, 2))
    assert first == again
    assert first.content_id != other.content_id


def test_beyond_the_reference_the_truth_is_blank_never_unburned(drawn, fire, raster_store) -> None:
    """A raster without nodata gives 0 beyond its edge, which would be unburned."""
    path = raster_store.folder("user") / "truth.tif"
    place = Affine(20, 0, GRID.west_m, 0, -20, GRID.north_m)
    profile = {"width": 100, "height": 280, "count": 1, "dtype": "uint8", "crs": "EPSG:32633", "transform": place}
    with rasterio.open(path, "w", driver="GTiff", **profile) as sink:
        sink.write(fire[0][:, :100], 1)
    result, out = drawn(reference=raster_store.file(path))
    for point in rows_of(out / result.sample.href):
        assert (point["2020"] == "") == (float(point["x_m"]) > GRID.west_m + 2000)
    assert "reference_missing" in {warning.code for warning in result.warnings}


def test_without_a_reference_people_fill_it_in(drawn) -> None:
    result, out = drawn(reference=None)
    assert {point["2020"] for point in rows_of(out / result.sample.href)} == {""}


@pytest.fixture
def estimated(drawn, fire, raster_store):
    counts = np.bincount(np.where(fire[1] == 255, 0, fire[1].astype(int) + 1).ravel(), minlength=256)
    folder = raster_store.folder("gdal.burn")
    write_counts(folder / "counts.csv", counts, 2, "2020")
    stored = raster_store.file(folder / "counts.csv")

    def estimate(seed, **options):
        result, out = drawn(seed=seed, **options)
        params = AreasParams(
            classes=CLASSES_OF_AREAS,
            counts=stored,
            cell_area_ha=GRID.cell_area_ha,
            sample=raster_store.adopt(result.sample, out),
            strata=raster_store.adopt(result.strata, out),
        )
        found = areas.run(params, out)
        return rows_of(out / found.estimates.href)[0], rows_of(out / found.accuracy.href)

    return estimate


def test_areas_are_estimated_with_intervals_and_accuracies(estimated, fire) -> None:
    truth, mapped = fire
    area, accuracy = estimated(0)
    assert (area["indicator"], area["interval_basis"]) == ("burned", "stratified_sample")
    assert float(area["pixel_count_ha"]) == pytest.approx((mapped == 1).sum() * 0.04)
    assert {row["class"] for row in accuracy} == {"all", "burned", "unburned"}
    users = next(row for row in accuracy if (row["measure"], row["class"]) == ("users", "burned"))
    true_users = truth[mapped == 1].mean()
    assert float(users["lower"]) <= true_users <= float(users["upper"])


def test_a_sample_with_codes_of_another_legend_is_refused(estimated, monkeypatch) -> None:
    monkeypatch.setitem(CLASSES_OF_AREAS, "unburned", 7)
    with pytest.raises(StepError) as raised:
        estimated(0)
    assert raised.value.code == "bad_sample"
    assert "1 burned, 7 unburned" in raised.value.reason


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say(estimated, fire, record_property) -> None:
    """400 draws: 95 % intervals that miss in more than 8 % of them would be a defect (5 standard errors)."""
    truth, mapped = fire
    true_ha = truth[mapped != 255].sum() * 0.04
    rows = [estimated(seed, points=200)[0] for seed in range(400)]
    held = np.mean([float(row["lower"]) <= true_ha <= float(row["upper"]) for row in rows])
    mean_ha = np.mean([float(row["value"]) for row in rows])
    count_ha = float(rows[0]["pixel_count_ha"])
    report = f"{held:.1%} of the 95 % intervals hold {true_ha:.1f} ha; mean {mean_ha:.1f}, counted {count_ha:.1f}"
    record_property("coverage", report)
    print(report)
    assert 0.92 <= held <= 1.0
    errors = np.std([float(row["value"]) for row in rows]) / np.sqrt(len(rows))
    assert abs(mean_ha - true_ha) < 4 * errors


def test_a_map_that_is_unknown_everywhere_cannot_be_sampled(drawn, raster_store) -> None:
    nothing = raster_store.cog(np.full(GRID.shape, 255, np.uint8), GRID, nodata=255)
    with pytest.raises(StepError) as raised:
        drawn(mapped=nothing)
    assert raised.value.code == "no_valid_pixels"


def test_regions_that_are_none_are_refused(drawn, fire, raster_store) -> None:
    regions = raster_store.cog(fire[1], GRID, nodata=255)
    with pytest.raises(StepError) as raised:
        drawn(regions=regions)
    assert raised.value.code == "bad_regions"


TYPES = {"mat": 1, "rich": 2, "other types": 253}
TYPE_CODES = {"classes": TYPES, "beside": "", "doubtful": 254, "outside": 0}


@pytest.fixture(scope="module")
def pasture():
    """True types by codes of their own (11 mat, 12 rich, 13 what the map does not know), and a map of them."""
    rng = np.random.default_rng(5)
    row, column = np.indices(GRID.shape)
    inside = ((row - 140) / 130) ** 2 + ((column - 110) / 100) ** 2 < 1
    truth = np.where(row + 20 * np.sin(column / 15) < 150, 11, 12).astype(np.uint8)
    truth[(row - 60) ** 2 + (column - 110) ** 2 < 25**2] = 13
    mapped = np.where(truth == 12, 2, 1).astype(np.uint8)
    wrong = rng.random(GRID.shape) < 0.1
    mapped[wrong] = 3 - mapped[wrong]
    mapped[:, 60:75] = 254
    mapped[200:220] = 255
    mapped[~inside] = 0
    return truth, mapped


@pytest.fixture
def typed(drawn, pasture, raster_store):
    truth, mapped = pasture
    own = raster_store.cog(mapped, GRID, nodata=0, name="types")
    reference = raster_store.cog(truth, GRID, nodata=0, name="truth")
    names = {11: "mat", 12: "rich", 13: "other types"}
    return lambda **options: drawn(
        **(TYPE_CODES | {"mapped": own, "reference": reference, "reference_names": names} | options)
    )


def test_types_are_strata_doubtful_cells_apart_and_what_lies_outside_is_no_part_of_it(typed, pasture) -> None:
    truth, mapped = pasture
    result, out = typed()
    sizes = {row["stratum"]: int(row["cells"]) for row in rows_of(out / result.strata.href)}
    assert sizes == {
        "unknown": (mapped == 255).sum(), "mat": (mapped == 1).sum(), "rich": (mapped == 2).sum(),
        "doubtful": (mapped == 254).sum(),
    }  # fmt: skip
    for point in rows_of(out / result.sample.href):
        row = int((GRID.north_m - float(point["y_m"])) // 20)
        column = int((float(point["x_m"]) - GRID.west_m) // 20)
        assert int(point["map_2020"]) == mapped[row, column]
        assert int(point["2020"]) == {11: 1, 12: 2, 13: 253}[truth[row, column]]


@pytest.fixture
def typed_areas(typed, pasture, raster_store):
    mapped = pasture[1]
    total, unknown = int((mapped > 0).sum()), int((mapped == 255).sum())
    path = raster_store.folder("tensorflow.map_types") / "counts.csv"
    lines = [f"ALL,2020,{name},{(mapped == code).sum()},{unknown},{total}" for name, code in TYPES.items()]
    path.write_text("\n".join(["region_id,period,indicator,cells,unknown_cells,total_cells", *lines]))
    counts = raster_store.file(path)

    def estimate(**options):
        result, out = typed(**options)
        params = AreasParams(
            classes=TYPES,
            doubtful=254,
            counts=counts,
            cell_area_ha=GRID.cell_area_ha,
            sample=raster_store.adopt(result.sample, out),
            strata=raster_store.adopt(result.strata, out),
        )
        found = areas.run(params, out)
        return {row["indicator"]: row for row in rows_of(out / found.estimates.href)}, rows_of(
            out / found.accuracy.href
        )

    return estimate


def test_doubtful_cells_and_unknown_types_get_their_share_of_the_area(typed_areas, pasture) -> None:
    truth, mapped = pasture
    seen = (mapped > 0) & (mapped != 255)
    estimates, accuracy = typed_areas(points=1000)
    for name, code in {"mat": 11, "rich": 12, "other types": 13}.items():
        row = estimates[name]
        true_ha = (truth[seen] == code).sum() * 0.04
        assert float(row["lower"]) <= true_ha <= float(row["upper"])
        assert row["interval_basis"] == "stratified_sample"
    assert float(estimates["other types"]["pixel_count_ha"]) == 0
    assert float(estimates["other types"]["value"]) > 50
    told = np.isin(mapped, (1, 2))
    right = ((mapped == 1) & (truth == 11)) | ((mapped == 2) & (truth == 12))
    overall = next(row for row in accuracy if row["measure"] == "overall")
    assert float(overall["lower"]) <= right[told].mean() <= float(overall["upper"])


@pytest.mark.slow
def test_areas_of_types_are_held_as_often_as_said(typed_areas, pasture, record_property) -> None:
    """300 draws of 150 points, 95 % intervals of three types at once."""
    truth, mapped = pasture
    seen = (mapped > 0) & (mapped != 255)
    draws = [typed_areas(points=150, seed=seed)[0] for seed in range(300)]
    held = {}
    for name, code in {"mat": 11, "rich": 12, "other types": 13}.items():
        true_ha = (truth[seen] == code).sum() * 0.04
        held[name] = np.mean([float(d[name]["lower"]) <= true_ha <= float(d[name]["upper"]) for d in draws])
    record_property("coverage", str(held))
    print(held)
    assert min(held.values()) >= 0.91


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"beside": "mat"}, "needs a map of two classes"),
        ({"classes": {"unknown": 1, "rich": 2}}, "names of strata"),
        ({"classes": {"mat": 1, "rich": 1}, "reference_names": {}}, "differ"),
        ({"outside": 2}, "differ"),
        ({"reference_names": {11: "moor"}}, "no classes"),
    ],
)
def test_strata_that_cannot_be_told_apart_are_refused(typed, options, said) -> None:
    with pytest.raises(ValueError, match=said):
        typed(**options)
