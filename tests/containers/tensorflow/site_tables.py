"""Tables of site features whose types can be told apart, as the step `site_features` writes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from containers.base.contract.files import File, output_file

TYPES = ("ALP", "NAR", "SUB")
RECIPE = '{"sets":["curves"]}'
NAMES = tuple(f"{layer} {day}" for layer in ("ndvi", "ndmi") for day in ("05-01", "06-01", "07-01", "08-01", "09-01"))


def site_columns(groups: int = 8, sites: int = 9, noise: float = 0.35, seed: int = 0) -> dict[str, Any]:
    """Every group has the same number of sites of every type; a group shifts all of its features."""
    rng = np.random.default_rng(seed)
    n = groups * sites
    types, group = np.arange(n) % len(TYPES), np.arange(n) // sites
    means = np.random.default_rng(99).normal(size=(len(TYPES), len(NAMES)))
    shifts = rng.normal(scale=noise, size=(groups, len(NAMES)))
    values = means[types] + shifts[group] + rng.normal(scale=noise, size=(n, len(NAMES)))
    facts: dict[str, Any] = {
        "site_id": [f"S{number:04}" for number in range(n)],
        "year": np.full(n, 2017),
        "class_code": np.array(TYPES)[types],
        "group": [f"P{number:02}" for number in group],
        "massif": [""] * n,
        "polygon_id": [""] * n,
        "source": ["maja"] * n,
        "simulated": np.zeros(n, bool),
        "observations": np.full(n, 12),
    }
    features = {name: column.astype(np.float32) for name, column in zip(NAMES, values.T, strict=True)}
    plain = {f"plain {name}": column for name, column in list(features.items())[:4]}
    return facts | features | plain


def write_sites(root: Path, columns: dict[str, Any], recipe: str = RECIPE) -> File:
    """The artifact in a store at `root`."""
    folder = root / "gdal.site_features" / "0" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"features{len(list(folder.iterdir()))}.parquet"
    parquet.write_table(pa.table(columns).replace_schema_metadata({"recipe": recipe}), path)
    return stored(root, path)


def stored(root: Path, path: Path) -> File:
    return output_file(path).model_copy(update={"href": f"store:{path.relative_to(root)}"})
