"""Spectra of another system: its names, its nodata and its dates, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from containers.base.contract.step import StepError
from containers.gdal import import_spectra
from containers.gdal.band_order import BandOrder
from containers.gdal.contract.cut import TEN_BANDS
from containers.gdal.contract.sites import ImportSpectraParams, SiteSpectraResult, SpectraFields
from containers.gdal.foreign_spectra import group_of, without_nodata
from containers.gdal.site_file import SiteFile, Spectra, open_site_file
from tests.containers.gdal.small_sites import foreign_file, made_dataset

NUMBERS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B08A", "B11", "B12")
COLUMNS = {
    "Id_sitesAS": ["VANROS_T2", "CHAALP01", "ECR7"],
    "Typo_Veget": ["NA", "", "SUB"],
    "ALPAGE": ["VANROS", "", ""],
    "nom_massif": ["Vanoise", "Écrins", ""],
}


def ten(values: Any = 0.1) -> dict[str, Any]:
    """Bands of two dates and three sites; each band a little higher than the one before."""
    return {name: np.full((2, 3), values) + 0.01 * number for number, name in enumerate(NUMBERS)}


@pytest.fixture
def imported(raster_store):
    """Makes the file and imports it; the result, and the dataset to read."""

    def run(bands: dict[str, Any], columns: dict[str, list[str]] = COLUMNS, **options: Any) -> Any:
        made = {name: options.pop(name) for name in ("units", "days", "attributes") if name in options}
        path = foreign_file(raster_store.folder("user") / "spectra.nc", bands, columns, **made)
        return again(path, **options)

    def again(path: Path, **options: Any) -> tuple[SiteSpectraResult, Path]:
        out = raster_store.folder("gdal.import_spectra")
        result = import_spectra.run(ImportSpectraParams(spectra=raster_store.file(path), **options), out)
        return result, out / "spectra.nc"

    run.path = again
    return run


def read(path: Path) -> tuple[SiteFile, Spectra]:
    with open_site_file(path) as file:
        return file, file.read()


def refused(run: Any, *parts: Any, **options: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        run(*parts, **options)
    assert caught.value.code == "bad_dataset"
    assert caught.value.hint
    return caught.value


def test_sites_and_spectra_come_in_by_name_sorted_by_site_and_time(imported) -> None:
    bands = ten()
    bands["B04"] = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    result, path = imported(bands, days=np.array([5, -205], np.int32))
    file, spectra = read(path)
    sites = file.header.sites
    assert (result.sites, result.slices) == (3, 2)
    assert sites["site_id"].tolist() == ["CHAALP01", "ECR7", "VANROS_T2"]
    assert sites["class_code"].tolist() == ["", "SUB", "NA"]
    assert sites["group"].tolist() == ["Écrins", "ECR", "VANROS"]
    assert sites["massif"].tolist() == ["Écrins", "", "Vanoise"]
    dates = [datetime.fromtimestamp(time, UTC).date().isoformat() for time in file.header.slices["time"]]
    assert dates == ["2017-03-21", "2017-10-17"]
    red = spectra.reflectance[:, :, file.header.bands.index("red")]
    assert red == pytest.approx(np.array([[0.5, 0.6, 0.4], [0.2, 0.3, 0.1]]), abs=1e-6)


def test_what_the_file_does_not_say_is_said_to_be_not_known(imported) -> None:
    result, path = imported(ten())
    file, spectra = read(path)
    item = file.header.slices.iloc[0]
    assert [item[name] for name in ("product_id", "tile", "platform", "orbit", "baseline")] == ["", "", "", 0, ""]
    assert (item["source"], item["level"], item["unmasked"]) == ("maja", "L2A", "cloud shadow snow")
    assert (spectra.layers == -1).all()
    assert (file.header.sites["epsg"] == 0).all()
    (warning,) = result.warnings
    assert warning.code == "not_known"
    assert "orbit" in warning.reason
    assert "the CRS of the sites" in warning.reason


@pytest.mark.parametrize("order", [NUMBERS, tuple(sorted(NUMBERS)), tuple(sorted(NUMBERS, reverse=True))])
def test_the_order_of_the_file_does_not_swap_b8_and_b8a(order, imported) -> None:
    """Sorted, B08 comes before B08A; the system before this one then named them the other way round."""
    bands = ten()
    _, path = imported({name: bands[name] for name in order})
    file, spectra = read(path)
    assert file.header.bands == TEN_BANDS
    known = dict(zip(file.header.bands, spectra.reflectance[0, 0].tolist(), strict=True))
    assert known["nir"] == pytest.approx(0.16)
    assert known["nir08"] == pytest.approx(0.17)


@pytest.mark.parametrize(("nir", "nir08"), [("B08", "B08A"), ("B8", "B8A"), ("b8", "b8a"), ("nir", "nir08")])
def test_bands_have_several_spellings(nir, nir08, imported) -> None:
    bands = {name: values for name, values in ten().items() if name not in ("B08", "B08A")}
    _, path = imported(bands | {nir08: np.full((2, 3), 0.5), nir: np.full((2, 3), 0.4)})
    file, spectra = read(path)
    known = dict(zip(file.header.bands, spectra.reflectance[0, 0].tolist(), strict=True))
    assert (known["nir"], known["nir08"]) == (pytest.approx(0.4), pytest.approx(0.5))


@given(arrays(np.float64, st.integers(1, 30), elements=st.one_of(st.floats(), st.sampled_from([-0.1, -1.0, -0.003]))))
def test_nodata_never_becomes_reflectance(values) -> None:
    clean = without_nodata(values)
    assert not np.isin(clean, np.array([-0.1, -1.0], np.float32)).any()
    assert not (clean < np.float32(-0.09995)).any()
    fine = np.isfinite(values) & (values > -0.0999) & (values < 1e30)
    assert (clean[fine] == values[fine].astype(np.float32)).all()


def test_small_negative_reflectance_stays_and_nodata_goes(imported) -> None:
    bands = ten()
    bands["B02"] = np.array([[-0.003, -0.1, -1.0], [-0.0999, np.nan, np.inf]])
    _, path = imported(bands)
    blue = read(path)[1].reflectance[:, :, 0]
    expected = np.array([[-0.003, np.nan, np.nan], [-0.0999, np.nan, np.nan]])
    assert blue[:, [2, 0, 1]] == pytest.approx(expected, nan_ok=True)


def test_packed_values_are_unpacked_before_nodata_is_looked_for(imported) -> None:
    """int16 × 1e-4: 32767 is the file's own nodata, −10000 is MAJA's."""
    packed = {name: np.array([[1500, -30, 32767], [-10_000, -1_000, 2_000]], np.int16) for name in NUMBERS}
    attributes = {"scale_factor": 1e-4, "_FillValue": np.int16(32767)}
    _, path = imported(packed, attributes=attributes)
    blue = read(path)[1].reflectance[:, [2, 0, 1], 0]
    assert blue == pytest.approx(np.array([[0.15, -0.003, np.nan], [np.nan, np.nan, 0.2]]), nan_ok=True)


def test_a_dataset_of_ours_comes_in_as_it_is_and_again(raster_store, imported) -> None:
    values = np.random.default_rng(1).uniform(-0.09, 1.2, (3, 4, 10)).astype(np.float32)
    values[0, 1, 3] = np.nan
    file = made_dataset(raster_store, values)
    once, path = imported.path(raster_store.root / file.store_path)
    assert once.dataset.content_id == file.content_id
    twice, _ = imported.path(path)
    assert twice.dataset.content_id == file.content_id


def test_importing_what_was_imported_changes_nothing(imported) -> None:
    once, path = imported(ten())
    assert imported.path(path)[0].dataset.content_id == once.dataset.content_id


def test_coordinates_with_a_crs_become_degrees(imported, raster_store) -> None:
    """On the central meridian of zone 31, and at its false easting, longitude is 3°."""
    path = foreign_file(raster_store.folder("user") / "placed.nc", ten(), COLUMNS)
    with h5py.File(path, "a") as file:
        for name, values in (("x", [500_000.0] * 3), ("y", [0.0, 4_982_950.4, np.nan])):
            file[name] = np.array(values)
            file[name].dims[0].attach_scale(file["Id_sitesAS"])
    sites = read(imported.path(path, epsg=32631)[1])[0].header.sites.set_index("site_id")
    assert (sites["epsg"] == 32631).all()
    assert sites["lon"][["VANROS_T2", "CHAALP01"]].tolist() == pytest.approx([3, 3])
    assert np.isnan(sites["lon"]["ECR7"])
    assert sites["lat"]["VANROS_T2"] == pytest.approx(0, abs=1e-9)
    assert sites["lat"]["CHAALP01"] == pytest.approx(45, abs=1e-4)


def test_groups_are_the_first_that_is_not_empty_else_letters() -> None:
    assert group_of("VANROS_T1", "VANROS", "Vanoise") == "VANROS"
    assert group_of("VANROS_T1", "", "Vanoise") == "Vanoise"
    assert group_of("CHAALP01", "") == "CHAALP"
    assert group_of("ÉCR7") == "ÉCR"
    assert group_of("7A") == "7A"


def test_fields_name_other_variables_in_upper_or_lower_case(imported) -> None:
    columns = {"Id_sitesAS": ["b", "a", "c"], "TYPE": ["X", "Y", "Z"]}
    fields = SpectraFields(site_id="ID_SITESAS", class_code="type", group=(), massif="")
    result, path = imported(ten(), columns, fields=fields)
    assert read(path)[0].header.sites["class_code"].tolist() == ["Y", "X", "Z"]
    assert "type" not in result.warnings[0].reason


def test_swapped_names_of_the_near_infrared_bands_are_told(imported) -> None:
    shape = (20, 3)
    vegetation = {
        name: np.full(shape, value)
        for name, value in zip(NUMBERS, (0.03, 0.06, 0.04, 0.1, 0.3, 0.36, 0.38, 0.4, 0.2, 0.1), strict=True)
    }
    days = np.arange(20, dtype=np.int32)
    assert [warning.code for warning in imported(vegetation, days=days)[0].warnings] == ["not_known"]
    swapped = vegetation | {"B08": vegetation["B08A"], "B08A": vegetation["B08"]}
    warning = imported(swapped, days=days)[0].warnings[0]
    assert warning.code == "band_order"
    assert "60 of 60" in warning.reason


def test_few_spectra_of_vegetation_say_nothing_about_the_order() -> None:
    assert BandOrder(vegetation=29, reversed=29).warnings() == ()
    assert BandOrder(vegetation=100, reversed=50).warnings() == ()
    assert len(BandOrder(vegetation=100, reversed=51).warnings()) == 1


def without(name: str) -> dict[str, Any]:
    return {band: values for band, values in ten().items() if band != name}


@pytest.mark.parametrize(
    ("bands", "columns", "options", "word"),
    [
        (without("B08A"), COLUMNS, {}, "B8A (nir08)"),
        (ten() | {"B13": np.zeros((2, 3))}, COLUMNS, {}, "B13"),
        (ten() | {"B8A": np.zeros((2, 3))}, COLUMNS, {}, "there twice"),
        (ten(), COLUMNS | {"Id_sitesAS": ["a", "b", "a"]}, {}, "'a'"),
        (ten(), COLUMNS | {"Id_sitesAS": ["a", "", "c"]}, {}, "''"),
        (ten(), COLUMNS, {"units": "days"}, "'days'"),
        (ten(), COLUMNS, {"units": "days since the flood"}, "the flood"),
        (ten(), COLUMNS, {"fields": SpectraFields(site_id="ID")}, "'ID'"),
        (dict.fromkeys(NUMBERS, np.full((2, 3), -1.0)), COLUMNS, {}, "every value is nodata"),
        (ten(1200.0), COLUMNS, {}, "digital numbers"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_the_value_seen(
    bands, columns, options, word, imported
) -> None:
    assert word in refused(imported, bands, columns, **options).reason


def test_other_dimensions_are_refused(imported, raster_store) -> None:
    turned = foreign_file(raster_store.folder("user") / "turned.nc", ten(), COLUMNS)
    with h5py.File(turned, "a") as file:
        del file["B03"]
        file["B03"] = np.zeros((3, 2))
        for axis, name in enumerate(("Id_sitesAS", "time")):
            file["B03"].dims[axis].attach_scale(file[name])
    assert "B03 has the dimensions ('Id_sitesAS', 'time')" in refused(imported.path, turned).reason
    unrelated = foreign_file(raster_store.folder("user") / "unrelated.nc", ten(), COLUMNS)
    with h5py.File(unrelated, "a") as file:
        del file["Typo_Veget"]
        file["ID_SITESAS2"] = np.arange(3)
        file["ID_SITESAS2"].make_scale("ID_SITESAS2")
        file["Typo_Veget"] = np.array([b"A", b"B", b"C"])
        file["Typo_Veget"].dims[0].attach_scale(file["ID_SITESAS2"])
    assert "Typo_Veget has the dimensions ('ID_SITESAS2',)" in refused(imported.path, unrelated).reason


def test_what_is_no_netcdf_4_is_refused(imported, raster_store) -> None:
    path = raster_store.folder("user") / "spectra.nc"
    path.write_bytes(b"CDF\x01 an older NetCDF")
    assert "nccopy" in refused(imported.path, path).hint


def test_a_column_without_dimensions_is_refused(imported, raster_store) -> None:
    path = foreign_file(raster_store.folder("user") / "bare.nc", ten(), COLUMNS)
    with h5py.File(path, "a") as file:
        del file["ALPAGE"]
        file["ALPAGE"] = np.array([b"a", b"b", b"c"])
    assert "ALPAGE has the dimensions ()" in refused(imported.path, path).reason


def test_a_damaged_file_is_refused(imported, raster_store) -> None:
    path = foreign_file(raster_store.folder("user") / "damaged.nc", ten(), COLUMNS)
    with h5py.File(path, "a") as file:
        del file["B05"]
        file.create_dataset("B05", data=np.full((2, 3), 0.1), chunks=(2, 3), compression="gzip")
        for axis, name in enumerate(("time", "Id_sitesAS")):
            file["B05"].dims[axis].attach_scale(file[name])
        chunk = file["B05"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\x55" * chunk.size
    path.write_bytes(content)
    assert "damaged" in refused(imported.path, path).reason


def test_numbers_as_names_and_missing_numbers_as_classes(imported, raster_store) -> None:
    path = foreign_file(raster_store.folder("user") / "numbers.nc", ten(), COLUMNS)
    with h5py.File(path, "a") as file:
        del file["Typo_Veget"]
        file["Typo_Veget"] = np.array([1.5, np.nan, 2.0])
        file["Typo_Veget"].dims[0].attach_scale(file["Id_sitesAS"])
        file.create_group("B09")
    assert read(imported.path(path)[1])[0].header.sites["class_code"].tolist() == ["", "2.0", "1.5"]
