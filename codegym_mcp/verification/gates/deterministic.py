"""Whether the same run gives the same trajectory: again, after other episodes, and under another hash seed.

Everything is repeated once, under another hash seed and with one episode after another in the same process.
Only where something goes another way is it asked which of the reasons it is.
"""

from collections.abc import Sequence
from functools import partial

from codegym_mcp.errors import CodegymError, SandboxError
from codegym_mcp.spec.environment import Environment
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.gates.trace_comparison import (
    Repeat,
    repeat_oracle,
    repeat_tools,
    repeat_verdict,
)
from codegym_mcp.verification.generated_tasks import GeneratedTasks
from codegym_mcp.verification.recorded_play import RecordedPlay, shown
from codegym_mcp.verification.verification_context import VerificationContext

_AGAIN = "the second time"
_UNDER_ANOTHER_SEED = "under another hash seed"
_AFTER_OTHERS = "after other episodes in the same process"
_HINTS = {
    _AGAIN: "Let nothing but the configuration and the calls decide.",
    _UNDER_ANOTHER_SEED: "Sort sets of strings before their order can matter.",
    _AFTER_OTHERS: "Keep what changes in attributes of the instance, not in the module or the class.",
}
_PARTS: dict[str, Repeat] = {
    "The tools say something else": repeat_tools,
    "The oracle acts otherwise": repeat_oracle,
    "The same answer is judged otherwise": repeat_verdict,
}


async def check_deterministic(
    bench: VerificationContext,
    environment: Environment,
    plays: Sequence[RecordedPlay],
    generated: Sequence[GeneratedTasks],
) -> list[GateProblem]:
    """Repeats what the oracle has played and what the generator has made.

    Args:
        plays: the oracle's, of episodes that could be opened; at least one.
        generated: tasks of the generator.

    Raises:
        SandboxError: nothing can be repeated here.
    """
    parts = await bench.each(partial(_repeat, bench, environment, plays), _PARTS.items())
    tasks = await bench.each(partial(_generate_again, bench, environment), generated)
    return [problem for problem in (*parts, *tasks) if problem is not None]


async def _repeat(
    bench: VerificationContext,
    environment: Environment,
    plays: Sequence[RecordedPlay],
    part: tuple[str, Repeat],
) -> GateProblem | None:
    deed, repeat = part
    # The first once more: it may be itself that it leaves something for.
    repeated = [*plays, plays[0]]
    found = await repeat(bench.other_pool, environment, repeated, bench.limits)
    if found is not None and found.lost:
        found = await repeat(bench.other_pool, environment, repeated, bench.limits)
    if found is None:
        return None
    cause = _AFTER_OTHERS
    if await repeat(bench.pool, environment, [found.play], bench.limits):
        cause = _AGAIN
    elif await repeat(bench.other_pool, environment, [found.play], bench.limits):
        cause = _UNDER_ANOTHER_SEED
    return GateProblem(
        gate=Gate.DETERMINISTIC,
        message=f"{deed} {cause}. {_HINTS[cause]}",
        task=found.play.task.id,
        call=found.call,
        difference=found.difference,
    )


async def _generate_again(
    bench: VerificationContext, environment: Environment, generated: GeneratedTasks
) -> GateProblem | None:
    try:
        then = await generated.repeat(bench.other_pool, environment, bench.limits)
    except SandboxError:
        raise
    except CodegymError as error:
        difference = str(error)
    else:
        if then == generated.task:
            return None
        difference = f"first {shown(generated.task.config)}, then {shown(then.config)}"
    return GateProblem(
        gate=Gate.DETERMINISTIC,
        message=f"The generator makes another task {_UNDER_ANOTHER_SEED}. {_HINTS[_UNDER_ANOTHER_SEED]}",
        call=generated.call,
        difference=difference,
    )
