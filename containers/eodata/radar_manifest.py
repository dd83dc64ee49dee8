"""The manifest of a Sentinel-1 product: what it is, and which files it has."""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from containers.eodata.radar_slice import Slice, stamp
from containers.eodata.radar_xml import Content, document

PROCESSOR: Final = ("Sentinel-1 IPF", "003.71")
_NAMESPACES: Final = {
    "gml": "http://www.opengis.net/gml",
    "xfdu": "urn:ccsds:schema:xfdu:1",
    "safe": "http://www.esa.int/safe/sentinel-1.0",
    "s1": "http://www.esa.int/safe/sentinel-1.0/sentinel-1",
    "s1sarl1": "http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar/level-1",
}
_DESIGNATORS: Final = {"S1A": "2014-016A", "S1B": "2016-025A", "S1C": "2024-235A"}


class Member(NamedTuple):
    """A file of the product."""

    asset: str
    """Key in the catalogue."""
    kind: str
    """Schema: Product, Calibration, Noise or Measurement."""
    path: str
    """Below the .SAFE folder."""


def manifest_xml(piece: Slice, members: list[Member], corners: list[tuple[float, float]], folder: Path) -> bytes:
    """The manifest of the files as they lie in `folder`."""
    wrapped: dict[str, tuple[str, Content]] = {
        "processing": ("PROVENANCE", _processing(piece)),
        "platform": ("DESCRIPTION", _platform(piece)),
        "measurementOrbitReference": ("DESCRIPTION", _orbit(piece)),
        "generalProductInformation": ("DESCRIPTION", _product(piece)),
        "acquisitionPeriod": ("DESCRIPTION", _period(piece)),
        "measurementFrameSet": ("DESCRIPTION", _frame_set(corners)),
    }
    return document("xfdu:XFDU", {
        **{f"@xmlns:{prefix}": uri for prefix, uri in _NAMESPACES.items()},
        "@version": "esa/safe/sentinel-1.0/sentinel-1/sar/level-1/grd/standard/iwdp",
        "informationPackageMap": _package(members),
        "metadataSection": {"metadataObject": [
            {
                "@ID": name,
                "@classification": classification,
                "@category": "PDI" if classification == "PROVENANCE" else "DMD",
                "metadataWrap": {
                    "@mimeType": "text/xml", "@vocabularyName": "SAFE", "@textInfo": name, "xmlData": content
                },
            }
            for name, (classification, content) in wrapped.items()
        ]},
        "dataObjectSection": {"dataObject": [_data_object(member, folder) for member in members]},
    })  # fmt: skip


def _identifier(member: Member) -> str:
    return Path(member.path).stem.replace("-", "")


def _package(members: list[Member]) -> Content:
    return {"xfdu:contentUnit": {
        "@unitType": "SAFE Archive Information Package",
        "@textInfo": "Sentinel-1 IW Level-1 GRD Product (simulated)",
        "@dmdID": "acquisitionPeriod platform generalProductInformation measurementOrbitReference measurementFrameSet",
        "@pdiID": "processing",
        "xfdu:contentUnit": [
            {
                "@unitType": f"{'Measurement Data' if member.kind == 'Measurement' else 'Metadata'} Unit",
                "@repID": f"s1Level1{member.kind}Schema",
                "dataObjectPointer": {"@dataObjectID": _identifier(member)},
            }
            for member in members
        ],
    }}  # fmt: skip


def _processing(piece: Slice) -> Content:
    name, version = PROCESSOR
    return {"safe:processing": {
        "@name": "GRD Post Processing (simulated)", "@start": stamp(piece.stop), "@stop": stamp(piece.stop),
        "safe:facility": {
            "@country": "nowhere", "@name": "Clearground simulator", "@organisation": "Clearground",
            "@site": "simulated", "safe:software": {"@name": name, "@version": version},
        },
    }}  # fmt: skip


def _platform(piece: Slice) -> Content:
    mode: Content = {"s1sarl1:instrumentMode": {"s1sarl1:mode": "IW", "s1sarl1:swath": "IW"}}
    return {"safe:platform": {
        "safe:nssdcIdentifier": _DESIGNATORS[piece.pass_.platform],
        "safe:familyName": "SENTINEL-1",
        "safe:number": piece.pass_.platform[-1],
        "safe:instrument": {
            "safe:familyName": {"@abbreviation": "SAR", "#": "Synthetic Aperture Radar"}, "safe:extension": mode,
        },
    }}  # fmt: skip


def _orbit(piece: Slice) -> Content:
    orbit, track = piece.pass_.absolute_orbit, piece.pass_.relative_orbit
    return {"safe:orbitReference": {
        "safe:orbitNumber": [{"@type": end, "#": orbit} for end in ("start", "stop")],
        "safe:relativeOrbitNumber": [{"@type": end, "#": track} for end in ("start", "stop")],
        "safe:cycleNumber": orbit // 175 + 1,
        "safe:phaseIdentifier": 1,
        "safe:extension": {"s1:orbitProperties": {
            "s1:pass": piece.pass_.direction.upper(),
            "s1:ascendingNodeTime": stamp(piece.at(piece.frame.orbit.node_s)),
        }},
    }}  # fmt: skip


def _product(piece: Slice) -> Content:
    return {"s1sarl1:standAloneProductInformation": {
        "s1sarl1:instrumentConfigurationID": 7,
        "s1sarl1:missionDataTakeID": int(piece.pass_.datatake, 16),
        "s1sarl1:transmitterReceiverPolarisation": [{"#": each.upper()} for each in piece.polarisations],
        "s1sarl1:productClass": "S",
        "s1sarl1:productClassDescription": "SAR Standard L1 Product",
        "s1sarl1:productComposition": "Slice",
        "s1sarl1:productType": "GRD",
        "s1sarl1:productTimelinessCategory": "Fast-24h",
        "s1sarl1:sliceProductFlag": "true",
        "s1sarl1:segmentStartTime": stamp(piece.pass_.start),
        "s1sarl1:sliceNumber": piece.number,
        "s1sarl1:totalSlices": piece.pass_.slices,
    }}  # fmt: skip


def _period(piece: Slice) -> Content:
    node_s, frame = piece.frame.orbit.node_s, piece.frame
    start_ms = (frame.first_line_s - node_s) * 1000
    return {"safe:acquisitionPeriod": {
        "safe:startTime": stamp(piece.start),
        "safe:stopTime": stamp(piece.stop),
        "safe:extension": {"s1:timeANX": {
            "s1:startTimeANX": start_ms, "s1:stopTimeANX": start_ms + (frame.lines - 1) * frame.line_s * 1000,
        }},
    }}  # fmt: skip


def _frame_set(corners: list[tuple[float, float]]) -> Content:
    places = " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in corners)
    return {"safe:frameSet": {"safe:frame": {"safe:footPrint": {
        "@srsName": "http://www.opengis.net/gml/srs/epsg.xml#4326", "gml:coordinates": places,
    }}}}  # fmt: skip


def _data_object(member: Member, folder: Path) -> dict[str, Content]:
    content = (folder / member.path).read_bytes()
    image = member.kind == "Measurement"
    return {
        "@ID": _identifier(member),
        "@repID": f"s1Level1{member.kind}Schema",
        "byteStream": {
            "@mimeType": "application/octet-stream" if image else "text/xml",
            "@size": len(content),
            "fileLocation": {"@locatorType": "URL", "@href": f"./{member.path}"},
            "checksum": {"@checksumName": "MD5", "#": hashlib.md5(content, usedforsecurity=False).hexdigest()},
        },
    }
