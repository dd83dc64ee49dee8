"""The table against the forest that it is made of, and against the table recovered from the reference system."""

import csv
import itertools
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepError
from containers.gdal.contract.mask import COMPONENTS
from containers.gdal.contract.mask_forest import MaskModel, SceneSplit, TrainingDomain
from containers.gdal.contract.observe import Image, Observation
from containers.gdal.mask_forest import UNKNOWN, cloud_probability, read_model, require_fit

DOMAIN = TrainingDomain(
    simulated=True,
    level="L1C",
    mask_resolution_m=60.0,
    baselines=("05.10",),
    tiles=("33UUP",),
    surfaces=("water",),
    first_date=date(2018, 1, 1),
    last_date=date(2018, 12, 31),
    scenes=4,
)


def combinations(n_features: int) -> Any:
    return np.array(list(itertools.product((0, 1), repeat=n_features)), np.uint8)


def model_of(probabilities: Any, pixels: Any, features: tuple[str, ...] = COMPONENTS, **fields: Any) -> MaskModel:
    facts: dict[str, Any] = {
        "features": features,
        "probabilities": tuple(map(float, probabilities)),
        "pixels": tuple(map(int, pixels)),
        "trees": 500,
        "cutoff": 0.29,
        "split": SceneSplit(seed=0, train=("a",), test=("b",)),
        "metrics": {},
        "training_domain": DOMAIN,
        "versions": {},
    }
    return MaskModel(**(facts | fields))


def observation(**fields: Any) -> Observation:
    grid = Grid(epsg=32633, resolution_m=60, west_m=300_000, north_m=5_400_000, width=10, height=10)
    image = Image(file=File(href="store:x/y/z/features.tif", content_id="sha256:0", size=1), grid=grid)
    facts: dict[str, Any] = {
        "scene_id": "S2A_MSIL1C_20180703T100031_N0510_R122_T33UUP_20180703T120000",
        "tile": "33UUP",
        "acquired": datetime(2018, 7, 3, 10, tzinfo=UTC),
        "platform": "S2A",
        "orbit": 122,
        "level": "L1C",
        "baseline": "05.10",
        "simulated": True,
        "cloud_cover": 20.0,
        "footprint": "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "grid": grid,
        "bands": {},
        "features": image,
        "background": image,
        "valid_share": 1.0,
    }
    return Observation(**(facts | fields))


def pixels_of(table: Any, clear: Any, cloudy: Any) -> tuple[Any, Any]:
    """Every labelled pixel of a table of counts."""
    return (
        np.repeat(np.concatenate([table, table]), np.concatenate([clear, cloudy]), axis=0),
        np.repeat([0, 1], [clear.sum(), cloudy.sum()]),
    )


def test_table_is_the_forest() -> None:
    """500 trees over five components: the table answers what `predict_proba` does, for all 32 combinations."""
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(4)
    cells = combinations(5)
    features, cloudy = pixels_of(cells, rng.integers(0, 60, 32), rng.integers(0, 60, 32))
    forest = RandomForestClassifier(n_estimators=500, random_state=0, n_jobs=2).fit(features, cloudy)
    counts = (features[:, None, :] == cells).all(axis=2).sum(axis=0)
    model = model_of(forest.predict_proba(cells)[:, 1], counts)
    scene = rng.integers(0, 2, (5, 40, 30), np.uint8)
    expected = forest.predict_proba(scene.reshape(5, -1).T)[:, 1].reshape(40, 30)
    assert np.abs(cloud_probability(scene, model) - expected).max() <= 1e-6


@pytest.mark.real
def test_reference_table(sample_data: Path) -> None:
    """A forest on the reference's counts: its rule at one half, its two odd cells, and its accuracy of .95273."""
    from sklearn.ensemble import RandomForestClassifier

    with (sample_data / "cloud-mask-tables" / "rf_4feature_lut.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ("percentile1", "percentile5", "tree2", "tree3")
    cells = np.array([[int(row[name]) for name in names] for row in rows], np.uint8)
    clear, cloudy = (np.array([int(row[name]) for row in rows]) for name in ("n_clear_alloc", "n_cloud_alloc"))
    forest = RandomForestClassifier(n_estimators=500, random_state=0, n_jobs=2).fit(*pixels_of(cells, clear, cloudy))
    model = model_of(forest.predict_proba(cells)[:, 1], clear + cloudy, names)
    probability = cloud_probability(cells.T[:, :, None], model)[:, 0]
    assert probability == pytest.approx(forest.predict_proba(cells)[:, 1], abs=1e-6)
    published = np.array([float(row["p_cloud"]) for row in rows])
    odd = np.array([list(cell) in ([1, 0, 0, 1], [1, 0, 1, 0]) for cell in cells])
    assert probability[~odd] == pytest.approx(published[~odd], abs=0.01)
    assert probability[odd] == pytest.approx(published[odd], abs=0.05)
    is_cloud = probability > 0.5
    _, p5, tree2, tree3 = cells.T.astype(bool)
    rule = (tree2 & tree3) | (p5 & (tree2 | tree3))
    assert (is_cloud == rule)[~odd].all()
    assert (clear + cloudy)[odd].sum() == 212
    accuracy = np.where(is_cloud, cloudy, clear).sum() / (clear + cloudy).sum()
    assert accuracy == pytest.approx(0.95273, abs=2e-5)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 50)), min_size=32, max_size=32), st.data())
def test_unknown_components_are_marginalised(cells: Any, data: st.DataObject) -> None:
    """Against the sum over the combinations that agree, one by one."""
    probabilities, pixels = zip(*cells, strict=True)
    if not any(pixels):
        return
    asked = data.draw(st.tuples(*[st.sampled_from([0, 1, UNKNOWN])] * 5))
    answer = cloud_probability(np.array(asked, np.uint8).reshape(5, 1, 1), model_of(probabilities, pixels)).item()
    if set(asked) == {UNKNOWN}:
        assert np.isnan(answer)
        return
    agreeing = [
        number
        for number, cell in enumerate(combinations(5))
        if all(want in (UNKNOWN, have) for want, have in zip(asked, cell, strict=True))
    ]
    seen = sum(pixels[number] for number in agreeing)
    weights = [pixels[number] / seen if seen else 1 / len(agreeing) for number in agreeing]
    expected = sum(weight * probabilities[number] for weight, number in zip(weights, agreeing, strict=True))
    assert answer == pytest.approx(expected, abs=1e-5)


def test_model_survives_its_file(tmp_path: Path) -> None:
    model = model_of(np.linspace(0, 1, 32), range(32))
    (tmp_path / "model.json").write_text(model.model_dump_json(indent=1))
    assert read_model(tmp_path / "model.json") == model


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "features"),
        ("no json", "Invalid JSON"),
        (model_of([0.5] * 32, [1] * 32).model_dump_json().replace('"pixels":[1,', '"pixels":['), "32 combinations"),
        (model_of([0.5] * 32, [1] * 32).model_dump_json().replace("[0.5,", "[1.5,"), "1.5"),
    ],
)
def test_a_file_that_is_no_model_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(StepError, match=reason) as caught:
        read_model(tmp_path / "model.json")
    assert caught.value.code == "bad_model"


def test_model_fits_what_it_was_trained_on() -> None:
    require_fit(model_of([0.5] * 32, [1] * 32), observation(), allow_simulated_model=False)


@pytest.mark.parametrize(
    ("facts", "domain", "features", "reason"),
    [
        ({"simulated": False}, {}, COMPONENTS, "simulated"),
        ({"level": "L2A"}, {}, COMPONENTS, "L2A"),
        ({}, {"mask_resolution_m": 20.0}, COMPONENTS, "20 m"),
        ({}, {}, COMPONENTS[::-1], "percentile5"),
    ],
)
def test_what_does_not_fit_is_refused(facts: Any, domain: Any, features: tuple[str, ...], reason: str) -> None:
    model = model_of([0.5] * 32, [1] * 32, features, training_domain=DOMAIN.model_copy(update=domain))
    with pytest.raises(StepError, match=reason) as caught:
        require_fit(model, observation(**facts), allow_simulated_model=False)
    assert caught.value.code == "bad_model"


def test_a_simulated_model_masks_real_scenes_on_demand_only() -> None:
    model = model_of([0.5] * 32, [1] * 32)
    require_fit(model, observation(simulated=False), allow_simulated_model=True)


def test_number_of_components_must_match() -> None:
    with pytest.raises(StepError, match="5 components"):
        cloud_probability(np.zeros((4, 2, 2), np.uint8), model_of([0.5] * 32, [1] * 32))
