"""A product of the store as the .SAFE folder that readers open, made of links to where its files lie."""

from pathlib import Path, PurePosixPath

from containers.base.contract.radar import SafeFolder
from containers.base.contract.step import StepError
from containers.base.step import local_path


def laid_out(product: SafeFolder, under: Path) -> Path:
    """The product's .SAFE folder below `under`. Raises `bad_parameters` for names that leave it, `missing_file`."""
    root = under / f"{product.id}.SAFE"
    for name, file in sorted(product.files.items()):
        inner = PurePosixPath(name)
        if inner.is_absolute() or ".." in inner.parts:
            raise StepError("bad_parameters", f"{name!r} lies outside {root.name}.", "Download the product again.")
        link = root / inner
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(local_path(file).resolve())
    return root
