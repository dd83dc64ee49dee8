"""What a run of `cloud_removal` will cost, before anything is read."""

from typing import Final, NamedTuple

import shapely
import yaml
from pydantic import Field

from containers.base.contract.model import Contract
from containers.tensorflow.contract.removal import Preset
from tasks import checkout
from tasks.aoi import read_aoi
from tasks.catalogue.coverage import area_m2
from tasks.catalogue.plan import CDSE_QUOTA_BYTES, Plan, bytes_of
from tasks.cloud_removal.choice import COMPARED
from tasks.cloud_removal.pairing import PairedPass, common_zone
from tasks.cloud_removal.passes import area_of, pair, radar_request
from tasks.cloud_removal.scenes import TiledImage, require_images, require_place, search_images
from tasks.parameters.cloud_removal import CloudRemovalParams, DateWindow
from tasks.radar_catalogue.search import search_radar

_STORED_BYTES_PER_VALUE: Final = 1.25
_FLOAT_BYTES: Final = 4


class RemovalRates(Contract):
    """Rates on two cores, to be replaced by those of the machine (`make bench`).

    Observe as measured, the archive's by CDSE's general quota, the others are estimates.
    """

    archive_mb_s_per_connection: float = Field(default=20.0, gt=0, description="Megabytes per second and connection")
    connections: int = Field(default=4, ge=1, description="Connections to the archive at once")
    observe_mpx_s: float = Field(default=7.0, gt=0, description="Decode, warp, mask: source megapixels per second")
    radar_mpx_s: float = Field(default=0.05, gt=0, description="Backscatter: megapixels of grid and polarisation")
    train_mpx_s: dict[Preset, float] = Field(
        default={"small": 0.08, "adaptive": 0.05, "reference": 0.001},
        description="Network to megapixels of tiles that it learns from per second",
    )
    predict_mpx_s: float = Field(default=0.2, gt=0, description="Prediction: megapixels per second and network")
    jp2_bytes_per_value: float = Field(default=1.12, gt=0, description="Reflectance in a JP2 of the archive")


class _Work(NamedTuple):
    optical_bytes: int
    radar_bytes: int
    grid_mpx: float
    dates: int
    networks: int
    epochs: int


def plan_removal(params: CloudRemovalParams, rates: RemovalRates | None = None) -> Plan:
    """Scenes, bytes, minutes and quota share, by the images that come first; nothing is known of masks yet.

    Of a date with the criterion least_cloudy as many images count as are masked. Raises `no_scenes`, `no_pair` and
    `bad_aoi` like the run itself.
    """
    rates = rates or RemovalRates()
    aoi = shapely.to_wkt(read_aoi(params.area.aoi), rounding_precision=7) if params.area.aoi else ""
    require_place(params, aoi)
    read, taken, n_refused = _images(params, aoi)
    area = area_of(aoi, taken)
    answer = search_radar(radar_request(params, area, taken))
    pairs = pair(params, area, taken, answer, is_given=bool(aoi))
    radar = {each.id: each for passed in pairs.passes for each in passed.slices}
    radar_files = {file.href: file.size for each in radar.values() for file in each.files.values()}
    scenes = {part.id: part for image in read for parts in image for part in parts}
    is_trained = not params.learning.model_href
    work = _Work(
        optical_bytes=bytes_of(scenes.values()),
        radar_bytes=sum(radar_files.values()),
        grid_mpx=area_m2(area if aoi else _zone(taken, pairs.passes)) / params.area.resolution_m**2 / 1e6,
        dates=len(params.dates),
        networks=1 + len(params.learning.compare_with) * is_trained,
        epochs=_epochs(params) * is_trained,
    )
    return Plan(
        scenes=len(scenes) + len(radar),
        acquisitions=len(read) + len(pairs.passes),
        tiles=len({part.tile for part in scenes.values()}),
        periods=len(params.dates),
        refused=n_refused + len(answer.refused) + len(pairs.refused),
        bytes_to_read=work.optical_bytes + work.radar_bytes,
        bytes_to_store=_stored_bytes(params, work, len(read)),
        minutes=_minutes(params, work, rates),
        quota_share=(work.optical_bytes + work.radar_bytes) / CDSE_QUOTA_BYTES,
    )


def images_read(images: tuple[TiledImage, ...], window: DateWindow) -> tuple[TiledImage, ...]:
    """The candidates that are read at least: one, or as many as are compared."""
    return images[: COMPARED if window.criterion == "least_cloudy" else 1]


def _images(params: CloudRemovalParams, aoi: str) -> tuple[list[TiledImage], list[TiledImage], int]:
    """Images that are read, the first of each date, and how many products were refused."""
    read: list[TiledImage] = []
    taken: list[TiledImage] = []
    n_refused = 0
    for window in params.dates:
        answer = search_images(params, window, aoi)
        images = require_images(params, window, answer)
        read += images_read(images, window)
        taken.append(images[0])
        n_refused += len(answer.refused)
    return read, taken, n_refused


def _zone(images: list[TiledImage], passes: tuple[PairedPass, ...]) -> shapely.MultiPolygon:
    return common_zone([area_of("", [image]) for image in images], passes)


def _epochs(params: CloudRemovalParams) -> int:
    """Of the network's configuration, or the run's own, which is written nested or dotted."""
    path = checkout.ROOT / "containers" / "tensorflow" / "networks" / f"{params.learning.preset}.yaml"
    own = params.learning.overrides
    training = yaml.safe_load(path.read_text())["training"] | own.get("training", {})
    return int(own.get("training.epochs", training["epochs"]))


def _stored_bytes(params: CloudRemovalParams, work: _Work, n_images: int) -> int:
    """Images on the grid, backscatter with its angle, products as they came, the dataset, and what is rebuilt."""
    n_bands, n_radar = len(params.bands), len(params.pairing.polarisations) + 1
    compressed = work.grid_mpx * n_bands * (n_images + 2 * work.networks) * 1e6 * _STORED_BYTES_PER_VALUE
    floats = work.grid_mpx * 1e6 * _FLOAT_BYTES * (n_radar * work.dates + (n_bands + n_radar) * 2 * (work.epochs > 0))
    return round(work.radar_bytes + compressed + floats)


def _minutes(params: CloudRemovalParams, work: _Work, rates: RemovalRates) -> dict[str, float]:
    learned_mpx = work.grid_mpx * params.tiling.shares[0] * (work.dates - 1) * work.epochs * work.networks
    n_radar = len(params.pairing.polarisations)
    read = work.optical_bytes + work.radar_bytes
    seconds = {
        "download": read / 1e6 / (rates.archive_mb_s_per_connection * rates.connections),
        "optical": work.optical_bytes / rates.jp2_bytes_per_value / 1e6 / rates.observe_mpx_s,
        "radar": work.grid_mpx * n_radar * work.dates / rates.radar_mpx_s,
        "train": learned_mpx / rates.train_mpx_s[params.learning.preset],
        "predict": work.grid_mpx * work.networks / rates.predict_mpx_s,
    }
    return {stage: value / 60 for stage, value in seconds.items()}
