"""Planted faults are found, each by its own sentence; a valid graph has none."""

import subprocess
import sys

import pytest

from containers.base.contract.step import StepError
from containers.snap.backscatter_graph import backscatter_graph
from containers.snap.check_graph import OPERATORS, faults
from tests.conftest import ROOT
from tests.containers.snap.snap_strategies import inputs_of

DANGLING = """  <node id="LinearToFromdB">
    <operator>Subset</operator><sources><sourceProduct refid="Terrain-Correction"/></sources><parameters/>
  </node>
</graph>"""


@pytest.fixture
def valid(snap_params) -> str:
    params = snap_params()
    return backscatter_graph(params, inputs_of(params)).xml()


def test_a_valid_graph_has_no_faults(valid) -> None:
    assert faults(valid) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<operator>Multilook<", "<operator>Multilok<", "no operator 'Multilok'"),
        ("<trimThreshold>2.0</trimThreshold>", "<trimTreshold>2.0</trimTreshold>", "no parameter 'trimTreshold'"),
        (">Lee Sigma<", ">Lee Sigmund<", "filter='Lee Sigmund' is not one of None, Boxcar"),
        (">9x9<", ">9 x 9<", "windowSize='9 x 9' is not one of"),
        ("<nRgLooks>2<", "<nRgLooks>0<", "nRgLooks='0' is outside [1, *)"),
        ("<nRgLooks>2<", "<nRgLooks>two<", "nRgLooks='two' is no int"),
        ("<borderLimit>600<", "<borderLimit>600.0<", "borderLimit='600.0' is no int"),
        (">1.5</oversamplingMultiple>", ">4.1</oversamplingMultiple>", "is outside [1, 4]"),
        ("<outputBetaBand>true<", "<outputBetaBand>yes<", "outputBetaBand='yes' is neither true nor false"),
        ('refid="Speckle-Filter"', 'refid="Speckle"', "Multilook: reads 'Speckle', which is no node"),
        ('refid="Speckle-Filter"', 'refid="Terrain-Flattening"', "Speckle-Filter: nothing reads it"),
        ("</graph>", DANGLING, "LinearToFromdB: nothing reads it"),
        ('<node id="Multilook">', '<node id="Read">', "Read: the id is taken twice"),
        (
            '<sourceProduct refid="Multilook" />',
            "",
            "Terrain-Correction reads one product(s), not 0",
        ),
        ("<operator>Write<", "<operator>Subset<", "the graph writes nothing"),
        ('refid="ThermalNoiseRemoval"', 'refid="Multilook"', "runs in a circle"),
    ],
)
def test_planted_faults_are_found(valid, old: str, new: str, words: str) -> None:
    assert old in valid
    assert any(words in fault for fault in faults(valid.replace(old, new, 1))), faults(valid.replace(old, new, 1))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("externalDEMApplyEGM", "true"), ("externalDEMNoDataValue", "0"), ("externalDEMFile", "/other.tif")],
)
def test_different_settings_of_the_terrain_operators_are_found(valid, parameter: str, value: str) -> None:
    first, second, rest = valid.split(f"<{parameter}>")
    changed = f"{first}<{parameter}>{second}<{parameter}>{value}{rest[rest.index('<') :]}"
    assert any(f"{parameter} differs" in fault for fault in faults(changed))


def test_a_setting_that_is_left_out_counts_as_its_default(valid) -> None:
    """Of the geoid, the defaults of both operators differ: false when flattening, true when correcting."""
    line = "      <externalDEMApplyEGM>false</externalDEMApplyEGM>\n"
    assert any("externalDEMApplyEGM differs" in fault for fault in faults(valid.replace(line, "")))


def test_a_source_that_must_be_given(valid) -> None:
    start = valid.index("<file>")
    without = valid[:start] + valid[valid.index("</file>") + len("</file>") :]
    assert any("Read: file must be given" in fault for fault in faults(without))


def test_what_is_not_xml_is_refused() -> None:
    with pytest.raises(StepError) as raised:
        faults("<graph><node></graph>")
    assert raised.value.code == "corrupt_file"


def test_run_as_a_program(valid, tmp_path) -> None:
    path = tmp_path / "graph.xml"
    path.write_text(valid.replace("Multilook<", "Multilok<", 1))
    command = [sys.executable, "-m", "containers.snap.check_graph", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Multilok" in done.stdout


def test_descriptors_are_of_the_release_that_the_image_installs() -> None:
    dockerfile = (ROOT / "containers" / "snap" / "Dockerfile").read_text()
    assert "ARG SNAP_VERSION=13.0.0" in dockerfile
    assert {"Read", "Write", "Terrain-Flattening", "Resample", "BandSelect"} <= set(OPERATORS)
