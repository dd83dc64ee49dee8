"""Copies its input and its text into a file."""

from pathlib import Path

from containers.base.contract.files import output_file
from containers.base.step import local_path, main
from containers.fake import behaviour
from containers.fake.contract import CopyParams, CopyResult


def joined(source: str, text: str) -> str:
    """The content of the output."""
    return source + text


def run(params: CopyParams, out: Path) -> CopyResult:
    if params.trace:
        with open(params.trace, "a") as trace:
            trace.write("ran\n")
    if misbehave := getattr(behaviour, params.behaviour, None):
        misbehave()
    source = local_path(params.source).read_text() if params.source else ""
    target = out / "copy.txt"
    target.write_text(joined(source, params.text))
    (out / "undeclared.tmp").write_text("not named in the result")
    written = output_file(target)
    if params.behaviour == "lie":
        target.unlink()
    return CopyResult(written=written, seen=behaviour.surroundings(out) if params.behaviour == "look_around" else {})


if __name__ == "__main__":
    main(CopyParams, run)
