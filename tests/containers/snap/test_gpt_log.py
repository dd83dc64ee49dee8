"""Lines that SNAP was seen to write: which are failures, and what each means."""

import pytest

from containers.snap.gpt_log import error_of, failure_of, percent_of, warnings_of

HARMLESS = """INFO: org.esa.snap.core.gpf.operators.tooladapter.ToolAdapterIO: Initializing external tool adapters
SEVERE: org.esa.s2tbx.dataio.gdal.activator.GDALDistributionInstaller: The environment variable LD_LIBRARY_PATH does
INFO: org.hsqldb.persist.Logger: dataFileCache open start
WARNING: org.esa.snap.core.util.ServiceFinder: Can't search for SPIs, not a directory: /home/u/.snap/snap-python
WARNING: eu.esa.sar.orbits.gpf.ApplyOrbitFileOp: ApplyOrbit ignoring error and continuing: java.io.IOException: none
Executing processing graph
....10%....20%....30%....40%....50%....60%....70%....80%....90% done.
"""


def test_what_every_run_says_is_no_failure() -> None:
    assert failure_of(HARMLESS) is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Error: [NodeId: Read] Specified 'file' [/data/a.dim] does not exist.", "missing_file"),
        ("Error: [NodeId: Read] No appropriate product reader found for a.SAFE", "corrupt_file"),
        ("Error: [NodeId: BandSelect] Operator 'BandSelectOp': Value for 'Source Bands' is invalid", "crashed"),
        ("....11%...21%....32%java.lang.NullPointerException", "crashed"),
        ("java.lang.ArithmeticException: / by zero", "crashed"),
        ("org.esa.snap.core.gpf.OperatorException: Terrain-Flattening", "crashed"),
        (
            "WARNING: x.RangeDopplerGeocodingOp: TC error: no valid output was produced.",
            "no_valid_pixels",
        ),
        ("WARNING: x.SubsetOp: No intersection with source product boundary S1A", "bad_aoi"),
        ("SEVERE: x.DownloadableContentImpl: Failed to download remote file.", "missing_file"),
        ("Error: java.io.IOException: No space left on device", "disk_full"),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
    ],
)
def test_failures_and_their_codes(line: str, code: str) -> None:
    found = failure_of(HARMLESS + line + "\n\tat org.esa.snap.Anything(Anything.java:3)\n")
    assert found == line
    error = error_of(found, 0)
    assert error.code == code
    assert line in error.reason


@pytest.mark.parametrize(
    ("text", "percent"),
    [("....10%....20%..", 20), ("...11%...21%", 21), ("100% done", 100), ("no", None), ("999%", None)],
)
def test_percentages(text: str, percent: int | None) -> None:
    assert percent_of(text) == percent


def test_an_orbit_that_was_ignored_is_told() -> None:
    (warning,) = warnings_of(HARMLESS)
    assert warning.code == "orbit_ignored"
    assert "java.io.IOException: none" in warning.reason
    assert warnings_of("Executing processing graph\n") == ()
