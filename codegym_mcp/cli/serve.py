"""`codegym-mcp serve`."""

import gc
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from codegym_mcp.cli.command_output import environments_option, run, unconfined_option
from codegym_mcp.cli.list_environments import find_entry
from codegym_mcp.episodes.episode import EpisodeSettings
from codegym_mcp.episodes.episode_manager import DEFAULT_OPEN_EPISODES, EpisodeManager
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import CodegymError
from codegym_mcp.limits import Limits
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.sandbox.confinement.linux_calls import forbid_inspection
from codegym_mcp.sandbox.process.pool import BUSY_PATIENCE, SandboxPool
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment import Environment
from codegym_mcp.storage.directory_lock import lock_directory

TOKEN_VARIABLE = "CODEGYM_MCP_TOKEN"  # noqa: S105 - the variable's name
_STDIO_ONLY = frozenset({"task", "difficulty", "seed", "calls"})
_HTTP_ONLY = frozenset({"max_episodes", "isolation", "no_gateway", "json_responses", "as_json"})


@click.command()
@click.argument("environment", required=False)
@environments_option
@click.option("--task", help="The id of a fixed task (stdio).")
@click.option(
    "--difficulty", type=click.IntRange(1, 5), help="Make a task of this difficulty instead (stdio)."
)
@click.option("--seed", type=int, help="Which of those tasks; 0 without it (stdio).")
@click.option("--calls", type=click.IntRange(1, 100_000), help="Tool calls an episode may make (stdio).")
@click.option("--http", "address", metavar="HOST:PORT", help="Serve over HTTP; port 0 picks a free one.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the journal here; open episodes go on after a restart.",
)
@click.option(
    "--max-episodes",
    type=click.IntRange(1),
    default=DEFAULT_OPEN_EPISODES,
    show_default=True,
    help="Episodes that may be open at once (HTTP).",
)
@click.option(
    "--isolation",
    type=click.Choice(["process", "shared"]),
    default="process",
    show_default=True,
    help="A process for each episode, or one for many episodes of an environment: less memory, weaker "
    "promises (HTTP).",
)
@click.option(
    "--no-gateway", is_flag=True, help="Do not offer /mcp, where agents open episodes themselves (HTTP)."
)
@click.option(
    "--json-responses",
    is_flag=True,
    help="Plain JSON instead of event streams: about twice the throughput, no progress notifications (HTTP).",
)
@unconfined_option
@click.option("--reveal", is_flag=True, help="Tell agents the verdict when they submit.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print where the server listens as one JSON line on stderr."
)
@click.pass_context
def serve(
    context: click.Context,
    /,
    environment: str | None,
    address: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Serve one episode over stdio, or all environments over HTTP.

    Over stdio the process is the episode. Over HTTP, POST /episodes opens an episode and returns its MCP
    address; the control plane's token is taken from CODEGYM_MCP_TOKEN, else made and printed once.

    \b
    Example:
      codegym-mcp serve night_courier --difficulty 3 --seed 7
      codegym-mcp serve --http 127.0.0.1:8000
    """
    if (environment is None) == (address is None):
        raise click.UsageError("Name an environment to serve over stdio, or --http HOST:PORT.")
    _refuse_others(context, _STDIO_ONLY if address is not None else _HTTP_ONLY)
    if address is not None:
        host, port = _split_address(address)
        run(lambda: _serve_http(host, port, as_json, options))
    else:
        assert environment is not None
        found = find_entry(environment, options["paths"]).read()
        run(lambda: _serve_stdio(found, options))


def _refuse_others(context: click.Context, names: frozenset[str]) -> None:
    """Refuses options that would be without effect."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name in names:
            transport = "stdio" if names is _STDIO_ONLY else "HTTP"
            raise click.UsageError(f"{parameter.opts[0]} is for {transport} only.")


def _split_address(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"{address!r} is no address; use HOST:PORT, for example 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


@contextmanager
def _open_journal(data: Path | None, *, alone: bool) -> Iterator[Journal]:
    """The journal in the data folder, or in memory.

    Args:
        alone: the episodes in it are to be taken up, so nobody else may be at them.
    """
    if data is None:
        with Journal.open() as journal:
            yield journal
    else:
        with lock_directory(data, alone=alone), Journal.open(data / "journal.sqlite") as journal:
            yield journal


async def _serve_stdio(environment: Environment, options: dict[str, Any]) -> None:
    from codegym_mcp.server.stdio_server import serve_stdio

    limits = Limits(calls=options["calls"]) if options["calls"] else Limits()
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(_open_journal(options["data"], alone=False))
        pool = await stack.enter_async_context(_open_pool(options))
        episodes = EpisodeManager(Catalog(), pool, journal)
        task = await episodes.find_task(environment, options["task"], options["difficulty"], options["seed"])
        settings = EpisodeSettings(limits=limits, reveal=options["reveal"])
        episode = await episodes.open(environment, task, settings)
        _settle()
        await serve_stdio(episode)
        await episode.close("Its client has left.")


async def _serve_http(host: str, port: int, as_json: bool, options: dict[str, Any]) -> None:
    from codegym_mcp.server.http_server import HttpOptions, bind, is_loopback, make_app, serve_http

    given = _given_token()
    if not given and not is_loopback(host):
        raise CodegymError(
            f"Binding to {host} lets others reach the server.", hint=f"Set a token in {TOKEN_VARIABLE} first."
        )
    token = given or secrets.token_urlsafe(24)
    with suppress(OSError):
        # The token, given or made, and the answers are in this process: its user's programs could read them.
        forbid_inspection()
    raise_open_file_limit()
    catalog = Catalog.load(options["paths"])
    for problem in catalog.problems():
        click.echo(f"Broken, not served: {problem}", err=True)
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(_open_journal(options["data"], alone=True))
        listener = stack.enter_context(bind(host, port))
        pool = await stack.enter_async_context(_open_pool(options))
        episodes = await stack.enter_async_context(
            EpisodeManager.serve(catalog, pool, journal, open_limit=options["max_episodes"])
        )
        app = make_app(
            episodes,
            HttpOptions(
                token=token,
                json_responses=options["json_responses"],
                gateway=not options["no_gateway"],
                reveal=options["reveal"],
            ),
            host=host,
        )
        bound = listener.getsockname()[1]
        url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        shown = "" if given else token
        gateway = not options["no_gateway"]
        _settle()
        await serve_http(app, listener, ready=lambda: _announce(url, shown, gateway=gateway, as_json=as_json))


def _open_pool(options: dict[str, Any]) -> AbstractAsyncContextManager[SandboxPool]:
    return SandboxPool.open(
        allow_unconfined=options["allow_unconfined"], patience=BUSY_PATIENCE, isolation=options["isolation"]
    )


def _settle() -> None:
    """What was loaded so far stays to the end: later collections of garbage need not look at it."""
    gc.collect()
    gc.freeze()


def _given_token() -> str:
    """The control plane's token from the environment, or the empty string."""
    given = os.environ.pop(TOKEN_VARIABLE, "").strip()
    if not given.isascii() or not given.isprintable() or " " in given:
        raise CodegymError(
            f"The token in {TOKEN_VARIABLE} cannot be sent in a header.",
            hint="Use letters, digits and punctuation, without spaces.",
        )
    return given


def _announce(url: str, token: str, *, gateway: bool, as_json: bool) -> None:
    if as_json:
        bound: dict[str, Any] = {"url": url, "gateway": f"{url}/mcp" if gateway else None}
        click.echo(json.dumps({**bound, "token": token} if token else bound), err=True)
        return
    click.echo(f"Serving on {url}", err=True)
    if gateway:
        click.echo(f"Agents connect to {url}/mcp", err=True)
    if token:
        click.echo(f"Control plane token (shown once): {token}", err=True)
