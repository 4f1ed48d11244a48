"""The life of an episode, and what the core does when everything in it goes wrong."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegym_mcp.episode_interface import CallResult, CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import CallEvent, EndedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.replay import ReplayableEnvironment
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFaultError,
    JournalError,
    LimitError,
)
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.environment import Environment, Task
from tests.conftest import Declare, OpenEpisode

SECRET = "zq93-secret"

TROUBLE = '''
"""Find the word."""
META = {"title": "Trouble", "public": ["label"]}
class Environment:
    def __init__(self, label: str, secret: str):
        self.secret = secret
        self.count = 0
    def step(self) -> int:
        """Count one more."""
        self.count += 1
        return self.count
    def guess(self, word: str) -> bool:
        """Guess.

        Args:
            word: your guess.
        """
        self.count += 1
        return word == self.secret
    def refuse(self) -> int:
        """Refuse."""
        self.count += 1
        raise ValueError(f"count is {self.count}")
    def crash(self) -> int:
        """Fail in a way that the environment's author did not think of."""
        self.count += 1
        return {}[self.secret]
    def loop(self) -> int:
        """Never return."""
        self.count += 1
        while True:
            pass
    def swell(self) -> int:
        """Take all memory."""
        self.count += 1
        return len([0] * 10 ** 11)
    def chatter(self, length: int) -> str:
        """Say much.

        Args:
            length: how much.
        """
        self.count += 1
        return "ä" * length
    def complain(self, length: int) -> str:
        """Refuse with many words.

        Args:
            length: how many.
        """
        self.count += 1
        raise ValueError("x" * length)
    def echo(self, value: object) -> object:
        """Give back.

        Args:
            value: anything.
        """
        return value
    def kinds(self, members: set[int], pair: tuple[int, str], names: dict[str, list[int]]) -> list[str]:
        """Tell how the arguments arrive.

        Args:
            members: a set.
            pair: a tuple.
            names: a dict.
        """
        return [str(members), str(pair), str(names)]
    def sets(self) -> set[int]:
        """Return a set."""
        return {3, 1, 2}
    def wrong_type(self) -> int:
        """Break the schema."""
        return self.secret
    def truth(self) -> int:
        """Break the schema in a way that Python does not mind."""
        return True
    def double(self) -> set[int]:
        """Return a set that is none."""
        return [1, 1]
    def not_a_number(self) -> float:
        """Return NaN."""
        return float("nan")
    def infinite(self) -> list[float]:
        """Return an infinity."""
        return [float("inf")]
    def half(self) -> str:
        """Return half of a surrogate pair."""
        return chr(55296)
    def half_refusal(self) -> str:
        """Refuse with half of a surrogate pair."""
        raise ValueError(chr(55296))
    def method(self) -> object:
        """Return what is no data."""
        return [self.step]
    def generator(self) -> int:
        """Return a generator."""
        yield 1
    def nest(self, depth: int) -> list:
        """Return lists within lists.

        Args:
            depth: how many.
        """
        nested = []
        for _ in range(depth):
            nested = [nested]
        return nested
    def endless(self) -> int:
        """Return a number of many digits."""
        return 10 ** 5000
def reference(label: str, secret: str) -> str:
    return secret
def solve(tools, label):
    return ""
'''


@pytest.fixture
def trouble(declare: Declare) -> Environment:
    return declare(TROUBLE, name="trouble")


@pytest.fixture
async def episode(trouble: Environment, open_episode: OpenEpisode) -> Episode:
    return await open_episode(
        trouble, {"label": "a", "secret": SECRET}, call_seconds=0.3, memory_bytes=64 << 20, result_bytes=1000
    )


async def count(episode: Episode) -> int:
    """Counts one more and says how many there were before."""
    result = await episode.call("step", {})
    assert not result.is_error, result.text
    return int(result.value) - 1


def kept(journal: Journal, episode: Episode) -> list[tuple[str, str]]:
    """The journal of an episode in short: its kinds, with a call's status and the state at the end."""
    return [
        (event.kind, str(getattr(event, "status", getattr(event, "state", ""))))
        for event in journal.events(episode.id)
    ]


def last_call(journal: Journal, episode: Episode) -> CallEvent:
    event = journal.events(episode.id)[-1]
    assert isinstance(event, CallEvent)
    return event


def ending(journal: Journal, episode: Episode) -> EndedEvent:
    event = journal.events(episode.id)[-1]
    assert isinstance(event, EndedEvent)
    return event


def everything(result: CallResult) -> str:
    return result.model_dump_json()


# --- a complete episode


async def test_an_episode_is_played_from_its_opening_to_its_end(
    counter: Environment, open_episode: OpenEpisode, journal: Journal
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    assert episode.task.text.startswith("A lift stands at floor 1.")
    assert episode.task.public == {"start": 1}
    assert [tool.name for tool in episode.tools] == ["move", "listen"]
    assert episode.submission.name == "submit_answer"
    heard = await episode.call("listen", {})
    assert heard.structured == {"floor": 1, "sound": "above"}
    assert json.loads(heard.text) == heard.structured
    assert (await episode.call("move", {"floors": 2})).structured == {"result": 3}
    end = await episode.submit(3)
    assert (end.is_error, end.over) == (False, True)
    assert (episode.state, episode.calls) == (EpisodeState.SUBMITTED, 2)
    assert episode.verdict is not None
    assert (episode.verdict.correct, episode.verdict.reward) == (True, 1.0)
    assert kept(journal, episode) == [
        ("opened", ""),
        ("call", "ok"),
        ("call", "ok"),
        ("submitted", ""),
        ("ended", "submitted"),
    ]
    assert ending(journal, episode).verdict == Verdict(correct=True, reward=1.0)


async def test_episodes_of_one_task_share_nothing(counter: Environment, open_episode: OpenEpisode) -> None:
    one = await open_episode(counter, {"start": 0, "bell": 5})
    other = await open_episode(counter, {"start": 0, "bell": 5})
    for floor in range(1, 4):
        assert (await one.call("move", {"floors": 1})).value == floor
        assert (await other.call("move", {"floors": -1})).value == -floor
    assert one.id != other.id
    assert one.token != other.token
    await one.submit(5)
    assert (await other.call("move", {"floors": 0})).value == -3


@pytest.mark.parametrize("answer", [3, 4])
async def test_the_first_submission_is_final_and_every_call_afterwards_is_refused(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, answer: int
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    await episode.submit(answer)
    verdict, events = episode.verdict, len(journal.events(episode.id))
    for result in (
        await episode.submit(3),
        await episode.submit("a"),
        await episode.call("listen", {}),
        await episode.call("move", {"floors": 1}),
        await episode.call("no such tool", {}),
        await episode.call("submit_answer", {"answer": 3}),
    ):
        assert (result.is_error, result.over) == (True, True)
        assert "over (submitted)" in result.text
    assert (episode.verdict, episode.calls) == (verdict, 0)
    assert len(journal.events(episode.id)) == events
    await episode.close("Late.")
    assert episode.state is EpisodeState.SUBMITTED


@pytest.mark.parametrize("arguments", [{}, {"answer": "3"}, {"answer": True}, {"answer": 3.0}, {"Answer": 3}])
async def test_a_submission_of_another_type_is_refused_and_the_episode_stays_open(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, arguments: dict[str, Any]
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    result = await episode.call("submit_answer", arguments)
    assert (result.is_error, result.over) == (True, False)
    assert "Nothing was submitted." in result.text
    assert "nswer" in result.text
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)
    assert kept(journal, episode)[-1] == ("call", "invalid")
    await episode.submit(3)
    assert episode.verdict is not None
    assert episode.verdict.correct


@pytest.mark.parametrize(("answer", "words"), [(3, "It is correct."), (4, "It is not correct.")])
async def test_the_agent_sees_the_verdict_only_if_the_episode_was_opened_with_reveal(
    counter: Environment, open_episode: OpenEpisode, answer: int, words: str
) -> None:
    told = await (await open_episode(counter, {"start": 1, "bell": 3}, reveal=True)).submit(answer)
    assert words in told.text
    assert told.structured == {"received": True, "correct": answer == 3, "reward": float(answer == 3)}
    untold = await (await open_episode(counter, {"start": 1, "bell": 3})).submit(answer)
    assert untold.structured == {"received": True}
    assert "correct" not in untold.text


async def test_correct_and_incorrect_answers_get_the_same_acknowledgement(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    replies = {
        everything(await (await open_episode(counter, {"start": 1, "bell": 3})).submit(answer))
        for answer in (3, 4)
    }
    assert len(replies) == 1


# --- refusals


async def test_a_refusal_has_the_tools_own_text_and_its_earlier_effects_remain(
    episode: Episode,
) -> None:
    result = await episode.call("refuse", {})
    assert (result.text, result.is_error, result.over) == ("count is 1", True, False)
    assert await count(episode) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("stepp", {}, "Did you mean step"),
        ("", {}, "no such tool"),
        ("zzz", {}, "There is no tool named 'zzz'"),
        ("__init__", {}, "There is no tool named"),
        ("count", {}, "There is no tool named"),
        ("secret", {}, "There is no tool named"),
        ("x" * 5000, {}, "There is no tool named"),
        ("step", {"more": 1}, "more is not a parameter"),
        ("guess", {}, "word is required"),
        ("guess", {"word": 3}, "word should be a valid string, not 3"),
        ("guess", {"word": "\ud800"}, "not JSON"),
        ("\ud800", {}, "not JSON"),
        ("echo", {"value": float("nan")}, "not JSON"),
        ("echo", {"value": [float("inf")]}, "not JSON"),
        ("echo", {"value": "x" * 300_000}, "are allowed"),
        ("submit_answer", {"answer": "x" * 300_000}, "are allowed"),
        ("submit_answer", {"answer": "\ud800"}, "not JSON"),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_a_call_that_cannot_be_made_is_refused_counted_and_recorded(
    episode: Episode, journal: Journal, name: str, arguments: dict[str, Any], words: str
) -> None:
    result = await episode.call(name, arguments)
    assert (result.is_error, result.over) == (True, False)
    assert words in result.text
    assert len(result.text.encode()) < 500
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)
    assert kept(journal, episode) == [("opened", ""), ("call", "invalid")]
    assert await count(episode) == 0


async def test_a_tool_receives_arguments_as_plain_json(episode: Episode) -> None:
    arguments = {"members": [2, 1], "pair": [1, "a"], "names": {"a": [1]}}
    told = await episode.call("kinds", arguments)
    assert told.value == ["[2, 1]", "[1, 'a']", "{'a': [1]}"]
    refused = await episode.call("kinds", {**arguments, "members": [1, 1]})
    assert "members should be a list of distinct members" in refused.text


async def test_a_set_is_returned_as_a_sorted_list(episode: Episode) -> None:
    assert (await episode.call("sets", {})).structured == {"result": [1, 2, 3]}


# --- limits


async def test_when_all_calls_are_used_up_the_next_one_ends_the_episode(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3}, calls=3)
    await episode.call("move", {"floors": 1})
    await episode.call("no such tool", {})
    await episode.submit("no number")
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 3)
    result = await episode.call("listen", {})
    assert (result.is_error, result.over) == (True, True)
    assert "All 3 calls are used up" in result.text
    assert (episode.state, episode.calls, episode.verdict) == (EpisodeState.OUT_OF_CALLS, 3, None)
    assert "out of calls" in (await episode.submit(3)).text


async def test_the_submission_is_not_counted_as_a_call(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3}, calls=1)
    await episode.call("move", {"floors": 1})
    await episode.submit(3)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_refused_submissions_use_up_calls(counter: Environment, open_episode: OpenEpisode) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3}, calls=2)
    for _ in range(2):
        assert not (await episode.submit("no number")).over
    assert (await episode.submit("no number")).over
    assert (episode.state, episode.calls) == (EpisodeState.OUT_OF_CALLS, 2)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("loop", {}, "It took longer than 0.3 seconds."),
        ("swell", {}, "It needed more memory than is allowed."),
        ("chatter", {"length": 700}, "Its result has 1400 bytes, 1000 are allowed."),
        ("chatter", {"length": 2_000_000}, "The result is too large."),
        ("complain", {"length": 1001}, "Its result has 1001 bytes, 1000 are allowed."),
    ],
    ids=["time", "memory", "result", "frame", "refusal"],
)
async def test_a_call_that_exceeds_a_limit_has_no_effect(
    episode: Episode, journal: Journal, name: str, arguments: dict[str, Any], words: str
) -> None:
    await count(episode)
    await episode.call("refuse", {})
    result = await episode.call(name, arguments)
    assert result.text == f"The call had no effect. {words}"
    assert (result.is_error, result.over) == (True, False)
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 3)
    assert kept(journal, episode)[-1] == ("call", "limit")
    assert last_call(journal, episode).reason
    assert await count(episode) == 2


async def test_the_same_limit_can_be_exceeded_repeatedly(episode: Episode) -> None:
    for turn in range(2):
        assert (await episode.call("loop", {})).text.startswith("The call had no effect.")
        assert await count(episode) == turn


# --- faults of the environment


async def test_the_details_of_a_fault_are_in_the_journal_and_not_in_the_result(
    episode: Episode, journal: Journal
) -> None:
    result = await episode.call("crash", {})
    assert (result.is_error, result.over) == (True, False)
    assert "failed inside the environment" in result.text
    told = everything(result)
    assert not any(word in told for word in (SECRET, "KeyError", "line", "Traceback"))
    event = last_call(journal, episode)
    assert event.status is CallStatus.FAULT
    assert "KeyError" in event.reason
    line = TROUBLE[: TROUBLE.index("return {}[self.secret]")].count("\n") + 1
    assert f"(line {line})" in event.reason
    assert await count(episode) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "wrong_type",
            {},
            "The result of wrong_type breaks its schema. Invalid result of wrong_type: result",
        ),
        ("truth", {}, "result should be a valid integer, not true"),
        ("double", {}, "distinct members"),
        ("not_a_number", {}, "not JSON data"),
        ("infinite", {}, "not JSON data"),
        ("half", {}, "surrogates not allowed"),
        ("half_refusal", {}, "surrogates not allowed"),
        ("method", {}, "not JSON data"),
        ("generator", {}, "generator is not JSON data"),
        ("nest", {"depth": 400}, "recursion limit exceeded"),
        ("nest", {"depth": 50_000}, "recursion"),
        ("endless", {}, "digits"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_result_that_breaks_the_contract_fails_the_episode_with_its_reason(
    episode: Episode, journal: Journal, name: str, arguments: dict[str, Any], words: str
) -> None:
    await count(episode)
    result = await episode.call(name, arguments)
    assert (result.is_error, result.over) == (True, True)
    assert "will not be scored" in result.text
    assert SECRET not in everything(result)
    assert (episode.state, episode.verdict) == (EpisodeState.FAILED, None)
    assert words in episode.reason
    assert kept(journal, episode)[-2:] == [("call", "failed"), ("ended", "failed")]
    assert ending(journal, episode).reason == episode.reason
    assert (await episode.submit(SECRET)).over
    assert episode.verdict is None


def broken(init: str = "self.x = x", reference: str = "return x", more: str = "", tail: str = "") -> str:
    return f'''
"""Find it."""
META = {{"title": "Broken"}}
class Environment:
    def __init__(self, x: int):
        {init}
    def look(self) -> int:
        """Look."""
        {more or "return 1"}
def reference(x: int) -> int:
    {reference}
def solve(tools):
    return 1
{tail}
'''


@pytest.mark.parametrize(
    ("init", "error"),
    [
        ("raise ValueError('no')", EnvironmentFaultError),
        ("self.x = {}[x]", EnvironmentFaultError),
        ("while True: pass", LimitError),
        ("self.x = [0] * 10 ** 11", LimitError),
    ],
)
async def test_an_environment_that_cannot_be_opened_fails_its_episode(
    declare: Declare, pool: SandboxPool, journal: Journal, init: str, error: type[CodegymError]
) -> None:
    episode = Episode(
        pool=pool,
        journal=journal,
        environment=declare(broken(init)),
        task=Task(id="task", config={"x": 3}),
        settings=EpisodeSettings(limits=Limits(start_seconds=0.3)),
    )
    with pytest.raises(error) as caught:
        await episode.open()
    assert (episode.state, episode.reason) == (EpisodeState.FAILED, str(caught.value))
    assert kept(journal, episode) == [("opened", ""), ("ended", "failed")]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"reference": "return 1 // 0"}, "ZeroDivisionError"),
        ({"reference": "raise ValueError('zq93')"}, "zq93"),
        ({"reference": "return str(x)"}, "The reference answer does not fit its declared type"),
        ({"reference": "return float('nan')"}, "not JSON data"),
        ({"reference": "while True: pass"}, "longer than 0.3 seconds"),
        ({"tail": "def accepts(answer, x):\n    return 1"}, "neither True nor False"),
        ({"tail": "def accepts(answer, x):\n    return {}[x]"}, "KeyError"),
        ({"tail": "def accepts(answer, x):\n    while True: pass"}, "longer than 0.3 seconds"),
    ],
    ids=str,
)
async def test_an_episode_whose_answer_cannot_be_judged_fails_and_is_not_scored(
    declare: Declare, open_episode: OpenEpisode, journal: Journal, parts: dict[str, str], words: str
) -> None:
    episode = await open_episode(declare(broken(**parts)), {"x": 3}, start_seconds=0.3, reveal=True)
    result = await episode.submit(4)
    assert (result.text, result.over) == ("Your answer was received. The episode is over.", True)
    assert result.structured == {"received": True}
    assert (episode.state, episode.verdict) == (EpisodeState.FAILED, None)
    assert episode.reason.startswith("No verdict: ")
    assert words in episode.reason
    ended = ending(journal, episode)
    assert (ended.state, ended.reason, ended.verdict) == (EpisodeState.FAILED, episode.reason, None)


# --- processes that are lost


def descendants(pid: int) -> set[int]:
    found = set()
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            found |= {int(child)} | descendants(int(child))
    return found


def kill_processes(pool: SandboxPool) -> None:
    """Kills, as the system might, the processes at the end of a pool's line: those that run environments."""
    assert pool._zygote is not None
    killed = [pid for pid in descendants(pool._zygote._process.pid) if not descendants(pid)]
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)


async def test_a_process_killed_between_calls_is_rebuilt_with_the_same_state(
    episode: Episode, pool: SandboxPool
) -> None:
    for turn in range(5):
        assert await count(episode) == turn * 2
        assert (await episode.call("refuse", {})).text == f"count is {turn * 2 + 2}"
        kill_processes(pool)
    assert await count(episode) == 10
    assert episode.state is EpisodeState.OPEN


MOVES: list[tuple[str, dict[str, Any]]] = [
    ("step", {}),
    ("refuse", {}),
    ("crash", {}),
    ("guess", {"word": "a"}),
    ("chatter", {"length": 3}),
]
NO_MOVES: list[tuple[str, dict[str, Any]]] = [
    ("chatter", {"length": 800}),
    ("step", {"more": 1}),
    ("nothing", {}),
    ("suspend", {}),
]


@given(st.lists(st.sampled_from(MOVES + NO_MOVES), max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_state_is_that_of_the_calls_that_had_an_effect_whatever_was_lost_or_refused(
    trouble: Environment, open_episode: OpenEpisode, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    episode = await open_episode(trouble, {"label": "a", "secret": SECRET}, result_bytes=1000)
    made = 0
    for name, arguments in calls:
        if name == "suspend":
            episode.suspend()
            continue
        result = await episode.call(name, arguments)
        assert not result.over
        made += (name, arguments) in MOVES
        if name == "refuse":
            assert result.text == f"count is {made}"
    assert await count(episode) == made


async def test_a_process_killed_during_a_call_is_rebuilt_and_the_call_made_once(
    declare: Declare, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    slow = declare(
        broken("self.x = 0", more="for _ in range(10 ** 6): pass\n        self.x += 1\n        return self.x")
    )
    episode = await open_episode(slow, {"x": 3}, call_seconds=60)
    assert (await episode.call("look", {})).value == 1
    results: list[CallResult] = []

    async def look() -> None:
        results.append(await episode.call("look", {}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        kill_processes(pool)
    assert [result.value for result in results] == [2]
    assert (await episode.call("look", {})).value == 3


async def test_a_call_that_ends_its_process_every_time_fails_the_episode(
    declare: Declare, open_episode: OpenEpisode, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = await open_episode(declare(broken(more="return 1")), {"x": 3})
    original = ReplayableEnvironment._ready

    async def doomed(runner: Any) -> Any:
        worker = await original(runner)
        worker.kill()
        return worker

    # Nothing that an environment may write is known to end its process, so the test does it.
    monkeypatch.setattr(ReplayableEnvironment, "_ready", doomed)
    result = await episode.call("look", {})
    assert result.over
    assert episode.state is EpisodeState.FAILED
    assert "process" in episode.reason


async def test_a_replay_with_another_outcome_fails_the_episode(
    episode: Episode, journal: Journal, pool: SandboxPool
) -> None:
    await count(episode)
    await count(episode)
    events = journal.events(episode.id)
    assert isinstance(events[1], CallEvent)
    events[1] = events[1].model_copy(update={"digest": "0" * 32})
    again = successor(episode, pool, journal)
    await again.resume(events)
    result = await again.call("step", {})
    assert result.over
    assert again.state is EpisodeState.FAILED
    assert "The replay of step had another outcome than the call" in again.reason
    assert kept(journal, episode)[-2:] == [("call", "failed"), ("ended", "failed")]


# --- cancelled and concurrent callers


async def test_the_call_of_a_cancelled_caller_is_made_and_recorded(
    episode: Episode, journal: Journal
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(episode.call, "step", {})
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert kept(journal, episode)[-1] == ("call", "ok")
    assert await count(episode) == 1


async def test_the_call_of_a_caller_cancelled_by_asyncio_is_made_and_recorded(
    episode: Episode, journal: Journal
) -> None:
    for turn in range(10):
        calling = asyncio.ensure_future(episode.call("step", {}))
        for _ in range(turn):
            await asyncio.sleep(0)
        calling.cancel()
        await asyncio.wait([calling])
    # Those that were cancelled before they began were never made; all others were, each with its record.
    made = await count(episode)
    assert kept(journal, episode)[1:] == [("call", "ok")] * (made + 1)
    assert episode.calls == made + 1
    episode.suspend()
    assert await count(episode) == made + 1


async def test_the_submission_of_a_cancelled_caller_counts(
    counter: Environment, open_episode: OpenEpisode
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(episode.submit, 3)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_an_episode_closed_by_a_cancelled_caller_is_closed(episode: Episode, journal: Journal) -> None:
    closing = asyncio.ensure_future(episode.close("Enough."))
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    assert (await episode.call("step", {})).over
    assert kept(journal, episode) == [("opened", ""), ("ended", "closed")]


async def test_concurrent_calls_are_made_one_after_another(episode: Episode, journal: Journal) -> None:
    seen: list[int] = []

    async def step() -> None:
        seen.append((await episode.call("step", {})).value)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(step)
    assert sorted(seen) == list(range(1, 21))
    recorded = [event.result.value for event in journal.events(episode.id) if isinstance(event, CallEvent)]
    assert seen == recorded


async def test_of_two_concurrent_submissions_one_counts(
    counter: Environment, open_episode: OpenEpisode, journal: Journal
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    results: list[CallResult] = []

    async def submit(answer: int) -> None:
        results.append(await episode.submit(answer))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(submit, 4)
        tasks.start_soon(submit, 3)
    assert sorted(result.is_error for result in results) == [False, True]
    assert [kind for kind, _ in kept(journal, episode)] == ["opened", "submitted", "ended"]


# --- the journal fails


class Full:
    """A journal on a disk that can be full."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, condition: str = "1") -> None:
        self._execute(
            f"CREATE TRIGGER full BEFORE INSERT ON events WHEN {condition} "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )

    def free(self) -> None:
        self._execute("DROP TRIGGER full")

    def _execute(self, statement: str) -> None:
        connection = sqlite3.connect(self.path)
        connection.execute(statement)
        connection.commit()
        connection.close()


@pytest.fixture
def disk(tmp_path: Path) -> Full:
    return Full(tmp_path / "journal.sqlite")


@pytest.fixture
def journal(disk: Full) -> Iterator[Journal]:
    with Journal.open(disk.path) as opened:
        yield opened


async def test_a_call_that_cannot_be_recorded_was_not_made(episode: Episode, disk: Full) -> None:
    await count(episode)
    disk.fill()
    for name in ("step", "no such tool"):
        with pytest.raises(JournalError):
            await episode.call(name, {})
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)
    disk.free()
    assert await count(episode) == 1
    assert episode.calls == 2


async def test_a_submission_that_cannot_be_recorded_was_not_made(
    counter: Environment, open_episode: OpenEpisode, disk: Full
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    disk.fill()
    with pytest.raises(JournalError):
        await episode.submit(4)
    assert (episode.state, episode.verdict) == (EpisodeState.OPEN, None)
    disk.free()
    await episode.submit(3)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_a_submission_whose_end_cannot_be_recorded_is_final(
    counter: Environment, open_episode: OpenEpisode, disk: Full
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    disk.fill("new.kind = 'ended'")
    assert (await episode.submit(4)).over
    disk.free()
    assert (await episode.submit(3)).is_error
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.verdict is not None
    assert not episode.verdict.correct


async def test_an_opening_that_cannot_be_recorded_fails_the_episode(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, pool: SandboxPool, disk: Full
) -> None:
    disk.fill()
    episode = Episode(
        pool=pool,
        journal=journal,
        environment=counter,
        task=Task(id="task", config={"start": 1, "bell": 3}),
        settings=EpisodeSettings(),
    )
    with pytest.raises(JournalError):
        await episode.open()
    assert episode.state is EpisodeState.FAILED
    assert (await episode.call("listen", {})).over


# --- what the agent must not see


async def test_no_reply_contains_the_reference_answer_or_the_verdict(
    trouble: Environment, open_episode: OpenEpisode
) -> None:
    config = {"label": "a", "secret": SECRET}
    limits = {"call_seconds": 0.3, "memory_bytes": 64 << 20, "result_bytes": 1000}
    arguments: dict[str, dict[str, Any]] = {
        "guess": {"word": "zq"},
        "chatter": {"length": 10_000},
        "complain": {"length": 3},
        "echo": {"value": 1},
        "kinds": {"members": [1, 2], "pair": [1, "a"], "names": {}},
        "nest": {"depth": 300},
    }
    said: list[str] = []
    for name in [tool.name for tool in trouble.tools]:
        episode = await open_episode(trouble, config, **limits)
        said += [episode.task.model_dump_json(), *(tool.model_dump_json() for tool in episode.tools)]
        for call, passed in [
            (name, arguments.get(name, {})),
            (name, {"wrong": 1}),
            ("secret", {}),
            ("reference", {}),
            ("submit_answer", {"answer": 3}),
            ("submit_answer", {"answer": "zq"}),
            ("submit_answer", {"answer": "zq"}),
            (name, arguments.get(name, {})),
        ]:
            said.append(everything(await episode.call(call, passed)))
    for reply in said:
        assert SECRET not in reply
        assert "correct" not in reply
        assert "reward" not in reply
        assert "verdict" not in reply


async def test_the_reason_of_a_failure_is_for_people_and_not_for_the_agent(
    declare: Declare, open_episode: OpenEpisode
) -> None:
    made = declare(broken(reference="return 'answer ' + str(x)"))
    episode = await open_episode(made, {"x": 9393})
    said = everything(await episode.submit(1)) + everything(await episode.call("look", {}))
    assert "9393" in episode.reason
    assert "9393" not in said


# --- resuming


async def test_an_episode_is_recalled_from_its_events(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, pool: SandboxPool
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    await episode.call("move", {"floors": 1})
    await episode.call("move", {"floors": 11})
    await episode.call("no such tool", {})
    again = successor(episode, pool, journal)
    await again.resume(journal.events(episode.id))
    assert (again.state, again.calls) == (EpisodeState.OPEN, 3)
    assert (await again.call("listen", {})).structured == {"floor": 2, "sound": "above"}
    await again.submit(3)
    last = successor(episode, pool, journal)
    await last.resume(journal.events(episode.id))
    assert (last.state, last.calls, last.verdict) == (again.state, again.calls, again.verdict)
    assert (await last.call("listen", {})).over


async def test_an_episode_whose_submission_was_recorded_but_not_its_end_is_ended_when_it_resumes(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, pool: SandboxPool, disk: Full
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    disk.fill("new.kind = 'ended'")
    await episode.submit(3)
    disk.free()
    again = successor(episode, pool, journal)
    await again.resume(journal.events(episode.id))
    assert (again.state, again.verdict) == (EpisodeState.SUBMITTED, episode.verdict)
    assert kept(journal, episode)[-1] == ("ended", "submitted")


async def test_an_episode_whose_failed_call_was_recorded_but_not_its_end_is_ended_when_it_resumes(
    episode: Episode, journal: Journal, pool: SandboxPool, disk: Full
) -> None:
    disk.fill("new.kind = 'ended'")
    await episode.call("wrong_type", {})
    disk.free()
    again = successor(episode, pool, journal)
    await again.resume(journal.events(episode.id))
    assert (again.state, again.reason) == (EpisodeState.FAILED, episode.reason)


def successor(episode: Episode, pool: SandboxPool, journal: Journal) -> Episode:
    """The same episode in a server that has just started."""
    return Episode(
        pool=pool,
        journal=journal,
        environment=episode.environment,
        task=episode.full_task,
        settings=episode.settings,
        id=episode.id,
        token=episode.token,
    )
