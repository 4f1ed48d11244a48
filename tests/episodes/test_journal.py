import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from codegym_mcp.episodes.events import Event
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.tool_outcome import digest
from codegym_mcp.errors import JournalError

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(params=["memory", "file"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.sqlite" if request.param == "file" else None) as opened:
        yield opened


def told(events: list[Event]) -> list[tuple[int, str, Any]]:
    return [(event.number, event.kind, event.data) for event in events]


async def test_events_come_back_in_their_order(journal: Journal) -> None:
    await journal.append("b", 0, "opened", {"task": 1})
    await journal.append("a", 0, "opened", {})
    await journal.append("b", 1, "call", {"name": "move"})
    assert told(journal.events("b")) == [(0, "opened", {"task": 1}), (1, "call", {"name": "move"})]
    assert told(journal.events("a")) == [(0, "opened", {})]
    assert journal.events("c") == []


async def test_episodes_are_open_until_they_end(journal: Journal) -> None:
    for episode in "abc":
        await journal.append(episode, 0, "opened", {})
    await journal.append("a", 1, "ended", {})
    await journal.append("b", 1, "submitted", {})
    assert sorted(journal.open_episodes()) == ["b", "c"]


async def test_events_of_one_moment_are_all_written(journal: Journal) -> None:
    async with anyio.create_task_group() as tasks:
        for episode in range(50):
            for number in range(4):
                tasks.start_soon(journal.append, f"e{episode}", number, "call", {"n": number})
    for episode in range(50):
        assert [event.number for event in journal.events(f"e{episode}")] == [0, 1, 2, 3]


async def test_an_event_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    with Journal.open(path) as journal:
        await journal.append("a", 0, "opened", {"ä": "ö"})
        with Journal.open(path) as other:
            assert told(other.events("a")) == [(0, "opened", {"ä": "ö"})]
    with Journal.open(path) as again:
        assert told(again.events("a")) == [(0, "opened", {"ä": "ö"})]


async def test_a_number_is_used_once(journal: Journal) -> None:
    await journal.append("a", 0, "opened", {"first": True})
    with pytest.raises(JournalError, match="cannot be written"):
        await journal.append("a", 0, "opened", {"first": False})
    await journal.append("a", 1, "call", {})
    assert told(journal.events("a")) == [(0, "opened", {"first": True}), (1, "call", {})]


async def test_data_that_is_not_json_is_refused_and_nothing_else_with_it(journal: Journal) -> None:
    with pytest.raises(JournalError, match="not JSON"):
        await journal.append("a", 0, "opened", {"half": "\ud800"})
    await journal.append("a", 0, "opened", {})
    assert told(journal.events("a")) == [(0, "opened", {})]


async def test_a_waiter_that_is_cancelled_leaves_its_event_written(journal: Journal) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(journal.append, "a", 0, "opened", {})
        tasks.start_soon(journal.append, "b", 0, "opened", {})
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    await journal.append("c", 0, "opened", {})
    assert sorted(journal.open_episodes()) == ["a", "b", "c"]


async def test_a_journal_that_fails_tells_everyone_who_waits_and_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    failures = []

    async def append(journal: Journal, episode: str) -> None:
        try:
            await journal.append(episode, 0, "opened", {})
        except JournalError as error:
            failures.append(error)

    with Journal.open(path) as journal:
        with sqlite3.connect(path) as other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        async with anyio.create_task_group() as tasks:
            for episode in "abc":
                tasks.start_soon(append, journal, episode)
        assert [str(error) for error in failures] == ["The journal cannot be written: disk full."] * 3
        with sqlite3.connect(path) as other:
            other.execute("DROP TRIGGER full")
        await journal.append("d", 0, "opened", {})
        assert journal.open_episodes() == ["d"]
        other.close()


async def test_a_damaged_event_is_told_with_its_episode(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as journal:
        for episode in "abc":
            await journal.append(episode, 0, "opened", {})
        with sqlite3.connect(path) as other:
            other.execute("UPDATE events SET data = '{' WHERE episode = 'a'")
            other.execute("UPDATE events SET kind = 'eaten' WHERE episode = 'b'")
        other.close()
        for episode in "ab":
            with pytest.raises(JournalError, match=f"of episode {episode} cannot be read"):
                journal.events(episode)
        assert told(journal.events("c")) == [(0, "opened", {})]


def test_what_is_no_journal_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a journal, but long enough to be taken for the head of a data base" * 10)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE events (other TEXT)")
    connection.close()
    for path in (text, tmp_path, text / "below", foreign):
        with pytest.raises(JournalError, match="cannot be opened"), Journal.open(path):
            pass


def test_a_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    # It holds the tokens of episodes and their hidden configurations.
    path = tmp_path / "journal.sqlite"
    with Journal.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.dictionaries(st.text(), plain, max_size=4))
async def test_data_survives_the_journal_and_keeps_its_digest(data: dict[str, Any]) -> None:
    with Journal.open() as journal:
        await journal.append("a", 0, "call", data)
        (event,) = journal.events("a")
    assert event.data == data
    assert digest(event.data) == digest(data)


async def test_an_event_that_is_not_there_is_told(journal: Journal) -> None:
    await journal.append("a", 0, "opened", {"task": 1})
    assert journal.event("a", 0).data == {"task": 1}
    for episode, number in (("a", 1), ("b", 0)):
        with pytest.raises(JournalError, match=f"of episode {episode} has no event {number}"):
            journal.event(episode, number)


async def test_an_event_is_kept_as_it_was(journal: Journal) -> None:
    data = {"arguments": {"floors": [1]}}
    await journal.append("a", 0, "call", data)
    data["arguments"]["floors"].append(2)
    assert journal.event("a", 0).data == {"arguments": {"floors": [1]}}


async def test_what_is_forgotten_stays_in_a_file_and_nowhere_else(tmp_path: Path) -> None:
    for path, kept in ((None, 0), (tmp_path / "journal.sqlite", 1)):
        with Journal.open(path) as journal:
            await journal.append("a", 0, "opened", {})
            await journal.append("b", 0, "opened", {})
            for _ in range(2):
                journal.forget("a")
            assert [len(journal.events(episode)) for episode in "ab"] == [kept, 1]


@given(plain, plain)
def test_digests_differ_where_json_differs(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) is (to_json(one) == to_json(other))
