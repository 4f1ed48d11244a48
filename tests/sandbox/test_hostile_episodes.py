"""Raw Python in an episode: the episode fails with a reason, and others are not affected."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import CallEvent, EndedEvent, OpenedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.pool import Isolation, SandboxPool
from tests.conftest import Declare
from tests.sandbox.raw_code import RawProgram, program

FACE = '''
"""Go."""
META = {"title": "Hostile"}
class Environment:
    def __init__(self):
        pass
    def go(self) -> object:
        """Go."""
    def count(self) -> int:
        """Count."""
def reference() -> int:
    return 7
def solve(tools):
    return 7
'''
FRAME = """
def frame(text):
    return struct.pack("<I", len(text)) + text
"""
LIMITS = Limits(call_seconds=0.3, start_seconds=60, memory_bytes=64 << 20)


@pytest.fixture(params=["process", "shared"], scope="module")
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[SandboxPool]:
    isolation: Isolation = request.param
    async with SandboxPool.open(isolation=isolation, cpu_grace=100) as opened:
        yield opened


@pytest.fixture
def face(declare: Declare) -> Environment:
    """What the server knows of the environment; what runs is another matter."""
    return declare(FACE)


async def opened(face: Environment, raw: RawProgram, pool: SandboxPool, journal: Journal) -> Episode:
    episode = Episode(
        pool=pool,
        journal=journal,
        environment=replace(face, program=raw),
        task=Task(id="task", config={}),
        settings=EpisodeSettings(limits=LIMITS),
    )
    await episode.open()
    return episode


ENDS_IT = {
    "it exits": ("os._exit(0)", "ended unexpectedly"),
    "it crashes": ("ctypes.string_at(0)", "ended unexpectedly"),
    "it writes garbage to its socket": ("channel().sendall(b'\\xff' * 100)", "not a frame of the protocol"),
    "it writes a message of its own": ("channel().sendall(frame(b'{}'))", "not a frame of the protocol"),
    "it gives up its socket": ("channel().detach(); os._exit(1)", "ended unexpectedly"),
    "it nests lists in a frame": ("channel().sendall(frame(b'[' * 100000))", "not a frame of the protocol"),
    "it returns no JSON": ("return object()", "not JSON data"),
    "it returns a hundred thousand lists": (
        "nested = []\nfor _ in range(100000): nested = [nested]\nreturn nested",
        "not JSON data",
    ),
}


@pytest.mark.parametrize(("code", "reason"), ENDS_IT.values(), ids=ENDS_IT)
async def test_an_environment_that_breaks_fails_its_episode_and_no_other(
    code: str, reason: str, face: Environment, pool: SandboxPool, journal: Journal
) -> None:
    neighbour = await opened(face, program("return 1"), pool, journal)
    episode = await opened(face, program(code, before=FRAME), pool, journal)
    assert (await episode.call("count", {})).value == 1
    result = await episode.call("go", {})
    assert (result.is_error, result.over) == (True, True)
    assert result.text == "The environment failed. The episode has ended and will not be scored."
    assert (episode.state, episode.verdict) == (EpisodeState.FAILED, None)
    *_, call, ended = journal.events(episode.id)
    assert isinstance(call, CallEvent)
    assert call.result.status is CallStatus.FAILED
    assert isinstance(ended, EndedEvent)
    assert ended.state is EpisodeState.FAILED
    assert reason in ended.reason
    assert [(await neighbour.call("count", {})).value for _ in range(2)] == [1, 2]


LIMITED = {
    "it loops": ("while True: pass", "longer than 0.3 seconds"),
    "it takes all memory and goes on": (
        "taken = []\nwhile True:\n    try: taken.append(bytearray(1 << 16))\n    except MemoryError: pass",
        "longer than 0.3 seconds",
    ),
    "it returns too much": ("return 'x' * (2 << 20)", "too large"),
}


@pytest.mark.parametrize(("code", "told"), LIMITED.values(), ids=LIMITED)
async def test_a_call_that_reaches_a_limit_has_no_effect_and_the_agent_is_informed(
    code: str, told: str, face: Environment, pool: SandboxPool, journal: Journal
) -> None:
    neighbour = await opened(face, program("return 1"), pool, journal)
    episode = await opened(face, program(code), pool, journal)
    assert (await episode.call("count", {})).value == 1
    result = await episode.call("go", {})
    assert result.is_error
    assert result.text.startswith("The call had no effect.")
    assert told in result.text
    assert (await episode.call("count", {})).value == 2
    assert (await neighbour.call("count", {})).value == 1


async def test_printed_text_of_an_environment_is_discarded(
    face: Environment, pool: SandboxPool, journal: Journal, capfd: pytest.CaptureFixture[str]
) -> None:
    printed = "return sum(os.write(1 + i % 2, b'x' * (1 << 20)) for i in range(64))"
    episode = await opened(face, program(printed), pool, journal)
    assert (await episode.call("go", {})).structured == {"result": {"escaped": 64 << 20}}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("os._exit(0)", "ended unexpectedly"),
        ('raise _modules["builtins"].SystemExit', "ended unexpectedly"),
        ("1 / 0", "ZeroDivisionError"),
        ("channel().sendall(b'\\xff' * 100)", "not a frame of the protocol"),
        ("taken = [0] * 10**11", "memory"),
    ],
)
async def test_an_environment_that_cannot_be_loaded_fails_its_episode_and_no_other(
    before: str, reason: str, face: Environment, pool: SandboxPool, journal: Journal
) -> None:
    neighbour = await opened(face, program("return 1"), pool, journal)
    episode = Episode(
        pool=pool,
        journal=journal,
        environment=replace(face, program=program("return 1", before=f"{before}\n")),
        task=Task(id="task", config={}),
        settings=EpisodeSettings(limits=LIMITS),
    )
    with pytest.raises(CodegymError):
        await episode.open()
    assert episode.state is EpisodeState.FAILED
    opening, ended = journal.events(episode.id)
    assert isinstance(opening, OpenedEvent)
    assert isinstance(ended, EndedEvent)
    assert ended.state is EpisodeState.FAILED
    assert reason in ended.reason
    assert (await episode.call("count", {})).over
    assert (await neighbour.call("count", {})).value == 1
