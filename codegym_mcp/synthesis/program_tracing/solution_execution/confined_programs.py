"""Runs a solution in a confined process: its tests, its results for new arguments, and the plays of a draft.

The solution is written into a file in the dialect of environments, with one tool that takes and returns
JSON. It runs where environments run: in a process without files, network and clock, with limits of time and
memory. A call that exceeds its limit ends the process; the next call starts another one.
"""

import json
from collections.abc import Sequence
from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.tool_outcome import OutcomeStatus
from codegym_mcp.errors import CodegymError, EnvironmentFailedError, SourceError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.typed_json_values import ENCODER
from codegym_mcp.verification.process_without_episode import EnvironmentProcess

LIMITS = Limits(call_seconds=0.5, start_seconds=2.0, result_bytes=1_000_000)
"""Limits of one call of a solution."""
MAX_EXPIRED = 3
"""A program whose calls exceed their limit so many times is not called again."""

_FRAME = '''"""Runs a program."""

META = {{"title": "Program"}}

import json

{encoder}

{program}


class Environment:
    def __init__(self):
        self.calls = 0

    def run_program(self, data: str) -> str:
        """Runs the program.

        Args:
            data: the arguments as JSON.
        """
        return json.dumps(handle(json.loads(data)))


def reference() -> int:
    return 0


def solve(tools):
    return 0
'''


class ConfinedProgram:
    """A program whose function `handle` takes and returns JSON data."""

    def __init__(self, pool: SandboxPool, program: str) -> None:
        """Reads a program.

        Raises:
            RefusedProblemError: the program is not in the dialect of environments.
        """
        source = _FRAME.format(encoder=ENCODER, program=program)
        try:
            self._environment: Environment = read_environment_source(source, name="program", path="solution")
        except SourceError as error:
            raise RefusedProblemError(f"The solution cannot be run: {error.problem}.") from None
        self._pool = pool

    async def run(self, requests: Sequence[Any]) -> list[Any]:
        """Calls the program once for each request.

        Returns:
            For each request the response, or a `Failure`.
        """
        responses: list[Any] = []
        expired = 0
        while len(responses) < len(requests):
            if expired >= MAX_EXPIRED:
                responses += [Failure("It was not tried.")] * (len(requests) - len(responses))
                break
            calls = [("run_program", {"data": json.dumps(each)}) for each in requests[len(responses) :]]
            try:
                async with EnvironmentProcess.start(self._pool, self._environment, {}, LIMITS) as process:
                    outcomes = await process.call_all(calls)
            except EnvironmentFailedError as error:
                raise RefusedProblemError(f"The solution cannot be run: {_first_line(error)}") from None
            for outcome in outcomes:
                if outcome.status is OutcomeStatus.OK and isinstance(outcome.value, str):
                    responses.append(json.loads(outcome.value))
                else:
                    expired += outcome.status in (OutcomeStatus.LIMIT, OutcomeStatus.LOST)
                    text = outcome.value if isinstance(outcome.value, str) else "It failed."
                    responses.append(Failure(text))
        return responses


class Failure:
    """The failure of one call.

    Attributes:
        reason: what happened.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


def _first_line(error: CodegymError) -> str:
    return str(error).partition("\n")[0]
