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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from codegym_mcp.catalog import (
    environment_sets,
    row_description_pool,
    set_index,
    set_index_files,
)
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.row_descriptions import IndexedRow
from codegym_mcp.catalog.set_index import SetIndex
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import CodegymError, NotFoundError, SourceError
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


def write_set(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        return write_jsonl(path, rows)
    texts = [{**row, "tasks": json.dumps(row["tasks"])} for row in rows]
    # A row group ends within what is skipped.
    parquet.write_table(pyarrow.Table.from_pylist(texts), path, row_group_size=4)
    return path


def stored(cache: Path) -> list[Path]:
    return sorted((cache / "sets").glob("*.sqlite"))


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sets that were indexed, in the order in which it was done."""
    found: list[Path] = []
    build = set_index_files.build_index

    def counted(path: Path, database: sqlite3.Connection) -> None:
        found.append(path)
        build(path, database)

    monkeypatch.setattr(set_index_files, "build_index", counted)
    return found


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_the_index_describes_an_environment_as_reading_it_does(tmp_path: Path, kind: str) -> None:
    rows = [
        published(task_count=1),
        *({"name": path.stem, "code": path.read_text(), "tasks": []} for path in CODEGYM),
    ]
    path = write_set(tmp_path / f"set.{kind}", rows)
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
    monkeypatch.setattr(set_index_files, "INDEX_VERSION", set_index_files.INDEX_VERSION + 1)
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


KILLED = """
import os, sys
from pathlib import Path
from codegym_mcp.catalog import set_index, set_index_build

set_index.STORED_BYTES = set_index_build.COMMIT_SECONDS = 0
described_rows = set_index_build.described_rows

def killed(path, rows):
    for number, row in enumerate(described_rows(path, rows)):
        if number == 5:
            os.kill(os.getpid(), 9)
        yield row

set_index_build.described_rows = killed
set_index.SetIndex.open(Path(sys.argv[1]))
"""


def build_and_kill(path: Path, cache: Path) -> Path:
    """Builds an index in a process that is killed before the sixth row; returns what it leaves."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -9
    (left,) = (cache / "sets").glob("*.partial")
    assert not stored(cache)
    return left


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the rows that were described in this process."""
    found: list[int] = []
    describe = row_description_pool.describe_row

    def noted(path: Path, number: int, content: bytes) -> IndexedRow:
        found.append(number)
        return describe(path, number, content)

    monkeypatch.setattr(row_description_pool, "describe_row", noted)
    return found


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_build_that_was_killed_is_continued(
    tmp_path: Path, cache: Path, described: list[int], kind: str
) -> None:
    rows = [published(f"counter_{number}") for number in range(9)]
    # The sixth row of the second set has the name of its second row.
    rows[5]["name"] = "counter_1"
    path = write_set(tmp_path / f"set.{kind}", rows)
    left = build_and_kill(path, cache)
    index = SetIndex.open(path)
    assert described == [6, 7, 8, 9]
    whole = SetIndex.open(write_set(tmp_path / f"whole.{kind}", rows))
    assert index.names() == whole.names()
    assert [index.find(name) for name in index.names()] == [whole.find(name) for name in index.names()]
    assert [error.problem for error in index.problems()] == [error.problem for error in whole.problems()]
    assert Catalog.load([path]).get("counter_8").tasks[0].id == "near"
    assert not left.exists()


def test_a_build_of_other_content_is_not_continued(tmp_path: Path, cache: Path, described: list[int]) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(f"counter_{number}") for number in range(9)])
    build_and_kill(path, cache)
    write_jsonl(path, [published(f"other_{number}") for number in range(9)])
    assert SetIndex.open(path).names() == [f"other_{number}" for number in range(9)]
    assert len(described) == 9


@pytest.mark.parametrize("keep", [0.0, 0.5])
def test_a_damaged_beginning_is_not_continued(
    tmp_path: Path, cache: Path, described: list[int], keep: float
) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(f"counter_{number}") for number in range(9)])
    left = build_and_kill(path, cache)
    content = left.read_bytes()
    left.write_bytes(content[: int(len(content) * keep)])
    # The journal of the interrupted transaction could repair the damage.
    left.with_name(f"{left.name}-journal").unlink(missing_ok=True)
    assert len(SetIndex.open(path)) == 9
    assert len(described) == 9


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), value=st.binary(min_size=1, max_size=40))
def test_damage_within_an_index_is_noticed_or_explained(
    tmp_path: Path, cache: Path, kind: str, place: float, value: bytes
) -> None:
    path = tmp_path / f"set.{kind}"
    if not path.exists():
        write_set(path, [published(f"counter_{number}") for number in range(9)])
    names = SetIndex.open(path).names()
    (file,) = stored(cache)
    content = file.read_bytes()
    start = int(len(content) * place)
    file.write_bytes(content[:start] + value + content[start + len(value) :])
    try:
        catalog = Catalog.load([path])
        list(catalog.infos())
        catalog.get("counter_4")
        catalog.get("counter_8")
    except CodegymError:
        # The damage is explained. Any other exception fails the test.
        pass
    finally:
        file.write_bytes(content)
    assert SetIndex.open(path).names() == names


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
    monkeypatch.setattr(row_description_pool, "_FEW_ROWS", 2)
    monkeypatch.setattr(row_description_pool, "_CHUNK", 3)
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


def test_an_unknown_name_is_not_compared_with_thousands(tmp_path: Path) -> None:
    rows = (published(f"counter_{number}", tasks=[]) for number in range(2_001))
    catalog = Catalog.load([write_jsonl(tmp_path / "set.jsonl", list(rows))])
    with pytest.raises(NotFoundError, match="There are 2,001 environments; search them"):
        catalog.entry("counter_x")


def test_a_pickled_catalog_opens_the_index_again(tmp_path: Path, builds: list[Path]) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [published(), published("other")])
    catalog = pickle.loads(pickle.dumps(Catalog.load([path]).select("other")))
    assert catalog.names == ["other"]
    assert catalog.get("other").tasks[0].id == "near"
    assert builds == [path]
