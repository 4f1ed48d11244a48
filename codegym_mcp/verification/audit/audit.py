"""Audits an environment: measures it, finds its weaknesses and grades it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.catalog.stored_grade import AUDIT_VERSION
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.tools import tool_view
from codegym_mcp.errors import EnvironmentLimitError, TaskError
from codegym_mcp.policies.constant_baseline import ConstantPolicy, ReferenceAnswers
from codegym_mcp.policies.observe_baseline import ObservePolicy
from codegym_mcp.policies.policy import Policy
from codegym_mcp.policies.random_baseline import RandomPolicy
from codegym_mcp.policies.tool_schemas import answer_schema
from codegym_mcp.verification.audit.adaptivity import measure_adaptivity
from codegym_mcp.verification.audit.answers_without_looking import count_values, measure_answers
from codegym_mcp.verification.audit.audit_measurements import (
    Agreement,
    Figures,
    LeakageFigures,
    Spread,
    TaskFigures,
)
from codegym_mcp.verification.audit.config_perturbation import Perturbation
from codegym_mcp.verification.audit.grading_rules import Finding, Grade, find_weaknesses, grade_of
from codegym_mcp.verification.audit.hidden_value_readout import measure_read_out
from codegym_mcp.verification.audit.one_call_leakage import (
    Probe,
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
from codegym_mcp.verification.audit.unearned_rewards import (
    measure_answer_only,
    measure_any_answer,
    measure_mistakes,
)
from codegym_mcp.verification.gates.judge_gate import find_unjudged
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.recorded_play import format_value, play_episode
from codegym_mcp.verification.verification_context import VerificationContext

_FRESH_SEEDS = (70_001, 70_002, 70_003)
"""Seeds of generated tasks that were not used while the environment was written."""
_PERTURBED = 24
_SHORT_LIMITS = {"call_seconds": 1.0, "start_seconds": 1.0}
"""Limits for perturbed inputs, on which an environment may never end."""
_RANDOM_SEEDS = (0, 1, 2)


class Audit(BaseModel):
    """The result of auditing an environment."""

    model_config = ConfigDict(frozen=True)

    environment: str
    """Name of the environment."""
    version: int
    """Version of the measurements."""
    digest: str
    """Digest of the audited content, from `Environment.content_digest`."""
    grade: Grade
    findings: list[Finding]
    """The weaknesses that explain the grade."""
    figures: Figures

    @property
    def ok(self) -> Literal[True]:
        """Returns True; an `Unaudited` returns False."""
        return True

    def fits(self, environment: Environment) -> bool:
        """Returns whether the audit is current: same content and same version of the measurements."""
        return self.version == AUDIT_VERSION and self.digest == environment.content_digest


async def audit(context: VerificationContext, environment: Environment) -> Audit:
    """Audits an environment on its fixed tasks, or on generated ones if it has no fixed tasks.

    Raises:
        TaskError: the reference gives no answer for any task.
        SandboxError: the sandbox does not work on this system.
    """
    generated, _ = await generate_tasks(context, environment, _FRESH_SEEDS)
    fresh = await _compare(context, environment, [each.task for each in generated])
    fixed = await _compare(context, environment, environment.tasks)
    measured = [comparison for comparison in fixed or fresh if comparison.error is None]
    if not measured:
        raise TaskError(
            f"{environment.name} has no task on which its reference gives an answer.",
            hint="Run: codegym-mcp verify",
        )
    figures = await _measure(context, environment, measured, fresh)
    findings = find_weaknesses(figures)
    return Audit(
        environment=environment.name,
        version=AUDIT_VERSION,
        digest=environment.content_digest,
        grade=grade_of(findings),
        findings=findings,
        figures=figures,
    )


async def _compare(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[OracleComparison]:
    return await context.run_waves(partial(compare_oracle, context, environment), tasks, stop=_exceeded_limit)


def _exceeded_limit(comparison: OracleComparison) -> bool:
    """Returns whether the environment cannot be opened within its limit, so that other tasks take as long."""
    return isinstance(comparison.play.opening_error, EnvironmentLimitError)


async def _measure(
    context: VerificationContext,
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
        environment.with_tasks(tuple(tasks)), ReferenceAnswers(context.pool, context.limits)
    )
    constant = await _rewards(context, environment, tasks, constants)
    observe = await _rewards(context, environment, tasks, ObservePolicy())
    random = [await _rewards(context, environment, tasks, RandomPolicy(seed)) for seed in _RANDOM_SEEDS]
    random_means = [fmean(rewards) for rewards in zip(*random, strict=True)]
    probes = await probe_tools(context, environment, plays)
    input_leakage = measure_input_leakage(environment, tasks, references, probes)
    answer_leakage = measure_answer_leakage(environment.answer, references, probes)
    states = [comparison.play.final_state for comparison in measured]
    limited = replace(context, limits=context.limits.model_copy(update=_SHORT_LIMITS))
    perturbed = await _compare(limited, environment, _perturb(environment, tasks))
    return Figures(
        oracle=_mean([played.correct for played in plays]),
        oracle_calls=Spread.of(calls),
        answers=await measure_answers(context, environment, measured),
        generated_answers=await measure_answers(context, environment, answered),
        possible_answers=count_values(answer_schema(tool_view(environment.submission)))
        if environment.final_state is None
        else None,
        constant=_mean(constant),
        observe=_mean(observe),
        random=_mean(random_means),
        input_in_one_call=input_leakage.most,
        answer_in_one_call=answer_leakage.most,
        on_generated=await measure_agreement(context, environment, fresh),
        on_perturbed=await _measure_agreement_on_perturbed(context, environment, measured, perturbed),
        adaptive=measure_adaptivity(environment, [*measured, *answered, *perturbed]),
        answer_only=await measure_answer_only(context, environment, measured),
        any_answer=await measure_any_answer(context, environment, measured),
        state_in_one_call=_measure_state_leakage(environment, states, probes),
        mistakes=await measure_mistakes(
            context, environment, [*tasks, *(comparison.play.task for comparison in answered)]
        ),
        read_out=await measure_read_out(context, environment, plays),
        unjudged_answer=await _find_unjudged_answer(context, environment, tasks),
        by_task=[
            TaskFigures(
                task=task.id,
                oracle=float(plays[place].correct),
                oracle_calls=calls[place],
                constant=constant[place],
                observe=observe[place],
                random=round(random_means[place], 4),
                input_shown=input_leakage.parts[place],
                answer_shown=answer_leakage.tasks[place],
            )
            for place, task in enumerate(tasks)
        ],
    )


def _measure_state_leakage(
    environment: Environment, states: Sequence[Any], probes: Sequence[Sequence[Probe]]
) -> LeakageFigures:
    if environment.final_state is None:
        return LeakageFigures()
    return measure_answer_leakage(AnswerType(environment.final_state.returns), states, probes).most


def _mean(rewards: Sequence[float]) -> float:
    return round(fmean(rewards), 4)


async def _rewards(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task], policy: Policy
) -> list[float]:
    async def reward(task: Task) -> float:
        return float((await play_episode(context.pool, environment, task, policy, context.limits)).correct)

    return await context.run_all(reward, tasks)


def _perturb(environment: Environment, tasks: Sequence[Task]) -> list[Task]:
    perturbation = Perturbation(environment, tasks)
    each = max(1, _PERTURBED // len(tasks))
    return [variant for task in tasks for variant in perturbation.variants(task, each)]


async def _measure_agreement_on_perturbed(
    context: VerificationContext,
    environment: Environment,
    measured: Sequence[OracleComparison],
    perturbed: Sequence[OracleComparison],
) -> Agreement:
    limited = replace(context, limits=context.limits.model_copy(update=_SHORT_LIMITS))
    agreement = await measure_agreement(limited, environment, perturbed)
    alike = await find_look_alikes(limited, environment, measured)
    if not alike:
        return agreement
    return agreement.model_copy(update={"ambiguous": True, "example": alike[0].example})


async def _find_unjudged_answer(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> str:
    unjudged = await find_unjudged(context, environment, tasks)
    if not unjudged:
        return ""
    first = unjudged[0]
    return f"task {first.task.id}: answer {format_value(first.answer)}: {first.error}"
