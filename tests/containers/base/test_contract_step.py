"""Error codes, and the walk over the files of parameters."""

import pickle
from typing import ClassVar

import pytest

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import (
    PERMANENT_CODES,
    TRANSIENT_CODES,
    StepError,
    StepParams,
    StepResult,
    files_in,
)


def file(name: str, *members: File) -> File:
    return File(href=name, content_id=f"sha256:{name}", size=1, members=members)


class Layers(Contract):
    by_name: dict[str, File]


class Params(StepParams):
    step: ClassVar[str] = "fake.walk"
    result: ClassVar[type[StepResult]] = StepResult

    first: File
    maybe: File | None
    several: tuple[Layers, ...]


def test_every_file_is_met_in_order() -> None:
    params = Params(
        first=file("vrt", file("m1"), file("m2", file("deep"))),
        maybe=None,
        several=(Layers(by_name={"red": file("r")}), Layers(by_name={"nir": file("n"), "scl": file("s")})),
    )
    assert [found.name for found in params.input_files()] == ["vrt", "m1", "m2", "deep", "r", "n", "s"]
    assert list(files_in(params.model_copy(update={"several": (), "first": file("x")}))) == [file("x")]


def test_codes_are_either_permanent_or_transient() -> None:
    assert not PERMANENT_CODES & TRANSIENT_CODES


@pytest.mark.parametrize("code", sorted(PERMANENT_CODES | TRANSIENT_CODES))
def test_error_knows_whether_it_passes(code: str) -> None:
    error = StepError(code, "seen 3, wanted 4.", "Do this.")
    assert error.transient == (code in TRANSIENT_CODES)
    assert str(error) == f"[{code}] seen 3, wanted 4. Hint: Do this."


def test_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(StepError("throttled", "503.", "Wait.")))
    assert (error.code, error.reason, error.hint) == ("throttled", "503.", "Wait.")


def test_unknown_code_is_a_defect() -> None:
    with pytest.raises(ValueError, match="unknown error code"):
        StepError("oops", "", "")
