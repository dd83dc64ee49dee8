"""gpt is told what it may use, and believed only when its exit code and its log agree."""

import json
from pathlib import Path

import pytest

from containers.base.contract.step import StepError
from containers.snap.gpt import gpt_command, memory_limit_mb, run_gpt, snap_version
from containers.snap.graph import Chain, Graph


def small_graph(folder: Path) -> Graph:
    chain = Chain()
    chain.add("Read", {"file": Path("/a/MTD_MSIL2A.xml")}, sources=())
    chain.add("Resample", {"targetResolution": 10})
    chain.add("BandSelect", {"sourceBands": ("B4",)})
    chain.add("Write", {"file": folder / "bands.tif", "formatName": "GeoTIFF-BigTIFF"})
    return chain.graph()


@pytest.fixture
def run_small(tmp_path, gpt):
    def run(how: str = "", exit_code: int = 0, **options) -> str:
        gpt(how, exit_code)
        given = {"memory_mb": 4096, "threads": 2} | options
        return run_gpt(small_graph(tmp_path), tmp_path / "home", **given)

    return run


def test_command() -> None:
    command = gpt_command(Path("/s/graph.xml"), Path("/s/home"), memory_mb=16_384, threads=3)
    assert command == [
        "gpt",
        "-J-Xmx12288m",
        "-J-Duser.home=/s/home",
        "-J-Djava.io.tmpdir=/s/home",
        "-J-Dsnap.userdir=/s/home/.snap",
        "/s/graph.xml",
        "-e",
        "-x",
        "-c",
        "6144M",
        "-q",
        "3",
    ]


@pytest.mark.parametrize("memory_mb", [512, 2048, 16_384, 131_072])
def test_cache_fits_into_the_heap_and_the_heap_into_the_limit(memory_mb: int) -> None:
    command = gpt_command(Path("g.xml"), Path("h"), memory_mb=memory_mb, threads=1)
    heap = int(command[1].removeprefix("-J-Xmx").removesuffix("m"))
    cache = int(command[command.index("-c") + 1].removesuffix("M"))
    assert 0 < cache < heap < memory_mb


@pytest.mark.parametrize(
    ("name", "text", "limit_mb"),
    [
        ("memory.max", "max\n", 16_384),
        ("memory.max", f"{4 << 30}\n", 4096),
        ("memory/memory.limit_in_bytes", f"{2 << 30}\n", 2048),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", 16_384),
        ("nothing", "1", 16_384),
    ],
)
def test_memory_of_the_container(tmp_path, name: str, text: str, limit_mb: int) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert memory_limit_mb(16_384, tmp_path) == limit_mb


def test_success(run_small, tmp_path, capsys) -> None:
    log = run_small(share=0.5)
    assert "Executing processing graph" in log
    assert (tmp_path / "bands.tif").is_file()
    told = [json.loads(line)["done"] for line in capsys.readouterr().out.splitlines()]
    assert told == sorted(told)
    assert told[-1] == 45.0
    assert (tmp_path / "home" / "arguments.txt").read_text().endswith("-q\n2")


@pytest.mark.parametrize(
    ("how", "exit_code", "code"),
    [
        ("dies silently", 1, "crashed"),
        ("says Error: [NodeId: Read] Specified 'file' does not exist.", 1, "missing_file"),
        ("says java.lang.NullPointerException", 0, "crashed"),
        ("says java.lang.OutOfMemoryError: Java heap space", 1, "out_of_memory"),
        ('says Exception in thread "x" java.lang.OutOfMemoryError', 0, "out_of_memory"),
        ("is killed", 0, "out_of_memory"),
    ],
)
def test_failures(run_small, how: str, exit_code: int, code: str) -> None:
    with pytest.raises(StepError) as raised:
        run_small(how, exit_code)
    assert raised.value.code == code


def test_without_gpt(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepError) as raised:
        run_gpt(small_graph(tmp_path), tmp_path / "home", memory_mb=1024, threads=1)
    assert raised.value.code == "missing_tool"
    assert "docs/snap.md" in raised.value.hint


def test_an_invalid_graph_never_starts(tmp_path, gpt) -> None:
    graph = small_graph(tmp_path)
    with pytest.raises(StepError) as raised:
        run_gpt(Graph(graph.nodes[:-1]), tmp_path / "home", memory_mb=1024, threads=1)
    assert raised.value.code == "bad_config"
    assert "BandSelect: nothing reads it" in raised.value.reason
    assert not (tmp_path / "home").exists()


def test_version(tmp_path, gpt) -> None:
    assert snap_version(tmp_path / "home") == "13.0.0"
