"""Makes an environment of a problem: requests it from a model part by part, tries each part, and has it
repaired."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from codegym_mcp.errors import ContextOverflowError, SourceError, TaskError
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.synthesis import prompt_rendering
from codegym_mcp.synthesis.cached_model import CachedModel, Turns
from codegym_mcp.synthesis.draft_rejection import DraftPart, DraftRejectedError
from codegym_mcp.synthesis.environment_draft import Draft, environment_name
from codegym_mcp.synthesis.funnel import AcceptedEnvironment, Candidate, Costs, GenerationAttempt, Stage
from codegym_mcp.synthesis.oracle_trials import (
    OracleTrial,
    agree_against_reference,
    find_unsolvable,
    fixed_tasks,
    try_oracle,
)
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError, json_block, python_block
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions
from codegym_mcp.synthesis.synthesis_store import StoredResponse
from codegym_mcp.synthesis.task_configurations import (
    is_written,
    read_configurations,
    try_generated,
    try_written,
)
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.gates.solved import check_solved
from codegym_mcp.verification.gates.verify import check_without_oracle, verify
from codegym_mcp.verification.recorded_play import format_value
from codegym_mcp.verification.verification_context import VerificationContext

OnStage = Callable[[str, Stage], object]
"""Called with the id of a problem and the stage that one of its candidates enters."""

_ENOUGH = 0.8
"""Least share of the written configurations on which the environment has to run (arXiv 2509.17325)."""
_FIRST_ORACLES = 2
"""Oracles that are requested first; the others are requested only if these do not solve every task."""
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
        options: options of the synthesis.
        on_stage: called with each stage that the candidate enters.
    """

    problem: CodingProblem
    sample: int
    model: CachedModel
    context: VerificationContext
    options: SynthesisOptions
    on_stage: OnStage
    _environment_turns: Turns = ()
    _tasks_turns: Turns = ()
    _oracle_turns: list[Turns] = field(default_factory=list)
    _interface: bytes = b""
    """What the dialogues about tasks depend on: task text, configuration and public values."""
    _spent: dict[str, Costs] = field(default_factory=dict)
    _generated: dict[str, list[Task]] = field(default_factory=dict)
    """The generated tasks of each draft that passed the checks without an oracle, by source."""
    _trials: dict[tuple[str, bytes], OracleTrial] = field(default_factory=dict)
    _dropped: list[str] = field(default_factory=list)
    _undecided: str = ""
    """The source for which the model was asked whether the reference or the oracles are right."""
    _confirmed: set[str] = field(default_factory=set)
    """The sources whose references the model confirmed by leaving the file unchanged."""

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
            costs=sum(self._spent.values(), Costs()),
        )

    async def _make(self) -> AcceptedEnvironment:
        draft = await self._write_draft()
        generated = await self._check_draft(draft)
        tasks = await self._write_tasks(draft, generated)
        trial = await self._solve(draft, tasks)
        return await self._examine(draft, trial)

    # --- the environment

    async def _write_draft(self) -> Draft:
        self._enter(Stage.ENVIRONMENT)
        response = await self._request(self._environment_turns, self.sample)
        try:
            code = python_block(_complete_text(response))
            draft = Draft.read(code, license=self.problem.license, origin=self.problem.origin)
        except (UnusableReplyError, SourceError) as error:
            raise self._reject(
                Stage.ENVIRONMENT, DraftPart.ENVIRONMENT, str(error), response.text, is_form=True
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
        if requests != [turns[0] for turns in self._oracle_turns]:
            self._oracle_turns = [(request,) for request in requests]

    async def _check_draft(self, draft: Draft) -> list[Task]:
        """Tries the generator, the tools and the judge, and returns the generated tasks."""
        self._enter(Stage.TASKS)
        if draft.source not in self._generated:
            environment = draft.without_oracle("draft")
            generated = await try_generated(self.context, environment)
            if generated.problems:
                raise self._reject(Stage.TASKS, DraftPart.ENVIRONMENT, generated.describe(), draft.source)
            problems = await check_without_oracle(self.context, environment, generated.tasks)
            if problems:
                reason = "\n".join(map(str, problems))
                raise self._reject(Stage.VERIFICATION, DraftPart.ENVIRONMENT, reason, draft.source)
            self._generated[draft.source] = generated.tasks
        return self._generated[draft.source]

    # --- the configurations

    async def _write_tasks(self, draft: Draft, generated: Sequence[Task]) -> list[Task]:
        environment = draft.without_oracle("draft")
        if not self._tasks_turns:
            self._tasks_turns = (prompt_rendering.render_tasks(draft, self.options.configurations),)
        response = await self._request(self._tasks_turns, 0)
        try:
            configs = read_configurations(json_block(_complete_text(response)))
        except UnusableReplyError as error:
            raise self._reject(
                Stage.TASKS, DraftPart.TASKS, str(error), response.text, is_form=True
            ) from None
        written = await try_written(self.context, environment, configs, generated)
        count = len(written.tasks) + len(written.problems)
        tasks = [*written.tasks, *generated]
        self._dropped = list(written.problems)
        if len(written.tasks) < _ENOUGH * count or len(tasks) < self.options.tasks:
            reason = f"{len(written.tasks)} of {count} configurations can be used.\n{written.describe()}"
            raise self._reject(Stage.TASKS, DraftPart.TASKS, reason.strip(), response.text)
        return tasks

    # --- the oracle

    async def _solve(self, draft: Draft, tasks: Sequence[Task]) -> OracleTrial:
        """Returns the best oracle, after the configurations that do not fit the task have been left out."""
        self._enter(Stage.ORACLE)
        oracles = _Oracles()
        first = range(min(_FIRST_ORACLES, self.options.oracles))
        await self._try_oracles(draft, tasks, first, oracles)
        if not (
            len(oracles.trials) == len(first) and all(each.solves_all for each in oracles.trials.values())
        ):
            await self._try_oracles(draft, tasks, range(len(first), self.options.oracles), oracles)
        responses, trials = oracles.responses, oracles.trials
        if not trials:
            sample = min(oracles.unusable)
            raise DraftRejectedError(
                Stage.ORACLE,
                DraftPart.ORACLE,
                oracles.unusable[sample],
                written=responses[sample].text,
                turns=self._oracle_turns[sample],
                sample=sample,
                is_form=True,
            )
        sample = max(trials, key=lambda each: (*trials[each].rank, -each))
        best = trials[sample]
        if not best.wrong or best.hindered:
            return best
        misfits = self._find_misfits(draft, list(trials.values()))
        rest = best.without(misfits)
        if misfits and not rest.wrong:
            written = sum(is_written(task) for task in tasks)
            if len(misfits) <= (1 - _ENOUGH) * written and len(rest.plays) >= self.options.tasks:
                self._dropped += [_describe_misfit(task) for task in misfits]
                return rest
            reason = "\n".join(_describe_misfit(task) for task in misfits[:_MAX_PROBLEMS])
            raise self._reject(Stage.ORACLE, DraftPart.TASKS, reason, self._stored_tasks())
        raise await self._reject_oracles(draft, list(trials.values()), responses[sample].text, sample)

    async def _try_oracles(
        self,
        draft: Draft,
        tasks: Sequence[Task],
        samples: Sequence[int],
        oracles: "_Oracles",
    ) -> None:
        """Requests oracles, tries them, and adds the results."""

        async def request(sample: int) -> None:
            oracles.responses[sample] = await self._request(self._oracle_turns[sample], sample)

        await self.context.run_all_nested(request, samples)
        name = environment_name(draft.title)
        for sample in samples:
            try:
                solve = draft.read_oracle(python_block(_complete_text(oracles.responses[sample])))
                environment = draft.with_oracle(solve, name)
            except (UnusableReplyError, SourceError) as error:
                oracles.unusable[sample] = _add_first_line(str(error), draft)
                continue
            oracles.trials[sample] = await self._try(environment, tasks)

    async def _try(self, environment: Environment, tasks: Sequence[Task]) -> OracleTrial:
        key = (environment.program.source, b"".join(task.model_dump_json().encode() for task in tasks))
        if key not in self._trials:
            self._trials[key] = await try_oracle(self.context, environment, tasks)
        return self._trials[key]

    def _find_misfits(self, draft: Draft, trials: Sequence[OracleTrial]) -> list[Task]:
        """Returns written configurations that do not fit the task.

        If oracles agree against the reference, or the model confirmed the reference, no configuration is
        blamed.
        """
        if draft.source in self._confirmed or agree_against_reference(trials) is not None:
            return []
        return find_unsolvable(trials)

    async def _reject_oracles(
        self, draft: Draft, trials: Sequence[OracleTrial], written: str, sample: int
    ) -> DraftRejectedError:
        """Builds the error for oracles that do not solve every task; `sample` is the best one."""
        best = max(trials, key=lambda trial: trial.rank)
        agreed = agree_against_reference(trials)
        if agreed is not None and draft.source not in self._confirmed:
            play, count = agreed
            (problem, *_) = await check_solved(self.context, best.environment, [play])
            reason = (
                f"{count} oracles that were written independently agree against the reference. {problem}\n"
                f"The configuration is {format_value(play.task.config)}."
            )
            self._undecided = draft.source
            return self._reject(Stage.ORACLE, DraftPart.ENVIRONMENT, reason, draft.source)
        problems = await check_solved(self.context, best.environment, best.wrong[:_MAX_PROBLEMS])
        described = "\n".join(map(str, problems))
        solved = sum(play.correct for play in best.plays)
        reason = f"The best oracle solves {solved} of {len(best.plays)} tasks.\n{described}"
        if agreed is not None:
            reason += "\nThe author of the task has confirmed the reference answers by the words of the task."
        return DraftRejectedError(
            Stage.ORACLE,
            DraftPart.ORACLE,
            _add_first_line(reason, draft),
            written=written,
            turns=self._oracle_turns[sample],
            sample=sample,
        )

    # --- length, gates and audit

    async def _examine(self, draft: Draft, trial: OracleTrial) -> AcceptedEnvironment:
        self._enter(Stage.LENGTH)
        source = trial.environment.program.source
        if len(trial.fit) < self.options.tasks and not trial.hindered:
            allowed = f"{prompt_rendering.LEAST_CALLS} to {prompt_rendering.MOST_CALLS}"
            reason = (
                f"{len(trial.fit)} of {len(trial.plays)} tasks take {allowed} calls. "
                "Tasks named written-N are from the list of configurations, tasks named dN-s… are generated "
                f"with difficulty N.\n{trial.describe_calls()}"
            )
            part = DraftPart.ENVIRONMENT if _is_generator_at_fault(trial) else DraftPart.TASKS
            raise self._reject(Stage.LENGTH, part, reason, source)
        self._enter(Stage.VERIFICATION)
        kept = [play.task for play in trial.hindered] or fixed_tasks(trial.fit)
        environment = trial.environment.with_tasks(tuple(kept))
        verification = await verify(self.context, environment)
        if trial.hindered or not verification.verified:
            described = "\n".join(str(problem) for problem in verification.problems[:_MAX_PROBLEMS])
            reason = described or f"The environment failed on {len(kept)} tasks while the oracle played."
            raise self._reject(Stage.VERIFICATION, DraftPart.ENVIRONMENT, reason, source)
        self._enter(Stage.AUDIT)
        try:
            audited = await audit(self.context, environment)
        except TaskError as error:
            raise self._reject(Stage.AUDIT, None, str(error), source) from None
        if audited.grade > self.options.grade:
            found = " ".join(finding.message for finding in audited.findings)
            raise self._reject(Stage.AUDIT, None, f"Grade {audited.grade}. {found}", source)
        return AcceptedEnvironment(title=draft.title, source=source, tasks=kept, audit=audited)

    # --- requests

    def _reject(
        self, stage: Stage, part: DraftPart | None, reason: str, written: str, *, is_form: bool = False
    ) -> DraftRejectedError:
        turns_by_part: dict[DraftPart | None, Turns] = {
            DraftPart.ENVIRONMENT: self._environment_turns,
            DraftPart.TASKS: self._tasks_turns,
        }
        return DraftRejectedError(
            stage,
            part,
            reason,
            written=written,
            turns=turns_by_part.get(part, ()),
            sample=self.sample if part is DraftPart.ENVIRONMENT else 0,
            is_form=is_form,
        )

    def _request_repair(self, rejection: DraftRejectedError, part: DraftPart) -> None:
        """Continues the dialogue in which the rejected part was written."""
        previous = self.model.stored_text(rejection.turns, rejection.sample)
        match part:
            case DraftPart.ENVIRONMENT:
                render = (
                    prompt_rendering.render_decision
                    if self._undecided
                    else prompt_rendering.render_repair_environment
                )
                self._environment_turns = (*rejection.turns, previous, render(rejection.reason))
            case DraftPart.TASKS:
                request = prompt_rendering.render_repair_tasks(rejection.reason)
                self._tasks_turns = (*rejection.turns, previous, request)
            case DraftPart.ORACLE:
                request = prompt_rendering.render_repair_oracle(rejection.reason)
                self._oracle_turns[rejection.sample] = (*rejection.turns, previous, request)

    def _stored_tasks(self) -> str:
        return self.model.stored_text(self._tasks_turns, 0)

    async def _request(self, turns: Turns, sample: int) -> StoredResponse:
        try:
            response = await self.model.request(turns, sample)
        except ContextOverflowError as error:
            raise DraftRejectedError(Stage.MODEL, None, error.message, written="") from None
        self._spent[self.model.key(turns, sample)] = response.costs
        if response.refusal is not None:
            reason = f"The model refuses: {response.refusal}"
            raise DraftRejectedError(Stage.MODEL, None, reason, written=response.text)
        return response

    def _enter(self, stage: Stage) -> None:
        self.on_stage(self.problem.id, stage)


@dataclass
class _Oracles:
    """The oracles that were tried for a draft, by sample.

    Attributes:
        responses: the responses of the model.
        trials: the trials of the usable oracles.
        unusable: why the other oracles cannot be used.
    """

    responses: dict[int, StoredResponse] = field(default_factory=dict)
    trials: dict[int, OracleTrial] = field(default_factory=dict)
    unusable: dict[int, str] = field(default_factory=dict)


def _complete_text(response: StoredResponse) -> str:
    if response.finish == "length":
        raise UnusableReplyError("The reply is longer than a reply may be and was cut off. Write less.")
    return response.text


def _add_first_line(reason: str, draft: Draft) -> str:
    """Adds to a reason with line numbers the line at which the oracle begins, which its author does not
    know."""
    if not re.search(r"\bline \d|the file:\d", reason):
        return reason
    return f"{reason}\nLine {draft.oracle_line} is the first line of what you wrote."


def _describe_misfit(task: Task) -> str:
    return (
        f"The configuration {format_value(task.config)} does not fit the task: no oracle solves it, "
        "although all generated tasks are solved."
    )


def _is_generator_at_fault(trial: OracleTrial) -> bool:
    """Returns whether most generated tasks do not take a suitable number of calls."""
    generated = [play for play in trial.plays if not is_written(play.task)]
    return sum(play in trial.fit for play in generated) * 2 < len(generated)
