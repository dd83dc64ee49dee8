"""The ZIP of a THEIA product, read in place and not trusted: members by exact name, and what its metadata say."""

import zipfile
from pathlib import Path
from typing import Final, NamedTuple

from containers.base.contract.step import StepError
from containers.base.sentinel2 import SIMULATED_MARK, TheiaName, parse_theia_name, parse_xml

MOST_MEMBERS: Final = 1000
MOST_RASTER_BYTES: Final = 512 << 20
"""Twice a band of a tile without compression."""
MOST_XML_BYTES: Final = 16 << 20
_ENCRYPTED: Final = 1
_STORED: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ORBITS: Final = range(1, 144)


class Facts(NamedTuple):
    """What `MTD_ALL.xml` says, or what holds of every product where there is none."""

    orbit: int | None = None
    """The relative orbit."""
    quantification: float = 10_000.0
    nodata_dn: int = -10_000
    simulated: bool = False


class TheiaArchive:
    """One product. Raises `corrupt_file` for what is not such a ZIP."""

    def __init__(self, path: Path, expected: TheiaName) -> None:
        """`expected` is the name of the product: the folder in the ZIP has the same but for its version."""
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, OSError) as error:
            raise self._broken(f"is no ZIP: {error}") from error
        if len(infos) > MOST_MEMBERS:
            raise self._broken(f"holds {len(infos)} files, more than {MOST_MEMBERS}")
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) < len(infos):
            raise self._broken("holds two files of one name")
        folders = {name.partition("/")[0] for name in self._infos}
        names = {folder for folder in folders if (name := parse_theia_name(folder)) and name.stem == expected.stem}
        if len(names) != 1:
            raise self._broken(f"holds {len(names)} folders named {expected.stem}_…, expected is one")
        (self.name,) = names

    def raster(self, suffix: str, folder: str = "") -> Path | None:
        """The path by which GDAL reads a raster in place, such as of `FRE_B8A.tif`; None where there is none."""
        info = self._member(f"{folder}{self.name}_{suffix}", MOST_RASTER_BYTES)
        return Path(f"/vsizip/{{{self._path}}}/{info.filename}") if info else None

    def facts(self) -> Facts:
        """Raises `corrupt_file` for metadata that are no XML or say no numbers."""
        info = self._member(f"{self.name}_MTD_ALL.xml", MOST_XML_BYTES)
        if info is None:
            return Facts()
        with zipfile.ZipFile(self._path) as archive, archive.open(info) as stream:
            # Not `read`: the size that the ZIP announces may be a lie.
            text = stream.read(MOST_XML_BYTES)
        root = parse_xml(text)
        stated = {
            "orbit": root.findtext(".//ORBIT_NUMBER"),
            "quantification": root.findtext(".//REFLECTANCE_QUANTIFICATION_VALUE"),
            "nodata_dn": root.findtext(".//SPECIAL_VALUE[@name='nodata']"),
        }
        try:
            numbers = {name: float(text) for name, text in stated.items() if text}
        except ValueError as error:
            raise self._broken(f"has metadata without numbers: {error}") from error
        orbit = int(numbers.get("orbit", 0))
        return Facts(
            orbit=orbit if orbit in _ORBITS else None,
            quantification=numbers.get("quantification", Facts().quantification),
            nodata_dn=int(numbers.get("nodata_dn", Facts().nodata_dn)),
            simulated=SIMULATED_MARK in text,
        )

    def _member(self, name: str, most_bytes: int) -> zipfile.ZipInfo | None:
        info = self._infos.get(f"{self.name}/{name}")
        if info is None:
            return None
        if info.file_size > most_bytes:
            raise self._broken(f"holds {name} of {info.file_size} bytes, at most {most_bytes} are read")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _STORED:
            raise self._broken(f"holds {name} encrypted or compressed in an unusual way")
        return info

    def _broken(self, reason: str) -> StepError:
        return StepError("corrupt_file", f"{self._path.name} {reason}.", "Download the product again from THEIA.")
