"""The journals of a data folder, when the number of processes changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegym_mcp.episodes.episode_shards import Shard, shard_of
from codegym_mcp.episodes.journal_file import open_journal_file
from codegym_mcp.episodes.journal_shards import divide_journals
from codegym_mcp.errors import JournalError

Row = tuple[str, int, str, float, str]
ROWS: set[Row] = {
    (f"{episode:016x}", number, "call", 1.5 * number, "{}") for episode in range(40) for number in range(3)
}


def write(path: Path, rows: set[Row]) -> None:
    with open_journal_file(path) as journal:
        journal.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", sorted(rows))


def read(folder: Path) -> dict[str, set[Row]]:
    """Returns the rows of each journal by the file's name."""
    found = {}
    for path in folder.glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as journal:
            found[path.name] = set(journal.execute("SELECT episode, number, kind, at, data FROM events"))
    return found


def divided(count: int) -> dict[str, set[Row]]:
    """Returns how the rows are to be divided among shards."""
    return {
        Shard(index, count).journal_name: {row for row in ROWS if shard_of(row[0], count) == index}
        for index in range(count)
    }


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_every_event_is_in_the_journal_of_its_shard_whatever_the_numbers_were_before(
    counts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("data")
    write(folder / "journal.sqlite", ROWS)
    for count in counts:
        divide_journals(folder, count)
        assert read(folder) == divided(count)


def test_nothing_is_lost_or_doubled_if_a_division_was_interrupted(tmp_path: Path) -> None:
    write(tmp_path / "journal.sqlite", ROWS)
    # A division into three was interrupted after a part of the copies, and the next start has two workers.
    write(tmp_path / "journal-1-of-3.sqlite", {row for row in ROWS if shard_of(row[0], 3) == 0})
    write(tmp_path / "journal-2-of-3.sqlite", set())
    divide_journals(tmp_path, 2)
    assert read(tmp_path) == divided(2)


def test_damaged_rows_stay_in_one_of_the_journals(tmp_path: Path) -> None:
    write(tmp_path / "journal.sqlite", set())
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as journal:
        damaged = [(b"\xff\xfe", 0, "call", 1.0, "{}"), (17, "nought", "call", 1.0, b"\x00")]
        journal.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", damaged)
        journal.commit()
    divide_journals(tmp_path, 3)
    assert sum(map(len, read(tmp_path).values())) == 2


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "journal.sqlite", ROWS)
    (tmp_path / "journal-backup.sqlite").write_text("mine")
    (tmp_path / "curriculum.json").write_text("{}")
    divide_journals(tmp_path, 2)
    assert (tmp_path / "journal-backup.sqlite").read_text() == "mine"
    assert (tmp_path / "curriculum.json").exists()


def test_a_journal_that_cannot_be_read_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "journal-1-of-2.sqlite").write_text("no database" * 100)
    with pytest.raises(JournalError, match=r"journal-1-of-2\.sqlite cannot be opened"):
        divide_journals(tmp_path, 1)
    assert (tmp_path / "journal-1-of-2.sqlite").exists()
