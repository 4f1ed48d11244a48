"""A journal's file that was damaged, or that is something else."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import EndedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import JournalError


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a journal of some pages."""
    path = tmp_path_factory.mktemp("whole") / "journal.sqlite"

    async def write() -> None:
        with Journal.open(path) as journal:
            for episode in range(40):
                await journal.append(
                    f"e{episode}", 0, EndedEvent(state=EpisodeState.CLOSED, reason="x" * 500)
                )

    asyncio.run(write())
    return path.read_bytes()


def opened(path: Path) -> list[str]:
    with Journal.open(path) as journal:
        return [opening.episode for opening in journal.openings(before=None, limit=100)]


@given(data=st.data())
def test_a_file_that_was_cut_is_refused_with_the_next_step_and_left_as_it_is(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, len(content) - 1) | st.sampled_from([0, 1, 99, 100, 4096, 8192]))
    path = tmp_path_factory.mktemp("cut") / "journal.sqlite"
    path.write_bytes(content[:length])
    with pytest.raises(JournalError, match="Restore it from a backup, or move it away") as caught:
        opened(path)
    assert str(path) in caught.value.message
    assert path.read_bytes() == content[:length]


def test_the_whole_file_is_opened(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    assert sorted(opened(path)) == sorted(f"e{episode}" for episode in range(40))


def test_an_empty_file_is_not_taken_for_a_new_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.touch()
    with pytest.raises(JournalError, match="is empty: its content was lost"):
        opened(path)
    assert path.stat().st_size == 0


def test_a_journal_without_any_event_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    assert opened(path) == []
    assert opened(path) == []
    assert [file.name for file in tmp_path.iterdir()] == ["journal.sqlite"]


def test_a_file_that_is_not_a_journal_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a journal, but long enough to be taken for the header of a database" * 10)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE events (other TEXT)")
    connection.close()
    for path in (text, tmp_path, text / "below", foreign):
        with pytest.raises(JournalError, match="cannot be opened"):
            opened(path)


def test_a_journal_is_opened_by_two_processes_that_create_it_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as one, Journal.open(path) as other:
        asyncio.run(one.append("a", 0, EndedEvent(state=EpisodeState.CLOSED)))
        assert other.next_number("a") == 1
