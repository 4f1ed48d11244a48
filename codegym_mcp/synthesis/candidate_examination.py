"""Verifies and audits the environments that a language model wrote."""

from typing import Protocol

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.audit.audit import Audit, audit
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext


class Examiner(Protocol):
    """Takes an environment through the gates and the audit, in this process or elsewhere."""

    async def verify_environment(self, environment: Environment) -> Verification:
        """Takes an environment through the gates."""

    async def audit_environment(self, environment: Environment) -> Audit:
        """Audits an environment.

        Raises:
            TaskError: the reference gives no answer for any task.
        """


class LocalExaminer:
    """Verifies and audits in the sandboxes of this process."""

    def __init__(self, context: VerificationContext) -> None:
        self._context = context

    async def verify_environment(self, environment: Environment) -> Verification:
        """Takes an environment through the gates."""
        return await verify(self._context, environment)

    async def audit_environment(self, environment: Environment) -> Audit:
        """Audits an environment; see `Examiner.audit_environment`."""
        return await audit(self._context, environment)
