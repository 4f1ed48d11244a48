"""Serves all environments on the nodes of a Ray cluster, behind one control plane in this process."""

import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from codegym_mcp.cli.command_output import echo
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.server.http_options import HttpOptions


async def serve_on_nodes(
    paths: Sequence[Path],
    runtime: RuntimeOptions,
    options: HttpOptions,
    listener: socket.socket,
    *,
    cluster: str,
    per_node: int,
    host: str | None,
    ready: Callable[[], object],
) -> None:
    """Serves until the process is told to stop. All servers end with it.

    Args:
        paths: where the environments are, on each node; the bundled ones if there are none.
        runtime: how episodes are run on each server; the data folder has one folder for each server.
        options: the options of the control plane.
        listener: a socket that listens, for the control plane.
        cluster: the address of the Ray cluster.
        per_node: servers on each node.
        host: the address that it is bound to; None for a Unix socket.
        ready: called once when the server is about to answer.

    Raises:
        CodegymError: the cluster cannot be used, or no server can be started on a node.
    """
    from codegym_harness.ray_cluster.node_server import NodeServerOptions
    from codegym_harness.ray_cluster.ray_servers import RayServers
    from codegym_mcp.server.nodes.node_directory import NodeDirectory
    from codegym_mcp.server.nodes.nodes_application import make_nodes_app
    from codegym_mcp.server.uvicorn_server import serve_http

    # Clients that know the token of the control plane cannot bypass it, and the nodes never receive it.
    token = secrets.token_urlsafe(24)
    on_nodes = NodeServerOptions(
        paths=[*paths],
        runtime=replace(runtime, data=runtime.data.absolute() if runtime.data is not None else None),
        http=replace(options, token=token, gateway=False, public_url=None, curriculum=None),
        host="",
    )
    directory = NodeDirectory(token, keeps_episodes=runtime.data is not None)
    async with RayServers.start(
        cluster, on_nodes, directory, per_node=per_node, on_notice=lambda notice: echo(notice, err=True)
    ):
        await serve_http(make_nodes_app(directory, options, host=host), listener, ready=ready)
