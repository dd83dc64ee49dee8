"""Flows are tested with prepared results that go through the store in earnest."""

from pathlib import Path

from containers.base.contract.files import File, output_file
from tasks.runner import run_step, use_runner
from tasks.stub_runner import StubRunner
from tests.tasks.checkout.containers.fake.contract import CopyParams, CopyResult
from tests.tasks.conftest import Machine

PREPARED = CopyResult(written=File(href="copy.txt", content_id="sha256:0", size=0))


def test_prepared_result_gets_its_files(machine: Machine) -> None:
    with use_runner(StubRunner({CopyParams: PREPARED})) as stub:
        first: CopyResult = run_step(CopyParams(text="a"))
        again: CopyResult = run_step(CopyParams(text="a"))
    assert first == again
    assert first.written.in_store
    assert machine.store.path_of(first.written).read_text() == "copy.txt"
    assert stub.asked == [CopyParams(text="a")]


def test_answer_may_depend_on_the_parameters(machine: Machine) -> None:
    def answer(params: CopyParams, out: Path) -> CopyResult:
        (out / "copy.txt").write_text(params.text.upper())
        return CopyResult(written=output_file(out / "copy.txt"))

    with use_runner(StubRunner({CopyParams: answer})):
        result: CopyResult = run_step(CopyParams(text="hello"))
    assert machine.store.path_of(result.written).read_text() == "HELLO"
