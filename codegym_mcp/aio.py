"""The functions of `codegym_mcp`, to be awaited.

They have the same names and parameters. `open_episode` and `serve` may be awaited or entered with
`async with`; `verify_many` and `audit_many` are asynchronous iterators. Functions that only read files
(`compare`, `export`, `open_run`) have one form, in `codegym_mcp`.

Example:
    import anyio
    from codegym_mcp import aio

    async def main() -> None:
        async with aio.open_episode("night_courier", difficulty=2, seed=7) as episode:
            result = await episode.call("look")
            await episode.submit([result.value["signs"][0]["street"]])
        print(episode.verdict)

    anyio.run(main)
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from codegym_harness.clients.remote_client import AsyncClient
from codegym_harness.runs.evaluate import evaluate
from codegym_mcp.catalog.catalog import Catalog, Source
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.runtime.async_episode import AsyncEpisode
from codegym_mcp.runtime.async_runtime import AsyncRuntime
from codegym_mcp.runtime.episode_opening import EnvironmentRef, check_choice, find_environment
from codegym_mcp.runtime.shared_runtime import shared_runtime
from codegym_mcp.server.background_server import AsyncServer
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import AuditFiles
from codegym_mcp.verification.batch.audit_many import Unaudited, audit_environment, stream_audits
from codegym_mcp.verification.batch.verify_many import stream_verifications, verify_environment
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.verification_cache import VerificationCache

__all__ = [
    "AsyncClient",
    "AsyncEpisode",
    "AsyncRuntime",
    "AsyncServer",
    "audit",
    "audit_many",
    "evaluate",
    "open_episode",
    "serve",
    "verify",
    "verify_many",
]

T = TypeVar("T")


class AwaitableContext(Generic[T]):
    """Something that is being opened: await it, or enter it with `async with`."""

    def __init__(self, open_it: Callable[[], Awaitable[T]]) -> None:
        self._open = open_it
        self._opened: Any = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._open().__await__()

    async def __aenter__(self) -> T:
        self._opened = await self._open()
        return await self._opened.__aenter__()  # type: ignore[no-any-return]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.__aexit__(kind, error, trace)


def open_episode(
    environment: EnvironmentRef,
    *,
    task: str | Task | None = None,
    difficulty: int | None = None,
    seed: int | None = None,
    limits: Limits | None = None,
) -> AwaitableContext[AsyncEpisode]:
    """Opens an episode of the shared runtime; see `codegym_mcp.open_episode`."""

    async def open_it() -> AsyncEpisode:
        runtime = shared_runtime()
        found = find_environment(runtime.catalog, environment)
        check_choice(found, task, difficulty, seed)
        backend = await runtime.thread.run_from_loop(
            lambda: runtime.async_runtime.open_backend(
                found, task=task, difficulty=difficulty, seed=seed, limits=limits
            )
        )
        return AsyncEpisode(backend, runtime.thread.run_from_loop, runtime.thread.notify)

    return AwaitableContext(open_it)


def serve(
    environments: Source | Sequence[Source] | AsyncRuntime = "bundled",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    gateway: bool = True,
    reveal: bool = False,
    public_url: str | None = None,
    protocols: Collection[str] = (),
) -> AwaitableContext[AsyncServer]:
    """Serves environments over HTTP on the caller's event loop; see `codegym_mcp.serve`."""
    return AwaitableContext(
        lambda: AsyncServer(
            environments,
            host=host,
            port=port,
            token=token,
            gateway=gateway,
            reveal=reveal,
            public_url=public_url,
            protocols=protocols,
        ).start()
    )


async def verify(
    environment: EnvironmentRef,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    allow_unconfined: bool = False,
) -> Verification:
    """Checks whether an environment is fit to be served; see `codegym_mcp.verify`."""
    found = find_environment(shared_runtime().catalog, environment)
    return await verify_environment(found, limits=limits, jobs=jobs, allow_unconfined=allow_unconfined)


def verify_many(
    sources: Source | Sequence[Source] = "bundled",
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    cached: bool = True,
    allow_unconfined: bool = False,
) -> AsyncIterator[Verification]:
    """Verifies environments and yields each result as soon as it is there; see `codegym_mcp.verify_many`."""
    return stream_verifications(
        Catalog.of(sources).entries,
        limits=limits,
        jobs=jobs,
        cache=VerificationCache.default(limits or Limits()) if cached else None,
        allow_unconfined=allow_unconfined,
    )


async def audit(
    environment: EnvironmentRef,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    allow_unconfined: bool = False,
) -> Audit:
    """Measures what an environment is worth; see `codegym_mcp.audit`."""
    found = find_environment(shared_runtime().catalog, environment)
    return await audit_environment(found, limits=limits, jobs=jobs, allow_unconfined=allow_unconfined)


def audit_many(
    sources: Source | Sequence[Source] = "bundled",
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    cached: bool = True,
    allow_unconfined: bool = False,
) -> AsyncIterator[Audit | Unaudited]:
    """Audits environments and yields each result as soon as it is there; see `codegym_mcp.audit_many`."""
    return stream_audits(
        Catalog.of(sources).entries,
        limits=limits,
        jobs=jobs,
        files=AuditFiles() if cached else None,
        allow_unconfined=allow_unconfined,
    )
