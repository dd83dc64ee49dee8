"""What a run that stops at a stage leaves: lines to read and files to look at."""

from pydantic import Field

from containers.base.contract.model import Contract
from containers.base.contract.step import files_in
from tasks import ledger
from tasks.parameters.cloud_removal import CloudRemovalParams, Stage
from tasks.settings import get_settings
from tasks.store import open_store


class Outcome(Contract):
    """How far a run was to go, and what it made on the way there."""

    name: str
    stage: Stage
    lines: tuple[str, ...] = Field(default=(), description="For people")
    paths: tuple[str, ...] = Field(default=(), description="Files of the stage on this machine")

    def __str__(self) -> str:
        return "\n".join([f"{self.name} has reached the stage {self.stage}.", *self.lines, *self.paths])


def reached(params: CloudRemovalParams, stage: Stage, results: object, lines: tuple[str, ...] = ()) -> Outcome | None:
    """The outcome where the run was to go no further, with every file in the results; else None."""
    if params.until != stage:
        return None
    store = open_store(get_settings())
    paths = dict.fromkeys(str(store.path_of(file)) for file in files_in(results) if file.in_store)
    ledger.close_ledger()
    return Outcome(name=params.name, stage=stage, lines=lines, paths=tuple(paths))
