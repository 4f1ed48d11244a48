"""Verifies one or many environments and reuses cached results of unchanged ones."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import SourceError
from codegym_mcp.verification.batch.result_stream import stream_results
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.gates.all_gates import verification_of_unreadable, verify
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext


async def verify_environment(
    environment: Environment,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    allow_unconfined: bool = False,
) -> Verification:
    """Verifies one environment in sandboxes of its own; nothing is cached.

    Args:
        limits: the limits under which the environment will be served.
        jobs: how many episodes are played at once.
        allow_unconfined: continue where this system cannot confine environments.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    async with VerificationContext.open(
        jobs=jobs, limits=limits, allow_unconfined=allow_unconfined
    ) as context:
        return await verify(context, environment)


async def stream_verifications(
    entries: Iterable[Entry],
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    cache: VerificationCache | None = None,
    allow_unconfined: bool = False,
) -> AsyncIterator[Verification]:
    """Verifies environments and yields each verification as soon as it is complete.

    Args:
        limits, jobs, allow_unconfined: as in `verify_environment`.
        cache: where verifications are looked up and stored, or None to verify everything.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """

    async def produce(on_result: Callable[[Verification], object]) -> None:
        async with VerificationContext.open(
            jobs=jobs, limits=limits, allow_unconfined=allow_unconfined
        ) as context:
            await verify_many(context, list(entries), cache=cache, on_result=on_result)

    async with aclosing(stream_results(produce)) as results:
        async for result in results:
            yield result


async def verify_many(
    context: VerificationContext,
    entries: Sequence[Entry],
    *,
    cache: VerificationCache | None = None,
    on_result: Callable[[Verification], object] | None = None,
) -> list[Verification]:
    """Verifies environments, several at once.

    Args:
        cache: where verifications are looked up and stored, or None to verify everything.
        on_result: called with each verification as soon as it is complete.

    Returns:
        One verification for each entry, in the order of the entries.

    Raises:
        SandboxError: the sandbox does not work on this system. Results so far are in the cache.
    """

    async def verify_one(entry: Entry) -> Verification:
        verification = await verify_entry(entry, partial(verify, context), cache)
        if on_result is not None:
            on_result(verification)
        return verification

    return await context.run_all_nested(verify_one, entries)


async def verify_entry(
    entry: Entry,
    verify_environment: Callable[[Environment], Awaitable[Verification]],
    cache: VerificationCache | None,
) -> Verification:
    """Returns the verification of an entry: the cached one, or a new one, which is cached.

    Args:
        verify_environment: verifies an environment that was read.
        cache: where verifications are looked up and stored, or None.
    """
    try:
        environment = entry.read()
    except SourceError as error:
        return verification_of_unreadable(entry.name, error)
    cached = cache.get(environment) if cache is not None else None
    if cached is not None:
        return cached
    verification = await verify_environment(environment)
    if cache is not None:
        cache.put(environment, verification)
    return verification
