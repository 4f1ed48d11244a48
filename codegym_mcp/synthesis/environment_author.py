"""Makes an environment of a problem: requests it from a model part by part, tries each part, and has it
repaired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.errors import SourceError, TaskError
from codegym_mcp.synthesis import prompt_rendering
from codegym_mcp.synthesis.cached_model import CachedModel, Turns
from codegym_mcp.synthesis.candidate_examination import Examiner
from codegym_mcp.synthesis.draft_rejection import DraftPart, DraftRejectedError
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.model_requests import ModelRequests, complete_text
from codegym_mcp.synthesis.oracle_author import OracleAuthor
from codegym_mcp.synthesis.oracle_trials import (
    OracleTrial,
    fixed_tasks,
)
from codegym_mcp.synthesis.problem_outcomes import AcceptedEnvironment, Candidate, GenerationAttempt, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError, json_block, python_block
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions
from codegym_mcp.synthesis.task_configurations import (
    ENOUGH,
    MORE_SEEDS,
    is_written,
    read_configurations,
    try_generated,
    try_written,
)
from codegym_mcp.verification.gates.all_gates import check_without_oracle
from codegym_mcp.verification.verification_context import VerificationContext

OnStage = Callable[[str, Stage], object]
"""Called with the id of a problem and the stage that one of its candidates enters."""

_MAX_PROBLEMS = 4


@dataclass
class EnvironmentAuthor:
    """Makes one candidate of a problem. Running it again sends no request twice, because responses are
    stored.

    Attributes:
        problem: the problem.
        sample: number of the candidate, starting at 0.
        model: the model that writes the parts.
        context: the sandboxes in which the parts are tried.
        examiner: takes the finished environment through the gates and the audit.
        options: options of the synthesis.
        on_stage: called with each stage that the candidate enters.
    """

    problem: CodingProblem
    sample: int
    model: CachedModel
    context: VerificationContext
    examiner: Examiner
    options: SynthesisOptions
    on_stage: OnStage
    _environment_turns: Turns = ()
    _tasks_turns: Turns = ()
    _interface: bytes = b""
    """What the dialogues about tasks depend on: task text, configuration and public values."""
    _generated: dict[str, list[Task]] = field(default_factory=dict)
    """The generated tasks of each draft that passed the checks without an oracle, by source."""
    _extended: set[str] = field(default_factory=set)
    """The sources of which more tasks have been generated than at first."""
    _dropped: list[str] = field(default_factory=list)
    _undecided: str = ""
    """The source for which the model was asked whether the reference or the oracles are right."""
    _confirmed: set[str] = field(default_factory=set)
    """The sources whose references the model confirmed by leaving the file unchanged."""

    def __post_init__(self) -> None:
        self._requests = ModelRequests(self.model)
        self._oracles = OracleAuthor(self._requests, self.context, self.options.tasks)

    async def write(self) -> Candidate:
        """Makes the environment, or finds out why it cannot be made.

        Raises:
            ModelError, RunHaltedError: the model gave no response; the problem is not the cause.
            SandboxError: the sandbox does not work on this system.
        """
        attempts: list[GenerationAttempt] = []
        repairs = {True: 0, False: 0}
        self._environment_turns = (prompt_rendering.render_environment(self.problem, self.sample),)
        while True:
            try:
                accepted = await self._make()
            except DraftRejectedError as rejection:
                attempts.append(
                    GenerationAttempt(
                        stage=rejection.stage, reason=rejection.reason, written=rejection.written
                    )
                )
                repairs[rejection.is_form] += 1
                if rejection.part is None or repairs[rejection.is_form] > self.options.repairs:
                    return self._candidate(attempts, rejected_at=rejection.stage, reason=rejection.reason)
                self._request_repair(rejection, rejection.part)
            else:
                return self._candidate(attempts, accepted=accepted)

    def _candidate(
        self,
        attempts: list[GenerationAttempt],
        accepted: AcceptedEnvironment | None = None,
        rejected_at: Stage | None = None,
        reason: str = "",
    ) -> Candidate:
        return Candidate(
            sample=self.sample,
            accepted=accepted,
            rejected_at=rejected_at,
            reason=reason,
            attempts=attempts,
            dropped_configurations=self._dropped,
            costs=self._requests.costs,
        )

    async def _make(self) -> AcceptedEnvironment:
        draft = await self._write_draft()
        generated = await self._check_draft(draft)
        tasks = await self._write_tasks(draft, generated)
        self._enter(Stage.ORACLE)
        confirmed = draft.source in self._confirmed
        best = await self._oracles.write(draft, tasks, reference_confirmed=confirmed)
        self._dropped += best.dropped
        return await self._examine(draft, best.trial)

    # --- the environment

    async def _write_draft(self) -> Draft:
        self._enter(Stage.ENVIRONMENT)
        response = await self._requests.send(self._environment_turns, self.sample)
        try:
            code = python_block(complete_text(response))
            draft = Draft.read(code, license=self.problem.license, origin=self.problem.origin)
        except (UnusableReplyError, SourceError) as error:
            raise DraftRejectedError(
                Stage.ENVIRONMENT,
                DraftPart.ENVIRONMENT,
                str(error),
                written=response.text,
                is_form=True,
            ) from None
        if draft.source == self._undecided:
            self._confirmed.add(draft.source)
        self._undecided = ""
        self._forget_outdated_parts(draft)
        return draft

    def _forget_outdated_parts(self, draft: Draft) -> None:
        """Drops the dialogues about tasks and oracles if they are about another task or other tools."""
        environment = draft.without_oracle("draft")
        interface = to_json([environment.template, environment.configuration.input_schema, draft.public])
        if interface != self._interface:
            self._tasks_turns = ()
        self._interface = interface
        requests = [
            prompt_rendering.render_oracle(draft, environment, sample)
            for sample in range(self.options.oracles)
        ]
        self._oracles.set_requests(requests)

    async def _check_draft(self, draft: Draft) -> list[Task]:
        """Tries the generator, the tools and the judge, and returns the generated tasks."""
        self._enter(Stage.TASKS)
        if draft.source not in self._generated:
            environment = draft.without_oracle("draft")
            generated = await try_generated(self.context, environment)
            if generated.problems:
                raise self._reject_environment(Stage.TASKS, generated.describe(), draft)
            problems = await check_without_oracle(self.context, environment, generated.tasks)
            if problems:
                reason = "\n".join(map(str, problems))
                raise self._reject_environment(Stage.VERIFICATION, reason, draft)
            self._generated[draft.source] = generated.tasks
        return self._generated[draft.source]

    async def _generate_more(self, draft: Draft) -> None:
        """Adds generated tasks on which the oracles are tried, so that what an audit found is repaired.

        The tasks of the audit stay unused, so that its figures are those of fresh tasks.
        """
        more = await try_generated(self.context, draft.without_oracle("draft"), MORE_SEEDS)
        if more.problems:
            raise self._reject_environment(Stage.TASKS, more.describe(), draft)
        self._extended.add(draft.source)
        self._generated[draft.source] = [*self._generated[draft.source], *more.tasks]

    # --- the configurations

    async def _write_tasks(self, draft: Draft, generated: Sequence[Task]) -> list[Task]:
        environment = draft.without_oracle("draft")
        if not self._tasks_turns:
            self._tasks_turns = (prompt_rendering.render_tasks(draft, self.options.configurations),)
        response = await self._requests.send(self._tasks_turns, 0)
        try:
            configs = read_configurations(json_block(complete_text(response)))
        except UnusableReplyError as error:
            raise DraftRejectedError(
                Stage.TASKS, DraftPart.TASKS, str(error), written=response.text, is_form=True
            ) from None
        written = await try_written(self.context, environment, configs, generated)
        count = len(written.tasks) + len(written.problems)
        tasks = [*written.tasks, *generated]
        self._dropped = list(written.problems)
        if len(written.tasks) < ENOUGH * count or len(tasks) < self.options.tasks:
            reason = f"{len(written.tasks)} of {count} configurations can be used.\n{written.describe()}"
            raise DraftRejectedError(Stage.TASKS, DraftPart.TASKS, reason.strip(), written=response.text)
        return tasks

    # --- length, gates and audit

    async def _examine(self, draft: Draft, trial: OracleTrial) -> AcceptedEnvironment:
        self._enter(Stage.LENGTH)
        source = trial.environment.program.source
        endless = [play for play in trial.too_long if not is_written(play.task)]
        if (len(trial.fit) < self.options.tasks or endless) and not trial.hindered:
            allowed = f"{prompt_rendering.LEAST_CALLS} to {prompt_rendering.MOST_CALLS}"
            reason = (
                f"{len(trial.fit)} of {len(trial.plays)} tasks take {allowed} calls. "
                "Tasks named written-N are from the list of configurations, tasks named dN-s… are generated "
                f"with difficulty N.\n{trial.describe_calls()}"
            )
            # Generated tasks that no agent can finish would be graded as unsolved, which is not repaired.
            part = DraftPart.ENVIRONMENT if endless or _is_generator_at_fault(trial) else DraftPart.TASKS
            raise DraftRejectedError(Stage.LENGTH, part, reason, written=source)
        self._enter(Stage.VERIFICATION)
        kept = [play.task for play in trial.hindered] or fixed_tasks(trial.fit)
        environment = trial.environment.with_tasks(tuple(kept))
        verification = await self.examiner.verify_environment(environment)
        if trial.hindered or not verification.verified:
            described = "\n".join(str(problem) for problem in verification.problems[:_MAX_PROBLEMS])
            reason = described or f"The environment failed on {len(kept)} tasks while the oracle played."
            raise DraftRejectedError(Stage.VERIFICATION, DraftPart.ENVIRONMENT, reason, written=source)
        self._enter(Stage.AUDIT)
        try:
            audited = await self.examiner.audit_environment(environment)
        except TaskError as error:
            raise DraftRejectedError(Stage.AUDIT, None, str(error), written=source) from None
        fresh = audited.figures.on_generated
        unsolved = fresh.agreed < fresh.tried
        if unsolved and draft.source not in self._extended:
            await self._generate_more(draft)
            return await self._make()
        if audited.grade > self.options.grade:
            found = " ".join(finding.message for finding in audited.findings)
            reason = f"Grade {audited.grade}. {found}"
            if unsolved:
                reason = f"{reason} For example {fresh.example}"
            # What the fixed tasks show is a matter of the idea, not of a fault.
            faulty = DraftPart.ENVIRONMENT if unsolved else None
            raise DraftRejectedError(Stage.AUDIT, faulty, reason, written=source)
        return AcceptedEnvironment(title=draft.title, source=source, tasks=kept, audit=audited)

    # --- rejections and repairs

    def _reject_environment(self, stage: Stage, reason: str, draft: Draft) -> DraftRejectedError:
        return DraftRejectedError(stage, DraftPart.ENVIRONMENT, reason, written=draft.source)

    def _request_repair(self, rejection: DraftRejectedError, part: DraftPart) -> None:
        """Continues the dialogue in which the rejected part was written."""
        match part:
            case DraftPart.ENVIRONMENT:
                render = prompt_rendering.render_repair_environment
                if rejection.asks_decision:
                    render = prompt_rendering.render_decision
                    self._undecided = rejection.written
                self._environment_turns = self._requests.continue_turns(
                    self._environment_turns, self.sample, render(rejection.reason)
                )
            case DraftPart.TASKS:
                request = prompt_rendering.render_repair_tasks(rejection.reason)
                self._tasks_turns = self._requests.continue_turns(self._tasks_turns, 0, request)
            case DraftPart.ORACLE:
                request = prompt_rendering.render_repair_oracle(rejection.reason)
                self._oracles.request_repair(rejection.sample, request)

    def _enter(self, stage: Stage) -> None:
        self.on_stage(self.problem.id, stage)


def _is_generator_at_fault(trial: OracleTrial) -> bool:
    """Returns whether most generated tasks do not take a suitable number of calls."""
    generated = [play for play in trial.plays if not is_written(play.task)]
    return sum(play in trial.fit for play in generated) * 2 < len(generated)
