"""A published folder is whole or absent, and the same content is written once."""

import errno
import json
import os
from pathlib import Path

import pytest

from containers.base.contract.step import StepError
from tasks.publishing.product_folder import is_whole, link_or_copy, publish_folder

FIRST, SECOND = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def writer(text: str, calls: list[str]):
    def write(folder: Path) -> None:
        calls.append(text)
        (folder / "tables").mkdir()
        (folder / "tables" / "a.csv").write_text(text)

    return write


def test_the_name_leads_to_the_content(tmp_path: Path) -> None:
    published = publish_folder(tmp_path, "made", FIRST, writer("one", []))
    assert published == (tmp_path / "made", True)
    assert (tmp_path / "made" / "tables" / "a.csv").read_text() == "one"
    manifest = json.loads((tmp_path / "made" / "publication.json").read_text())
    assert manifest["content_id"] == FIRST
    assert manifest["files"] == {"tables/a.csv": 3}


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    calls: list[str] = []
    publish_folder(tmp_path, "made", FIRST, writer("one", calls))
    again = publish_folder(tmp_path, "made", FIRST, writer("one", calls))
    assert (calls, again.is_new) == (["one"], False)


def test_a_new_version_replaces_and_keeps_the_old_one(tmp_path: Path) -> None:
    calls: list[str] = []
    publish_folder(tmp_path, "made", FIRST, writer("one", calls))
    before = (tmp_path / "made").resolve()
    publish_folder(tmp_path, "made", SECOND, writer("two", calls))
    assert (tmp_path / "made" / "tables" / "a.csv").read_text() == "two"
    assert (before / "tables" / "a.csv").read_text() == "one"
    back = publish_folder(tmp_path, "made", FIRST, writer("one", calls))
    assert (tmp_path / "made").resolve() == before
    assert (calls, back.is_new) == (["one", "two"], False)


def test_a_damaged_version_is_written_again(tmp_path: Path) -> None:
    publish_folder(tmp_path, "made", FIRST, writer("one", []))
    (tmp_path / "made" / "tables" / "a.csv").unlink()
    assert not is_whole(tmp_path / "made")
    assert publish_folder(tmp_path, "made", FIRST, writer("one", [])).is_new
    assert is_whole(tmp_path / "made")


def test_a_failure_leaves_the_old_version_and_no_rubbish(tmp_path: Path) -> None:
    publish_folder(tmp_path, "made", FIRST, writer("one", []))

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        publish_folder(tmp_path, "made", SECOND, fail)
    assert (tmp_path / "made" / "tables" / "a.csv").read_text() == "one"
    assert len(list((tmp_path / ".versions" / "made").iterdir())) == 1


def test_two_publishers_of_the_same_content_agree(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        if not (tmp_path / "made").is_symlink():
            publish_folder(tmp_path, "made", FIRST, writer("theirs", []))
        writer("ours", [])(folder)

    publish_folder(tmp_path, "made", FIRST, write)
    assert (tmp_path / "made" / "tables" / "a.csv").read_text() == "theirs"
    assert len(list((tmp_path / ".versions" / "made").iterdir())) == 1


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "thesis.docx").write_text("years of work")
    with pytest.raises(StepError) as caught:
        publish_folder(tmp_path, "made", FIRST, writer("one", []))
    assert caught.value.code == "bad_parameters"
    assert (tmp_path / "made" / "thesis.docx").read_text() == "years of work"


def test_links_share_bytes_and_copies_do_where_linking_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("pixels")
    link_or_copy(tmp_path / "a", tmp_path / "b" / "a")
    assert (tmp_path / "b" / "a").samefile(tmp_path / "a")

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    link_or_copy(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "c").read_text() == "pixels"
    assert not (tmp_path / "c").samefile(tmp_path / "a")


def test_other_link_errors_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link_or_copy(tmp_path / "absent", tmp_path / "b")
