"""Tries the ways to lift a solution, from coarse to fine, and takes the one that makes the best tasks."""

import ast
from collections.abc import Mapping, Sequence

from pydantic_core import to_json

from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.input_generation.twin_inputs import TwinInputs
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import VARIATIONS, Variation
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.play_selection.granularity_examination import (
    Granularity,
    GranularityExaminer,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape
from codegym_mcp.synthesis.synthesis_options import Tier
from codegym_mcp.verification.verification_context import VerificationContext


async def choose_granularity(
    context: VerificationContext,
    program: Program,
    *,
    variables: Mapping[tuple[str, str], Shape],
    parameters: dict[str, Shape],
    lengths: Mapping[str, str],
    inputs: Sequence[Evaluated],
    least_tasks: int,
) -> Granularity:
    """Returns the best way to lift a solution; among equal ones the coarsest.

    Args:
        variables: the shapes of variables, by function and name.
        parameters: the shapes of the parameters.
        lengths: the parameters that are lengths of others, with the names of those.
        inputs: calls of the solution with their results.
        least_tasks: the least number of tasks.

    Raises:
        RefusedProblemError: no way makes usable tasks; the reason is that of the way that came furthest.
    """
    best: Granularity | None = None
    reasons: list[tuple[int, str, Stage]] = []
    twins = TwinInputs(context, program, inputs)
    seen: set[bytes] = set()
    for variation in VARIATIONS:
        hidden = _hidden_parameters(program, parameters, lengths, variation)
        try:
            lifted = lift(program, hidden, variables, parameters, variation, lengths=lengths)
            digest = _digest(lifted)
            if digest in seen:
                continue
            seen.add(digest)
            chooser = GranularityExaminer(context, program, parameters, least_tasks)
            made = await chooser.examine(lifted, inputs, twins)
        except RefusedProblemError as error:
            reasons.append((list(Stage).index(error.stage), error.reason, error.stage))
            continue
        if best is None or made.tier.rank > best.tier.rank:
            best = made
        if best.tier is Tier.NOT_BYPASSABLE:
            break
    if best is None:
        _, reason, stage = max(reasons, key=lambda each: each[0])
        raise RefusedProblemError(reason, stage)
    return best


def _hidden_parameters(
    program: Program, parameters: Mapping[str, Shape], lengths: Mapping[str, str], variation: Variation
) -> list[str]:
    """Returns the parameters to hide: the containers, or all if there are only numbers."""
    containers = [name for name in program.parameters if not parameters[name].is_scalar]
    if not containers or not variation.public_scalars:
        known = {name for name in program.parameters if parameters[name].kinds <= {Kind.NONE}}
        return [name for name in program.parameters if name not in known | set(lengths)]
    return containers


def _digest(lifted: LiftedProgram) -> bytes:
    text = [ast.unparse(ast.fix_missing_locations(ast.Module(lifted.oracle, [])))]
    text += [ast.unparse(ast.fix_missing_locations(tool.body)) for tool in lifted.tools]
    return to_json(text)
