"""A server in this process, beside the caller: on the runtime's event loop."""

import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from codegym_mcp.catalog.catalog import Source
from codegym_mcp.runtime.async_runtime import AsyncRuntime
from codegym_mcp.runtime.blocking_runtime import Runtime
from codegym_mcp.runtime.task_owned_context_manager import HeldContext
from codegym_mcp.server.http_application import make_app
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import bind, host_in_url
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from codegym_mcp.server.uvicorn_server import running


class BoundAddress:
    """Where a server listens.

    Attributes:
        url: the address of the control plane, without a path: "http://127.0.0.1:8000".
        gateway_url: the address of the gateway, where agents open episodes themselves.
        token: the control plane's bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.gateway_url = f"{url}/mcp"
        self.token = token


@asynccontextmanager
async def serve_runtime(
    runtime: AsyncRuntime,
    *,
    host: str,
    port: int,
    token: str | None,
    gateway: bool,
    reveal: bool,
    public_url: str | None,
    protocols: Collection[str],
) -> AsyncIterator[BoundAddress]:
    """Serves a runtime on the running event loop until the block is left; open calls are finished first.

    Raises:
        CodegymError: the address cannot be bound.
        SandboxError, JournalError: the runtime cannot start.
        ValueError: there is no protocol of a name.
    """
    options = HttpOptions(
        token=token or secrets.token_urlsafe(24),
        gateway=gateway,
        reveal=reveal,
        public_url=public_url,
        curriculum=runtime.curriculum,
        protocols=frozenset(map(TrainerProtocol, protocols)),
    )
    episodes = await runtime.start()
    with bind(host, port) as listener:
        bound = listener.getsockname()[1]
        async with running(make_app(episodes, options, host=host), listener):
            yield BoundAddress(public_url or f"http://{host_in_url(host)}:{bound}", options.token)


class Server:
    """A server that answers until it is closed. Use it with `with`, or call `close` at the end.

    Attributes:
        url: the address of the control plane, without a path: "http://127.0.0.1:8000".
        gateway_url: the address of the gateway, where agents open episodes themselves.
        token: the control plane's bearer token.
        runtime: opens the episodes.
    """

    def __init__(
        self,
        environments: Source | Sequence[Source] | Runtime,
        *,
        host: str,
        port: int,
        token: str | None,
        gateway: bool,
        reveal: bool,
        public_url: str | None,
        protocols: Collection[str],
    ) -> None:
        self._owns_runtime = not isinstance(environments, Runtime)
        self.runtime = (
            environments if isinstance(environments, Runtime) else Runtime(environments, expire_idle=True)
        )
        self._closed = False
        try:
            self._held = HeldContext(
                serve_runtime(
                    self.runtime.async_runtime,
                    host=host,
                    port=port,
                    token=token,
                    gateway=gateway,
                    reveal=reveal,
                    public_url=public_url,
                    protocols=protocols,
                )
            )
            address = self.runtime.thread.run(self._held.enter)
        except BaseException:
            if self._owns_runtime:
                self.runtime.close()
            raise
        self.url, self.gateway_url, self.token = address.url, address.gateway_url, address.token

    def close(self) -> None:
        """Stops the server; open calls are finished first. A runtime that was given stays open."""
        if self._closed or self.runtime.thread.closed or self.runtime.thread.forked:
            return
        self._closed = True
        self.runtime.thread.run(self._held.leave)
        if self._owns_runtime:
            self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncServer:
    """A server on the caller's event loop. Use it with `async with`, or await `close` at the end.

    Attributes:
        url, gateway_url, token: see `Server`; they are set once the server answers.
        runtime: opens the episodes.
    """

    url: str
    gateway_url: str
    token: str

    def __init__(
        self,
        environments: Source | Sequence[Source] | AsyncRuntime,
        *,
        host: str,
        port: int,
        token: str | None,
        gateway: bool,
        reveal: bool,
        public_url: str | None,
        protocols: Collection[str],
    ) -> None:
        self._owns_runtime = not isinstance(environments, AsyncRuntime)
        self.runtime = (
            environments
            if isinstance(environments, AsyncRuntime)
            else AsyncRuntime(environments, expire_idle=True)
        )
        self._held = HeldContext(
            serve_runtime(
                self.runtime,
                host=host,
                port=port,
                token=token,
                gateway=gateway,
                reveal=reveal,
                public_url=public_url,
                protocols=protocols,
            )
        )

    async def start(self) -> Self:
        """Returns the server once it answers.

        Raises:
            CodegymError: the address cannot be bound.
            SandboxError, JournalError: the runtime cannot start.
        """
        try:
            address = await self._held.enter()
        except BaseException:
            await self._close_runtime()
            raise
        self.url, self.gateway_url, self.token = address.url, address.gateway_url, address.token
        return self

    async def close(self) -> None:
        """Stops the server; open calls are finished first. A runtime that was given stays open."""
        await self._held.leave()
        await self._close_runtime()

    async def _close_runtime(self) -> None:
        if self._owns_runtime:
            await self.runtime.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
