import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import CallEvent, EndedEvent, Event, OpenedEvent, SubmittedEvent
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


def opening(episode: str = "a", **config: Any) -> OpenedEvent:
    return OpenedEvent(
        token=f"{episode}-secret",
        environment="counter",
        program="0" * 64,
        task=Task(id="task", config=config),
        settings=EpisodeSettings(),
    )


def call(name: str = "move", **arguments: Any) -> CallEvent:
    return CallEvent(name=name, arguments=arguments, result=CallResult(text="1"), digest="ab")


async def test_events_are_returned_in_their_order(journal: Journal) -> None:
    events: dict[str, list[Event]] = {
        "a": [opening("a")],
        "b": [
            opening("b", floors=1),
            call(),
            SubmittedEvent(arguments={"answer": 3}, key="k"),
            EndedEvent(state=EpisodeState.SUBMITTED, verdict=Verdict(correct=True, reward=1.0)),
        ],
    }
    for episode, expected in events.items():
        for number, event in enumerate(expected):
            await journal.append(episode, number, event)
    for episode, expected in events.items():
        assert journal.events(episode) == expected
    assert journal.events("c") == []


async def test_episodes_are_open_until_they_end(journal: Journal) -> None:
    for episode in "abc":
        await journal.append(episode, 0, opening(episode))
    await journal.append("a", 1, EndedEvent(state=EpisodeState.CLOSED))
    await journal.append("b", 1, SubmittedEvent(arguments={}))
    assert sorted(journal.open_episodes()) == ["b", "c"]


async def test_events_of_one_moment_are_all_written(journal: Journal) -> None:
    async with anyio.create_task_group() as tasks:
        for episode in range(50):
            for number in range(4):
                event = call(f"tool_{number}") if number else opening(f"e{episode}")
                tasks.start_soon(journal.append, f"e{episode}", number, event)
    for episode in range(50):
        names = [event.name for event in journal.events(f"e{episode}") if isinstance(event, CallEvent)]
        assert names == ["tool_1", "tool_2", "tool_3"]


async def test_an_event_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    event = opening(ä="ö")
    with Journal.open(path) as journal:
        await journal.append("a", 0, event)
        with Journal.open(path) as other:
            assert other.events("a") == [event]
    with Journal.open(path) as again:
        assert again.events("a") == [event]


async def test_a_number_is_used_once(journal: Journal) -> None:
    first = opening(first=True)
    await journal.append("a", 0, first)
    with pytest.raises(JournalError, match="cannot be written"):
        await journal.append("a", 0, opening(first=False))
    await journal.append("a", 1, EndedEvent(state=EpisodeState.CLOSED))
    assert journal.events("a")[0] == first
    assert journal.next_number("a") == 2


async def test_an_event_that_is_not_json_data_is_refused_and_no_other_event_with_it(journal: Journal) -> None:
    with pytest.raises(JournalError, match="not JSON"):
        await journal.append("a", 0, opening(half="\ud800"))
    await journal.append("a", 0, opening())
    assert len(journal.events("a")) == 1


async def test_the_event_of_a_cancelled_caller_is_written(journal: Journal) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(journal.append, "a", 0, opening("a"))
        tasks.start_soon(journal.append, "b", 0, opening("b"))
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    await journal.append("c", 0, opening("c"))
    assert sorted(journal.open_episodes()) == ["a", "b", "c"]


async def test_a_failed_write_is_reported_to_every_caller_and_later_writes_succeed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    failures = []

    async def append(journal: Journal, episode: str) -> None:
        try:
            await journal.append(episode, 0, opening(episode))
        except JournalError as error:
            failures.append(error)

    with Journal.open(path) as journal:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        async with anyio.create_task_group() as tasks:
            for episode in "abc":
                tasks.start_soon(append, journal, episode)
        assert [str(error) for error in failures] == ["The journal cannot be written: disk full."] * 3
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DROP TRIGGER full")
        await journal.append("d", 0, opening("d"))
        assert journal.open_episodes() == ["d"]
        other.close()


def test_the_file_of_a_journal_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    # It holds the tokens of episodes and their hidden configurations.
    path = tmp_path / "journal.sqlite"
    with Journal.open(path):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        assert set(modes.values()) == {0o600}, modes


@given(st.dictionaries(st.text(), plain, max_size=4))
async def test_arguments_are_returned_as_they_were_and_keep_their_digest(arguments: dict[str, Any]) -> None:
    with Journal.open() as journal:
        await journal.append("a", 0, opening())
        await journal.append("a", 1, CallEvent(name="t", arguments=arguments, result=CallResult(text="")))
        event = journal.event("a", 1)
    assert isinstance(event, CallEvent)
    assert event.arguments == arguments
    assert digest(event.arguments) == digest(arguments)


async def test_infinities_in_a_configuration_are_kept(journal: Journal) -> None:
    await journal.append("a", 0, opening(most=float("inf")))
    (event,) = journal.events("a")
    assert isinstance(event, OpenedEvent)
    assert event.task.config == {"most": float("inf")}


async def test_an_unknown_event_is_an_error(journal: Journal) -> None:
    await journal.append("a", 0, opening())
    assert journal.event("a", 0).kind == "opened"
    for episode, number in (("a", 1), ("b", 0)):
        with pytest.raises(JournalError, match=f"of episode {episode} has no event {number}"):
            journal.event(episode, number)


async def test_an_event_does_not_change_with_the_data_it_was_made_of(journal: Journal) -> None:
    floors = [1]
    await journal.append("a", 0, opening())
    await journal.append("a", 1, call(floors=floors))
    floors.append(2)
    event = journal.event("a", 1)
    assert isinstance(event, CallEvent)
    assert event.arguments == {"floors": [1]}


async def test_a_forgotten_episode_stays_in_a_file_and_leaves_memory(tmp_path: Path) -> None:
    for path, kept in ((None, 0), (tmp_path / "journal.sqlite", 1)):
        with Journal.open(path) as journal:
            await journal.append("a", 0, opening("a"))
            await journal.append("b", 0, opening("b"))
            for _ in range(2):
                journal.forget("a")
            assert [len(journal.events(episode)) for episode in "ab"] == [kept, 1]


@given(plain, plain)
def test_digests_differ_where_json_differs(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) is (to_json(one) == to_json(other))


# --- rows of an earlier version


@pytest.mark.parametrize(
    ("status", "is_error"), [("ok", False), ("refused", True), ("invalid", True), ("failed", True)]
)
def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path, status: str, is_error: bool) -> None:
    path = tmp_path / "journal.sqlite"
    result = {"text": "1", "structured": None, "is_error": is_error, "over": False}
    rows = [
        ("opened", opening().model_dump(exclude={"kind", "at"})),
        (
            "call",
            {
                "name": "move",
                "arguments": {"floors": 1},
                "key": None,
                "status": status,
                "digest": "ab",
                "result": result,
                "reason": "why",
            },
        ),
        ("submitted", {"arguments": {"answer": 3}, "key": "k"}),
        ("ended", {"state": "submitted", "reason": "", "verdict": {"correct": True, "reward": 1.0}}),
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        # The table as the earlier version created it, without an index.
        connection.execute(
            "CREATE TABLE events (episode TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, "
            "at REAL NOT NULL, data TEXT NOT NULL, PRIMARY KEY (episode, number)) WITHOUT ROWID"
        )
        for number, (kind, data) in enumerate(rows):
            stored = ("a", number, kind, 1.5, to_json(data).decode())
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", stored)
    connection.close()
    with Journal.open(path) as journal:
        _, called, submitted, ended = journal.events("a")
    assert isinstance(called, CallEvent)
    assert called.result == CallResult(text="1", status=CallStatus(status))
    assert (called.at, called.status, called.reason) == (1.5, status, "why")
    assert isinstance(submitted, SubmittedEvent)
    assert submitted.key == "k"
    assert isinstance(ended, EndedEvent)
    assert ended.verdict == Verdict(correct=True, reward=1.0)


async def test_a_process_that_opens_and_closes_a_journal_in_use_loses_no_events(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    program = (
        "import sys; from pathlib import Path; from codegym_mcp.episodes.journal import Journal\n"
        "with Journal.open(Path(sys.argv[1])) as journal:\n"
        "    print(len(journal.openings(before=None, limit=9)), len(journal.events('a')))"
    )

    def look() -> str:
        command = [sys.executable, "-c", program, str(path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    with Journal.open(path) as journal:
        await journal.append("a", 0, opening())
        assert look() == "1 1"
        await journal.append("a", 1, EndedEvent(state=EpisodeState.CLOSED))
        assert look() == "1 2"
