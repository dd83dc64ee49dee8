"""A file of spectra taken in as a dataset: ours as it is, another system's by the names of its variables."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.base.contract.files import output_file
from containers.base.contract.step import StepWarning
from containers.base.step import local_path, main, progress
from containers.gdal.band_order import BandOrder
from containers.gdal.contract.cut import LAYERS
from containers.gdal.contract.sites import ImportSpectraParams, SiteSpectraResult
from containers.gdal.foreign_spectra import ForeignSpectra, without_nodata
from containers.gdal.site_file import (
    NOT_KNOWN,
    Header,
    Spectra,
    bad_dataset,
    create_site_file,
    is_site_file,
    open_netcdf,
    open_site_file,
)

_HIGHEST_MEDIAN = 10.0
"""Of reflectance, even of snow; that of digital numbers is far higher."""


def run(params: ImportSpectraParams, out: Path) -> SiteSpectraResult:
    """Write `spectra.nc`. Raises `bad_dataset`, `missing_file`, `disk_full`."""
    path, target = local_path(params.spectra), out / "spectra.nc"
    header, warnings = _copied(path, target) if is_site_file(path) else _converted(path, target, params)
    return SiteSpectraResult(
        dataset=output_file(target), sites=len(header.sites), slices=len(header.slices), warnings=warnings
    )


def _copied(path: Path, target: Path) -> tuple[Header, tuple[StepWarning, ...]]:
    """One of ours, checked and written again."""
    with open_site_file(path) as source, create_site_file(target, source.header) as sink:
        for number, share in enumerate(source.header.slices["mask_share"]):
            spectra = source.read(number)
            sink.write(number, Spectra(without_nodata(spectra.reflectance), spectra.layers), share)
        return source.header, ()


def _converted(path: Path, target: Path, params: ImportSpectraParams) -> tuple[Header, tuple[StepWarning, ...]]:
    """One of another system."""
    with open_netcdf(path) as file:
        source = ForeignSpectra(file, params.fields)
        sites = source.sites(params.epsg)
        header = Header(sites, _slices(source, params), source.bands)
        order, layers = BandOrder(), np.full((len(LAYERS), len(sites)), NOT_KNOWN, np.int8)
        medians = np.full(len(header.slices), np.nan)
        with create_site_file(target, header) as sink:
            for number, reflectance in enumerate(source.rows()):
                spectra = Spectra(reflectance, layers)
                sink.write(number, spectra, spectra.mask_share)
                order = order.with_spectra(reflectance, source.bands)
                known = reflectance[np.isfinite(reflectance)]
                medians[number] = np.median(known) if known.size else np.nan
                progress(number + 1, len(header.slices), "slices")
            _require_reflectance(path, medians)
        return header, (*order.warnings(), *_not_said(source.missing_fields(), params))


def _slices(source: ForeignSpectra, params: ImportSpectraParams) -> pd.DataFrame:
    """What is known of them: when, and who made them."""
    known = {"source": params.source, "level": "L2A", "simulated": int(params.simulated), "unmasked": " ".join(LAYERS)}
    not_known = {"product_id": "", "tile": "", "platform": "", "orbit": 0, "baseline": "", "mask_share": np.nan}
    return pd.DataFrame({"time": source.seconds[source.order], **known, **not_known})


def _require_reflectance(path: Path, medians: NDArray[np.float64]) -> None:
    if not np.isfinite(medians).any():
        raise bad_dataset(f"{path.name} has no reflectance: every value is nodata", "Give spectra of other dates.")
    if (median := float(np.nanmedian(medians))) > _HIGHEST_MEDIAN:
        raise bad_dataset(
            f"{path.name} has values around {median:g}, which are no reflectance but digital numbers",
            "Give the variables their scale_factor (0.0001), or divide them by 10,000.",
        )


def _not_said(missing: list[str], params: ImportSpectraParams) -> tuple[StepWarning, ...]:
    """What a reader of the dataset must not take for known."""
    facts = ["product, tile, satellite, orbit and baseline of the slices", "cloud, shadow and snow"]
    facts += [] if params.epsg else ["the CRS of the sites"]
    facts += [f"the variables {', '.join(missing)}"] if missing else []
    return (
        StepWarning(
            code="not_known",
            reason=f"The file does not say: {'; '.join(facts)}. They are not known in the dataset.",
            hint="Name variables in `fields` and the CRS in `epsg` where the file has them.",
        ),
    )


if __name__ == "__main__":
    main(ImportSpectraParams, run)
