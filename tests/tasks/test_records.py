"""What a key depends on, and what it does not."""

from datetime import UTC, datetime
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from containers.base.contract.files import File
from containers.base.contract.grid import Bounds
from containers.base.contract.step import Execution, StepParams, StepResult, files_in
from tasks.records import Record, key_of, with_files

names = st.text("abcdefg", min_size=1, max_size=8)
content_ids = st.builds(lambda text: f"sha256:{text}", st.text("0123456789abcdef", min_size=8, max_size=8))
files = st.builds(
    File, href=names.map(lambda name: f"store:gdal.a/k/1/{name}"), content_id=content_ids, size=st.just(7)
)


class Scene(StepParams):
    """Parameters with a file in every kind of container."""

    step: ClassVar[str] = "fake.scene"
    result: ClassVar[type[StepResult]] = StepResult

    one: File
    by_name: dict[str, File]
    several: tuple[File, ...]
    maybe: File | None
    when: datetime
    share: float
    bounds: Bounds


scenes = st.builds(
    Scene,
    one=files,
    by_name=st.dictionaries(names, files, max_size=3),
    several=st.lists(files, max_size=3).map(tuple),
    maybe=st.none() | files,
    when=st.datetimes(timezones=st.just(UTC)),
    share=st.floats(0, 1),
    bounds=st.builds(Bounds, *[st.floats(-10, 10)] * 4),
    execution=st.just(Execution()),
)
executions = st.builds(Execution, threads=st.integers(1, 64), verbose=st.booleans())


@given(scenes, executions)
def test_execution_never_changes_the_key(scene: Scene, execution: Execution) -> None:
    assert key_of(scene.model_copy(update={"execution": execution}), "c") == key_of(scene, "c")


@given(scenes)
def test_place_never_changes_the_key(scene: Scene) -> None:
    moved = with_files(scene, lambda file: file.model_copy(update={"href": f"store:elsewhere/{file.name}"}))
    assert key_of(moved, "c") == key_of(scene, "c")


@given(scenes)
def test_order_of_a_mapping_never_changes_the_key(scene: Scene) -> None:
    turned = scene.model_copy(update={"by_name": dict(reversed(scene.by_name.items()))})
    assert key_of(turned, "c") == key_of(scene, "c")


def without_places(scene: Scene) -> Scene:
    return with_files(scene, lambda file: file.model_copy(update={"href": "-"}))


FIELDS = ["one", "by_name", "several", "maybe", "when", "share", "bounds"]


@given(scenes, scenes, st.sets(st.sampled_from(FIELDS), min_size=1))
def test_every_other_field_changes_the_key(scene: Scene, other: Scene, fields: set[str]) -> None:
    changed = scene.model_copy(update={field: getattr(other, field) for field in fields})
    is_equal = without_places(changed) == without_places(scene)
    assert (key_of(changed, "c") == key_of(scene, "c")) == is_equal


@given(scenes)
def test_code_changes_the_key(scene: Scene) -> None:
    assert key_of(scene, "one") != key_of(scene, "another")


def test_step_changes_the_key() -> None:
    class Other(StepParams):
        step: ClassVar[str] = "fake.other"
        result: ClassVar[type[StepResult]] = StepResult

    class This(StepParams):
        step: ClassVar[str] = "fake.this"
        result: ClassVar[type[StepResult]] = StepResult

    assert key_of(Other(), "c") != key_of(This(), "c")


def test_size_counts_only_beside_an_etag() -> None:
    class OneFile(StepParams):
        step: ClassVar[str] = "fake.one"
        result: ClassVar[type[StepResult]] = StepResult
        file: File

    def key(content_id: str, size: int) -> str:
        return key_of(OneFile(file=File(href="s3://a/b", content_id=content_id, size=size)), "c")

    assert key("etag:1", 1) != key("etag:1", 2)
    assert key("sha256:1", 1) == key("sha256:1", 2)


@given(scenes)
def test_replacing_files_reaches_every_file(scene: Scene) -> None:
    emptied = with_files(scene, lambda file: file.model_copy(update={"size": 0}))
    assert all(file.size == 0 for file in files_in(emptied))
    assert len(list(files_in(emptied))) == len(list(files_in(scene)))
    assert with_files(emptied, lambda file: file.model_copy(update={"size": 7})) == scene


def test_a_record_from_before_memory_was_kept_is_still_read() -> None:
    empty = dict.fromkeys(("step", "key", "attempt", "code_id", "tools"), "x")
    containers = {"params": {}, "result": {}, "files": (), "parents": (), "sources": (), "members": {}}
    record = Record.model_validate({**empty, **containers, "created": datetime.now(UTC), "seconds": 1.0})
    assert record.peak_mb is None
