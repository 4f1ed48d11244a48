"""Makes an environment of one problem by program analysis, or finds out why it cannot be made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.errors import SourceError, TaskError
from codegym_mcp.synthesis.oracle_trials import fixed_tasks, try_oracle
from codegym_mcp.synthesis.problem_outcomes import AcceptedEnvironment, Candidate, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import (
    ReferenceForm,
    write_environment,
)
from codegym_mcp.synthesis.program_tracing.environment_files.task_statement import task_text, title_of
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import tool_types
from codegym_mcp.synthesis.program_tracing.input_generation.argument_mining import mine_examples
from codegym_mcp.synthesis.program_tracing.input_generation.input_scaling import InputScaler
from codegym_mcp.synthesis.program_tracing.input_generation.neighbouring_inputs import neighbours
from codegym_mcp.synthesis.program_tracing.lifting.length_parameters import find_lengths
from codegym_mcp.synthesis.program_tracing.play_selection.granularity_examination import Granularity
from codegym_mcp.synthesis.program_tracing.play_selection.tool_granularity import choose_granularity
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import (
    Evaluated,
    choose_inputs,
    evaluate,
    parameter_shapes,
)
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program, read_program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape, annotation, shape_of
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions, Tier, TracingFigures
from codegym_mcp.verification.audit.audit import Audit, audit
from codegym_mcp.verification.audit.grading_rules import Grade, Weakness
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext

OnStage = Callable[[str, Stage], object]
"""Called with the id of a problem and the stage that it enters."""
TRACING_VERSION = "9"
"""Version of the analysis; outcomes of another version are decided again."""
_GENERATED = 144
_NEIGHBOURS = 96
_INPUTS = 51
"""Inputs on which the ways to lift a solution are tried."""


@dataclass
class TracingAuthor:
    """Makes the environment of one problem.

    Attributes:
        problem: the problem.
        context: the sandboxes in which its code runs.
        options: options of the synthesis.
        on_stage: called with each stage.
    """

    problem: CodingProblem
    context: VerificationContext
    options: SynthesisOptions
    on_stage: OnStage

    async def write(self) -> Candidate:
        """Makes the environment.

        Raises:
            SandboxError: the sandbox does not work on this system.
        """
        try:
            accepted, figures = await self._make()
            return Candidate(sample=0, accepted=accepted, tracing=figures)
        except RefusedProblemError as refusal:
            return Candidate(sample=0, rejected_at=refusal.stage, reason=refusal.reason)
        except RecursionError:
            reason = "The solution is nested too deeply."
            return Candidate(sample=0, rejected_at=Stage.PROBLEM, reason=reason)

    async def _make(self) -> tuple[AcceptedEnvironment, TracingFigures]:
        problem = self.problem
        self.on_stage(problem.id, Stage.ENVIRONMENT)
        program = read_program(problem.solution, problem.tests, problem.entry_point)
        examples = await mine_examples(self.context.pool, program, problem.tests)
        self.on_stage(problem.id, Stage.TASKS)
        inputs = await self._inputs(program, examples.arguments)
        shapes = parameter_shapes(program, inputs)
        self.on_stage(problem.id, Stage.ORACLE)
        found = await choose_granularity(
            self.context,
            program,
            variables=examples.variables,
            parameters=shapes,
            lengths=find_lengths(program, inputs, self.problem.statement),
            inputs=inputs,
            least_tasks=self.options.tasks,
        )
        wanted = self.options.tier or Tier.USABLE
        if found.tier.rank < wanted.rank:
            reason = _below_tier(found.figures, len(found.lifted.tools), wanted)
            raise RefusedProblemError(reason, Stage.AUDIT)
        source = self._source(program, found, inputs, shapes)
        accepted = await self._examine(source, found)
        return accepted, self._audited_figures(found, accepted)

    def _audited_figures(self, found: Granularity, accepted: AcceptedEnvironment) -> TracingFigures:
        """Returns the figures; that of the audit decides whether an environment can be bypassed.

        Raises:
            RefusedProblemError: the environment is below the wanted tier.
        """
        read_out = accepted.audit.figures.read_out
        tier = found.tier
        if tier is Tier.NOT_BYPASSABLE and read_out is not None and read_out < 1:
            tier = Tier.STRICT
        figures = found.figures.model_copy(update={"tier": tier, "read_out": read_out})
        wanted = self.options.tier or Tier.USABLE
        if tier.rank < wanted.rank:
            raise RefusedProblemError(_below_tier(figures, len(found.lifted.tools), wanted), Stage.AUDIT)
        return figures

    async def _inputs(self, program: Program, examples: list[tuple[Any, ...]]) -> list[Evaluated]:
        """Returns the calls of the tests and generated ones, with their results."""
        known = {repr(each) for each in examples}
        generated = InputScaler(examples, self.problem.id, self.problem.statement).generate(_GENERATED)
        calls = [*examples, *(each for each in generated if repr(each) not in known)]
        evaluated = await evaluate(self.context, program, calls, len(examples))
        near = neighbours(evaluated, examples, _NEIGHBOURS, self.problem.id)
        if near:
            # The first call is known to work, so that a result like those of the tests is found.
            evaluated += (await evaluate(self.context, program, [evaluated[0].arguments, *near], 1))[1:]
        return choose_inputs(evaluated, _INPUTS)

    def _source(
        self, program: Program, found: Granularity, inputs: list[Evaluated], shapes: dict[str, Shape]
    ) -> str:
        results = shape_of(each.result for each in inputs)
        form = ReferenceForm(
            shapes=shapes,
            answer=annotation(results),
            is_iterator=any(each.is_iterator for each in inputs),
            is_pairs=results.only(Kind.DICT) and results.keys is not None and not results.keys.only(Kind.STR),
        )
        lifted = found.lifted
        problem = self.problem
        meta: dict[str, object] = {
            "title": title_of(problem.id, problem.statement, program.entry.name),
            "tags": ["traced"],
            "public": list(lifted.public),
            "source": problem.origin,
        }
        if problem.license:
            meta["license"] = problem.license
        if not lifted.public:
            del meta["public"]
        text = task_text(problem.statement, program, lifted, form)
        return write_environment(
            text=text,
            meta=meta,
            program=program,
            lifted=lifted,
            form=form,
            types=tool_types(found.lifted, found.all_plays),
        )

    async def _examine(self, source: str, found: Granularity) -> AcceptedEnvironment:
        """Takes the file through the gates and the audit, in fresh processes."""
        try:
            environment: Environment = read_environment_source(source, name="draft", path="draft")
        except SourceError as error:
            raise RefusedProblemError(f"The written file cannot be read: {error}.") from None
        tasks = [Task(id=f"n{number}", config=play.config) for number, play in enumerate(found.plays)]
        self.on_stage(self.problem.id, Stage.LENGTH)
        trial = await try_oracle(self.context, environment, tasks)
        if trial.hindered or trial.wrong:
            first = (trial.hindered or trial.wrong)[0]
            reason = str(first.opening_error or first.policy_error or first.reason or "The answer is wrong.")
            raise RefusedProblemError(f"The oracle fails in fresh processes: {reason}", Stage.ORACLE)
        kept = fixed_tasks(trial.fit)
        if len(kept) < self.options.tasks:
            raise RefusedProblemError(f"Only {len(kept)} tasks have a suitable length.", Stage.LENGTH)
        environment = environment.with_tasks(tuple(kept))
        self.on_stage(self.problem.id, Stage.VERIFICATION)
        verification = await verify(self.context, environment)
        if not verification.verified:
            problems = "; ".join(str(each) for each in verification.problems[:3])
            raise RefusedProblemError(problems or "A gate could not be decided.", Stage.VERIFICATION)
        self.on_stage(self.problem.id, Stage.AUDIT)
        try:
            audited = await audit(self.context, environment)
        except TaskError as error:
            raise RefusedProblemError(error.message, Stage.AUDIT) from None
        if audited.grade > self.options.grade and not _is_only_guessable(audited, found):
            why = " ".join(finding.message for finding in audited.findings)
            raise RefusedProblemError(f"Grade {audited.grade}. {why}", Stage.AUDIT)
        return AcceptedEnvironment(title=environment.title, source=source, tasks=kept, audit=audited)


def _is_only_guessable(audited: Audit, found: Granularity) -> bool:
    """Returns whether an environment is weak only because its answers are true or false.

    Such an environment is kept if the rest is strong: it is strict.
    """
    truths = all(isinstance(play.answer, bool) for play in found.plays)
    guessing = {Weakness.GUESSABLE, Weakness.CONSTANT, Weakness.OBSERVE, Weakness.RANDOM}
    weak = {finding.weakness for finding in audited.findings if finding.grade > Grade.B}
    return truths and found.tier.rank >= Tier.STRICT.rank and weak <= guessing


def _below_tier(figures: TracingFigures, tools: int, wanted: Tier) -> str:
    read_out = "nothing can be read out" if figures.read_out is None else f"read_out {figures.read_out:g}"
    adaptive = "unknown" if figures.adaptive is None else f"{figures.adaptive:.0%}"
    words = wanted.value.replace("-", " ")
    return f"It is not {words}: {tools} tools, adaptive {adaptive}, {read_out}."
