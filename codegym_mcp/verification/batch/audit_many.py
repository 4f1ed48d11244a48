"""Audits one or many environments and reuses the audit files of unchanged ones."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, JournalError, RunHaltedError, SandboxError, UnwritableError
from codegym_mcp.verification.audit.audit import Audit, audit
from codegym_mcp.verification.audit.audit_files import AuditFiles
from codegym_mcp.verification.batch.result_stream import stream_results
from codegym_mcp.verification.verification_context import VerificationContext


class Unaudited(BaseModel):
    """An environment that could not be audited, and the reason."""

    model_config = ConfigDict(frozen=True)

    environment: str
    """Name of the environment."""
    problem: str
    """Why it could not be audited."""

    @property
    def ok(self) -> Literal[False]:
        """Returns False; an `Audit` returns True."""
        return False


async def audit_environment(
    environment: Environment,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    allow_unconfined: bool = False,
) -> Audit:
    """Audits one environment in sandboxes of its own; no file is read or written.

    Args:
        limits: the limits under which the environment will be served.
        jobs: how many episodes are played at once.
        allow_unconfined: continue where this system cannot confine environments.

    Raises:
        TaskError: the reference gives no answer for any task.
        SandboxError: the sandbox does not work on this system.
    """
    async with VerificationContext.open(
        jobs=jobs, limits=limits, allow_unconfined=allow_unconfined
    ) as context:
        return await audit(context, environment)


async def stream_audits(
    entries: Iterable[Entry],
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    files: AuditFiles | None = None,
    again: bool = False,
    allow_unconfined: bool = False,
) -> AsyncIterator[Audit | Unaudited]:
    """Audits environments and yields each audit as soon as it is complete.

    Args:
        limits, jobs, allow_unconfined: as in `audit_environment`.
        files, again: as in `audit_many`.

    Raises:
        SandboxError: the sandbox does not work on this system.
        UnwritableError: an audit file cannot be written.
    """

    async def produce(on_result: Callable[[Audit | Unaudited], object]) -> None:
        async with VerificationContext.open(
            jobs=jobs, limits=limits, allow_unconfined=allow_unconfined
        ) as context:
            await audit_many(context, list(entries), files=files, again=again, on_result=on_result)

    async with aclosing(stream_results(produce)) as results:
        async for result in results:
            yield result


async def audit_many(
    context: VerificationContext,
    entries: Sequence[Entry],
    *,
    files: AuditFiles | None = None,
    again: bool = False,
    on_result: Callable[[Audit | Unaudited], object] | None = None,
) -> list[Audit | Unaudited]:
    """Audits environments, several at once.

    Args:
        files: where audits are looked up and stored, or None to audit everything and store nothing.
        again: audit unchanged environments again.
        on_result: called with each audit as soon as it is complete.

    Returns:
        For each entry, in the order of the entries, its audit or the reason why it has none.

    Raises:
        SandboxError: the sandbox does not work on this system. Results so far are stored.
        UnwritableError: an audit file cannot be written.
    """

    async def audit_one(entry: Entry) -> Audit | Unaudited:
        result = await audit_entry(entry, partial(audit, context), files, again=again)
        if on_result is not None:
            on_result(result)
        return result

    return await context.run_all_nested(audit_one, entries)


async def audit_entry(
    entry: Entry,
    audit_environment: Callable[[Environment], Awaitable[Audit]],
    files: AuditFiles | None,
    *,
    again: bool,
) -> Audit | Unaudited:
    """Returns the audit of an entry: the stored one if it fits, or a new one, which is stored.

    Args:
        audit_environment: audits an environment that was read.
        files, again: as in `audit_many`.

    Raises:
        SandboxError, UnwritableError: as in `audit_many`.
    """
    try:
        environment = entry.read()
        stored = files.read(entry) if files is not None and not again else None
        if stored is not None and stored.fits(environment):
            return stored
        result = await audit_environment(environment)
    except (SandboxError, JournalError, UnwritableError, RunHaltedError):
        raise
    except CodegymError as error:
        return Unaudited(environment=entry.name, problem=str(error))
    if files is not None:
        files.write(entry, result)
    return result
