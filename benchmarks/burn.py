"""The burn map of a strip as wide as a tile at 10 m: five bands of two dates. Floor: reading these bands."""

import json
import os
from pathlib import Path

import numpy as np

from benchmarks.cases import Case, main
from containers.base.contract.files import output_file
from containers.base.contract.grid import Grid
from containers.base.raster import create_cog, open_raster, row_windows
from containers.gdal import burn, change_map
from containers.gdal.contract.burn import BurnIndex, BurnParams, BurnRules, ChangeMapParams, Reflectances

GRID = Grid(epsg=32633, resolution_m=10, west_m=499_980, north_m=5_300_040, width=10_980, height=1024)
FOREST = {"blue": 250, "red": 300, "nir": 3000, "nir08": 3200, "swir22": 600}
CHAR = {"blue": 400, "red": 600, "nir": 900, "nir08": 1000, "swir22": 1800}
DATES = ("before", "after")
NODATA = -32768


def prepare(folder: Path) -> None:
    """Noisy forest with scars of some kilometres after the fire, and speckle of mistaken cells."""
    (folder / "store").mkdir(parents=True, exist_ok=True)
    for date in DATES:
        for number, name in enumerate(FOREST):
            rng = np.random.default_rng([DATES.index(date), number])
            with create_cog(folder / "store" / f"{date}_{name}.tif", GRID, dtype="int16", nodata=NODATA) as sink:
                for window in row_windows(GRID.shape):
                    row, column = np.ogrid[window.row_off : window.row_off + window.height, : GRID.width]
                    wave = np.sin(row / 300) + np.sin(column / 410) + np.sin((row + column) / 170)
                    scar = (wave > 1.5) & (date == "after")
                    ground = np.where(scar, CHAR[name], FOREST[name]) + rng.normal(0, 90, scar.shape)
                    sink.write(ground.astype(np.int16), 1, window=window)


def images(folder: Path) -> dict[str, Reflectances]:
    os.environ["CLEARGROUND_STORE"] = str(folder / "store")
    known = folder / "images.json"
    if not known.is_file():
        files = {
            date: {
                name: output_file(folder / "store" / f"{date}_{name}.tif").model_copy(
                    update={"href": f"store:{date}_{name}.tif"}
                )
                for name in FOREST
            }
            for date in DATES
        }
        known.write_text(
            json.dumps({date: Reflectances(bands=bands).model_dump(mode="json") for date, bands in files.items()})
        )
    return {date: Reflectances.model_validate(image) for date, image in json.loads(known.read_text()).items()}


def read_bands(folder: Path) -> None:
    for date in DATES:
        for name in FOREST:
            with open_raster(folder / "store" / f"{date}_{name}.tif") as raster:
                for window in row_windows(GRID.shape):
                    raster.read(1, window=window)


def _burn(folder: Path, case: str, indices: tuple[BurnIndex, ...], median_px: int) -> None:
    rules = BurnRules(indices=indices, median_px=median_px)
    burn.run(BurnParams(**images(folder), grid=GRID, rules=rules), folder / "burn" / case)


def all_indices(folder: Path) -> None:
    _burn(folder, "all_indices", ("ndvi", "evi", "msavi", "bai", "nbr"), 3)


def nbr_only(folder: Path) -> None:
    _burn(folder, "nbr_only", ("nbr",), 3)


def unfiltered(folder: Path) -> None:
    _burn(folder, "unfiltered", ("nbr",), 1)


def change(folder: Path) -> None:
    change_map.run(ChangeMapParams(**images(folder)), folder / "burn" / "change")


CASES: dict[str, Case] = {
    "read_bands": read_bands,
    "nbr_only": nbr_only,
    "unfiltered": unfiltered,
    "all_indices": all_indices,
    "change": change,
}


if __name__ == "__main__":
    main("benchmarks.burn", CASES, prepare)
