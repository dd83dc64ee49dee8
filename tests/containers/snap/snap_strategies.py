"""Every set of parameters that the steps accept, for hypothesis."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.radar import RadarProduct, SafeFolder, Speckle
from containers.snap.backscatter_graph import Inputs
from containers.snap.contract.backscatter import SnapBackscatterParams
from containers.snap.contract.resample import ResampleParams

FILE = File(href="store:a", content_id="sha256:0", size=1)
BANDS = ("coastal", "blue", "green", "red", "rededge071", "nir", "nir08", "nir09", "swir16", "swir22")
RESAMPLINGS = ("NEAREST_NEIGHBOUR", "BILINEAR_INTERPOLATION", "CUBIC_CONVOLUTION", "BICUBIC_INTERPOLATION")
WHEN = datetime(2021, 1, 19, tzinfo=UTC)

grids = st.builds(
    lambda epsg, size, col, row: Grid(
        epsg=epsg, resolution_m=size, west_m=col * size, north_m=row * size, width=7, height=5
    ),
    st.sampled_from([32601, 32633, 32660, 32755]),
    st.sampled_from([10.0, 20.0, 60.0, 15.0]),
    st.integers(10_000, 80_000),
    st.integers(0, 900_000),
)
speckles = st.builds(
    Speckle,
    filter=st.sampled_from(["lee_sigma", "refined_lee", "none"]),
    window_px=st.sampled_from([5, 7, 9, 11, 13, 15, 17]),
    target_window_px=st.sampled_from([3, 5]),
    sigma=st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9]),
    looks=st.floats(1, 100),
)


def _product(number: int) -> RadarProduct:
    return RadarProduct(
        id=f"S1A_{number}",
        platform="S1A",
        polarisations=("vv", "vh"),
        start=WHEN,
        stop=WHEN,
        datatake="043E5D",
        absolute_orbit=1,
        relative_orbit=22,
        direction="ascending",
        footprint="POLYGON EMPTY",
    )


@st.composite
def backscatter_params(draw: st.DrawFn) -> SnapBackscatterParams:
    slices = tuple(_product(number) for number in range(draw(st.integers(1, 4))))
    return SnapBackscatterParams(
        slices=slices,
        folders=tuple(SafeFolder(id=each.id, files={"manifest.safe": FILE}) for each in slices),
        polarisations=draw(st.sampled_from([("vv",), ("vh",), ("vv", "vh"), ("vh", "vv")])),
        grid=draw(grids),
        dem=FILE,
        speckle=draw(speckles),
        multilook=draw(st.integers(1, 10)),
        noise_removal=draw(st.booleans()),
        border_px=draw(st.integers(0, 2000)),
        dem_resampling=draw(st.sampled_from(RESAMPLINGS)),
        image_resampling=draw(st.sampled_from(RESAMPLINGS)),
        border_limit_px=draw(st.integers(0, 5000)),
        trim_threshold=draw(st.floats(0, 1000)),
    )


def inputs_of(params: SnapBackscatterParams, orbits: str | None = "POEORB") -> Inputs:
    return Inputs(
        products=tuple(Path(f"/scratch/{each.id}.SAFE") for each in params.slices),
        dem=Path("/scratch/dem.tif"),
        region="POLYGON ((15 47, 16 47, 16 48, 15 47))",
        output=Path("/scratch/gamma.tif"),
        swath=(16_705, 26_102),
        orbits=orbits,
    )


resample_params = st.builds(
    ResampleParams,
    product=st.just(SafeFolder(id="S2A", files={"MTD_MSIL2A.xml": FILE})),
    bands=st.lists(st.sampled_from(BANDS), min_size=1, unique=True).map(tuple),
    resolution_m=st.sampled_from([10, 20, 60]),
    aoi=st.sampled_from(["", "POLYGON ((15 47, 16 47, 16 48, 15 47))"]),
    upsampling=st.sampled_from(["Nearest", "Bilinear", "Bicubic"]),
    downsampling=st.sampled_from(["First", "Min", "Max", "Mean", "Median"]),
)
