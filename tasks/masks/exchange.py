"""Masks in bulk: those of the store, or of one run, into a folder; a folder's into a run instead of computing them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from containers.base.contract.files import File
from containers.base.contract.step import StepError
from containers.gdal.contract.mask import MaskResult
from containers.gdal.contract.mask_exchange import ExportMasksParams, ExportMasksResult, ImportMaskParams
from containers.gdal.contract.observe import Observation
from tasks import ledger
from tasks.masks.folder import METADATA, MaskEntry, read_entries, write_entries
from tasks.publishing.product_folder import link_or_copy
from tasks.records import Record
from tasks.runner import Done, perform
from tasks.scene_ledger import acquisition_of
from tasks.store import Store

_STEPS: Final = ("gdal.mask", "gdal.import_mask")
_BATCH: Final = 100


class StoredMask(NamedTuple):
    """A mask of the store, with what its metadata say."""

    scene_id: str
    footprint: str
    acquired: datetime
    made: datetime
    mask: File


def stored_masks(store: Store, run: str | None = None) -> list[StoredMask]:
    """The newest mask of every scene, in the order of their names; of one run where that is named.

    Only these few facts are kept of each, however many there are.
    """
    keys = None if run is None else {row.key for row in ledger.rows(run)}
    newest: dict[str, StoredMask] = {}
    for record in _records(store):
        found = _stored(record)
        is_wanted = keys is None or record.key in keys
        if is_wanted and (found.scene_id not in newest or newest[found.scene_id].made < found.made):
            newest[found.scene_id] = found
    return [newest[name] for name in sorted(newest)]


def export_masks(
    store: Store, folder: Path, *, run: str | None = None, cloud_value: Literal[0, 1] = 1
) -> list[MaskEntry]:
    """Write every mask as a binary raster, 255 where there is no data, and their metadata last.

    Raises `no_scenes` where there is no mask to write.
    """
    masks = stored_masks(store, run)
    if not masks:
        where = f"run {run}" if run else "the store"
        raise StepError("no_scenes", f"{where} has made no mask.", "Run a flow that masks scenes first.")
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[MaskEntry] = []
    for first in range(0, len(masks), _BATCH):
        batch = masks[first : first + _BATCH]
        params = ExportMasksParams(masks={item.scene_id: item.mask for item in batch}, cloud_value=cloud_value)
        done: Done[ExportMasksResult] = perform(params, f"export masks {first + 1} to {first + len(batch)}")
        for item in batch:
            file = done.result.masks[item.scene_id]
            target = folder / file.name
            target.unlink(missing_ok=True)
            link_or_copy(store.path_of(file), target)
            entries.append(_entry(item, file, cloud_value))
    write_entries(entries, folder / METADATA)
    return entries


def read_folder(
    folder: Path,
    metadata: str = "",
    cloud_value: Literal[0, 1] = 1,
    wanted: AbstractSet[str] | None = None,
) -> dict[str, MaskEntry]:
    """Acquisition to its mask, of a folder whose metadata are sound and whose rasters are there; all, or those wanted.

    Acquisitions with several masks, of two halves, are left out, with a row in the ledger. Raises `bad_masks`.
    """
    by_acquisition: defaultdict[str, list[MaskEntry]] = defaultdict(list)
    for entry in read_entries(folder / metadata if metadata else metadata_of(folder), cloud_value):
        if wanted is not None and entry.acquisition not in wanted:
            continue
        if not (folder / entry.file).is_file():
            raise StepError(
                "bad_masks",
                f"{folder / entry.file} is absent.",
                "Download it too, or remove its entry from the metadata.",
            )
        by_acquisition[entry.acquisition].append(entry)
    for acquisition, entries in by_acquisition.items():
        if len(entries) > 1:
            reason = f"The folder has {len(entries)} masks of it."
            ledger.skip(acquisition, "several_masks", reason, "It is masked anew; join the halves to use them.")
    return {acquisition: entries[0] for acquisition, entries in by_acquisition.items() if len(entries) == 1}


def metadata_of(folder: Path) -> Path:
    """`masks.json`, else the folder's only JSON file, as earlier systems name theirs freely. Raises `bad_masks`."""
    found = [folder / METADATA] if (folder / METADATA).is_file() else sorted(folder.glob("*.json"))
    if len(found) == 1:
        return found[0]
    raise StepError(
        "bad_masks", f"{folder} has {len(found)} JSON files and no {METADATA}.", f"Name its metadata {METADATA}."
    )


def import_params(
    observation: Observation, entries: Mapping[str, MaskEntry], folder: Path, store: Store
) -> ImportMaskParams | None:
    """What takes the folder's mask of this scene into the run; None where it has none.

    Raises `bad_masks` where the raster is not the one that the metadata describe.
    """
    entry = entries.get(acquisition_of(observation.scene_id))
    if entry is None:
        return None
    source = store.import_file(folder / entry.file)
    if entry.sha256 and source.content_id != f"sha256:{entry.sha256}":
        raise StepError(
            "bad_masks", f"{folder / entry.file} is not the file that was exported.", "Copy the folder once more."
        )
    return ImportMaskParams(
        source=source,
        scene_id=observation.scene_id,
        tile=observation.tile,
        acquired=observation.acquired,
        footprint=observation.footprint,
        grid=observation.features.grid,
        cloud_value=entry.cloud_value,
    )


def _records(store: Store) -> Iterator[Record]:
    for step in _STEPS:
        for entry in store.shelf.entries(step):
            document = store.shelf.read(entry.path) if entry.path.endswith("/result.json") else None
            if document is not None:
                yield Record.model_validate_json(document.text)


def _stored(record: Record) -> StoredMask:
    facts = record.params.get("observation", record.params)  # an imported mask comes without its observation
    mask = MaskResult.model_validate(record.result)
    return StoredMask(
        scene_id=mask.scene_id,
        footprint=facts["footprint"],
        acquired=datetime.fromisoformat(facts["acquired"]),
        made=record.created,
        mask=mask.mask,
    )


def _entry(item: StoredMask, file: File, cloud_value: Literal[0, 1]) -> MaskEntry:
    return MaskEntry(
        scene_id=item.scene_id,
        file=file.name,
        outline=item.footprint,
        first=item.acquired,
        last=item.acquired,
        cloud_value=cloud_value,
        sha256=file.content_id.removeprefix("sha256:"),
    )
