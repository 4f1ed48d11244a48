"""Verifies or audits many environments, leaving out what was done before and has not changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codegym_mcp.errors import SourceError, TaskError
from codegym_mcp.spec.catalog import Entry
from codegym_mcp.verification.audit.audit import Audit, audit
from codegym_mcp.verification.audit.audit_files import AuditFiles
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.gates.verify import unreadable, verify
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext

OnResult = Callable[[str], object]
"""Called with the name of each environment when its result is there."""


@dataclass(frozen=True)
class Unaudited:
    """An environment that could not be audited.

    Attributes:
        environment: its name.
        problem: why.
    """

    environment: str
    problem: str


async def verify_many(
    bench: VerificationContext,
    entries: Sequence[Entry],
    *,
    cache: VerificationCache | None = None,
    on_result: OnResult | None = None,
) -> list[Verification]:
    """Verifies environments, several at once.

    Args:
        cache: where verdicts are looked up and kept; without it everything is verified.

    Returns:
        One verification for each entry, in their order.

    Raises:
        SandboxError: nothing can be verified here. What was verified until then is in the cache.
        UnwritableError: the cache cannot be written.
    """

    async def one(entry: Entry) -> Verification:
        verification = await _verify(bench, entry, cache)
        if on_result is not None:
            on_result(entry.name)
        return verification

    return await bench.side_by_side(one, entries)


async def _verify(bench: VerificationContext, entry: Entry, cache: VerificationCache | None) -> Verification:
    try:
        environment = entry.read()
    except SourceError as error:
        return unreadable(entry.name, error)
    known = cache.get(environment) if cache is not None else None
    if known is not None:
        return known
    verification = await verify(bench, environment)
    if cache is not None:
        cache.put(environment, verification)
    return verification


async def audit_many(
    bench: VerificationContext,
    entries: Sequence[Entry],
    *,
    files: AuditFiles | None = None,
    again: bool = False,
    on_result: OnResult | None = None,
) -> list[Audit | Unaudited]:
    """Audits environments, several at once.

    Args:
        files: where audits are looked up and kept; without it everything is audited and nothing kept.
        again: audit also what has not changed since its audit was made.

    Returns:
        One audit for each entry, in their order, or why there is none.

    Raises:
        SandboxError: nothing can be audited here. What was audited until then is kept.
        UnwritableError: an audit cannot be written.
    """

    async def one(entry: Entry) -> Audit | Unaudited:
        result = await _audit(bench, entry, files, again=again)
        if on_result is not None:
            on_result(entry.name)
        return result

    return await bench.side_by_side(one, entries)


async def _audit(
    bench: VerificationContext, entry: Entry, files: AuditFiles | None, *, again: bool
) -> Audit | Unaudited:
    try:
        environment = entry.read()
        known = files.read(entry) if files is not None and not again else None
        if known is not None and known.fits(environment):
            return known
        made = await audit(bench, environment)
    except (SourceError, TaskError) as error:
        return Unaudited(entry.name, str(error))
    if files is not None:
        files.write(entry, made)
    return made
