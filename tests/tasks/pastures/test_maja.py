"""THEIA's folders: what is used is chosen by name and geometry, and everything else is a row."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from containers.base import storage
from containers.base.contract.step import StepError
from containers.base.sentinel2 import parse_theia_name
from tasks.parameters.pasture_types import Reflectance
from tasks.pastures.maja import MajaFound, find_maja
from tasks.periods import Period

PASTURE = shapely.box(6.30, 44.90, 6.32, 44.92).wkt
"""In tile 31TGK."""
YEAR = Period(label="2017", start=date(2017, 1, 1), end=date(2017, 12, 31))
APRIL = "SENTINEL2A_20170410-103021-460_L2A_T31TGK_D_V1-4"


def put(folder: Path, *names: str, inner: str | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(f"{inner or name}/x", name)
    return folder


def found(folder: Path | str, snow: Path | str = "") -> MajaFound:
    return find_maja(Reflectance(source="maja", maja_folder=str(folder), snow_folder=str(snow)), PASTURE, YEAR)


def rows(answer: MajaFound) -> dict[str, str]:
    return {row.scene_id: row.code for row in answer.refused}


@pytest.mark.parametrize(
    ("name", "version"), [(APRIL, "1-4"), (f"{APRIL}.zip", "1-4"), (APRIL.removesuffix("_V1-4"), None)]
)
def test_names(name: str, version: str | None) -> None:
    parsed = parse_theia_name(name)
    assert parsed is not None
    assert (parsed.platform, parsed.tile, parsed.version, parsed.is_snow) == ("S2A", "31TGK", version, False)
    assert parsed.acquired.isoformat() == "2017-04-10T10:30:21.460000+00:00"


@pytest.mark.parametrize(
    "name",
    ["", "S2A_20170410", APRIL.replace("2A_", "9A_"), APRIL.replace("0410", "1341"), f"../{APRIL}", f"{APRIL}/x"],
)
def test_other_names(name: str) -> None:
    assert parse_theia_name(name) is None


def test_tiles_products_and_snow(machine: Any, tmp_path: Path) -> None:
    may = APRIL.replace("0410", "0510")
    snow = "SENTINEL2A_20170410-103021-460_L2B-SNOW_T31TGK_D_V1-0"
    zips = put(tmp_path / "zips" / "31TGK", may, APRIL).parent
    answer = found(zips, put(tmp_path / "snow", snow, snow.replace("TGK", "TGL")))
    outline, products = answer.tiles["31TGK"]
    assert list(answer.tiles) == ["31TGK"]
    assert shapely.from_wkt(outline).contains(shapely.from_wkt(PASTURE))
    assert [product.id for product in products] == [APRIL, may]
    assert (products[0].version, products[0].platform) == ("1-4", "S2A")
    assert products[0].snow is not None
    assert products[0].snow.name == f"{snow}.zip"
    assert products[1].snow is None
    assert products[0].archive.in_store
    assert rows(answer) == {}


def test_each_zip_left_out_is_a_row(machine: Any, tmp_path: Path) -> None:
    far, old = APRIL.replace("31TGK", "33UUP"), APRIL.replace("2017", "2016")
    folder = put(tmp_path / "zips", APRIL, far, old, "holiday")
    (folder / f"{APRIL.replace('0410', '0420')}.zip").write_bytes(b"PK half")
    answer = found(folder)
    assert [product.id for product in answer.tiles["31TGK"][1]] == [APRIL]
    assert rows(answer) == {
        far: "outside_aoi", old: "outside_dates", "holiday.zip": "not_theia",
        APRIL.replace("0410", "0420"): "broken_zip",
    }  # fmt: skip


@pytest.mark.parametrize("is_named", [True, False])
def test_snow_may_lie_among_the_others_and_reflectance_is_no_snow(machine: Any, tmp_path: Path, is_named: bool) -> None:
    may, snow = APRIL.replace("0410", "0510"), APRIL.replace("_L2A_", "_L2B-SNOW_")
    folder = put(tmp_path / "zips", APRIL, may, snow, "holiday")
    answer = found(folder, folder if is_named else "")
    products = answer.tiles["31TGK"][1]
    assert [product.snow.name if product.snow else None for product in products] == [f"{snow}.zip", None]
    assert rows(answer) == {"holiday.zip": "not_theia"}
    assert len(answer.refused) == 1


def test_damaged_metadata_are_a_row(machine: Any, tmp_path: Path) -> None:
    folder = tmp_path / "zips"
    folder.mkdir()
    with zipfile.ZipFile(folder / f"{APRIL}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{APRIL}/{APRIL}_MTD_ALL.xml", "<a/>" * 5000)
    content = bytearray((folder / f"{APRIL}.zip").read_bytes())
    content[120:140] = bytes(20)
    (folder / f"{APRIL}.zip").write_bytes(content)
    assert rows(found(folder)) == {APRIL: "broken_zip"}


def test_of_one_acquisition_the_highest_version(machine: Any, tmp_path: Path) -> None:
    versions = [APRIL.replace("V1-4", version) for version in ("V1-4", "V1-10", "V1-9")]
    answer = found(put(tmp_path / "zips", *versions))
    assert [product.version for product in answer.tiles["31TGK"][1]] == ["1-10"]
    assert rows(answer) == {versions[0]: "superseded", versions[2]: "superseded"}


def test_a_name_without_a_version_has_that_of_the_folder_in_it(machine: Any, tmp_path: Path) -> None:
    bare = APRIL.removesuffix("_V1-4")
    answer = found(put(tmp_path / "zips", bare, inner=f"{bare[:-1]}C_V2-2"))
    (product,) = answer.tiles["31TGK"][1]
    assert (product.id, product.version) == (bare, "2-2")
    answer = found(put(tmp_path / "others", bare, inner="elsewhere"))
    assert answer.tiles["31TGK"][1][0].version == "unknown"


def test_a_simulated_product_is_told(machine: Any, tmp_path: Path) -> None:
    folder = put(tmp_path / "zips", APRIL, APRIL.replace("0410", "0510"))
    with zipfile.ZipFile(folder / f"{APRIL}.zip", "a") as archive:
        archive.writestr(f"{APRIL}/{APRIL}_MTD_ALL.xml", "<!-- Simulated by Clearground -->")
    assert [product.simulated for product in found(folder).tiles["31TGK"][1]] == [True, False]


def test_a_bucket_is_read_where_it_is(machine: Any, s3_server: Any) -> None:
    storage.client().put_object(Bucket=s3_server.bucket, Key=f"theia/2017/{APRIL}.zip", Body=b"zip")
    storage.client().put_object(Bucket=s3_server.bucket, Key="theia/readme.txt", Body=b"text")
    (product,) = found(f"s3://{s3_server.bucket}/theia").tiles["31TGK"][1]
    assert product.archive.href == f"s3://{s3_server.bucket}/theia/2017/{APRIL}.zip"


def test_no_folder(machine: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no folder") as caught:
        found(tmp_path / "none")
    assert caught.value.code == "missing_file"


def test_an_empty_folder_has_no_tiles(machine: Any, tmp_path: Path) -> None:
    assert found(put(tmp_path / "zips")) == MajaFound({}, ())
