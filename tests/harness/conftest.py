"""A server on the loopback, in this process, and episodes of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import anyio
import pytest
import uvicorn

from codegym_harness.processes.server_process import ServerProcess
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.catalog.catalog_sources import EntryList
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.http_application import make_app
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import bind

TOKEN = "control"


@pytest.fixture
def bells(counter: Environment) -> Environment:
    """The counter with three fixed tasks."""
    tasks = (
        Task(
            id=f"bell-{bell}",
            config={"start": 0, "bell": bell},
            difficulty=bell,
            oracle_calls=2 * bell + 1,
        )
        for bell in (1, 2, 4)
    )
    return counter.with_tasks(tuple(tasks))


@pytest.fixture
def bells_file(bells: Environment, fixtures: Path, tmp_path: Path) -> Path:
    """The same in a file."""
    path = tmp_path / "bells" / "counter.py"
    path.parent.mkdir()
    path.write_bytes((fixtures / "counter.py").read_bytes())
    tasks = (task.model_dump_json(exclude_none=True) + "\n" for task in bells.tasks)
    path.with_suffix(".jsonl").write_text("".join(tasks), encoding="utf-8")
    return path


@pytest.fixture
def catalog(bells: Environment) -> Catalog:
    return Catalog([EntryList([Entry("counter", "counter.py", lambda: bells)])])


@pytest.fixture
async def episodes(catalog: Catalog, pool: SandboxPool, journal: Journal) -> AsyncIterator[EpisodeManager]:
    async with EpisodeManager.serve(catalog, pool, journal, open_limit=20) as served:
        yield served


@asynccontextmanager
async def serving(episodes: EpisodeManager) -> AsyncIterator[tuple[ServerProcess, uvicorn.Server]]:
    """Serves episodes over HTTP; gives the means to stop serving, too."""
    with bind("127.0.0.1", 0) as listener:
        listener.listen(128)
        app = make_app(episodes, HttpOptions(token=TOKEN, json_responses=True))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        server.capture_signals = nullcontext  # type: ignore[method-assign]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: server.serve(sockets=[listener]))
            yield ServerProcess(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN), server
            server.should_exit = True


@pytest.fixture
async def server(episodes: EpisodeManager) -> AsyncIterator[ServerProcess]:
    async with serving(episodes) as (address, _):
        yield address


@pytest.fixture
async def mortal_server(episodes: EpisodeManager) -> AsyncIterator[tuple[ServerProcess, uvicorn.Server]]:
    """A server that the test can stop."""
    async with serving(episodes) as both:
        yield both


@pytest.fixture
def unused_tcp_port() -> int:
    """A port on which nobody listens."""
    with bind("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def fixtures() -> Path:
    return Path(__file__).parent.parent / "fixtures"
