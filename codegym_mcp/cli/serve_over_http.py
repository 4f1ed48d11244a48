"""Serves all environments over HTTP."""

import json
import os
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli.command_output import echo
from codegym_mcp.cli.serve_in_workers import serve_in_workers
from codegym_mcp.cli.serve_on_nodes import serve_on_nodes
from codegym_mcp.cli.served_episode import ServedEpisode
from codegym_mcp.errors import CodegymError
from codegym_mcp.loopback_addresses import is_loopback
from codegym_mcp.runtime.garbage_collector_settings import (
    freeze_garbage_collection,
    pause_garbage_collection,
)
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions, assemble
from codegym_mcp.sandbox.confinement.linux_functions import forbid_inspection
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import (
    TcpAddress,
    UnixAddress,
    bind,
    bind_unix,
    host_in_url,
)
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol

TOKEN_VARIABLE = "CODEGYM_MCP_TOKEN"  # noqa: S105 - the variable's name
_EPISODE_KEY = "the episode of this server"
GATEWAY_TOKEN_VARIABLE = "CODEGYM_MCP_GATEWAY_TOKEN"  # noqa: S105 - the variable's name


@dataclass(frozen=True)
class HttpServing:
    """How to serve over HTTP, as the command's options say; see `HttpOptions` for most of them.

    Attributes:
        address: where to listen.
        as_json: announce the addresses as one line of JSON.
        workers: the number of processes that hold the episodes, on each node with Ray; 1 means this process
            without Ray.
        ray_address: the Ray cluster whose nodes hold the episodes, or None.
        open_gateway: let everybody use the gateway without a token, also from other machines.
    """

    address: TcpAddress | UnixAddress
    workers: int
    ray_address: str | None
    as_json: bool
    json_responses: bool
    gateway: bool
    open_gateway: bool
    gateway_episodes: int
    reveal: bool
    refuse_reveal: bool
    public_url: str | None
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    protocols: frozenset[TrainerProtocol]

    @property
    def host(self) -> str | None:
        """The host that the server is bound to, or None for a Unix socket."""
        return self.address.host if isinstance(self.address, TcpAddress) else None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return all(host is None or is_loopback(host) for host in (self.host, public))


async def serve_over_http(
    paths: Sequence[Path],
    runtime: RuntimeOptions,
    serving: HttpServing,
    served: ServedEpisode | None = None,
) -> None:
    """Serves all environments, or one episode, over HTTP until the process is told to stop.

    Args:
        paths: where the environments are; the bundled ones if there are none.
        served: the episode to serve at `/mcp`, in place of the gateway to the environments.
    """
    pause_garbage_collection()
    given = _read_token(TOKEN_VARIABLE)
    if not given and serving.host is not None and not is_loopback(serving.host):
        raise CodegymError(
            f"A server that is bound to {serving.host} can be reached from other machines.",
            hint=f"Set the token of the control plane in {TOKEN_VARIABLE} first.",
        )
    token = given or secrets.token_urlsafe(24)
    given_for_gateway = _read_token(GATEWAY_TOKEN_VARIABLE)
    gateway_token = _choose_gateway_token(serving, given_for_gateway, token)
    with suppress(OSError):
        # This process holds the tokens and the answers: other programs of its user could read them.
        forbid_inspection()
    raise_open_file_limit()
    catalog = Catalog.load(paths) if served is None else Catalog.of(served.environment)
    for problem in catalog.problems():
        echo(f"Broken, not served: {problem}", err=True)
    async with AsyncExitStack() as stack:
        if isinstance(serving.address, UnixAddress):
            listener = stack.enter_context(bind_unix(serving.address.path))
        else:
            listener = stack.enter_context(bind(serving.address.host, serving.address.port))
        options = HttpOptions(
            token=token,
            json_responses=serving.json_responses,
            gateway=serving.gateway,
            gateway_token=gateway_token,
            gateway_episodes=serving.gateway_episodes,
            reveal=serving.reveal,
            refuse_reveal=serving.refuse_reveal,
            public_url=serving.public_url,
            allowed_hosts=serving.allowed_hosts,
            allowed_origins=serving.allowed_origins,
            curriculum=runtime.curriculum,
            protocols=serving.protocols,
        )
        port = listener.getsockname()[1] if serving.host is not None else None
        announcement = _describe(serving, port)
        if not given:
            announcement["token"] = token
        if gateway_token is not None and not given_for_gateway:
            announcement["gateway_token"] = gateway_token

        def announce() -> None:
            _announce(announcement, as_json=serving.as_json, has_page=serving.ray_address is None)

        if serving.ray_address is not None:
            await serve_on_nodes(
                paths,
                runtime,
                options,
                listener,
                cluster=serving.ray_address,
                per_node=serving.workers,
                host=serving.host,
                ready=announce,
            )
            return
        if serving.workers > 1:
            freeze_garbage_collection()
            await serve_in_workers(
                serving.workers, paths, runtime, options, listener, host=serving.host, ready=announce
            )
            return
        from codegym_mcp.server.http_application import make_app
        from codegym_mcp.server.uvicorn_server import serve_http

        episodes = await stack.enter_async_context(assemble(catalog, runtime))
        # The key finds the same episode again after a restart with the same journal.
        episode = await served.open(episodes, key=_EPISODE_KEY) if served is not None else None
        if episode is not None:
            announcement |= {"gateway": None, "episode": episode.id, "mcp_url": announcement["gateway"]}
        app = make_app(
            episodes,
            options,
            host=serving.host,
            episode=episode,
            on_loaded=freeze_garbage_collection,
        )
        await serve_http(app, listener, ready=announce)


def _choose_gateway_token(serving: HttpServing, given: str, control_token: str) -> str | None:
    """Returns the token of the gateway, or None if the gateway needs none."""
    if given and serving.open_gateway:
        raise CodegymError(
            f"--open-gateway lets everybody in, but {GATEWAY_TOKEN_VARIABLE} is set.",
            hint="Leave one of them out.",
        )
    if given and given == control_token:
        raise CodegymError(
            "The gateway's token is the control plane's, with which agents could read their verdicts.",
            hint=f"Set another token in {GATEWAY_TOKEN_VARIABLE}.",
        )
    if given:
        return given
    if not serving.gateway or serving.open_gateway or serving.is_local:
        return None
    return secrets.token_urlsafe(24)


def _read_token(variable: str) -> str:
    """Returns a token from the environment of the process, or the empty string."""
    given = os.environ.pop(variable, "").strip()
    if not given.isascii() or not given.isprintable() or " " in given:
        raise CodegymError(
            f"The token in {variable} cannot be sent in a header.",
            hint="Use letters, digits and punctuation, without spaces.",
        )
    return given


def _describe(serving: HttpServing, port: int | None) -> dict[str, Any]:
    """Returns where clients find the server.

    Args:
        port: the port that was bound, or None for a Unix socket.
    """
    described: dict[str, Any] = {}
    if isinstance(serving.address, UnixAddress):
        described["socket"] = str(serving.address.path)
        bound = "http://localhost"
    else:
        bound = f"http://{host_in_url(serving.address.host)}:{port}"
    if serving.public_url is not None:
        described["bound"] = bound
    url = serving.public_url or bound
    if serving.protocols:
        described["protocols"] = sorted(serving.protocols)
    return {"url": url, "gateway": f"{url}/mcp" if serving.gateway else None, **described}


def _announce(announcement: dict[str, Any], *, as_json: bool, has_page: bool) -> None:
    """Prints where clients find the server.

    Args:
        as_json: as one line for programs.
        has_page: whether the server has the page that shows episodes.
    """
    if as_json:
        click.echo(json.dumps(announcement), err=True)
        return
    socket = announcement.get("socket")
    bound = announcement.get("bound", announcement["url"])
    echo(f"Serving on {f'the Unix socket {socket}, as {bound}' if socket else bound}", err=True)
    if "bound" in announcement:
        echo(f"Clients know the server as {announcement['url']}", err=True)
    if agents := announcement["gateway"] or announcement.get("mcp_url"):
        echo(f"Agents connect to {agents}", err=True)
    if "protocols" in announcement:
        names = " and ".join(announcement["protocols"])
        echo(f"Trainers connect to {announcement['url']}, with the token, by {names}", err=True)
    if has_page:
        echo(f"Episodes are shown at {announcement['url']}/view, with the control plane's token", err=True)
    if "gateway_token" in announcement:
        echo(f"Gateway token (shown once): {announcement['gateway_token']}", err=True)
    if "token" in announcement:
        echo(f"Control plane token (shown once): {announcement['token']}", err=True)
