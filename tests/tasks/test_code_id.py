"""An edit recomputes what it can change, and nothing else."""

import pytest

from containers.base.contract.step import StepError
from tasks.code_id import Sources, code_id, imported_modules
from tests.tasks.checkout.containers.fake.contract import CopyParams

STEP = '''"""Copies."""
from containers.base import raster
from containers.fake.contract import Params
def run(x):
    """Docstring."""
    return raster.twice(x)
'''
CODE = {
    "containers/fake/copy.py": STEP,
    "containers/fake/contract.py": 'class Params:\n    size: int = Field(ge=1, description="Size in bytes")\n',
    "containers/base/raster.py": "from .grid import cells\ndef twice(x):\n    return cells(2 * x)\n",
    "containers/base/grid.py": "def cells(x):\n    return x\n",
    "containers/base/unused.py": "print()\n",
    "containers/fake/rules.txt": "1 = 1\n",
    "containers/fake/requirements.lock": "numpy==2\n",
}


def sources(**changes: str | None) -> Sources:
    """The code above with some files changed; `a__b_py` stands for `containers/a/b.py`."""
    files = dict(CODE)
    for name, text in changes.items():
        path = "containers/" + name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt")
        files[path.replace("_lock", ".lock")] = text
    encoded = {path: text.encode() for path, text in files.items() if text is not None}
    return encoded.get


def identity(versions: str = "v", **changes: str | None) -> str:
    return code_id(CopyParams, sources(**changes), versions)


def test_imports_are_followed() -> None:
    found = imported_modules("containers.fake.copy", sources())
    assert found == {
        "containers.fake.copy",
        "containers.fake.contract",
        "containers.base.raster",
        "containers.base.grid",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"fake__copy_py": STEP + "\n# a comment\n"},
        {"fake__copy_py": STEP.replace("Docstring.", "Another docstring.")},
        {"fake__copy_py": STEP.replace("    ", "  ")},
        {"fake__contract_py": CODE["containers/fake/contract.py"].replace("Size in bytes", "Bytes")},
        {"fake__contract_py": CODE["containers/fake/contract.py"] + '    """How many bytes."""\n'},
        {"base__unused_py": "print(1)\n"},
    ],
)
def test_what_cannot_change_the_result(change: dict[str, str]) -> None:
    assert identity(**change) == identity()


@pytest.mark.parametrize(
    "change",
    [
        {"fake__copy_py": STEP.replace("twice(x)", "twice(-x)")},
        {"fake__copy_py": STEP.replace("return", "yield")},
        {"fake__contract_py": CODE["containers/fake/contract.py"].replace("ge=1", "ge=2")},
        {"base__grid_py": "def cells(x):\n    return x + 1\n"},
        {"fake__rules_txt": "1 = 2\n"},
        {"fake__requirements_lock": "numpy==3\n"},
    ],
)
def test_what_can_change_the_result(change: dict[str, str]) -> None:
    assert identity(**change) != identity()


def test_versions_count() -> None:
    assert identity("GDAL 3.10.3") != identity("GDAL 3.6.2")


def test_description_of_other_calls_counts() -> None:
    first, second = (STEP + f'\nwrite(description="{text}")\n' for text in ("a", "b"))
    assert identity(fake__copy_py=first) != identity(fake__copy_py=second)


def test_absent_step_and_absent_rules() -> None:
    with pytest.raises(StepError, match=r"missing_file.*containers\.fake\.copy"):
        identity(fake__copy_py=None)
    with pytest.raises(StepError, match=r"missing_file.*rules\.txt"):
        identity(fake__rules_txt=None)
