"""Make a simulated Sentinel-2 archive with labels, regions and exact truth."""

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from containers.base.contract.files import File, output_file
from containers.base.step import main, progress
from containers.eodata.acquisitions import Acquisition
from containers.eodata.alpine.theia import chosen_for_theia, write_theia
from containers.eodata.alpine.truth import pasture_year
from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult
from containers.eodata.cover import CLC_PLUS, S2GLC
from containers.eodata.extras import Extras, season_years, told_clear
from containers.eodata.growing_season import CHUNK, window_curves, write_seasons
from containers.eodata.labels import CLC_PLUS_MAP, S2GLC_MAP, LabelMap, MapLegend
from containers.eodata.land import write_land
from containers.eodata.landscape import Landscape, landscape
from containers.eodata.noise import Noise
from containers.eodata.place import FINE_M, area_of_interest
from containers.eodata.product import band_assets
from containers.eodata.radar_dates import write_pass
from containers.eodata.record import write_items, write_simulation
from containers.eodata.regions import regions, write_layer
from containers.eodata.scenario import Scenario, empty_world, with_skies
from containers.eodata.scenario_truth import write_clear
from containers.eodata.scene import Scene, Stored, store
from containers.eodata.season_scene import SeasonScene
from containers.eodata.traps import planned
from containers.eodata.truth import write_areas, write_raster, write_truth
from containers.eodata.world import Window, World

T = TypeVar("T")


def run(params: ArchiveParams, out: Path) -> ArchiveResult:
    """Landscape, photographs, labels and truth, in this order: the same bytes whatever the number of processes."""
    world = empty_world(params, out / ".world")
    ground = landscape(params)
    scenario = Scenario.planned(params, ground)
    acquisitions, traps = planned(params)
    with ProcessPoolExecutor(max_workers=params.execution.threads) as pool:
        _each(pool, _fill, [(scenario, world, ground, window) for window in world.windows()], "landscape")
        acquisitions = with_skies(acquisitions, params, world)
        present = [each for each in acquisitions if each.in_archive]
        products = _each(pool, _photograph, _photographs(present, world, params, out), "acquisitions")
        seasons = [_seasons(pool, params, world, year, out) for year in season_years(params)]
        _each(pool, _label, [(world, params, out, legend) for legend in _legends(params)], "labels")
        extras = _extras(pool, params, world, scenario, acquisitions, out)
    stored = dict(zip(present, products, strict=True))
    areas = regions(params.seed, area_of_interest(params), params.regions)
    write_layer(areas, out / "regions.gpkg", "simulated_regions")
    truth = write_truth(world, params.years, out / "truth")
    outlines = write_land(world, params.years[0], out) if params.sea_share else None
    write_areas(world, params.years, areas, out / "truth" / "areas.csv")
    shutil.rmtree(world.folder)
    labels = {legend.name: output_file(_label_path(params, out, legend), root=out) for legend in _legends(params)}
    items = write_items(acquisitions, stored, extras.items(), out)
    return ArchiveResult(
        simulation=output_file(write_simulation(params, acquisitions, traps, extras.record(), out), root=out),
        items=output_file(items, root=out),
        labels=labels["s2glc"],
        second_map=labels.get("clcplus"),
        regions=output_file(out / "regions.gpkg", root=out),
        truth={year: output_file(path, root=out) for year, path in truth.items()},
        scene_truth=tuple(output_file(path, root=out) for path in sorted((out / "truth" / "scenes").glob("*.tif"))),
        areas=output_file(out / "truth" / "areas.csv", root=out),
        **{f"{kind}_truth": _by_stem(seasons, kind, out) for kind in ("phenology", "ndvi")},
        land=output_file(outlines[0], root=out) if outlines else None,
        land_coarse=output_file(outlines[1], root=out) if outlines else None,
        **extras.results(),
        products=len(stored) + len(extras.items()),
        objects=tuple(output_file(path, root=out) for path in sorted((out / "eodata").rglob("*")) if path.is_file()),
    )


def _each(pool: ProcessPoolExecutor, call: Callable[..., T], jobs: list[tuple[Any, ...]], what: str) -> list[T]:
    """Results of `call` on every job, in the order of the jobs."""
    futures = [pool.submit(call, *job) for job in jobs]
    results = []
    for done, future in enumerate(futures, start=1):
        results.append(future.result())
        progress(done, len(jobs), what)
    return results


def _fill(scenario: Scenario, world: World, ground: Landscape, window: Window) -> None:
    scenario.fill(world, ground, window)


def _photographs(present: list[Acquisition], world: World, params: ArchiveParams, out: Path) -> list[tuple[Any, ...]]:
    """Jobs of `_photograph`."""
    also_theia = chosen_for_theia(present, params)
    return [(each, world, params, out, each in also_theia) for each in present]


def _photograph(acquisition: Acquisition, world: World, params: ArchiveParams, out: Path, also_theia: bool) -> Stored:
    kind = SeasonScene if params.phenology else Scene
    scene = kind.prepared(acquisition, world, params.seed, params.jitter_px)
    images = scene.render(world, band_assets(acquisition, params))
    if also_theia and isinstance(scene, SeasonScene):
        write_theia(acquisition, images, world, scene, out)
    return store(acquisition, images, out)


def _without_clouds(acquisition: Acquisition, world: World, params: ArchiveParams, out: Path) -> None:
    scene = SeasonScene.prepared(acquisition, world, params.seed, params.jitter_px).cloudless()
    path = out / "truth" / "clear" / f"{acquisition.name}.tif"
    write_clear(acquisition, scene.render(world, band_assets(acquisition, params)), path)


def _extras(
    pool: ProcessPoolExecutor, params: ArchiveParams, world: World, scenario: Scenario,
    acquisitions: list[Acquisition], out: Path,
) -> Extras:  # fmt: skip
    passes = _each(pool, write_pass, [(each, world, params, out) for each in params.radar_dates or ()], "radar passes")
    told = told_clear(acquisitions, params)
    _each(pool, _without_clouds, [(each, world, params, out) for each in told], "clear images")
    pastures = params.pastures.count if params.pastures else 0
    days = [(world, params.seed, pastures, year) for year in params.years if pastures]
    return Extras.written(params, world, scenario, passes, _each(pool, pasture_year, days, "years of pastures"), out)


def _seasons(
    pool: ProcessPoolExecutor, params: ArchiveParams, world: World, year: int, out: Path
) -> dict[str, list[Path]]:
    windows = list(world.windows(CHUNK))
    place = params.centre_lon_deg, params.centre_lat_deg
    jobs: list[tuple[Any, ...]] = [(world, params.seed, year, window, place) for window in windows]
    return write_seasons(world, year, windows, _each(pool, window_curves, jobs, f"seasons of {year}"), out / "truth")


def _by_stem(seasons: list[dict[str, list[Path]]], kind: str, out: Path) -> dict[str, File]:
    return {path.stem: output_file(path, root=out) for written in seasons for path in written[kind]}


def _legends(params: ArchiveParams) -> Iterable[MapLegend]:
    yield MapLegend("s2glc", S2GLC, S2GLC_MAP)
    if params.second_map:
        yield MapLegend("clcplus", CLC_PLUS, CLC_PLUS_MAP)


def _label(world: World, params: ArchiveParams, out: Path, legend: MapLegend) -> None:
    label_map = LabelMap.surveyed(world, Noise(params.seed), params.years[0], legend, params.wrong_labels)
    write_raster(_label_path(params, out, legend), world.grid, FINE_M, label_map.windows())


def _label_path(params: ArchiveParams, out: Path, legend: MapLegend) -> Path:
    return out / "labels" / f"{legend.name}_{params.years[0]}.tif"


if __name__ == "__main__":
    main(ArchiveParams, run)
