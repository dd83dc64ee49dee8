"""A whole product from the archive into the store: resumable, verified, bounded by the declared connections."""

import os
import shutil
from pathlib import Path, PurePosixPath

from containers.base.contract.files import File, output_file
from containers.base.contract.radar import SafeFolder
from containers.base.contract.step import StepError
from containers.base.step import main, partials_dir, progress
from containers.base.transfer import fetch_all
from containers.gdal.contract.download import DownloadParams, DownloadResult
from containers.gdal.safe_archive import is_archive, unpack


def run(params: DownloadParams, out: Path) -> DownloadResult:
    """Fetch every object, then lay them out as the catalogue names them; a zip of the product is unpacked.

    Raises `bad_parameters` for a path that would leave the folder, and what `fetch_all` and `unpack` do.
    """
    targets = {name: inside(out, name) for name in sorted(params.files)}
    copies = fetch_all(
        params.files,
        partials_dir(),
        part_bytes=params.part_mb << 20,
        connections=params.resources.connections,
        progress=lambda done, total: progress(done, max(total, 1), f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"),
    )
    files: dict[str, File] = {}
    for name, copy in copies:  # placed and hashed while the others arrive
        if len(targets) == 1 and is_archive(name):
            files |= {below: output_file(inside(out, below), root=out) for below in unpack(copy, out)}
        else:
            place(copy, targets[name])
            files[name] = output_file(targets[name], root=out)
    return DownloadResult(folder=SafeFolder(id=params.product_id, files=dict(sorted(files.items()))))


def inside(out: Path, name: str) -> Path:
    """The place of a file below the folder. Raises `bad_parameters` where its name leads out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name or "\0" in name:
        raise StepError(
            "bad_parameters",
            f"{name!r} is no path below a product's folder.",
            "Use paths relative to the .SAFE folder.",
        )
    return out / path


def place(copy: Path, target: Path) -> None:
    """Put a copy where the store keeps it, and leave it for a next attempt should this one be killed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(copy, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(copy, target)


if __name__ == "__main__":
    main(DownloadParams, run)
