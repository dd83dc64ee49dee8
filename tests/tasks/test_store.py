"""The store in a folder and in a bucket: the same promises."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from containers.base.contract.files import File, sha256_of
from containers.base.contract.step import StepError
from containers.base.storage import client
from tasks.code_id import Code
from tasks.records import Record, record_of
from tasks.settings import Settings
from tasks.store import Store, open_store
from tests.conftest import S3Server
from tests.tasks.checkout.containers.fake.contract import CopyParams, CopyResult

CODE = Code("code", "stub")
Write = Callable[..., File]


def finished(
    store: Store, written: Write, content: str = "pixels", source: File | None = None, key: str | None = None
) -> Record:
    """A committed attempt of the fake step that has written `content`."""
    params = CopyParams(text=content, source=source)
    key = key or store.key_of(params, "code")
    attempt = store.new_attempt(params.step, key)
    result = CopyResult(written=written(attempt, content=content))
    return store.commit(record_of(params, result, key=key, folder=attempt, code=CODE, seconds=1.0))


def output_of(record: Record) -> File:
    return CopyResult.model_validate(record.result).written


def test_found_with_its_files(store: Store, written: Write) -> None:
    record = finished(store, written)
    assert store.find(record.step, record.key) == record
    file = output_of(record)
    assert file.href == f"store:fake.copy/{record.key}/{record.attempt}/a.tif"
    assert store.path_of(file).read_text() == "pixels"
    assert store.find(record.step, "0" * 64) is None


def test_attempt_is_invisible_until_committed(store: Store, written: Write) -> None:
    params = CopyParams()
    key = store.key_of(params, "code")
    written(store.new_attempt(params.step, key))
    assert store.find(params.step, key) is None
    assert store.status().steps.keys() <= {"unfinished"}


def test_absent_file_makes_it_undone(store: Store, written: Write) -> None:
    record = finished(store, written)
    store.shelf.delete(record.files[0].path)
    assert store.find(record.step, record.key) is None
    again = finished(store, written)
    assert again.attempt != record.attempt
    assert store.find(record.step, record.key) == again


def test_absent_member_makes_it_undone(store: Store, written: Write) -> None:
    parent = finished(store, written, "member")
    member = output_of(parent)
    params = CopyParams(source=member)
    key = store.key_of(params, "code")
    attempt = store.new_attempt(params.step, key)
    virtual = written(attempt, "a.vrt", "<VRT/>").model_copy(update={"members": (member,)})
    record = record_of(params, CopyResult(written=virtual), key=key, folder=attempt, code=CODE, seconds=1.0)
    store.commit(record)
    assert store.find(params.step, key) is not None
    store.shelf.delete(member.store_path)
    assert store.find(params.step, key) is None


def test_of_twelve_writers_one_wins_and_all_agree(store: Store, written: Write) -> None:
    barrier = threading.Barrier(12)

    def write(_: int) -> Record:
        params = CopyParams()
        attempt = store.new_attempt(params.step, "k")
        result = CopyResult(written=written(attempt))
        record = record_of(params, result, key="k", folder=attempt, code=CODE, seconds=1.0)
        barrier.wait()
        return store.commit(record)

    with ThreadPoolExecutor(12) as pool:
        records = list(pool.map(write, range(12)))
    assert len({record.attempt for record in records}) == 1
    assert store.find("fake.copy", "k") == records[0]
    names = {entry.path.split("/")[2] for entry in store.shelf.entries("fake.copy/k")}
    assert names == {records[0].attempt, "result.json"}


def test_files_outside_the_attempt_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    attempt = store.new_attempt("fake.copy", "k")
    outside = File(href=f"../{tmp_path}/secret", content_id=sha256_of(tmp_path / "secret"), size=1)
    with pytest.raises(StepError, match="crashed"):
        record_of(CopyParams(), CopyResult(written=outside), key="k", folder=attempt, code=CODE, seconds=0)


def test_user_file_enters_once_by_content(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "nuts.gpkg").write_text("polygons")
    first, second = (store.import_file(tmp_path / folder / "nuts.gpkg") for folder in ("a", "b"))
    assert first == second
    assert first.content_id == sha256_of(tmp_path / "a" / "nuts.gpkg")
    assert first.href == f"store:user/{first.content_id.removeprefix('sha256:')}/nuts.gpkg"
    assert store.path_of(first).read_text() == "polygons"
    assert [entry.path for entry in store.shelf.entries("user")] == [first.store_path]


def test_user_file_from_the_archive(store: Store, s3_server: S3Server) -> None:
    client().put_object(Bucket=s3_server.bucket, Key="labels/map.tif", Body=b"classes")
    assert store.path_of(store.import_file("s3://eodata/labels/map.tif")).read_bytes() == b"classes"


@pytest.mark.parametrize("name", ["nuts.shp", "nuts.SHP", "map.vrt"])
def test_formats_of_several_files_are_refused(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(StepError, match=r"bad_parameters.*GeoPackage"):
        store.import_file(tmp_path / name)


def test_absent_user_file(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="missing_file"):
        store.import_file(tmp_path / "none.gpkg")


def test_verify_finds_what_has_changed(store: Store, written: Write) -> None:
    good, changed, lost = (finished(store, written, content) for content in ("good", "changed", "lost"))
    store.shelf.overwrite(changed.files[0].path, "CHANGED")
    store.shelf.delete(lost.files[0].path)
    assert {(fault.path, fault.code) for fault in store.verify()} == {
        (changed.files[0].path, "corrupt_file"),
        (lost.files[0].path, "missing_file"),
    }
    assert store.find(good.step, good.key) == good


def test_gc_keeps_what_products_descend_from(store: Store, written: Write, tmp_path: Path) -> None:
    (tmp_path / "nuts.gpkg").write_text("polygons")
    regions = store.import_file(tmp_path / "nuts.gpkg")
    parent = finished(store, written, "parent", source=regions)
    child = finished(store, written, "child", source=output_of(parent))
    loose = finished(store, written, "loose")
    store.publish("demo", [output_of(child)])
    going = store.gc(keep_days=0, dry_run=True)
    assert {step: tally.artifacts for step, tally in going.steps.items()} == {"fake.copy": 1}
    assert store.find(loose.step, loose.key)
    store.gc(keep_days=0)
    assert store.find(loose.step, loose.key) is None
    assert store.find(parent.step, parent.key) == parent
    assert store.find(child.step, child.key) == child
    assert store.path_of(regions).read_text() == "polygons"
    store.unpublish("demo")
    store.gc(keep_days=0)
    assert store.status().steps == {}


def test_gc_spares_the_young_and_the_leased(store: Store, written: Write) -> None:
    young = finished(store, written)
    store.gc(keep_days=1)
    assert store.find(young.step, young.key)
    attempt = store.new_attempt("fake.copy", "working")
    with store.lease("fake.copy", "working", limit_s=1):
        (attempt / "half.tif").write_text("half")
        store.shelf.keep(f"fake.copy/working/{attempt.name}/half.tif")
        store.gc(keep_days=0)
        assert store.shelf.size(f"fake.copy/working/{attempt.name}/half.tif") == 4
    assert store.find(young.step, young.key) is None


def test_gc_removes_attempts_that_came_to_nothing(store: Store, written: Write) -> None:
    record = finished(store, written)
    store.publish("demo", [output_of(record)])
    path = f"{record.step}/{record.key}/dead/a.tif"
    store.shelf.overwrite(path, "half")
    store.gc(keep_days=0)
    assert store.shelf.size(path) is None
    assert store.find(record.step, record.key) == record


def test_status_counts(store: Store, written: Write) -> None:
    for content in ("one", "three"):
        finished(store, written, content)
    tally = store.status().steps["fake.copy"]
    assert (tally.artifacts, tally.files) == (2, 4)
    assert "fake.copy" in str(store.status())


def test_bucket_stages_on_another_machine(s3_server: S3Server, written: Write, tmp_path: Path) -> None:
    here, there = (
        open_store(Settings(store="s3://eodata/store", scratch=tmp_path / name)) for name in ("here", "there")
    )
    record = finished(here, written, "pixels")
    file = output_of(record)
    assert there.find(record.step, record.key) == record
    path = there.path_of(file)
    assert path == (tmp_path / "there" / "staged" / file.store_path).resolve()
    assert path.read_text() == "pixels"


def test_unused_copies_of_a_bucket_are_forgotten(s3_server: S3Server, written: Write, tmp_path: Path) -> None:
    store = open_store(Settings(store=f"s3://{s3_server.bucket}/store", scratch=tmp_path / "scratch"))
    old, fresh = (output_of(finished(store, written, content)) for content in ("old", "fresh"))
    os.utime(store.path_of(old), (0, 0))
    assert store.shelf.forget_copies(older_than_s=60) == len("old")
    assert not (store.local_root / old.store_path).exists()
    assert (store.local_root / fresh.store_path).exists()
    assert store.path_of(old).read_text() == "old"


def test_name_of_a_product_is_checked(store: Store) -> None:
    with pytest.raises(StepError, match="bad_parameters"):
        store.publish("../etc", [])
