"""Types of a pasture's cells: codes, what stays open, what is refused."""

import csv
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.ensemble import RandomForestClassifier

from containers.base.contract.files import File, sha256_of
from containers.base.contract.step import StepError
from containers.tensorflow import map_types
from containers.tensorflow.contract.types import MapTypesParams, TypesModel
from containers.tensorflow.map_types import mapped
from containers.tensorflow.type_legend import COLOURS, colours_of
from containers.tensorflow.type_model import TypesCard, read_trained, versions, write_plain

NAMES = ("ndvi 05-01", "ndvi 07-10", "ndmi 07-10")
TYPES = ("HUM", "NARD <mat & grass>", "SNOW")
SHAPE = (90, 80)


@pytest.fixture
def store(removal_store: Path):
    """Write files into a store as the runner would address them."""

    class Store:
        root = removal_store
        number = 0

        def folder(self, step: str) -> Path:
            self.number += 1
            path = self.root / step / f"{self.number:04}" / "1"
            path.mkdir(parents=True)
            return path

        def file(self, path: Path) -> File:
            href = f"store:{path.relative_to(self.root)}"
            return File(href=href, content_id=sha256_of(path), size=path.stat().st_size)

    return Store()


@pytest.fixture(scope="module")
def forest():
    rng = np.random.default_rng(0)
    types = rng.integers(0, 3, 300)
    values = types[:, np.newaxis] * (0.2, -0.1, 0.15) + rng.normal(0, 0.12, (300, 3))
    return RandomForestClassifier(30, random_state=0).fit(values.astype(np.float32), types)


@pytest.fixture
def model(store, forest):
    def make(**fields) -> TypesModel:
        folder = store.folder("tensorflow.train_types")
        facts = {
            "classes": TYPES, "classifier": "random_forest", "setting": 0, "temperature": 1.0, "names": NAMES,
            "recipe": "{}", "source": "esa", "simulated": False, "grouping": {}, "trust": 0.61,
            "metrics": {}, "domain": {"groups": ("a",), "years": (2023,), "sites": {}}, "versions": versions(),
        }  # fmt: skip
        (folder / "card.json").write_text(TypesCard.model_validate(facts | fields).model_dump_json())
        path = write_plain(forest, folder / "model.skops")
        return TypesModel(model=store.file(path), card=store.file(folder / "card.json"))

    return make


@pytest.fixture(scope="module")
def cells():
    """Features (feature, y, x) with gaps, and the outline."""
    rng = np.random.default_rng(2)
    row, column = np.indices(SHAPE)
    types = (row // 10 + column // 15) % 3
    values = types * np.array((0.2, -0.1, 0.15))[:, None, None] + rng.normal(0, 0.12, (3, *SHAPE))
    inside = (row - 45) ** 2 + (column - 40) ** 2 < 37**2
    values[:, ~inside | (rng.random(SHAPE) < 0.06)] = np.nan
    return values.astype(np.float32), inside


@pytest.fixture
def features(store, cells):
    def make(**attributes) -> File:
        path = store.folder("gdal.pasture_features") / "features.h5"
        facts = {
            "pasture_id": "A1", "year": 2024, "source": "esa", "simulated": 0, "recipe": "{}", "epsg": 32631,
            "resolution_m": 10.0, "transform": (700_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0),
        }  # fmt: skip
        with h5py.File(path, "w") as file:
            file.attrs.update({name: value for name, value in (facts | attributes).items() if name != "names"})
            file["feature"] = np.array(attributes.get("names", NAMES), dtype=h5py.string_dtype())
            file["values"], file["inside"] = cells[0], cells[1].astype(np.uint8)
        return store.file(path)

    return make


@pytest.fixture
def mapping(store, model, features):
    def run(**options):
        out = store.folder("tensorflow.map_types")
        facts = {"model": model(), "features": features()} | options
        return map_types.run(MapTypesParams(**facts), out), out

    return run


def read(path: Path):
    """The codes, and the tags of the file."""
    with rasterio.open(path) as raster:
        assert (raster.crs.to_epsg(), raster.transform.c, raster.transform.f) == (32631, 700_000, 5_000_000)
        return raster.read(1), raster.tags()


def one_by_one(cells, forest, trust):
    """Codes of single cells, each asked on its own."""
    values, inside = cells
    codes = np.zeros(SHAPE, np.uint8)
    for row, column in np.argwhere(inside):
        vector = values[:, row, column]
        if np.isnan(vector).any():
            codes[row, column] = 255
            continue
        probabilities = forest.predict_proba(vector[np.newaxis])[0]
        codes[row, column] = 254 if probabilities.max() < trust else probabilities.argmax() + 1
    return codes


def test_cells_get_the_types_that_each_would_get_alone(mapping, cells, forest) -> None:
    result, out = mapping()
    codes, tags = read(out / result.types.href)
    confidence, _ = read(out / result.confidence.href)
    part = (slice(30, 45), slice(28, 48))
    expected = one_by_one((cells[0], _only(cells[1], part)), forest, 0.61)
    np.testing.assert_array_equal(codes[part], expected[part])
    assert {1, 2, 3, 254, 255} == set(np.unique(expected[part]))
    np.testing.assert_array_equal(confidence == 255, (codes == 0) | (codes == 255))
    known = (codes > 0) & (codes < 254)
    assert confidence[known].min() >= 152
    assert confidence[codes == 254].max() < 153
    assert tags["TYPE_2"] == "NARD <mat & grass>"


def _only(inside, part):
    kept = np.zeros_like(inside)
    kept[part] = inside[part]
    return kept


def test_cells_are_counted_and_nothing_is_lost(mapping, cells) -> None:
    result, out = mapping()
    codes, _ = read(out / result.types.href)
    assert sum(result.cells.values()) == cells[1].sum()
    assert result.cells["doubtful"] == (codes == 254).sum()
    assert result.cells["unknown"] == (codes == 255).sum()
    assert result.cells["HUM"] == (codes == 1).sum()
    with (out / result.counts.href).open() as stream:
        counts = {row["indicator"]: row for row in csv.DictReader(stream)}
    assert list(counts) == [*TYPES, "other types"]
    assert {(row["region_id"], row["period"], int(row["total_cells"])) for row in counts.values()} == {
        ("ALL", "2024", int(cells[1].sum()))
    }
    assert int(counts["SNOW"]["cells"]) == result.cells["SNOW"]
    assert counts["other types"]["cells"] == "0"
    assert (result.pasture_id, result.year, result.cell_area_ha) == ("A1", 2024, 0.01)


def test_blocks_and_repetition_make_no_difference(mapping, monkeypatch) -> None:
    first = mapping()[0]
    assert mapping()[0] == first
    monkeypatch.setattr(map_types, "_BLOCK_PX", 32)
    assert mapping()[0] == first


def test_a_model_that_always_answers_leaves_no_cell_open(mapping, model) -> None:
    assert mapping(model=model(trust=0.0))[0].cells["doubtful"] == 0


@given(
    features=arrays(np.float32, (2, 4, 5), elements=st.floats(0, 1, width=32) | st.just(np.nan)),
    inside=arrays(bool, (4, 5)),
    trust=st.floats(0, 0.99),
)
def test_codes_and_confidence_say_the_same(features, inside, trust) -> None:
    def probabilities(values):
        shares = np.column_stack([values[:, 0] + 0.01, values[:, 1] + 0.01, np.full(len(values), 0.3)])
        return shares / shares.sum(axis=1, keepdims=True)

    types, confidence = mapped(features, inside, probabilities, trust)
    known = inside & np.isfinite(features).all(axis=0)
    np.testing.assert_array_equal(types == 0, ~inside)
    np.testing.assert_array_equal(types == 255, inside & ~known)
    np.testing.assert_array_equal(confidence == 255, ~known)
    told = known & (types != 254)
    assert set(np.unique(types[told])) <= {1, 2, 3}
    assert (confidence[told] >= np.floor(trust * 250)).all()
    assert (confidence[types == 254] <= np.ceil(trust * 250)).all()


def test_the_style_has_the_legend_with_its_colours(mapping) -> None:
    result, out = mapping()
    assert Path(result.style.href).stem == Path(result.types.href).stem
    root = ElementTree.parse(out / result.style.href).getroot()
    renderer = root.find("pipe/rasterrenderer")
    assert renderer.get("type") == "paletted"
    entries = {entry.get("value"): entry for entry in renderer.iter("paletteEntry")}
    assert {code: entry.get("color").upper() for code, entry in entries.items()} == result.colours
    assert entries["2"].get("label") == "NARD <mat & grass>"
    assert result.legend == {"1": "HUM", "2": "NARD <mat & grass>", "3": "SNOW"}
    assert entries["254"].get("label") == "not known"


def test_colours_differ_and_types_beyond_them_begin_again() -> None:
    colours = colours_of([str(number) for number in range(20)])
    assert len(set(colours.values())) == 22
    assert colours_of([str(number) for number in range(21)])[21] == COLOURS[0]


@pytest.mark.parametrize(
    ("card", "attributes", "said"),
    [
        ({}, {"source": "maja"}, "trained on reflectance of esa, these features are of maja"),
        ({"simulated": True}, {}, "trained on simulated scenes"),
        ({}, {"names": ("ndvi 05-01", "ndvi 07-10", "evi 07-10")}, "ndmi 07-10"),
        ({}, {"recipe": '{"indices": []}'}, "another recipe"),
        ({"classes": ("HUM", "unknown", "SNOW")}, {}, "'unknown'"),
    ],
)
def test_what_the_model_must_not_map_is_refused(mapping, model, features, card, attributes, said) -> None:
    with pytest.raises(StepError, match=said) as raised:
        mapping(model=model(**card), features=features(**attributes))
    assert raised.value.code == "bad_model"


def test_a_simulated_model_maps_real_scenes_only_if_told_and_says_so(mapping, model) -> None:
    assert mapping(model=model(simulated=True), allow_simulated_model=True)[0].simulated


@pytest.mark.parametrize("content", [b"no HDF5", b""])
def test_a_file_without_features_is_refused(mapping, store, content) -> None:
    path = store.folder("gdal.pasture_features") / "features.h5"
    if content:
        path.write_bytes(content)
    else:
        h5py.File(path, "w").close()
    with pytest.raises(StepError, match="features") as raised:
        mapping(features=store.file(path))
    assert raised.value.code == "corrupt_file"


def test_the_model_of_the_fixture_is_the_forest(model, forest, cells) -> None:
    values = np.array([[0.1, 0.0, 0.2], [0.4, -0.2, 0.3]], np.float32)
    np.testing.assert_allclose(read_trained(model()).probabilities(values), forest.predict_proba(values), atol=1e-9)
