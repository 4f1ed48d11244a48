"""Measures what an environment is worth."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from codegym_mcp.errors import TaskError
from codegym_mcp.policies.constant_baseline import ConstantPolicy, ReferenceAnswers
from codegym_mcp.policies.observe_baseline import ObservePolicy
from codegym_mcp.policies.policy import Policy
from codegym_mcp.policies.random_baseline import RandomPolicy
from codegym_mcp.policies.tool_schemas import answer_schema
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.spec.tools import tool_view
from codegym_mcp.verification.audit.answer_guessing import count_values, measure_answers
from codegym_mcp.verification.audit.audit_figures import Agreement, Figures, Spread, TaskFigures
from codegym_mcp.verification.audit.config_perturbation import Perturbation
from codegym_mcp.verification.audit.grades import Finding, Grade, find_weaknesses, grade_of
from codegym_mcp.verification.audit.leakage import (
    measure_answer_leakage,
    measure_input_leakage,
    probe_tools,
)
from codegym_mcp.verification.audit.oracle_agreement import (
    OracleComparison,
    compare_oracle,
    find_look_alikes,
    measure_agreement,
)
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.recorded_play import play_episode
from codegym_mcp.verification.verification_cache import content_digest
from codegym_mcp.verification.verification_context import VerificationContext

VERSION = 1
"""Of the measurements; audits of another version are stale."""

_FRESH_SEEDS = (70_001, 70_002, 70_003)
"""For tasks that nobody has seen while writing the environment."""
_PERTURBED = 24
_HASTY = {"call_seconds": 1.0, "start_seconds": 1.0}
"""What makes no sense to an environment may keep it busy for ever."""
_RANDOM_SEEDS = (0, 1, 2)


class Audit(BaseModel):
    """What an audit says of an environment."""

    model_config = ConfigDict(frozen=True)

    environment: str
    version: int
    digest: str
    """Of the content that was audited, as `content_digest` makes it."""
    grade: Grade
    findings: list[Finding]
    """Why the grade is not better."""
    figures: Figures

    def fits(self, environment: Environment) -> bool:
        """Whether the environment is still what was audited, and measured as it would be now."""
        return self.version == VERSION and self.digest == content_digest(environment)


async def audit(bench: VerificationContext, environment: Environment) -> Audit:
    """Audits an environment on every fixed task, or on generated ones where it has none.

    Raises:
        TaskError: there is no task on which the reference gives an answer.
        SandboxError: nothing can be audited here.
    """
    generated, _ = await generate_tasks(bench, environment, _FRESH_SEEDS)
    fresh = await _compare(bench, environment, [each.task for each in generated])
    fixed = await _compare(bench, environment, environment.tasks)
    measured = [comparison for comparison in fixed or fresh if comparison.error is None]
    if not measured:
        raise TaskError(
            f"{environment.name} has no task on which its reference gives an answer.",
            hint="Run: codegym-mcp verify",
        )
    figures = await _measure(bench, environment, measured, fresh)
    findings = find_weaknesses(figures)
    return Audit(
        environment=environment.name,
        version=VERSION,
        digest=content_digest(environment),
        grade=grade_of(findings),
        findings=findings,
        figures=figures,
    )


async def _compare(
    bench: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[OracleComparison]:
    return await bench.each(partial(compare_oracle, bench, environment), tasks)


async def _measure(
    bench: VerificationContext,
    environment: Environment,
    measured: Sequence[OracleComparison],
    fresh: Sequence[OracleComparison],
) -> Figures:
    tasks = [comparison.play.task for comparison in measured]
    plays = [comparison.play for comparison in measured]
    references = [comparison.reference for comparison in measured]
    calls = [len(played.steps) for played in plays]
    answered = [comparison for comparison in fresh if comparison.error is None]
    constants = ConstantPolicy(
        environment.with_tasks(tuple(tasks)), ReferenceAnswers(bench.pool, bench.limits)
    )
    constant = await _rewards(bench, environment, tasks, constants)
    observe = await _rewards(bench, environment, tasks, ObservePolicy())
    random = [await _rewards(bench, environment, tasks, RandomPolicy(seed)) for seed in _RANDOM_SEEDS]
    random_means = [fmean(rewards) for rewards in zip(*random, strict=True)]
    looks = await probe_tools(bench, environment, plays)
    inputs = measure_input_leakage(environment, tasks, references, looks)
    shown = measure_answer_leakage(environment, references, looks)
    return Figures(
        oracle=_mean([played.correct for played in plays]),
        oracle_calls=Spread.of(calls),
        answers=await measure_answers(bench, environment, measured),
        generated_answers=await measure_answers(bench, environment, answered),
        possible_answers=count_values(answer_schema(tool_view(environment.submission))),
        constant=_mean(constant),
        observe=_mean(observe),
        random=_mean(random_means),
        input_in_one_call=inputs.most,
        answer_in_one_call=shown.most,
        on_generated=await measure_agreement(bench, environment, fresh),
        on_perturbed=await _measure_perturbed(bench, environment, measured),
        by_task=[
            TaskFigures(
                task=task.id,
                oracle=float(plays[place].correct),
                oracle_calls=calls[place],
                constant=constant[place],
                observe=observe[place],
                random=round(random_means[place], 4),
                input_shown=inputs.parts[place],
                answer_shown=shown.tasks[place],
            )
            for place, task in enumerate(tasks)
        ],
    )


def _mean(rewards: Sequence[float]) -> float:
    return round(fmean(rewards), 4)


async def _rewards(
    bench: VerificationContext, environment: Environment, tasks: Sequence[Task], player: Policy
) -> list[float]:
    async def reward(task: Task) -> float:
        return float((await play_episode(bench.pool, environment, task, player, bench.limits)).correct)

    return await bench.each(reward, tasks)


async def _measure_perturbed(
    bench: VerificationContext, environment: Environment, measured: Sequence[OracleComparison]
) -> Agreement:
    tasks = [comparison.play.task for comparison in measured]
    perturbation = Perturbation(environment, tasks)
    each = max(1, _PERTURBED // len(tasks))
    perturbed = [variant for task in tasks for variant in perturbation.variants(task, each)]
    hasty = replace(bench, limits=bench.limits.model_copy(update=_HASTY))
    agreement = await measure_agreement(hasty, environment, await _compare(hasty, environment, perturbed))
    alike = await find_look_alikes(hasty, environment, measured)
    if not alike:
        return agreement
    return agreement.model_copy(update={"ambiguous": True, "example": alike[0].example})
