"""The whole job over a simulated archive of a seed of one's own, and what it has left in the store."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rich.console import Console

from containers.base.contract.files import File
from containers.base.contract.grid import Grid
from containers.base.contract.step import StepParams, StepResult
from containers.eodata.contract.simulate import ArchiveParams, ArchiveResult
from containers.eodata.hardness import Archive
from containers.gdal.contract.areas import SampleParams, SampleResult
from containers.gdal.contract.consistency import ConsistencyParams, ConsistencyResult
from containers.gdal.contract.cube import CubeParams, CubeResult
from containers.grass.contract.zonal import ZonalParams, ZonalResult
from containers.tensorflow.contract.predict import PredictParams, PredictResult
from flows.demo import PARAMETERS
from flows.foreground import read_parameters, run_flow
from tasks import eodata, ledger
from tasks.records import Record
from tasks.runner import run_step
from tasks.settings import get_settings
from tasks.store import Publication, Store, open_store

Maps = dict[str, NDArray[np.uint8]]
"""Period to classes (y, x), legend codes, 0 where unknown."""
P = TypeVar("P", bound=StepParams)
R = TypeVar("R", bound=StepResult)


@dataclass(frozen=True)
class FinishedJob:
    """A job that has run over a simulated archive."""

    archive: Archive
    store: Store
    records: tuple[Record, ...]
    """Everything that the product descends from."""
    rows: tuple[ledger.Row, ...]

    def parameters(self, kind: type[P]) -> P:
        """The parameters of the step's one run."""
        return kind.model_validate(self._of(kind)[0].params)

    def results(self, kind: type[StepParams], result: type[R]) -> list[R]:
        """The results of every run of the step."""
        return [result.model_validate(record.result) for record in self._of(kind)]

    @property
    def grid(self) -> Grid:
        return self.results(CubeParams, CubeResult)[0].grid

    @property
    def cube(self) -> Path:
        return self.path(self.results(CubeParams, CubeResult)[0].cube)

    @property
    def periods(self) -> tuple[str, ...]:
        return tuple(self.consistency.classes)

    @property
    def consistency(self) -> ConsistencyResult:
        return self.results(ConsistencyParams, ConsistencyResult)[0]

    @property
    def sample(self) -> SampleResult:
        return self.results(SampleParams, SampleResult)[0]

    @property
    def counts(self) -> ZonalResult:
        return self.results(ZonalParams, ZonalResult)[0]

    def path(self, file: File) -> Path:
        return self.store.path_of(file)

    def raw(self) -> Maps:
        """The network's own class of every period."""
        found = {each.period: each for each in self.results(PredictParams, PredictResult)}
        return {period: self._on_grid(self.path(found[period].classes)) for period in self.periods}

    def smoothed(self) -> Maps:
        """The classes after `consistency`."""
        return {period: self._on_grid(self.path(file)) for period, file in self.consistency.classes.items()}

    def truth(self) -> Maps:
        """The true class of every period: that of its year."""
        return {period: self._on_grid(self.archive.folder / "truth" / f"{period[:4]}.tif") for period in self.periods}

    def _of(self, kind: type[StepParams]) -> list[Record]:
        return [record for record in self.records if record.step == kind.step]

    def _on_grid(self, path: Path) -> NDArray[np.uint8]:
        """The raster's cells on the job's grid, 0 beyond its edge. Both are cut from one lattice."""
        with rasterio.open(path) as source:
            window = source.window(*self.grid.bounds).round_offsets().round_lengths()
            values: NDArray[np.uint8] = source.read(1, window=window, boundless=True, fill_value=0)
        return values


def run_job(archive_params: ArchiveParams, profile: str, console: Console) -> FinishedJob:
    """Simulate, serve and run with the demo profile's parameters. What the store has already is not done again."""
    store = open_store(get_settings())
    simulated: ArchiveResult = run_step(archive_params)
    archive = eodata.serve(store.path_of(simulated.simulation).parent)
    name = f"accuracy-{archive_params.seed}-{archive_params.tile_px}"
    parameters = read_parameters(PARAMETERS / f"impervious_change.{profile}.yaml") | {"name": name}
    before = _runs(store)
    run_flow("impervious_change", parameters, console)
    [run] = _runs(store) - before
    return FinishedJob(Archive(archive.folder), store, ancestors(store, name), tuple(ledger.rows(run)))


def _runs(store: Store) -> set[str]:
    return {path.name for path in (store.local_root / "runs").glob("*") if any(path.glob("ledger.csv"))}


def ancestors(store: Store, product: str) -> tuple[Record, ...]:
    """The records that a published product descends from."""
    document = store.shelf.read(f"published/{product}.json")
    if document is None:
        raise LookupError(f"{product} is not published")
    hrefs = Publication.model_validate_json(document.text).hrefs
    waiting = {"/".join(href.removeprefix("store:").split("/")[:2]) for href in hrefs}
    found: dict[str, Record] = {}
    while waiting:
        entry = waiting.pop()
        record = store.find(*entry.split("/"))
        if record is not None:
            found[entry] = record
            waiting |= set(record.parents) - set(found)
    return tuple(found.values())
