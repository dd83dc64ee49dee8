"""A GRASS project in scratch: made for one grid, worked in through grass-session, kept as an archive."""

import gzip
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from containers.base.contract.grid import Grid
from containers.base.contract.step import Execution, StepError
from containers.base.raster import create_cog, open_raster, row_windows
from containers.base.step import scratch_dir

PROJECT = "clearground"
MAPSET = "PERMANENT"
_CACHE_MB = 300
_LEFT_OUT = {".tmp", ".gislock", ".bash_history", ".bashrc"}


class GrassError(RuntimeError):
    """A GRASS tool failed; the text is what it said."""


@dataclass(frozen=True)
class Project:
    """An open GRASS project whose region is `grid`. Maps are made with `run` and leave through `export`."""

    folder: Path
    grid: Grid
    env: dict[str, str]

    def run(self, tool: str, flags: str = "", *, stdin: str = "", **options: object) -> str:
        """What the tool prints on standard output. Raises GrassError."""
        done = _call(command(tool, flags, **options), self.env, stdin)
        if done.stderr.strip():
            print(done.stderr.strip(), flush=True)
        return done.stdout

    def load(self, path: Path, name: str) -> str:
        """Copy a raster on the project's grid into it; its nodata becomes GRASS null. The map's name."""
        # -o: the caller has compared EPSG codes, while GRASS compares spellings of the same CRS.
        self.run("r.in.gdal", "o", input=path, output=name, band=1, memory=_CACHE_MB)
        return name

    def link(self, path: Path, name: str) -> str:
        """Like `load`, but the cells stay in the file: for projects that are not kept."""
        self.run("r.external", "o", input=path, output=name, band=1)
        return name

    def export(self, name: str, path: Path, *, nodata: int, **cog: object) -> Path:
        """Write a map of codes 0–255 as a COG, uint8; null becomes `nodata`."""
        draft = self.folder.parent / f"{name}.tif"
        flat = "COMPRESS=ZSTD,TILED=YES,BIGTIFF=IF_SAFER"
        self.run("r.out.gdal", "cmf", input=name, output=draft, type="Byte", nodata=nodata, createopt=flat)
        with (
            open_raster(draft) as source,
            create_cog(path, self.grid, dtype="uint8", nodata=nodata, **cog) as sink,  # type: ignore[arg-type]
        ):
            for window in row_windows(self.grid.shape):
                sink.write(source.read(1, window=window), 1, window=window)
        draft.unlink()
        return path

    def archive(self, path: Path) -> Path:
        """The whole project as .tar.gz: unpack it anywhere and open it with `grass clearground/PERMANENT`.

        Order, owners and times of the entries are fixed; the maps' own history keeps the time of the run.
        """
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as stream,
            tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for member in sorted(self.folder.rglob("*")):
                inner = member.relative_to(self.folder)
                if not _LEFT_OUT.intersection(inner.parts):
                    tar.add(member, f"{PROJECT}/{inner}", recursive=False, filter=_anonymous)
        return path


def command(tool: str, flags: str = "", **options: object) -> list[str]:
    """The argument list of a GRASS tool; sequences are joined by commas.

    >>> command("r.stats", "cn", input=["a", "b"], separator="comma")
    ['r.stats', '-cn', 'input=a,b', 'separator=comma']
    """
    arguments = [f"{name}={_text(value)}" for name, value in options.items()]
    return [tool, *([f"-{flags}"] if flags else []), *arguments]


@contextmanager
def open_project(grid: Grid, execution: Execution) -> Iterator[Project]:
    """A new project in scratch with the grid as its default region; removed on leaving.

    Raises `missing_tool` without GRASS, `bad_grid` for a CRS that GRASS does not know.
    """
    program = os.environ.get("GRASSBIN", "grass")
    if shutil.which(program) is None:
        raise StepError("missing_tool", f"{program} is not on PATH.", "Install GRASS: `apt install grass-core`.")
    from grass_session import Session  # on import it asks the installed GRASS for its paths

    home = Path(tempfile.mkdtemp(prefix="grass-", dir=scratch_dir()))
    folder, env = home / PROJECT, os.environ.copy()
    session = Session(grassbin=program, env=env)
    env |= {
        "GRASS_VERBOSE": "3" if execution.verbose else "0",
        "GRASS_MESSAGE_FORMAT": "plain",
        "OMP_NUM_THREADS": str(execution.threads),
        "LC_ALL": "C.UTF-8",
    }
    try:
        _create(program, folder, grid, env)
        session.open(gisdb=str(home), location=PROJECT, mapset=MAPSET, env=env)
        project = Project(folder, grid, env)
        west, south, east, north = grid.bounds
        project.run("g.region", "s", w=west, s=south, e=east, n=north, rows=grid.height, cols=grid.width)
        yield project
    finally:
        session.close()
        shutil.rmtree(home, ignore_errors=True)


def _create(program: str, folder: Path, grid: Grid, env: dict[str, str]) -> None:
    # Not grass-session's own `create`: it goes through a shell, and a folder may have a blank in its name.
    try:
        _call([program, "-c", f"EPSG:{grid.epsg}", "-e", str(folder)], env)
    except GrassError as error:
        raise StepError(
            "bad_grid",
            f"GRASS cannot make a project in EPSG:{grid.epsg}: {error}",
            "Use a CRS in metres, such as EPSG:3035.",
        ) from error


def _call(arguments: Sequence[str], env: dict[str, str], stdin: str = "") -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(  # noqa: S603 (fixed tools, no shell)
        arguments, env=env, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise GrassError(f"{' '.join(arguments[:4])} …: {done.stderr.strip() or done.stdout.strip()}")
    return done


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
