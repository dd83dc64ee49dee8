"""The optical images that `cloud_removal` may take for each of its dates, in the order in which they are tried."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeAlias

import shapely
from prefect import task
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from containers.base.contract.model import Contract
from containers.base.contract.scene import Scene
from containers.base.contract.step import StepError
from containers.base.sentinel2 import parse_product_name
from tasks import ledger
from tasks.catalogue.answer import RawAnswer, Refusal, refusal
from tasks.catalogue.coverage import covered_share, nominal_tile
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.rules import Acquisition, acquisition_cloud, acquisitions, footprint_of
from tasks.catalogue.search import find_product, search_scenes
from tasks.cloud_removal.images import bands_read
from tasks.containment import contains, coverage
from tasks.parameters.cloud_removal import CloudRemovalParams, Criterion, DateWindow
from tasks.periods import Period
from tasks.runner import SEARCH_TASK

TiledImage: TypeAlias = tuple[Acquisition, ...]
"""One optical image: the acquisitions of one datatake, a tile each, that show the area."""


class ImageCandidates(Contract):
    """The images that may be taken for one date, in the order in which they are tried."""

    window_index: int = Field(ge=0, description="Which of the form's dates")
    images: tuple[TiledImage, ...] = Field(min_length=1, description="Best first, by time or by metadata")


class Found(NamedTuple):
    """What a search for one date has given."""

    images: tuple[TiledImage, ...]
    refused: tuple[Refusal, ...]
    raw: tuple[RawAnswer, ...]


@task(**SEARCH_TASK, name="find images", persist_result=True)
def find_images(params: CloudRemovalParams, aoi: str) -> tuple[ImageCandidates, ...]:
    """Per date the images that show all of the area (WKT, EPSG:4326), or the product that is named.

    An empty area needs a named product for every date. Every scene left out is a row. Raises `no_scenes`, `bad_aoi`,
    `bad_parameters`.
    """
    require_place(params, aoi)
    found: list[ImageCandidates] = []
    for index, window in enumerate(params.dates):
        answer = search_images(params, window, aoi)
        ledger.keep_answers(raw._replace(name=f"date-{index}-{raw.name}") for raw in answer.raw)
        for row in answer.refused:
            ledger.skip(row.scene_id, row.code, row.reason, row.hint)
        found.append(ImageCandidates(window_index=index, images=require_images(params, window, answer)))
    return tuple(found)


def require_place(params: CloudRemovalParams, aoi: str) -> None:
    """Raises `bad_aoi` where there is neither an area nor a product to take one from."""
    if unnamed := [f"{window.start} to {window.end}" for window in params.dates if not (aoi or window.product)]:
        raise StepError(
            "bad_aoi",
            f"there is no area, and no product is named for {', '.join(unnamed)}.",
            "Give area.aoi, or name the Sentinel-2 product of every date.",
        )


def search_images(params: CloudRemovalParams, window: DateWindow, aoi: str) -> Found:
    """The images of one date, best first by the window's criterion, and rows for what does not show the area."""
    if window.product:
        scene, raw = find_product(_request_of_product(params, window.product, aoi), window.product)
        return Found(images=(((scene,),),), refused=(), raw=raw)
    answer = search_scenes(_request(params, aoi, Period(label="date", start=window.start, end=window.end)))
    area = shapely.from_wkt(aoi)
    images, partial = split_by_cover(answer.scenes, area)
    return Found(ordered(images, window.criterion, area), (*answer.refused, *partial), answer.raw)


def require_images(params: CloudRemovalParams, window: DateWindow, answer: Found) -> tuple[TiledImage, ...]:
    """The images, if there are any. Raises `no_scenes` with what was refused."""
    if answer.images:
        return answer.images
    counts = Counter(row.code for row in answer.refused)
    refused = ", ".join(f"{count} {code}" for code, count in counts.most_common()) or "nothing was found"
    raise StepError(
        "no_scenes",
        f"no image of {params.source.collection} at {params.source.endpoint} from {window.start} to {window.end} "
        f"shows all of the area: {refused}.",
        "See the ledger for what was refused; widen the days, make the area smaller, or name a product.",
    )


def split_by_cover(scenes: Iterable[Scene], area: BaseGeometry) -> tuple[tuple[TiledImage, ...], tuple[Refusal, ...]]:
    """Scenes joined to images that contain the area, in the order of time, and rows for those that do not.

    Of tiles that overlap, only those are taken that add something: the one that shows most first.
    """
    datatakes: dict[tuple[object, ...], list[Acquisition]] = defaultdict(list)
    for parts in acquisitions(scenes):
        datatakes[parts[0].datatake, parts[0].platform, parts[0].orbit].append(parts)
    images: list[TiledImage] = []
    rows: list[Refusal] = []
    for tiles in datatakes.values():
        cover = coverage(outlines_of(tiles), area)
        if cover.contains:
            images.append(_needed(tiles, area))
        else:
            reason = f"Its datatake shows {cover.share:.1%} of the area."
            rows += [refusal(part.id, "partial_cover", reason) for parts in tiles for part in parts]
    return tuple(sorted(images, key=_time_and_name)), tuple(rows)


def ordered(images: Iterable[TiledImage], criterion: Criterion, area: BaseGeometry) -> tuple[TiledImage, ...]:
    """begin: the earliest first. end: the latest. least_cloudy: by metadata, unknown as full; of equals the earlier."""
    by_time = sorted(images, key=_time_and_name)
    if criterion == "end":
        return tuple(reversed(by_time))
    if criterion == "begin":
        return tuple(by_time)
    return tuple(sorted(by_time, key=lambda image: image_cloud(image, area)))


def image_cloud(image: TiledImage, area: BaseGeometry) -> float:
    """Cloud by metadata in percent, tiles weighted by what they show of the area; 100 where a tile does not say."""
    clouds = [acquisition_cloud(parts) for parts in image]
    shares = [max(covered_share(outlines_of([parts]), area), 1e-9) for parts in image]
    known = [100.0 if cloud is None else cloud for cloud in clouds]
    return sum(cloud * share for cloud, share in zip(known, shares, strict=True)) / sum(shares)


def outlines_of(image: Sequence[Acquisition]) -> list[BaseGeometry]:
    """The outlines of everything that an image is made of, EPSG:4326."""
    return [footprint_of(part) for parts in image for part in parts]


def _needed(tiles: Sequence[Acquisition], area: BaseGeometry) -> TiledImage:
    by_share = sorted(tiles, key=lambda parts: (-round(covered_share(outlines_of([parts]), area), 6), parts[0].tile))
    taken: list[Acquisition] = []
    for parts in by_share:
        taken.append(parts)
        if contains(outlines_of(taken), area):
            break
    return tuple(sorted(taken, key=lambda parts: parts[0].tile))


def _time_and_name(image: TiledImage) -> tuple[object, ...]:
    return image[0][0].datatake, image[0][0].id


def _request(params: CloudRemovalParams, aoi: str, period: Period) -> SearchRequest:
    return SearchRequest(
        **dict(params.source),
        aoi=aoi,
        periods=(period,),
        bands=tuple(bands_read(params.bands, params.mask)),
        resolution_m=params.area.resolution_m,
        min_valid_share=0.0,  # an image is judged by all its tiles together
    )


def _request_of_product(params: CloudRemovalParams, name: str, aoi: str) -> SearchRequest:
    """The days and the tile of a product's name."""
    product = parse_product_name(name)
    outline = nominal_tile(product.tile) if product else None
    if product is None or outline is None:
        raise StepError(
            "bad_parameters",
            f"{name!r} is no name of a Sentinel-2 product.",
            "Write it as the catalogue does, such as S2A_MSIL2A_20200511T101031_N0500_R022_T33UUP_20230401T120000.",
        )
    day = product.datatake.date()
    period = Period(label="product", start=day, end=day + timedelta(days=1))  # a datatake may run over midnight
    return _request(params, aoi or outline.wkt, period)
