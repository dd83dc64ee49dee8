"""What gpt says: how far it is, and whether it failed, which its exit code alone does not tell."""

import re
from typing import Final

from containers.base.contract.step import StepError, StepWarning

_PERCENT: Final = re.compile(r"(\d{1,3})%")
_FAILURES: Final = (
    # gpt's own last word (snap-engine, GPT.java); pyroSAR issues 97 and 129 quote it.
    re.compile(r"^Error: .+"),
    # An exception that no operator caught, at the end of the line of progress: pyroSAR issue 96, snapista issue 19.
    # Lines of a logger (`SEVERE: …`) are no failures in themselves: SNAP writes some in every run (pyroSAR issue 95).
    re.compile(r"^[.\d%\s]*(?:java|javax|org|com|eu)\.[\w.$]+(?:Exception|Error)\b.*"),
    # Logged as a warning, with an empty product and exit code 0: s1tbx issue 30, RangeDopplerGeocodingOp.dispose.
    re.compile(r".*no valid output was produced.*"),
    # Likewise a warning, and an empty product (SubsetOp.initialize).
    re.compile(r".*No intersection with source product boundary.*"),
    # gpt goes on without what it could not fetch, such as a geoid: pyroSAR issue 96, mundialis/esa-snap issue 15.
    re.compile(r".*Failed to download remote file.*"),
)
_ORBIT_IGNORED: Final = "ApplyOrbit ignoring error and continuing"
_KINDS: Final = (
    ("No space left on device", "disk_full", "Free some space, or put the scratch folder on a larger disk."),
    ("OutOfMemoryError", "out_of_memory", "Raise CLEARGROUND_MEMORY_MB, or ask for a smaller area."),
    ("No intersection", "bad_aoi", "Choose an area that the radar products cover."),
    ("Failed to download", "missing_file", "Give the DEM and the orbit files; gpt has no network."),
    ("product reader found", "corrupt_file", "Remove the product from the store and fetch it again."),
    ("does not exist", "missing_file", "Run `clearground store verify`, and fetch the product again."),
    ("no valid output", "no_valid_pixels", "Check that the DEM covers the area."),
)


def percent_of(text: str) -> int | None:
    """The last percentage in a piece of output, such as 20 in `....10%....20%..`; None without one."""
    found = _PERCENT.findall(text)
    return int(found[-1]) if found and int(found[-1]) <= 100 else None


def failure_of(log: str) -> str | None:
    """The first line that says that gpt failed; None where none does."""
    for line in log.splitlines():
        if any(pattern.match(line) for pattern in _FAILURES):
            return line.strip()
    return None


def error_of(line: str, exit_code: int) -> StepError:
    """What a line of gpt's means for the run."""
    code, hint = next(
        ((code, hint) for words, code, hint in _KINDS if words in line),
        ("crashed", "The step's log has all of gpt's output, with the stack trace."),
    )
    return StepError(code, f"gpt failed (exit code {exit_code}): {line}", hint)


def warnings_of(log: str) -> tuple[StepWarning, ...]:
    """What a reader of the result must know."""
    for line in log.splitlines():
        if _ORBIT_IGNORED in line:
            return (
                StepWarning(
                    code="orbit_ignored",
                    reason=f"The orbit of the annotation was used: {line.partition(_ORBIT_IGNORED)[2].strip(': ')}",
                    hint="Give a precise (POEORB) or restituted (RESORB) orbit file that covers the slices.",
                ),
            )
    return ()
