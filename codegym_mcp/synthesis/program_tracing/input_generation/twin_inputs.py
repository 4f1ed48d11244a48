"""Inputs of the structure of other ones, on which an adaptive oracle makes other calls."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from codegym_mcp.synthesis.program_tracing.input_generation.redrawn_values import (
    redraw_leaves,
    shuffle_leaves,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated, evaluate
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.verification.verification_context import VerificationContext

_TWIN_SEED = 7


class TwinInputs:
    """Other inputs of the same structure, made when they are first asked for.

    They have the same values in another order, or other values in the same order.
    """

    def __init__(self, context: VerificationContext, program: Program, inputs: Sequence[Evaluated]) -> None:
        self._context = context
        self._program = program
        self._inputs = inputs
        self._found: dict[int, list[Evaluated]] | None = None

    async def by_place(self) -> Mapping[int, Sequence[Evaluated]]:
        """Returns the twins of inputs by the places of these inputs."""
        if self._found is None:
            self._found = await self._make()
        return self._found

    async def _make(self) -> dict[int, list[Evaluated]]:
        random = Random(_TWIN_SEED)  # noqa: S311 - repeatable, not secret
        inputs = self._inputs
        wanted: list[tuple[int, tuple[Any, ...]]] = []
        for place, each in enumerate(inputs):
            for _ in range(2):
                arguments = tuple(shuffle_leaves(value, random) for value in each.arguments)
                if repr(arguments) != repr(each.arguments):
                    wanted.append((place, arguments))
            redrawn = tuple(
                redraw_leaves(value, other, random)
                for value, other in zip(each.arguments, random.choice(inputs).arguments, strict=True)
            )
            if repr(redrawn) != repr(each.arguments):
                wanted.append((place, redrawn))
        if not wanted:
            return {}
        calls = [inputs[0].arguments, *(arguments for _, arguments in wanted)]
        accepted = {
            repr(each.arguments): each for each in await evaluate(self._context, self._program, calls, 1)
        }
        found: dict[int, list[Evaluated]] = defaultdict(list)
        for place, arguments in wanted:
            if repr(arguments) in accepted:
                found[place].append(accepted[repr(arguments)])
        return found
