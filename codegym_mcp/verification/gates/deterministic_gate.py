"""Checks that repeating a run gives the same trajectory.

Everything is repeated once with another hash seed and with all episodes in the same process. If something
differs, the difference is repeated with one of these conditions at a time to find the cause.
"""

from collections.abc import Sequence
from functools import partial

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import EnvironmentFailedError
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.gates.trace_comparison import (
    Repeat,
    repeat_oracle,
    repeat_tools,
    repeat_verdict,
)
from codegym_mcp.verification.generated_tasks import GeneratedTask
from codegym_mcp.verification.recorded_play import RecordedPlay, format_value
from codegym_mcp.verification.verification_context import VerificationContext

_AGAIN = "the second time"
_UNDER_ANOTHER_SEED = "with another hash seed"
_AFTER_OTHERS = "after other episodes in the same process"
_HINTS = {
    _AGAIN: "Let results depend on the configuration and the calls only.",
    _UNDER_ANOTHER_SEED: "Sort sets of strings before their order matters.",
    _AFTER_OTHERS: "Keep changing state in attributes of the instance, not in the module or the class.",
}
_PARTS: dict[str, Repeat] = {
    "The tools respond differently": repeat_tools,
    "The oracle acts differently": repeat_oracle,
    "The same answer is judged differently": repeat_verdict,
}


async def check_deterministic(
    context: VerificationContext,
    environment: Environment,
    plays: Sequence[RecordedPlay],
    generated: Sequence[GeneratedTask],
) -> list[GateProblem]:
    """Repeats the oracle's plays and the generated tasks.

    Args:
        plays: plays of the oracle whose episodes could be opened; at least one.
        generated: tasks of the generator.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    parts = await context.run_all(partial(_repeat, context, environment, plays), _PARTS.items())
    tasks = await context.run_all(partial(_generate_again, context, environment), generated)
    return [problem for problem in (*parts, *tasks) if problem is not None]


async def _repeat(
    context: VerificationContext,
    environment: Environment,
    plays: Sequence[RecordedPlay],
    part: tuple[str, Repeat],
) -> GateProblem | None:
    difference_found, repeat = part
    # The first play is repeated too: it may change state that only its own repetition reads.
    repeated = [*plays, plays[0]]
    found = await repeat(context.other_pool, environment, repeated, context.limits)
    if found is not None and found.lost:
        found = await repeat(context.other_pool, environment, repeated, context.limits)
    if found is None:
        return None
    cause = _AFTER_OTHERS
    if await repeat(context.pool, environment, [found.play], context.limits):
        cause = _AGAIN
    elif await repeat(context.other_pool, environment, [found.play], context.limits):
        cause = _UNDER_ANOTHER_SEED
    return GateProblem(
        gate=Gate.DETERMINISTIC,
        message=f"{difference_found} {cause}. {_HINTS[cause]}",
        task=found.play.task.id,
        call=found.call,
        difference=found.difference,
    )


async def _generate_again(
    context: VerificationContext, environment: Environment, generated: GeneratedTask
) -> GateProblem | None:
    try:
        task = await generated.generate_again(context.other_pool, environment, context.limits)
    except EnvironmentFailedError as error:
        difference = str(error)
    else:
        if task == generated.task:
            return None
        difference = f"first {format_value(generated.task.config)}, then {format_value(task.config)}"
    return GateProblem(
        gate=Gate.DETERMINISTIC,
        message=f"The generator makes a different task {_UNDER_ANOTHER_SEED}. {_HINTS[_UNDER_ANOTHER_SEED]}",
        call=generated.call,
        difference=difference,
    )
