"""Opens the environments' episodes for an agent of this process: on a server, or in a worker process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegym_harness.agents.agent import Agent
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.episode_sources.episode_source import EpisodeSource
from codegym_harness.episode_sources.episode_worker_client import WorkerEpisodes
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerOptions
from codegym_harness.processes.server_process import start_server
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_observer import Observer
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import CodegymError

if TYPE_CHECKING:
    # The MCP client is imported only by runs over MCP: it takes longer than everything else.
    from codegym_harness.clients.control_client import ControlClient, RunningServer


@dataclass(frozen=True)
class OpenSource:
    """The episodes of environments, and the environments."""

    episodes: EpisodeSource
    environments: list[EnvironmentInfo]


def open_source(
    config: RunConfig, agent: Agent, server: "RunningServer | None", observer: Observer
) -> AbstractAsyncContextManager[OpenSource]:
    """Opens the episodes that an agent of this process plays.

    Args:
        server: the server that holds the episodes, if the configuration has a `server_url`.

    Raises:
        CodegymError: the episodes cannot be served here, or the server cannot be reached.
    """
    if config.server_url is not None:
        return _connect(config, server)
    # Only a program needs an address to connect to.
    if config.over_mcp or isinstance(agent, ProgramAgent):
        return _serve(config)
    return _start_worker(config, observer)


@asynccontextmanager
async def _serve(config: RunConfig) -> AsyncIterator[OpenSource]:
    """Opens episodes of a server process, which are played over MCP."""
    from codegym_harness.clients.control_client import ControlClient
    from codegym_harness.episode_sources.mcp_episodes import ServedEpisodes

    async with (
        start_server(
            config.paths, open_episodes=config.open_limit, allow_unconfined=config.allow_unconfined
        ) as server,
        ControlClient.connect(server.url, server.token, socket_path=server.socket_path) as control,
    ):
        yield OpenSource(ServedEpisodes(control, config.episode_limits), await _environments(control, config))


@asynccontextmanager
async def _connect(config: RunConfig, server: "RunningServer | None") -> AsyncIterator[OpenSource]:
    """Opens episodes of a server that runs already."""
    from codegym_harness.clients.control_client import ControlClient
    from codegym_harness.episode_sources.mcp_episodes import ServedEpisodes

    if server is None or server.url != config.server_url:
        raise CodegymError(
            f"The run plays episodes of the server {config.server_url}, whose token it does not record.",
            hint="Give the server again: server=…",
        )
    async with ControlClient.connect(server.url, server.token) as control:
        yield OpenSource(ServedEpisodes(control, config.episode_limits), await _environments(control, config))


async def _environments(control: "ControlClient", config: RunConfig) -> list[EnvironmentInfo]:
    """Returns the environments that the run may play, or all if none of that name exists."""
    globs = config.selection.environments
    return await control.environments(*globs) or await control.environments()


@asynccontextmanager
async def _start_worker(config: RunConfig, observer: Observer) -> AsyncIterator[OpenSource]:
    """Opens episodes of a worker process, for agents whose calls this process makes itself."""
    async with WorkerEpisodes.start(worker_options(config), config.episode_limits) as episodes:
        report_problems(episodes.ready.problems, observer)
        yield OpenSource(episodes, episodes.ready.environments)


def worker_options(config: RunConfig) -> EpisodeWorkerOptions:
    """Returns the options of a worker process that holds episodes of a run."""
    return EpisodeWorkerOptions(
        paths=config.paths,
        globs=config.selection.environments,
        open_limit=config.open_limit,
        allow_unconfined=config.allow_unconfined,
    )


def report_problems(problems: Sequence[str], observer: Observer) -> None:
    """Tells the observer why some environments cannot be used."""
    for problem in problems:
        observer.notice(problem)
