"""A service that verifies and audits environments on the nodes of a Ray cluster.

The environments are sent to the nodes, which need none of their files.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext


class Operation(StrEnum):
    """What a worker can be asked to do with an environment."""

    VERIFY = "verify"
    AUDIT = "audit"


class VerificationWorkerOptions(BaseModel):
    """The settings of a worker."""

    limits: Limits
    """The limits under which the environments will be served."""
    jobs: int
    """How many episodes are played at once."""
    allow_unconfined: bool


class VerificationWorkerReady(BaseModel):
    """The first message of a worker."""


class VerificationWorker:
    """Verifies and audits environments. It is a `WorkerService`."""

    def __init__(self, context: VerificationContext) -> None:
        self._context = context
        self.ready: BaseModel = VerificationWorkerReady()

    @classmethod
    @asynccontextmanager
    async def open(cls, options: VerificationWorkerOptions) -> AsyncIterator["VerificationWorker"]:
        """Opens the sandboxes until the block is left.

        Raises:
            SandboxError: environments cannot be confined here.
        """
        async with VerificationContext.open(
            jobs=options.jobs, limits=options.limits, allow_unconfined=options.allow_unconfined
        ) as context:
            yield cls(context)

    async def execute(self, operation: str, *arguments: Any) -> BaseModel:
        """Verifies or audits an environment; see `WorkerService.execute`."""
        match operation, arguments:
            case Operation.VERIFY, [environment]:
                return await verify(self._context, environment)
            case Operation.AUDIT, [environment]:
                return await audit(self._context, environment)
        raise ValueError(f"{operation} does not take {len(arguments)} arguments")
