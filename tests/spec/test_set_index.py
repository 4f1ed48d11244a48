"""An index is built once for the content of a set, and tells the same as the set itself."""

import json
import logging
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from codegym_mcp.errors import SourceError
from codegym_mcp.spec import environment_sets, set_index, set_index_build
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment_info import EnvironmentInfo
from codegym_mcp.spec.set_index import SetIndex
from codegym_mcp.storage import json_lines
from tests.conftest import FIXTURES

COUNTER = (FIXTURES / "counter.py").read_text()
CODEGYM = sorted((FIXTURES / "codegym").glob("*.py"))
TASK = {"id": "near", "config": {"start": 0, "bell": 1}, "difficulty": 1}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every set is large enough for a stored index; the cache is the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CODEGYM_MCP_CACHE", str(folder))
    monkeypatch.setattr(set_index, "STORED_BYTES", 0)
    return folder


def published(name: str = "counter", **changes: Any) -> dict[str, Any]:
    return {"name": name, "code": COUNTER, "tasks": [TASK], **changes}


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def stored(cache: Path) -> list[Path]:
    return sorted((cache / "sets").glob("*.sqlite"))


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sets that were indexed, in the order in which it was done."""
    found: list[Path] = []
    build = set_index.build_index

    def counted(path: Path, database: sqlite3.Connection) -> None:
        found.append(path)
        build(path, database)

    monkeypatch.setattr(set_index, "build_index", counted)
    return found


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_the_index_describes_an_environment_as_reading_it_does(tmp_path: Path, kind: str) -> None:
    rows = [
        published(task_count=1),
        *({"name": path.stem, "code": path.read_text(), "tasks": []} for path in CODEGYM),
    ]
    if kind == "jsonl":
        path = write_jsonl(tmp_path / "set.jsonl", rows)
    else:
        rows = [{**row, "tasks": json.dumps(row["tasks"])} for row in rows]
        path = tmp_path / "set.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    index, catalog = SetIndex.open(path), Catalog.load([path])
    assert index.names() == ["counter", *(each.stem for each in CODEGYM)]
    for name in index.names():
        found = index.find(name)
        assert found is not None
        assert found.info == EnvironmentInfo.of(catalog.get(name))


def test_an_index_is_built_once_for_a_content(tmp_path: Path, builds: list[Path]) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    assert SetIndex.open(path).names() == SetIndex.open(path).names() == ["counter"]
    os.utime(path, (1, 1))
    assert SetIndex.open(path).names() == ["counter"]
    assert builds == [path]

    write_jsonl(path, [published("other")])
    assert SetIndex.open(path).names() == ["other"]
    assert builds == [path, path]


def test_a_changed_file_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published("first")])
    assert SetIndex.open(path).names() == ["first"]
    before = path.stat()
    write_jsonl(path, [published("other")])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert SetIndex.open(path).names() == ["other"]


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_index_is_built_again(
    tmp_path: Path, cache: Path, builds: list[Path], damage: bytes
) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    SetIndex.open(path)
    (file,) = stored(cache)
    file.write_bytes(damage)
    assert SetIndex.open(path).names() == ["counter"]
    assert builds == [path, path]


def test_a_truncated_index_is_built_again(tmp_path: Path, cache: Path, builds: list[Path]) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(f"counter_{number}") for number in range(50)])
    SetIndex.open(path)
    (file,) = stored(cache)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert len(SetIndex.open(path)) == 50
    assert builds == [path, path]


def test_indexes_of_other_versions_are_left_alone(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    SetIndex.open(path)
    monkeypatch.setattr(set_index, "INDEX_VERSION", set_index.INDEX_VERSION + 1)
    assert SetIndex.open(path).names() == ["counter"]
    assert len(stored(cache)) == 2


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text("a file where the folder should be")
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    with caplog.at_level(logging.WARNING):
        assert SetIndex.open(path).names() == ["counter"]
    assert "is built for this process only" in caplog.text


def test_a_build_that_was_killed_leaves_nothing_that_is_used(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    program = (
        "import os, sys, pathlib; from codegym_mcp.spec import set_index as s; s.STORED_BYTES = 0\n"
        "def build(path, database):\n"
        "    database.execute('CREATE TABLE rows (number)'); os.kill(os.getpid(), 9)\n"
        "s.build_index = build; s.SetIndex.open(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    left = list((cache / "sets").glob("*.sqlite.*"))
    assert (len(left), stored(cache)) == (1, [])
    assert SetIndex.open(path).names() == ["counter"]
    assert not list((cache / "sets").glob("*.sqlite.*"))


def test_threads_that_open_a_set_at_once_build_one_index(tmp_path: Path, builds: list[Path]) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    threads = [threading.Thread(target=SetIndex.open, args=[path]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builds == [path]


def test_processes_index_large_sets_as_this_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [published(f"counter_{number}") for number in range(40)]
    rows[7]["code"] = "x = 1"
    rows.insert(3, "garbage")
    paths = [write_jsonl(tmp_path / name, rows) for name in ("one.jsonl", "two.jsonl")]
    alone = SetIndex.open(paths[0])
    monkeypatch.setattr(set_index_build, "_FEW_ROWS", 2)
    monkeypatch.setattr(set_index_build, "_CHUNK", 3)
    together = SetIndex.open(paths[1])
    assert alone.names() == together.names()
    assert [alone.find(name) for name in alone.names()] == [together.find(name) for name in alone.names()]
    assert [error.problem for error in together.problems()] == [error.problem for error in alone.problems()]
    assert len(list(together.problems())) == 2


def test_a_row_that_is_too_long_is_one_broken_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_LINE", 10_000)
    long = published("long", title="x" * 25_000)
    path = write_jsonl(tmp_path / "set.jsonl", [published(), long, published("other")])
    index = SetIndex.open(path)
    assert index.names() == ["counter", "row_2", "other"]
    (error,) = index.problems()
    assert str(error).startswith(f"{path}:2: the line is longer than 10,000 bytes.")
    catalog = Catalog.load([path])
    assert [environment.name for environment in catalog.environments()] == ["counter", "other"]


def test_a_set_that_is_cut_off_loses_its_last_row(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(), published("other")])
    path.write_bytes(path.read_bytes()[:-40])
    assert [each.name for each in Catalog.load([path]).environments()] == ["counter"]
    assert len(Catalog.load([path]).problems()) == 1


def test_a_set_that_grows_while_it_is_open_keeps_its_rows(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published()])
    catalog = Catalog.load([path])
    with path.open("a") as file:
        file.write(json.dumps(published("later")) + "\n")
    assert catalog.get("counter").name == "counter"
    assert "later" not in catalog
    assert "later" in Catalog.load([path])


def test_a_large_set_tells_its_broken_rows_without_reading_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [published(f"counter_{number}") for number in range(101)]
    # The first breaks the form, the second only the language policy.
    rows[5]["code"] = "x = 1"
    rows[6]["code"] = COUNTER.replace("class Environment:", "import os\n\n\nclass Environment:")
    path = write_jsonl(tmp_path / "set.jsonl", rows)
    monkeypatch.setattr(environment_sets, "read_row", None)
    catalog = Catalog.load([path])
    assert [error.path for error in catalog.problems()] == [f"{path}, row 6"]
    assert len(list(catalog.infos())) == 100
    monkeypatch.undo()
    with pytest.raises(SourceError, match="row 7"):
        Catalog.load([path]).get("counter_6")


def test_environments_that_nobody_uses_leave_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(f"counter_{number}") for number in range(300)])
    catalog = Catalog.load([path])
    entries = catalog.entries
    used = entries[0].read()
    for entry in entries[1:]:
        entry.read()
    assert entries[0].read() is used
    del used
    assert entries[299].read() is entries[299].read()


def test_a_pickled_catalog_opens_the_index_again(tmp_path: Path, builds: list[Path]) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(), published("other")])
    catalog = pickle.loads(pickle.dumps(Catalog.load([path]).select("other")))
    assert catalog.names == ["other"]
    assert catalog.get("other").tasks[0].id == "near"
    assert builds == [path]
