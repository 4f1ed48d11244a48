import json
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from codegym_harness.export.row_writers import check_target, open_rows
from codegym_mcp.errors import CodegymError, MissingExtraError

COLUMNS = {"system": "text", "agent": "JSON", "messages": "list of JSON", "conversations": "list of turns"}
ROWS = [
    {
        "system": "ü\u2028\n",
        "agent": {"name": "a", "n": None},
        "messages": [{"role": "user"}, {"role": "tool", "arguments": {"big": 2**70, "f": 0.1}}],
        "conversations": [{"from": "human", "value": "🔔"}],
    },
    {"system": "", "agent": {"other": [1]}, "messages": [], "conversations": []},
]


def write(path, rows):
    with open_rows(path, COLUMNS) as add:
        for row in rows:
            add(row)


def test_readers_that_split_with_unicode_rules_find_whole_rows(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", ROWS)
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == ROWS


def test_json_lines_hold_a_row_each(tmp_path: Path) -> None:
    write(tmp_path / "new" / "rows.jsonl", ROWS)
    data = (tmp_path / "new" / "rows.jsonl").read_bytes()
    assert [json.loads(line) for line in data.split(b"\n")[:-1]] == ROWS


@pytest.mark.parametrize("count", [1, 256, 600])
def test_parquet_holds_every_row_with_json_as_it_is(tmp_path: Path, count) -> None:
    rows = [ROWS[number % 2] for number in range(count)]
    write(tmp_path / "rows.parquet", rows)
    table = pyarrow.parquet.read_table(tmp_path / "rows.parquet")
    assert table.schema.field("agent").type == pyarrow.json_()
    assert table.schema.field("messages").type.value_type == pyarrow.json_()
    found = [
        {
            **row,
            "agent": json.loads(row["agent"]),
            "messages": [json.loads(message) for message in row["messages"]],
        }
        for row in table.to_pylist()
    ]
    assert found == rows


def test_parquet_is_written_in_row_groups(tmp_path: Path) -> None:
    write(tmp_path / "rows.parquet", ROWS * 300)
    assert pyarrow.parquet.ParquetFile(tmp_path / "rows.parquet").num_row_groups == 3


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_an_unfinished_file_replaces_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")

    def fail():
        with open_rows(tmp_path / name, COLUMNS) as add:
            add(ROWS[0])
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "before"
    write(tmp_path / name, ROWS)
    assert (tmp_path / name).read_bytes() != b"before"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CodegymError, match="cannot be written"):
        write(tmp_path / "file" / "rows.jsonl", ROWS)


@pytest.mark.parametrize("name", ["rows", "rows.json", "rows.csv"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CodegymError, match=r"neither \.jsonl nor \.parquet"):
        check_target(tmp_path / name)


def test_without_pyarrow_the_error_names_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pip install"):
        check_target(tmp_path / "rows.parquet")
    check_target(tmp_path / "rows.jsonl")
