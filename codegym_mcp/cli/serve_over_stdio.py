"""Serves one episode, or the gateway, over stdin and stdout."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codegym_mcp.cli.command_output import echo
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions, assemble
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment import Environment


@dataclass(frozen=True)
class ServedEpisode:
    """The one episode of a server.

    Attributes:
        environment: the environment.
        task: the id of a fixed task; see `EpisodeManager.open_task`.
        difficulty: the difficulty of a generated task.
        seed: the seed of a generated task.
        settings: the settings of the episode.
    """

    environment: Environment
    task: str | None
    difficulty: int | None
    seed: int | None
    settings: EpisodeSettings

    async def open(self, episodes: EpisodeManager, *, key: str | None = None) -> Episode:
        """Opens the episode.

        Args:
            key: see `EpisodeManager.open`.
        """
        return await episodes.open_task(
            self.environment,
            task=self.task,
            difficulty=self.difficulty,
            seed=self.seed,
            settings=self.settings,
            key=key,
        )


async def serve_episode(served: ServedEpisode, runtime: RuntimeOptions) -> None:
    """Serves one episode until the client leaves."""
    from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer
    from codegym_mcp.server.stdio_server import serve_stdio

    async with assemble(Catalog(), runtime) as episodes:
        episode = await served.open(episodes)
        _announce_on_terminal(f"one episode of {served.environment.name} (task {episode.full_task.id})")
        freeze_garbage_collection()
        await serve_stdio(EpisodeMcpServer.of(episode).server)
        await episode.close("The client disconnected.")


async def serve_gateway(paths: Sequence[Path], runtime: RuntimeOptions, *, reveal: bool) -> None:
    """Serves the gateway to all environments until the client leaves.

    Args:
        paths: where the environments are; the bundled ones if there are none.
    """
    from codegym_mcp.server.mcp_gateway_server import Gateway
    from codegym_mcp.server.stdio_server import serve_stdio

    catalog = Catalog.load(paths)
    for problem in catalog.problems():
        echo(f"Broken, not served: {problem}", err=True)
    async with assemble(catalog, runtime) as episodes:
        gateway = Gateway(episodes, EpisodeSettings(reveal=reveal), per_caller=runtime.open_limit)
        _announce_on_terminal(f"the gateway to {len(catalog)} environments")
        freeze_garbage_collection()
        await serve_stdio(gateway.server)


def _announce_on_terminal(what: str) -> None:
    """Tells a person who started the server by hand what it waits for; MCP clients use pipes."""
    if sys.stdin.isatty():
        echo(
            f"Serving {what} over stdio. An MCP client is expected to start this command and to send "
            "JSON-RPC messages on stdin; this terminal is not one. Press Ctrl-C to stop. To look at an "
            "environment, run codegym-mcp show NAME; to serve over HTTP, run codegym-mcp serve --http "
            "127.0.0.1:8000.",
            err=True,
        )


_FULL_COLLECTION = 1000
"""Collections of the middle generation before a full one."""


def freeze_garbage_collection() -> None:
    """Excludes everything loaded so far from later collections of garbage, and makes full ones rare.

    A full collection stops every call for a time that grows with the episodes in memory. Few objects need it:
    most are freed when the last reference to them goes, or by the collections of young objects.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _FULL_COLLECTION)
