"""What the flow has made becomes layers, pictures and documents: all of it, under names that sort."""

from datetime import date
from pathlib import Path

import pytest

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from containers.gdal.contract.areas import AreasResult, SampleResult
from containers.gdal.contract.consistency import ConsistencyResult
from containers.gdal.contract.mosaic import PeriodLayers
from containers.grass.contract.change import ChangeResult
from containers.grass.contract.zonal import ZonalResult
from containers.tensorflow.contract.predict import PredictResult
from containers.tensorflow.contract.train import LandCoverModel
from tasks.catalogue.selection import Choice
from tasks.impervious.intake import Inputs
from tasks.impervious.product import Products, display_bands, layers, model_of, pictures, product_of
from tasks.parameters.impervious_change import ImperviousChangeParams, Regions, Time
from tasks.periods import Period
from tests.tasks.made_product import GRID, made_scene

PERIODS = ("2018-MJ", "2019-MJ", "2020-MJ")


def stored(name: str) -> File:
    return File(href=f"store:made.step/key/attempt/{name}", content_id=f"sha256:{name}", size=1)


def by_period(stem: str, periods: tuple[str, ...] = PERIODS) -> dict[str, File]:
    return {period: stored(f"{stem}-{period}.tif") for period in periods}


def choice(tile: str, period: str, *, simulated: bool) -> Choice:
    scene: Scene = made_scene(tile, int(period[:4]), simulated=simulated)
    return Choice(tile=tile, period=period, acquisitions=((scene,),))


def made_products(*, simulated: bool = False, sample: SampleResult | None = None) -> Products:
    return Products(
        grid=GRID,
        choices=tuple(choice(tile, period, simulated=simulated) for period in PERIODS for tile in ("33UUP", "33UUQ")),
        mosaics=tuple(
            PeriodLayers(period=period, layers={name: stored(f"{name}-{period}.vrt") for name in BANDS})
            for period in PERIODS
        ),
        training=None,
        predictions=tuple(
            PredictResult(
                period=period,
                probabilities=stored(f"p-{period}.tif"),
                classes=stored(f"raw-{period}.tif"),
                confidence=stored(f"rawc-{period}.tif"),
            )
            for period in PERIODS
        ),
        history=ConsistencyResult(
            classes=by_period("classes"),
            confidence=by_period("confidence"),
            change_period=stored("change_period.tif"),
            change_probability=stored("change_probability.tif"),
            periods=PERIODS,
        ),
        change=ChangeResult(
            new_impervious=by_period("sealed", PERIODS[1:]),
            new_green=by_period("greened", PERIODS[1:]),
            transitions=stored("transitions.csv"),
            project=stored("project.tar.gz"),
        ),
        counts=ZonalResult(counts=stored("counts.csv"), regions=stored("regions.gpkg")),
        areas=AreasResult(estimates=stored("estimates.csv")),
        sample=sample,
    )


BANDS = ("red", "swir16", "swir22", "observations", "source_date")


@pytest.fixture
def made_inputs() -> Inputs:
    return Inputs.model_construct(
        aoi="POLYGON ((0 0, 1 0, 1 1, 0 0))",
        grid=GRID,
        periods=tuple(
            Period(label=label, start=date(int(label[:4]), 5, 1), end=date(int(label[:4]), 6, 30)) for label in PERIODS
        ),
        model=LandCoverModel(weights=stored("model.keras"), card=stored("card.json")),
        sample=None,
        strata=None,
    )


@pytest.fixture
def made_params(tmp_path: Path) -> ImperviousChangeParams:
    regions = tmp_path / "regions.gpkg"
    regions.touch()
    return ImperviousChangeParams(
        name="made", time=Time(years=(2018, 2019, 2020)), model_href=str(tmp_path), regions=Regions(path=str(regions))
    )


def test_every_raster_is_handed_out_once() -> None:
    found = {layer.name: layer for layer in layers(made_products())}
    assert len(found) == 3 * 5 + 2 * 2 + 2
    assert len({layer.file.href for layer in found.values()}) == len(found)
    assert found["new-impervious-2019-mj"].periods == ("2018-MJ", "2019-MJ")
    assert found["new-impervious-2019-mj"].file == stored("sealed-2019-MJ.tif")
    assert found["probabilities-2020-mj"].bands == ("impervious", "green", "other")
    assert found["change-period"].classes == {0: "no change", 1: "2019-MJ", 2: "2020-MJ"}
    assert found["change-period"].periods == PERIODS


def test_nodata_of_codes_and_of_probabilities() -> None:
    found = {layer.name: layer for layer in layers(made_products())}
    assert (found["land-cover-2018-mj"].nodata, found["land-cover-2018-mj"].scale) == (0, 1.0)
    assert (found["confidence-2018-mj"].nodata, found["confidence-2018-mj"].scale) == (255, 1 / 250)
    assert found["new-green-2020-mj"].nodata == 255


def test_pictures_have_unique_names_and_the_change_comes_first() -> None:
    planned = list(pictures(made_products(), ("red", "swir16", "swir22")))
    names = [picture.name for _, picture in planned]
    assert names[0] == "change-period"
    assert len(names) == len(set(names)) == 1 + 4 + 3 + 3 + 1 + 3 + 3
    assert {section for section, _ in planned} == {"change", "cover", "images", "confidence", "observations"}


def test_false_colour_shows_the_longest_wave_as_red() -> None:
    planned = {picture.name: picture for _, picture in pictures(made_products(), ("red", "swir16", "swir22"))}
    image = planned["image-2018-mj"]
    assert [raster.name for raster in image.rasters] == ["swir22-2018-MJ.vrt", "swir16-2018-MJ.vrt", "red-2018-MJ.vrt"]
    assert image.title == "False colour 2018-MJ (swir22, swir16, red)"


@pytest.mark.parametrize(
    ("bands", "shown"),
    [
        (("blue", "green", "red", "nir"), ("red", "green", "blue")),
        (("red", "nir"), ("nir", "red", "red")),
        (("nir",), ("nir", "nir", "nir")),
    ],
)
def test_display_bands(bands: tuple[str, ...], shown: tuple[str, ...]) -> None:
    assert display_bands(bands) == shown


@pytest.mark.parametrize("simulated", [True, False])
def test_product_tells_where_it_comes_from(
    made_params: ImperviousChangeParams, made_inputs: Inputs, simulated: bool
) -> None:
    product = product_of(made_params, made_inputs, made_products(simulated=simulated))
    assert product.simulated is simulated
    assert [period.label for period in product.periods] == list(PERIODS)
    change = next(layer for layer in product.layers if layer.name == "new-green-2020-mj")
    assert sorted((scene.tile, scene.datetime.year) for scene in product.scenes_of(change)) == [
        ("33UUP", 2019), ("33UUP", 2020), ("33UUQ", 2019), ("33UUQ", 2020),
    ]  # fmt: skip
    assert product.parameters["name"] == "made"


def test_documents_hold_model_project_and_sample(made_params: ImperviousChangeParams, made_inputs: Inputs) -> None:
    drawn = SampleResult(sample=stored("sample.csv"), strata=stored("strata.csv"))
    documents = product_of(made_params, made_inputs, made_products(sample=drawn)).documents
    assert set(documents) == {
        "model/model.keras", "model/card.json", "documents/estimates.csv", "documents/transitions.csv",
        "documents/grass-project.tar.gz", "documents/regions.gpkg", "documents/sample.csv", "documents/strata.csv",
    }  # fmt: skip


def test_a_users_own_sample_is_handed_out_too(made_params: ImperviousChangeParams, made_inputs: Inputs) -> None:
    own = made_inputs.model_copy(update={"sample": stored("mine.csv"), "strata": stored("strata.csv")})
    assert product_of(made_params, own, made_products()).documents["documents/sample.csv"] == stored("mine.csv")


def test_a_run_without_a_model_is_a_mistake(made_inputs: Inputs) -> None:
    with pytest.raises(ValueError, match="model"):
        model_of(made_inputs.model_copy(update={"model": None}), made_products())
