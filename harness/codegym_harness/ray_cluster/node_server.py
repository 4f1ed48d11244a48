"""A service that is a whole server of episodes on a node of a Ray cluster, at an address of the node."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.garbage_collector_settings import freeze_garbage_collection
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions, assemble
from codegym_mcp.sandbox.confinement.linux_functions import forbid_inspection
from codegym_mcp.server.http_application import make_app
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import bind, host_in_url
from codegym_mcp.server.nodes.nodes_application import LOST_EPISODE
from codegym_mcp.server.uvicorn_server import running
from codegym_mcp.storage.atomic_files import write_atomically

_PORT_FILE = "port"


class NodeServerOptions(BaseModel):
    """The settings of a server on a node. They hold the token of its control plane."""

    paths: list[Path]
    """Where the environments are on the node; the bundled ones if there are none."""
    runtime: RuntimeOptions
    http: HttpOptions
    host: str
    """The address of the node, to which the server is bound."""
    has_lost_episodes: bool = False
    """Whether a server before this one was lost with its episodes."""


class NodeServerReady(BaseModel):
    """The first message of a server on a node."""

    url: str
    """Where it listens, without a path."""


class NodeServerService:
    """A running server. It is a `WorkerService` that executes nothing: it is used over HTTP."""

    def __init__(self, url: str) -> None:
        self.ready: BaseModel = NodeServerReady(url=url)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: NodeServerOptions) -> AsyncIterator["NodeServerService"]:
        """Serves until the block is left; open calls are finished first.

        Raises:
            SandboxError: environments cannot be confined here.
            JournalError: the data folder is in use by another process, or its journal cannot be opened.
            CodegymError: the address cannot be bound.
        """
        with suppress(OSError):
            # It holds the token and the answers: other programs of its user could read them.
            forbid_inspection()
        catalog = Catalog.load(options.paths)
        async with assemble(catalog, options.runtime) as episodes:
            if options.has_lost_episodes:
                episodes.missing_hint = LOST_EPISODE
            freeze_garbage_collection()
            # Now the data folder is locked: the server before has ended, and its port is free.
            with _bind(options.host, options.runtime.data) as listener:
                async with running(make_app(episodes, options.http, host=options.host), listener):
                    yield cls(f"http://{host_in_url(options.host)}:{listener.getsockname()[1]}")

    async def execute(self, operation: str, *_: Any) -> BaseModel:
        """Refuses every operation."""
        raise ValueError(f"A server does not execute {operation}.")


def _bind(host: str, data: Path | None) -> socket.socket:
    """Binds the port of the server before, which is in the addresses of its episodes, or a free one."""
    if data is None:
        return bind(host, 0)
    file = data / _PORT_FILE
    try:
        listener = bind(host, int(file.read_text()))
    except (OSError, ValueError, OverflowError, CodegymError):
        listener = bind(host, 0)
    write_atomically(file, f"{listener.getsockname()[1]}\n", hint="Name another folder with --data.")
    return listener
