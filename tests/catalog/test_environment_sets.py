"""Sets that are broken, enormous, or changed while they are in use."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from codegym_mcp.catalog import environment_sets, set_index
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.errors import SourceError
from tests.conftest import FIXTURES

COUNTER = (FIXTURES / "counter.py").read_text()
KINDS = pytest.mark.parametrize("kind", ["jsonl", "parquet"])
MIB = 1 << 20
LIST = """
import sys
from pathlib import Path
from codegym_mcp.catalog.catalog import Catalog

catalog = Catalog.load([sys.argv[1]])
print(*(environment.name for environment in catalog.environments()))
print(*catalog.problems(), file=sys.stderr)
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")))
"""
"""Lists what can be used of a set, and the greatest memory of the process in bytes."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every set is large enough for a stored index; the cache is the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CODEGYM_MCP_CACHE", str(folder))
    monkeypatch.setattr(set_index, "STORED_BYTES", 0)
    return folder


def row(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "code": COUNTER, "tasks": "[]", **changes}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps(each) + "\n" for each in rows)
    else:
        parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=100)
    return path


@KINDS
def test_one_broken_row_in_a_hundred_is_told_with_its_place_and_left_out(tmp_path: Path, kind: str) -> None:
    rows = [row(f"counter_{number}") for number in range(300)]
    # In the body of a function, at its end, and in what the index reads.
    rows[99]["code"] = COUNTER.replace("        return ", "        return ) ", 1)
    rows[199]["code"] = COUNTER + "\n\ndef later():\n    x = '''\n"
    rows[299]["code"] = COUNTER.replace("class Environment", "class Environ")
    catalog = Catalog.load([write(tmp_path / f"set.{kind}", rows)])
    broken = ["counter_99", "counter_199", "counter_299"]
    problems = [str(error) for error in catalog.problems()]
    assert [f"row {number}" in problem for number, problem in zip((100, 200, 300), problems, strict=True)]
    assert ["not valid Python" in problem for problem in problems] == [True, True, False]
    assert [info.name for info in catalog.infos()] == [name for name in catalog.names if name not in broken]
    for name, problem in zip(broken, problems, strict=True):
        with pytest.raises(SourceError) as error:
            catalog.get(name)
        assert str(error.value) == problem


@KINDS
@pytest.mark.parametrize("number", [1, 2])
def test_a_row_of_a_hundred_megabytes_is_one_broken_row_and_the_memory_is_bounded(
    tmp_path: Path, kind: str, number: int
) -> None:
    rows = [row("counter", title=""), row("other", title="")]
    rows.insert(number, row("enormous", title="x" * 100_000_000))
    path = write(tmp_path / f"set.{kind}", rows)
    done = subprocess.run([sys.executable, "-c", LIST, str(path)], check=True, capture_output=True, text=True)
    *listed, peak = done.stdout.split()
    assert listed == ["counter", "other"]
    assert "is longer than 67,108,864 bytes" in done.stderr
    assert int(peak) < (400 if kind == "jsonl" else 900) * MIB


def test_values_that_a_parquet_file_repeats_by_reference_are_read_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The file contains the long value once; read at once, the rows would need it 64 times.
    rows = [row(f"counter_{number}", title="x" * 1_000_000) for number in range(64)]
    path = write(tmp_path / "set.parquet", rows)
    assert path.stat().st_size < 1_000_000
    monkeypatch.setattr(environment_sets, "_BATCH_BYTES", 4_000_000)
    sizes: list[int] = []
    read = parquet.ParquetFile.iter_batches

    def noted(file: parquet.ParquetFile, **options: Any) -> Any:
        for batch in read(file, **options):
            sizes.append(batch.nbytes)
            yield batch

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", noted)
    assert len(list(environment_sets.read_parquet_rows(path))) == 64
    assert max(sizes) < 5_000_000


def replace(path: Path) -> None:
    write(path, [row(f"later_{number}") for number in range(300)])


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [replace, cut_off, remove])
@KINDS
def test_rows_of_a_set_that_changes_in_use_are_those_of_its_opening_or_refused(
    tmp_path: Path, kind: str, change: Any
) -> None:
    path = write(tmp_path / f"set.{kind}", [row(f"counter_{number}") for number in range(300)])
    catalog = Catalog.load([path])
    read = catalog.get("counter_0")
    change(path)
    assert len(list(catalog.infos())) == 300
    assert catalog.get("counter_0") is read
    if kind == "parquet":
        # The index contains the rows.
        assert catalog.get("counter_299").name == "counter_299"
        return
    with pytest.raises(SourceError) as error:
        catalog.get("counter_299")
    told = (
        "cannot be read: No such file"
        if change is remove
        else "row 300: the set has changed since it was opened"
    )
    assert told in str(error.value)


@KINDS
def test_a_set_that_is_cut_off_before_it_is_opened_is_refused_or_loses_its_end(
    tmp_path: Path, kind: str
) -> None:
    path = write(tmp_path / f"set.{kind}", [row(f"counter_{number}") for number in range(300)])
    cut_off(path)
    if kind == "parquet":
        with pytest.raises(SourceError, match="is not a Parquet file"):
            Catalog.load([path])
        return
    catalog = Catalog.load([path])
    (problem,) = catalog.problems()
    assert "the line is not JSON" in str(problem)
    assert len(list(catalog.infos())) == len(catalog) - 1 >= 140
