"""Fixtures shared by all tests."""

import gc
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx2
import pytest
from hypothesis import settings

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.environment_reader import read_environment, read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.loopback_http import loopback_client

# How long an example takes says something about the machine and nothing about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

_OWN_CACHE = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The cache of a test run is its own; all its processes share it, as the commands of a user do.

    Commands in tests can be interrupted, also if the tests themselves run in the background of a shell, which
    has such processes ignore the signal.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[_OWN_CACHE] = folder = Path(tempfile.mkdtemp(prefix="codegym-mcp-tests-"))
        os.environ["CODEGYM_MCP_CACHE"] = str(folder)


def pytest_collection_finish() -> None:
    """Excludes the thousands of collected tests from all searches for garbage, of which each run begins with one."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logfinish() -> None:
    """Excludes them again after a test that has ended that."""
    if not gc.get_freeze_count():
        gc.collect(1)
        gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _OWN_CACHE in config.stash:
        shutil.rmtree(config.stash[_OWN_CACHE], ignore_errors=True)


FIXTURES = Path(__file__).parent / "fixtures"

Declare = Callable[..., Environment]
OpenEpisode = Callable[..., Awaitable[Episode]]
_numbers = count(1)


@dataclass(frozen=True)
class ModelServer:
    """A server of language models, as a process, which says what it is told to say.

    Attributes:
        url: where it is, without a path.
        http: a client for what it is told and asked.
    """

    url: str
    http: httpx2.Client

    def script(self, *actions: dict[str, Any]) -> str:
        """A new model that answers its requests so, one after the other; returns its name."""
        model = f"script-{next(_numbers)}"
        self.set_script(model, *actions)
        return model

    def set_script(self, model: str, *actions: dict[str, Any]) -> None:
        """The same for a model that must have a certain name."""
        self.http.put(f"{self.url}/scripts/{model}", content=json.dumps(actions)).raise_for_status()

    def set_check(self, model: str, action: dict[str, Any]) -> None:
        """Sets the response to the request for the model itself."""
        self.http.put(f"{self.url}/checks/{model}", content=json.dumps(action)).raise_for_status()

    def requests(self, model: str) -> list[dict[str, Any]]:
        """The requests that a model had, `headers` and `body`."""
        received: list[dict[str, Any]] = self.http.get(f"{self.url}/requests/{model}").json()
        return received

    def bodies(self, model: str) -> list[dict[str, Any]]:
        """The bodies of them."""
        return [request["body"] for request in self.requests(model)]


@contextmanager
def model_server(name: str, *arguments: str) -> Iterator[ModelServer]:
    """One of the servers in `tests/harness/model_servers`, until the block is left."""
    path = FIXTURES.parent / "harness" / "model_servers" / f"{name}.py"
    command = [sys.executable, str(path), *arguments]
    with (
        loopback_client() as http,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            yield ModelServer(process.stdout.readline().strip(), http)
        finally:
            process.kill()


@pytest.fixture(scope="session")
def openai_server() -> Iterator[ModelServer]:
    """A server of OpenAI's shape."""
    with model_server("openai_server") as server:
        yield server


@pytest.fixture(scope="session")
def anthropic_server() -> Iterator[ModelServer]:
    """A server of Anthropic's shape."""
    with model_server("anthropic_server") as server:
        yield server


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox speaks asyncio; so do all tests."""
    return "asyncio"


@pytest.fixture
async def pool() -> AsyncIterator[SandboxPool]:
    """A pool whose processes get the time they are allowed, however busy the machine is."""
    async with SandboxPool.open(cpu_grace=100) as opened:
        yield opened


@pytest.fixture
def journal() -> Iterator[Journal]:
    with Journal.open() as opened:
        yield opened


@pytest.fixture
def counter() -> Environment:
    """A small environment that uses every part of the contract."""
    return read_environment(FIXTURES / "counter.py")


@pytest.fixture
def declare() -> Declare:
    """Reads an environment from inline text: `declare('''…''', name="made")`."""

    def read(source: str, *, name: str = "made") -> Environment:
        return read_environment_source(dedent(source), name=name, path=f"{name}.py")

    return read


@pytest.fixture
def open_episode(pool: SandboxPool, journal: Journal) -> OpenEpisode:
    """Opens an episode: `await open_episode(environment, {…}, reveal=False, calls=3)`."""

    async def opened(
        environment: Environment, config: dict[str, Any], *, reveal: bool = False, **limits: Any
    ) -> Episode:
        episode = Episode(
            pool=pool,
            journal=journal,
            environment=environment,
            task=Task(id="task", config=config),
            settings=EpisodeSettings(limits=Limits(**limits), reveal=reveal),
        )
        await episode.open()
        return episode

    return opened


@pytest.fixture(autouse=True)
def no_loop_left_around(request: pytest.FixtureRequest) -> None:
    """Tests that start a loop of their own do not see that of fixtures that outlive a test.

    Where sniffio is installed, anyio asks it whether a loop runs, and it still names the one that rests.
    """
    if not inspect.iscoroutinefunction(request.function) and (sniffio := sys.modules.get("sniffio")):
        sniffio.current_async_library_cvar.set(None)


LONG = ("tests/synthesis/test_pipeline.py", "tests/harness/runs/test_resume.py", "tests/server/test_chaos.py")
"""Tests that take minutes begin first, so that no worker waits for another at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
