"""The server as an ASGI application, to be mounted in another one."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from codegym_mcp.runtime.async_runtime import AsyncRuntime
from codegym_mcp.server.http_application import make_app
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol


@asynccontextmanager
async def asgi_app(
    runtime: AsyncRuntime,
    *,
    token: str,
    gateway: bool = True,
    reveal: bool = False,
    public_url: str | None = None,
    allowed_hosts: tuple[str, ...] = ("*",),
    protocols: Collection[str] = (),
) -> AsyncIterator[Starlette]:
    """Yields an ASGI application over a runtime, which works under any mount path.

    It needs no lifespan messages: a host does not run the lifespan of an application that it mounts.

    Args:
        runtime: opens the episodes; it stays open.
        token: bearer token of the control plane.
        gateway: offer `/mcp`, through which agents open episodes themselves.
        reveal: tell agents the verdict when they submit.
        public_url: the address under which clients know the application, with the mount path; without it,
            the address of each request.
        allowed_hosts: names of the server in the Host header; the host application usually checks them.
        protocols: protocols of trainers to speak, with the token: "nemo-gym", "ors".

    Example:
        @asynccontextmanager
        async def lifespan(host):
            async with AsyncRuntime("environments/", data="state") as runtime:
                async with asgi_app(runtime, token=os.environ["CODEGYM_MCP_TOKEN"]) as app:
                    host.mount("/gym", app)
                    yield
    """
    options = HttpOptions(
        token=token,
        gateway=gateway,
        reveal=reveal,
        public_url=public_url,
        allowed_hosts=allowed_hosts,
        curriculum=runtime.curriculum,
        protocols=frozenset(map(TrainerProtocol, protocols)),
    )
    app = make_app(await runtime.start(), options, host=None)
    async with app.router.lifespan_context(app):
        yield app
