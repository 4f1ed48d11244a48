"""Serves one episode, or the gateway, over stdin and stdout."""

import sys
from collections.abc import Sequence
from pathlib import Path

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli.command_output import echo
from codegym_mcp.cli.served_episode import ServedEpisode
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.runtime.garbage_collector_settings import freeze_garbage_collection
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions, assemble


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
