"""How the fake step misbehaves."""

import os
import subprocess
import sys
import time
from pathlib import Path

from containers.base.contract.step import StepError
from containers.base.step import partials_dir, progress, side_dir


def sleep() -> None:
    time.sleep(60)


def spawn() -> None:
    """A grandchild that outlives its parent unless somebody ends the group."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (Path(os.environ["CLEARGROUND_STORE"]) / "grandchild.pid").write_text(str(child.pid))
    time.sleep(60)


def crash() -> None:
    raise RuntimeError("a defect, told in the last line")


def refuse() -> None:
    raise StepError("corrupt_file", "B04.jp2 ends after 7 bytes.", "Leave it out.")


def be_throttled() -> None:
    raise StepError("throttled", "the archive says 503.", "Wait.")


def chatter() -> None:
    for number in range(2_000):
        print(f"line {number}")
    progress(1, 2, "half way")


def swell() -> None:
    held = bytearray(400 << 20)
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(60)


def take_memory() -> None:
    """A hundred MiB for a moment, far less than `swell`."""
    assert len(b"x" * (100 << 20))


def fill_disk() -> None:
    with open("/dev/full", "w") as sink:
        sink.write("x" * 100_000)


def go_on() -> None:
    """One line of work per attempt; done at the second."""
    path = partials_dir() / "lines.txt"
    with path.open("a") as lines:
        lines.write("a line\n")
    if len(path.read_text().splitlines()) < 2:
        time.sleep(60)


def keep_log() -> None:
    (side_dir() / "log.txt").write_text("epoch 1")


def keep_log_and_crash() -> None:
    keep_log()
    crash()


def keep_log_and_sleep() -> None:
    keep_log()
    sleep()


def surroundings(out: Path) -> dict[str, str]:
    """The environment, and what this process may do."""
    store, scratch = Path(os.environ["CLEARGROUND_STORE"]), Path(os.environ["TMPDIR"])
    places = {"root": Path("/"), "store": store, "attempt": out, "scratch": scratch, "code": Path(__file__).parent}
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    keys = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"))
    return {
        **os.environ,
        "uid": str(os.getuid()),
        "interfaces": " ".join(sorted(os.listdir("/sys/class/net"))),
        "writable": " ".join(sorted(name for name, folder in places.items() if _may_write(folder))),
        "capabilities": status["CapEff"].strip(),
        "credentials": _described(keys) if keys.exists() else "",
    }


def _described(keys: Path) -> str:
    return f"{keys.stat().st_mode & 0o777:#o} {keys.read_text().count(' = ')} keys"


def _may_write(folder: Path) -> bool:
    try:
        (folder / "probe").write_text("x")
        (folder / "probe").unlink()
    except OSError:
        return False
    return True
