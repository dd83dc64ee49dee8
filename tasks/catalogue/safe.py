"""What lies in a product's SAFE folder on S3, for catalogues that name only the folder."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.base.sentinel2 import ProductMetadata, band_of_number, datastrip_start, parse_product_metadata
from containers.base.storage import client, coded_errors, etag_id, split_s3_href
from tasks.catalogue.candidate import Asset

_RASTER: Final = re.compile(r"/IMG_DATA/(?:R\d+m/)?T\w{5}_\d{8}T\d{6}_(B\d[\dA]|SCL)(?:_(\d+)m)?\.jp2$")
_METADATA: Final = re.compile(r"\.SAFE/MTD_MSIL[12][AC]\.xml$")
_DATASTRIP: Final = re.compile(r"/DATASTRIP/(DS_[^/]+)/")


@dataclass(frozen=True)
class SafeFolder:
    """The rasters of a product and the facts of its own metadata."""

    assets: tuple[Asset, ...]
    datastrip: datetime | None


def read_safe(safe_href: str) -> SafeFolder:
    """List a product's folder and read its metadata: one listing, one small object.

    Raises `missing_file` where the folder or its metadata are absent, `corrupt_file` where the metadata are broken.
    """
    objects = list_folder(safe_href)
    metadata_href = next((file.href for file in objects if _METADATA.search(file.href)), None)
    if metadata_href is None:
        raise StepError(
            "missing_file", f"{safe_href} holds {len(objects)} objects and no product metadata.", "Leave it out."
        )
    metadata = _read_metadata(metadata_href)
    strips = (datastrip_start(match[1]) for file in objects if (match := _DATASTRIP.search(file.href)))
    return SafeFolder(
        assets=tuple(asset for file in objects if (asset := _asset(file, metadata))),
        datastrip=next((strip for strip in strips if strip), None),
    )


def list_folder(href: str) -> list[File]:
    """Every object below a folder as it is now, with its size, and its ETag as content id."""
    bucket, prefix = split_s3_href(href)
    with coded_errors(href):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/") + "/")
        return [
            File(href=f"s3://{bucket}/{entry['Key']}", content_id=etag_id(entry["ETag"]), size=entry["Size"])
            for page in pages
            for entry in page.get("Contents", ())
        ]


def _read_metadata(href: str) -> ProductMetadata:
    bucket, key = split_s3_href(href)
    with coded_errors(href):
        return parse_product_metadata(client().get_object(Bucket=bucket, Key=key)["Body"].read())


def _asset(file: File, metadata: ProductMetadata) -> Asset | None:
    match = _RASTER.search(file.href)
    if match is None:
        return None
    number, suffix = match.groups()
    band = band_of_number(number)
    return Asset(
        number=number,
        resolution_m=float(suffix or (band.resolution_m if band else 20)),
        href=file.href,
        file=file,
        offset_dn=metadata.offsets_dn[band.name] if band else None,
        quantification=metadata.quantification,
    )
