"""Names of Sentinel-1 products of every satellite and style."""

from datetime import UTC, datetime

import pytest

from tasks.radar_catalogue.product_name import parse_radar_name

NAME = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255"


def test_every_part_is_read() -> None:
    parsed = parse_radar_name(f"{NAME}.SAFE")
    assert parsed is not None
    assert (parsed.name, parsed.platform, parsed.mode, parsed.kind) == (NAME, "S1A", "IW", "GRDH")
    assert parsed.polarisations == ("vv", "vh")
    assert parsed.start == datetime(2021, 1, 19, 3, 16, 53, tzinfo=UTC)
    assert parsed.stop == datetime(2021, 1, 19, 3, 17, 18, tzinfo=UTC)
    assert (parsed.absolute_orbit, parsed.datatake, parsed.is_cog) == (36201, "043ED0", False)


@pytest.mark.parametrize("platform", ["S1A", "S1B", "S1C", "S1D"])
@pytest.mark.parametrize("suffix", ["", ".SAFE", "_COG", "_COG.SAFE"])
def test_every_satellite_and_style(platform: str, suffix: str) -> None:
    parsed = parse_radar_name(NAME.replace("S1A", platform) + suffix)
    assert parsed is not None
    assert parsed.platform == platform
    assert parsed.is_cog == suffix.startswith("_COG")
    assert not parsed.name.endswith(".SAFE")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("SV", ("vv",)), ("SH", ("hh",)), ("DH", ("hh", "hv")), ("VH", ("vh",)), ("HV", ("hv",))],
)
def test_polarisations(code: str, expected: tuple[str, ...]) -> None:
    parsed = parse_radar_name(NAME.replace("1SDV", f"1S{code}"))
    assert parsed is not None
    assert parsed.polarisations == expected


def test_a_name_without_the_last_digits_is_read() -> None:
    parsed = parse_radar_name(NAME.rpartition("_")[0])
    assert parsed is not None
    assert parsed.datatake == "043ED0"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "S1E" + NAME[3:],
        "S2A_MSIL2A_20200705T101559_N0500_R065_T33UUP_20230530T175912",
        NAME.replace("1SDV", "1SXX"),
        NAME.replace("20210119T031653", "20211319T031653"),
        NAME + "_EXTRA",
        "x" + NAME,
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert parse_radar_name(name) is None


@pytest.mark.parametrize(("kind", "mode", "type_"), [("IW_SLC_", "IW", "SLC_"), ("EW_GRDM", "EW", "GRDM")])
def test_other_products_are_named(kind: str, mode: str, type_: str) -> None:
    parsed = parse_radar_name(NAME.replace("IW_GRDH", kind))
    assert parsed is not None
    assert (parsed.mode, parsed.kind) == (mode, type_)
