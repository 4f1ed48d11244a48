"""One damaged row costs one episode: every column of every kind of row, and every part of its data."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import JournalError, NotFoundError
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import FIXTURES

NOT_UTF8 = b"\xff\xfe\x80"
TOO_DEEP = "[" * 100_000 + "]" * 100_000


class Damage(NamedTuple):
    """A value that stands in a column instead of the one that was written.

    Attributes:
        name: names the damaged episode.
        kind: the kind of the damaged row.
        column: the damaged column.
        value: the value in its place; an expression of SQL if it is of the type `Sql`.
    """

    name: str
    kind: str
    column: str
    value: Any


class Sql(str):
    """An expression of SQL."""


VALUES: dict[str, list[Any]] = {
    "episode": ["elsewhere", "", NOT_UTF8, Sql("CAST(x'fffe80' AS TEXT)")],
    "number": [17, -3, "three", 1.5, NOT_UTF8],
    "kind": ["eaten", "", "opened", "call", "submitted", "ended", 5, NOT_UTF8, Sql("CAST(x'ff' AS TEXT)")],
    "at": ["yesterday", "", NOT_UTF8, float("inf")],
    "data": ["", "{", "null", "[]", '"text"', "5", "{}", 5, NOT_UTF8, TOO_DEEP, '{"half": "\\ud800"}'],
}
WRONG_MEMBERS: dict[str, dict[str, list[Any]]] = {
    "opened": {
        "token": [5, None, "", "other-secret"],
        "environment": [5, None, "unknown"],
        "program": [5, None, "0" * 64],
        "task": [
            5,
            {},
            {"id": "", "config": {}},
            {"id": "t", "config": []},
            {"id": "t", "config": {"start": 1}},
        ],
        "settings": [5, {"limits": {"calls": 0}}, {"limits": {"unknown": 1}}, {"unknown": 1}],
    },
    "call": {
        "name": [5, None],
        "arguments": [5, None, [], "x"],
        "result": [5, None, {}, {"text": 5}, {"text": "x", "status": "odd"}, {"text": "x", "unknown": 1}],
        "key": [5, []],
        "digest": [5, None],
        "reason": [5, None],
    },
    "submitted": {"arguments": [5, None, [], {}, {"other": 1}], "key": [5, []]},
    "ended": {
        "state": [5, None, "open", "odd"],
        "reason": [5, None],
        "verdict": [5, None, {}, {"correct": 5, "reward": 1.0}, {"correct": True}],
    },
}
_SNAPSHOT = "SELECT hex(episode), quote(number), hex(kind), hex(data) FROM events"
NUMBERS = {"opened": 0, "call": 1, "submitted": 2, "ended": 3}
"""The number of the row of each kind."""


def damages(data: dict[str, dict[str, Any]]) -> Iterator[Damage]:
    """Returns every damage of every kind of row.

    Args:
        data: undamaged data by kind.
    """
    for kind, members in data.items():
        for column, values in VALUES.items():
            for value in values:
                if value != kind:
                    yield Damage(f"{kind}.{column}={value!r:.30}", kind, column, value)
        yield Damage(f"{kind}.data cut", kind, "data", json.dumps(members)[:-5])
        for member in members:
            rest = {name: value for name, value in members.items() if name != member}
            yield Damage(f"{kind}.data without {member}", kind, "data", json.dumps(rest))
            for value in WRONG_MEMBERS[kind][member]:
                changed = json.dumps({**members, member: value})
                yield Damage(f"{kind}.data.{member}={value!r:.30}", kind, "data", changed)
        yield Damage(f"{kind}.data more", kind, "data", json.dumps({**members, "unknown": 1}))


class Copies:
    """Writes copies of a played episode into the file of a journal, each with its damage."""

    def __init__(self, path: Path, original: str) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                "SELECT number, kind, at, data FROM events WHERE episode = ? ORDER BY number", (original,)
            )
            self.rows: list[tuple[int, str, float, str]] = rows.fetchall()

    def data(self) -> dict[str, dict[str, Any]]:
        return {kind: json.loads(data) for _, kind, _, data in self.rows}

    def add(self, connection: sqlite3.Connection, episode: str, length: int) -> None:
        """Adds the first rows of the original under another id."""
        for number, kind, at, data in self.rows[:length]:
            stored = json.loads(data)
            if kind == "opened":
                stored["token"] = f"{episode}-secret"
            row = (episode, number, kind, at, json.dumps(stored))
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)

    def damage(self, connection: sqlite3.Connection, episode: str, damage: Damage) -> None:
        value = damage.value
        if damage.column == "data" and isinstance(value, str) and damage.kind == "opened":
            # The right token of this copy, where the damage is not to be in the token.
            original = json.loads(self.rows[0][3])["token"]
            value = value.replace(original, f"{episode}-secret")
        if damage.column == "episode" and value == "elsewhere":
            value = f"elsewhere-{episode}"
        place, parameters = ("?", [value]) if not isinstance(value, Sql) else (str(value), [])
        changed = connection.execute(
            f"UPDATE OR REPLACE events SET {damage.column} = {place} WHERE episode = ? AND number = ?",
            [*parameters, episode, NUMBERS[damage.kind]],
        )
        assert changed.rowcount == 1


async def play_original(path: Path, pool: SandboxPool, catalog: Catalog) -> str:
    with Journal.open(path) as journal:
        async with EpisodeManager.serve(catalog, pool, journal) as episodes:
            episode = await episodes.open_task("counter", task="bell-3")
            await episode.call("move", {"floors": 1}, key="k")
            await episode.submit(3, key="s")
    return episode.id


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "counter.py").write_text((FIXTURES / "counter.py").read_text())
    task = {"id": "bell-3", "config": {"start": 1, "bell": 3}}
    (folder / "counter.jsonl").write_text(json.dumps(task))
    return Catalog.load([folder])


@pytest.mark.parametrize(
    ("kind", "ended"),
    [(kind, ended) for kind in NUMBERS for ended in (False, True) if ended or kind != "ended"],
)
async def test_exactly_the_damaged_episodes_are_lost(
    kind: str,
    ended: bool,
    tmp_path: Path,
    pool: SandboxPool,
    catalog: Catalog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "journal.sqlite"
    copies = Copies(path, await play_original(path, pool, catalog))
    # An open episode ends with its submission only if that is the row to be damaged.
    length = 4 if ended else 3 if kind == "submitted" else 2
    chosen = {f"d{number}": each for number, each in enumerate(damages(copies.data())) if each.kind == kind}
    whole = [f"w{number}" for number in range(3)]
    with closing(sqlite3.connect(path)) as connection:
        for episode in (*chosen, *whole):
            copies.add(connection, episode, 2 if episode in whole else length)
        for episode, damage in chosen.items():
            copies.damage(connection, episode, damage)
        connection.commit()
        before = set(connection.execute(_SNAPSHOT))
    with Journal.open(path) as journal, caplog.at_level(logging.ERROR):
        async with EpisodeManager.serve(catalog, pool, journal) as episodes:
            for episode in whole:
                found = episodes.by_token(f"{episode}-secret")
                assert (await found.call("listen", {})).value == {"floor": 2, "sound": "above"}
            states = {episode: state_of(episodes, episode) for episode in chosen}
            unexpected = {
                damage.name: states[episode]
                for episode, damage in chosen.items()
                if states[episode] not in expected(damage, ended)
            }
            assert unexpected == {}
            assert episodes.open_count == len(whole) + sum(state == "open" for state in states.values())
    with closing(sqlite3.connect(path)) as connection:
        after = set(connection.execute(_SNAPSHOT))
    assert before <= after
    if not ended:
        unnamed = [each for each in chosen if f"Episode {each!r} cannot continue" not in caplog.text]
        assert {chosen[each].name for each in unnamed if not is_found_later(chosen[each])} == set()
    # A second server finds nothing more to fail.
    caplog.clear()
    with Journal.open(path) as journal, caplog.at_level(logging.ERROR):
        async with EpisodeManager.serve(catalog, pool, journal):
            pass
    assert "cannot continue" not in caplog.text


def state_of(episodes: EpisodeManager, episode: str) -> str:
    try:
        return episodes.by_id(episode).state
    except JournalError:
        return "unreadable"
    except NotFoundError:
        return "not found"


def is_found_later(damage: Damage) -> bool:
    """Whether a server may start without a message about this damage."""
    # Under its damaged id the row is that of another episode, and as an end it is read only when it is asked for.
    # An answer that is not one is found when it is judged.
    return damage.column == "episode" or damage.value == "ended" or damage.name in _HARMLESS_AFTER_THE_END


def expected(damage: Damage, ended: bool) -> set[str]:
    """Returns the states in which an episode with this damage may be found."""
    lost = {EpisodeState.FAILED, "unreadable", "not found"}
    is_last = damage.kind == ("ended" if ended else "submitted") or (damage.kind == "call" and not ended)
    if damage.column == "episode" and is_last:
        # The row is as if it had never been written: the call was not made, or the answer is judged again.
        return {EpisodeState.SUBMITTED} if ended else {EpisodeState.OPEN}
    if ended and damage.name in _HARMLESS_AFTER_THE_END:
        return {EpisodeState.SUBMITTED}
    return lost


_HARMLESS_AFTER_THE_END = frozenset(
    {
        "opened.data.program='00000000000000000000000000000",
        "opened.data.task={'id': 't', 'config': {'start'",
        "submitted.data.arguments={}",
        "submitted.data.arguments={'other': 1}",
    }
)
"""Damage to what is needed only to continue an episode."""
