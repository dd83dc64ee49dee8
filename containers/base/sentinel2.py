"""Sentinel-2 facts: bands, product names, offsets by processing baseline, scene classification.

Pure Python without dependencies beyond the contract, so that every image and the host can import it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, NamedTuple, get_args
from xml.etree import ElementTree

from containers.base.contract.scene import BandName, Level
from containers.base.contract.step import StepError

NODATA_DN: Final = 0
"""In every band of every product; the JP2s do not declare it."""
SATURATED_DN: Final = 65535
QUANTIFICATION: Final = 10_000.0
"""Digital numbers per unit of reflectance."""
FIRST_OFFSET_BASELINE: Final = "04.00"
OFFSET_DN: Final = -1000.0
"""Of all bands, since baseline 04.00 (ESA, Sentinel-2 Products Specification Document, issue 14.9)."""


class Band(NamedTuple):
    """One band of the instrument."""

    name: BandName
    number: str
    resolution_m: int
    """The native one."""


BANDS: Final = (
    Band("coastal", "B01", 60),
    Band("blue", "B02", 10),
    Band("green", "B03", 10),
    Band("red", "B04", 10),
    Band("rededge071", "B05", 20),
    Band("rededge075", "B06", 20),
    Band("rededge078", "B07", 20),
    Band("nir", "B08", 10),
    Band("nir08", "B8A", 20),
    Band("nir09", "B09", 60),
    Band("cirrus", "B10", 60),
    Band("swir16", "B11", 20),
    Band("swir22", "B12", 20),
)
"""In the order of `band_id` in the product metadata."""
_BY_NAME: Final[dict[str, Band]] = {band.name: band for band in BANDS}
_BY_NUMBER: Final[dict[str, Band]] = {band.number: band for band in BANDS}


class SceneClass(IntEnum):
    """Codes of the scene classification map (SCL), uint8."""

    NO_DATA = 0
    SATURATED_OR_DEFECTIVE = 1
    DARK_AREA = 2
    CLOUD_SHADOW = 3
    VEGETATION = 4
    NOT_VEGETATED = 5
    WATER = 6
    UNCLASSIFIED = 7
    CLOUD_MEDIUM_PROBABILITY = 8
    CLOUD_HIGH_PROBABILITY = 9
    THIN_CIRRUS = 10
    SNOW = 11


def band(name: str, level: Level = "L1C") -> Band:
    """The band of that name. Raises `unknown_band`, also for cirrus in L2A, which does not carry it."""
    found = _BY_NAME.get(name)
    if found is None or (name == "cirrus" and level == "L2A"):
        known = [known for known in get_args(BandName) if known != "cirrus" or level == "L1C"]
        raise StepError("unknown_band", f"{level} has no band {name!r}.", f"Choose from {', '.join(known)}.")
    return found


def band_of_number(number: str) -> Band | None:
    """The band with that number, written as in file names (`B02`, `B8A`), or None."""
    return _BY_NUMBER.get(number)


_PRODUCT_NAME = re.compile(
    r"^(?P<platform>S2[A-D])_MSI(?P<level>L1C|L2A)_(?P<datatake>\d{8}T\d{6})_N(?P<baseline>\d{4})"
    r"_R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})_(?P<processed>\d{8}T\d{6})(?:\.SAFE)?$"
)


@dataclass(frozen=True)
class ProductName:
    """What a product's name says. Names are unique: two halves of a datatake differ in `processed`."""

    name: str
    """Without .SAFE."""
    platform: str
    level: Level
    datatake: datetime
    baseline: str
    """Such as 05.10."""
    orbit: int
    tile: str
    processed: datetime
    """The product discriminator: normally the processing time."""


def parse_product_name(name: str) -> ProductName | None:
    """The parts of a product name with or without .SAFE; None where it is not one in the format of 2016 or later."""
    match = _PRODUCT_NAME.match(name)
    if match is None:
        return None
    parts = match.groupdict()
    return ProductName(
        name=name.removesuffix(".SAFE"),
        platform=parts["platform"],
        level="L1C" if parts["level"] == "L1C" else "L2A",
        datatake=compact_time(parts["datatake"]),
        baseline=f"{parts['baseline'][:2]}.{parts['baseline'][2:]}",
        orbit=int(parts["orbit"]),
        tile=parts["tile"],
        processed=compact_time(parts["processed"]),
    )


SIMULATED_MARK: Final = b"Simulated by Clearground"
"""In a comment of the metadata of products that no satellite has seen."""

_THEIA_NAME = re.compile(
    r"^(?P<stem>SENTINEL(?P<platform>2[A-D])_(?P<acquired>\d{8}-\d{6}-\d{3})_(?P<level>L2A|L2B-SNOW)_T(?P<tile>\d{2}[A-Z]{3}))"
    r"_[A-Z](?:_V(?P<version>\d{1,3}-\d{1,3}))?$"
)


@dataclass(frozen=True)
class TheiaName:
    """What the name of a THEIA product (MAJA L2A, or LIS snow) says."""

    stem: str
    """Platform, time, level and tile: what its ZIP and the folder in it have in common."""
    platform: str
    acquired: datetime
    is_snow: bool
    tile: str
    version: str | None
    """Such as 1-4; ZIPs often carry none, the folders in them do."""


def parse_theia_name(name: str) -> TheiaName | None:
    """The parts of a THEIA name with or without .zip, such as `SENTINEL2A_20170410-103021-460_L2A_T31TFJ_D_V1-4`."""
    match = _THEIA_NAME.match(name.removesuffix(".zip"))
    if match is None:
        return None
    try:
        acquired = datetime.strptime(match["acquired"] + "000", "%Y%m%d-%H%M%S-%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return TheiaName(
        stem=match["stem"],
        platform=f"S{match['platform']}",
        acquired=acquired,
        is_snow=match["level"] == "L2B-SNOW",
        tile=match["tile"],
        version=match["version"],
    )


def compact_time(text: str) -> datetime:
    """A time written as 20200705T101559, in UTC."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


_DATASTRIP_START = re.compile(r"_S(\d{8}T\d{6})(?:_|$)")


def datastrip_start(datastrip_id: str) -> datetime | None:
    """Sensing start of a datastrip, from its id (`…_S20200705T101917_N05.00`) or its folder name (`DS_…_S…`)."""
    match = _DATASTRIP_START.search(datastrip_id)
    return compact_time(match[1]) if match else None


def baseline_offset_dn(baseline: str) -> float:
    """The offset that the baseline implies. Decided by baseline, never by date: Collection 1 reaches back to 2015."""
    return OFFSET_DN if baseline >= FIRST_OFFSET_BASELINE else 0.0


def stac_offset_dn(raster_offset: float, raster_scale: float) -> float:
    """`raster:offset` of a STAC asset (in reflectance, −0.1) as digital numbers (−1000)."""
    return round(raster_offset / raster_scale, 6) + 0.0


def settled_offset_dn(stated_dn: float | None, baseline: str) -> float:
    """The offset to add to digital numbers: the baseline says whether there is one, the metadata how large it is.

    Raises ValueError where both contradict each other: applying such an offset would be a guess.
    """
    implied_dn = baseline_offset_dn(baseline)
    if stated_dn is None:
        return implied_dn
    if (stated_dn == 0) != (implied_dn == 0):
        raise ValueError(f"metadata state an offset of {stated_dn:g} DN, baseline {baseline} implies {implied_dn:g} DN")
    return stated_dn


@dataclass(frozen=True)
class ProductMetadata:
    """The radiometric facts of MTD_MSIL1C.xml or MTD_MSIL2A.xml."""

    level: Level
    baseline: str
    quantification: float
    offsets_dn: dict[str, float]
    """Band name to offset. Zero for every band before baseline 04.00."""
    nodata_dn: int
    saturated_dn: int


def parse_product_metadata(xml: bytes) -> ProductMetadata:
    """Read product metadata. Raises `corrupt_file` where it is not XML or a fact is missing."""
    root = parse_xml(xml)
    try:
        level: Level = "L2A" if _text(root, "PROCESSING_LEVEL").startswith("Level-2A") else "L1C"
        offset_tag, scale_tag = (
            ("BOA_ADD_OFFSET", "BOA_QUANTIFICATION_VALUE")
            if level == "L2A"
            else ("RADIO_ADD_OFFSET", "QUANTIFICATION_VALUE")
        )
        baseline = _text(root, "PROCESSING_BASELINE")
        stated = {int(node.attrib["band_id"]): float(node.text or "") for node in root.iter(offset_tag)}
        special = {
            _text(node, "SPECIAL_VALUE_TEXT"): int(_text(node, "SPECIAL_VALUE_INDEX"))
            for node in root.iter("Special_Values")
        }
        return ProductMetadata(
            level=level,
            baseline=baseline,
            quantification=float(_text(root, scale_tag)),
            offsets_dn={band.name: settled_offset_dn(stated.get(i), baseline) for i, band in enumerate(BANDS)},
            nodata_dn=special["NODATA"],
            saturated_dn=special["SATURATED"],
        )
    except (KeyError, ValueError) as error:
        raise StepError("corrupt_file", f"Product metadata: {error}.", "Fetch the product again.") from error


def parse_xml(xml: bytes) -> ElementTree.Element:
    """The root of a document without a DTD: with no entity to expand, the standard parser is safe.

    Images need no defusedxml for it. SAFE metadata are UTF-8 and never carry a DTD. Raises `corrupt_file`.
    """
    try:
        text = xml.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise ValueError("it declares a document type")
        return ElementTree.fromstring(text)  # noqa: S314 - see the docstring
    except (ValueError, ElementTree.ParseError) as error:
        raise StepError("corrupt_file", f"Not the XML of a product: {error}.", "Fetch the product again.") from error


def _text(node: ElementTree.Element, tag: str) -> str:
    found = next(node.iter(tag), None)
    if found is None or not found.text:
        raise KeyError(f"{tag} is missing")
    return found.text.strip()
