"""Synthesis on the nodes of a Ray cluster.

With program analysis, the whole work on a problem is done on a node. With a language model, the nodes verify
and audit what it wrote: its requests, its key and its stored responses stay in the process of the command.
"""

import builtins
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from codegym_harness.ray_cluster.ray_verification import RayVerification
from codegym_harness.ray_cluster.tracing_worker import Operation, TracingWorker, TracingWorkerOptions
from codegym_harness.ray_cluster.worker_pool import RayWorkers
from codegym_mcp import errors
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import RemoteError, TaskError
from codegym_mcp.synthesis.candidate_making import OnStage, UndecidedProblemError
from codegym_mcp.synthesis.problem_outcomes import Candidate
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.gate_results import Verification


class RayTracing:
    """Makes environments by program analysis on the nodes of a cluster. Use `RayTracing.start`."""

    def __init__(self, workers: RayWorkers) -> None:
        self._workers = workers

    @classmethod
    @asynccontextmanager
    async def start(
        cls, address: str, options: TracingWorkerOptions, *, most: int, on_notice: Callable[[str], None]
    ) -> AsyncIterator["RayTracing"]:
        """Starts workers, which end when the block is left.

        Args:
            address, most, on_notice: see `RayWorkers.start`.

        Raises:
            CodegymError: the cluster cannot be used, or environments cannot be confined there.
        """
        async with RayWorkers.start(
            address, TracingWorker.open, options, most=most, on_notice=on_notice
        ) as workers:
            yield cls(workers)

    async def write(self, problem: CodingProblem, sample: int, on_stage: OnStage) -> Candidate:
        """Makes the candidate of a problem on a node. It is an `Author`, which reports no stages.

        Raises:
            UndecidedProblemError: the node failed, not the problem.
            RemoteError: the sandbox does not work on the node.
            RunHaltedError: the cluster has no worker any more.
        """
        try:
            value = await self._workers.execute(Operation.TRACE, problem, sample)
        except RemoteError as error:
            raise _error_here(error) from None
        return Candidate.model_validate(value)


class RayExaminer:
    """Verifies and audits on the nodes of a cluster. It is an `Examiner`."""

    def __init__(self, verification: RayVerification) -> None:
        self._verification = verification

    async def verify_environment(self, environment: Environment) -> Verification:
        """Takes an environment through the gates on a node; see `RayVerification.verify_environment`."""
        try:
            return await self._verification.verify_environment(environment)
        except RemoteError as error:
            raise _error_here(error) from None

    async def audit_environment(self, environment: Environment) -> Audit:
        """Audits an environment on a node; see `Examiner.audit_environment`."""
        try:
            return await self._verification.audit_environment(environment)
        except RemoteError as error:
            raise _error_here(error) from None


def _error_here(error: RemoteError) -> Exception:
    """Returns the error that has the same consequences for a synthesis as the one on the node had there."""
    builtin = getattr(builtins, error.kind, None)
    if error.kind == UndecidedProblemError.__name__:
        return UndecidedProblemError(error.message, hint=error.hint)
    if isinstance(builtin, type) and issubclass(builtin, (OSError, MemoryError)):
        return UndecidedProblemError(error.message)
    if error.kind == TaskError.__name__:
        return TaskError(error.message, hint=error.hint)
    return error if hasattr(errors, error.kind) else RuntimeError(error.message)
