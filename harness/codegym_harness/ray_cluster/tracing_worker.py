"""A service that makes environments of coding problems by program analysis on the nodes of a Ray cluster.

The problems are sent to the nodes, and candidates come back. Nothing is stored on a node.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from codegym_mcp.synthesis.candidate_making import OnStage, make_candidate
from codegym_mcp.synthesis.problem_outcomes import Candidate
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.program_tracing.tracing_author import TracingAuthor
from codegym_mcp.synthesis.synthesis_options import TRIAL_LIMITS, SynthesisOptions
from codegym_mcp.verification.verification_context import VerificationContext


class Operation(StrEnum):
    """What a worker can be asked to do with a problem."""

    TRACE = "trace"


class TracingWorkerOptions(BaseModel):
    """The settings of a worker."""

    synthesis: SynthesisOptions
    jobs: int
    """How many episodes are played at once."""
    allow_unconfined: bool


class TracingWorkerReady(BaseModel):
    """The first message of a worker."""


class TracingWorker:
    """Makes candidates of problems. It is a `WorkerService`."""

    def __init__(self, context: VerificationContext, options: SynthesisOptions) -> None:
        self._context = context
        self._options = options
        self.ready: BaseModel = TracingWorkerReady()

    @classmethod
    @asynccontextmanager
    async def open(cls, options: TracingWorkerOptions) -> AsyncIterator["TracingWorker"]:
        """Opens the sandboxes until the block is left.

        Raises:
            SandboxError: environments cannot be confined here.
        """
        async with VerificationContext.open(
            jobs=options.jobs, limits=TRIAL_LIMITS, allow_unconfined=options.allow_unconfined
        ) as context:
            yield cls(context, options.synthesis)

    async def execute(self, operation: str, *arguments: Any) -> BaseModel:
        """Makes the candidate of a problem; see `WorkerService.execute` and `make_candidate`."""
        match operation, arguments:
            case Operation.TRACE, [CodingProblem() as problem, int(sample)]:
                return await make_candidate(self._write, problem, sample, lambda _, __: None)
        raise ValueError(f"{operation} does not take {len(arguments)} arguments")

    async def _write(self, problem: CodingProblem, _: int, on_stage: OnStage) -> Candidate:
        return await TracingAuthor(problem, self._context, self._options, on_stage).write()
