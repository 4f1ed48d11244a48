"""`codegym-mcp serve`."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from codegym_mcp.cli.command_output import environments_option, run, unconfined_option
from codegym_mcp.cli.environment_selection import find_entry
from codegym_mcp.cli.ray_option import ray_option
from codegym_mcp.cli.refused_options import refuse_options
from codegym_mcp.cli.retention_options import read_retention, retention_options
from codegym_mcp.cli.serve_over_http import HttpServing, serve_over_http
from codegym_mcp.cli.serve_over_stdio import serve_episode, serve_gateway
from codegym_mcp.cli.served_episode import ServedEpisode
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.open_episode_limit import DEFAULT_OPEN_EPISODES
from codegym_mcp.opentelemetry_tracer import export_traces
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.server.http_options import DEFAULT_GATEWAY_EPISODES
from codegym_mcp.server.listeners import parse_address
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol, parse_protocols

MAX_WORKERS = 256
_EPISODE_ONLY = frozenset({"task", "difficulty", "seed", "calls"})
_MANY_EPISODES_ONLY = frozenset(
    {"workers", "ray_address", "max_episodes", "no_gateway", "gateway_episodes", "protocols"}
)
_ONE_MACHINE_ONLY = frozenset({"open_gateway", "gateway_episodes", "protocols"})
_HTTP_ONLY = frozenset(
    {
        "workers",
        "ray_address",
        "max_episodes",
        "isolation",
        "no_gateway",
        "open_gateway",
        "gateway_episodes",
        "json_responses",
        "as_json",
        "public_url",
        "allowed_hosts",
        "allowed_origins",
        "refuse_reveal",
        "protocols",
    }
)


def _check_public_url(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise click.BadParameter(
            f"{url!r} is not a web address; give for example https://example.org/codegym."
        )
    return url.rstrip("/")


def _check_origins(_: click.Context, __: click.Parameter, origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        parts = urlsplit(origin)
        is_more = parts.path not in ("", "/") or parts.query or parts.fragment
        if origin not in ("*", "null") and (not parts.netloc or is_more):
            raise click.BadParameter(
                f"{origin!r} is not an origin; give scheme, host and port, for example https://example.org."
            )
    return origins


def _check_protocols(_: click.Context, __: click.Parameter, names: str | None) -> frozenset[TrainerProtocol]:
    if names is None:
        return frozenset()
    try:
        return parse_protocols(names)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("environment", required=False)
@environments_option
@click.option("--task", help="The id of a fixed task (one episode).")
@click.option(
    "--difficulty", type=click.IntRange(1, 5), help="Generate a task of this difficulty (one episode)."
)
@click.option("--seed", type=int, help="The seed of the generated task; 0 without it (one episode).")
@click.option(
    "--calls", type=click.IntRange(1, 100_000), help="Tool calls that the episode allows (one episode)."
)
@click.option("--stdio-gateway", is_flag=True, help="Serve the gateway to all environments over stdio.")
@click.option(
    "--http",
    "address",
    metavar="ADDRESS",
    help="Serve over HTTP at HOST:PORT (port 0 picks a free one) or at a Unix socket, unix:PATH.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the journal in this folder; open episodes continue after a restart.",
)
@retention_options
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, MAX_WORKERS),
    default=1,
    show_default=True,
    help="Processes that hold the episodes, for a machine with several processors; with --ray on each node "
    "(HTTP).",
)
@ray_option
@click.option(
    "--max-episodes",
    type=click.IntRange(1),
    default=DEFAULT_OPEN_EPISODES,
    show_default=True,
    help="Episodes that may be open at a time; with --ray in each process (HTTP).",
)
@click.option(
    "--isolation",
    type=click.Choice(["process", "shared"]),
    default="process",
    show_default=True,
    help="A process for each episode, or one for many episodes of an environment: less memory, weaker "
    "isolation (HTTP).",
)
@click.option("--no-gateway", is_flag=True, help="Do not offer /mcp, where agents open episodes (HTTP).")
@click.option(
    "--open-gateway",
    is_flag=True,
    help="Let everybody who reaches the server use /mcp without a token, also from other machines (HTTP).",
)
@click.option(
    "--gateway-episodes",
    type=click.IntRange(1),
    default=DEFAULT_GATEWAY_EPISODES,
    show_default=True,
    help="Episodes that one client address may have open through /mcp (HTTP).",
)
@click.option(
    "--public-url",
    metavar="URL",
    callback=_check_public_url,
    help="The address under which clients know the server, for example behind a proxy (HTTP).",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="Another name of the server in the Host header, or * for every name. Can be repeated (HTTP).",
)
@click.option(
    "--allow-origin",
    "allowed_origins",
    metavar="ORIGIN",
    multiple=True,
    callback=_check_origins,
    help="An origin whose web pages may use the server, or * for every origin. Can be repeated (HTTP).",
)
@click.option(
    "--json-responses",
    is_flag=True,
    help="Plain JSON instead of event streams: about twice the throughput, no progress notifications (HTTP).",
)
@click.option(
    "--protocols",
    metavar="NAMES",
    callback=_check_protocols,
    help="Protocols of trainers to speak too, behind the control plane's token: nemo-gym, ors, or both, "
    "separated by a comma (HTTP).",
)
@unconfined_option
@click.option("--reveal", is_flag=True, help="Tell agents the verdict when they submit.")
@click.option("--refuse-reveal", is_flag=True, help="Refuse to open episodes that tell the verdict (HTTP).")
@click.option(
    "--json", "as_json", is_flag=True, help="Print where the server listens as one JSON line on stderr."
)
@click.pass_context
def serve(
    context: click.Context,
    /,
    environment: str | None,
    address: str | None,
    stdio_gateway: bool,
    **options: Any,
) -> None:
    """Serve one episode, or all environments over HTTP.

    With an environment, the process is one episode, over stdio or with --http at /mcp. With --stdio-gateway
    it is a server from which the client starts episodes. Over HTTP, POST /episodes opens an episode and
    returns its MCP address; the control plane's token is read from CODEGYM_MCP_TOKEN, or generated and
    printed once. The token for /mcp is read from CODEGYM_MCP_GATEWAY_TOKEN; it is needed where other machines
    can reach the server.

    \b
    Example:
      codegym-mcp serve night_courier --difficulty 3 --seed 7
      codegym-mcp serve --http 127.0.0.1:8000
      codegym-mcp serve --http 127.0.0.1:8000 --workers 8 --data state
      codegym-mcp serve --http 10.0.0.1:8000 --ray
      codegym-mcp serve night_courier --difficulty 3 --http 127.0.0.1:8000
      codegym-mcp serve --http 127.0.0.1:8000 --protocols nemo-gym,ors
      codegym-mcp serve --stdio-gateway
    """
    if stdio_gateway == (environment is not None or address is not None):
        raise click.UsageError(
            "Give an environment to serve, --http ADDRESS, or both; or --stdio-gateway alone."
        )
    if address is None:
        refuse_options(context, _HTTP_ONLY, "HTTP")
    if environment is None:
        refuse_options(context, _EPISODE_ONLY, "one episode")
    elif address is not None:
        refuse_options(context, _MANY_EPISODES_ONLY, "many episodes")
    if options["ray_address"] is not None:
        refuse_options(context, _ONE_MACHINE_ONLY, "servers on one machine")
    export_traces("codegym-mcp server")
    runtime = RuntimeOptions(
        isolation=options["isolation"],
        data=options["data"],
        open_limit=options["max_episodes"],
        resume=address is not None,
        expire_idle=address is not None and environment is None,
        allow_unconfined=options["allow_unconfined"],
        retention=read_retention(options),
    )
    episode = _served_episode(environment, options) if environment is not None else None
    if address is not None:
        serving = _http_serving(address, options)
        run(lambda: serve_over_http(options["paths"], runtime, serving, episode))
    elif episode is not None:
        run(lambda: serve_episode(episode, runtime))
    else:
        run(lambda: serve_gateway(options["paths"], runtime, reveal=options["reveal"]))


def _served_episode(environment: str, options: dict[str, Any]) -> ServedEpisode:
    """Returns the episode that the options describe."""
    limits = Limits(calls=options["calls"]) if options["calls"] else Limits()
    return ServedEpisode(
        find_entry(environment, options["paths"]).read(),
        task=options["task"],
        difficulty=options["difficulty"],
        seed=options["seed"],
        settings=EpisodeSettings(limits=limits, reveal=options["reveal"]),
    )


def _http_serving(address: str, options: dict[str, Any]) -> HttpServing:
    """Checks the options of the HTTP server."""
    if options["reveal"] and options["refuse_reveal"]:
        raise click.UsageError("--reveal and --refuse-reveal contradict each other.")
    if options["no_gateway"] and options["open_gateway"]:
        raise click.UsageError("--no-gateway and --open-gateway contradict each other.")
    try:
        parsed = parse_address(address)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return HttpServing(
        address=parsed,
        workers=options["workers"],
        ray_address=options["ray_address"],
        as_json=options["as_json"],
        json_responses=options["json_responses"],
        # Agents play on the nodes, at addresses that the control plane hands out.
        gateway=not options["no_gateway"] and options["ray_address"] is None,
        open_gateway=options["open_gateway"],
        gateway_episodes=options["gateway_episodes"],
        reveal=options["reveal"],
        refuse_reveal=options["refuse_reveal"],
        public_url=options["public_url"],
        allowed_hosts=options["allowed_hosts"],
        allowed_origins=options["allowed_origins"],
        protocols=options["protocols"],
    )
