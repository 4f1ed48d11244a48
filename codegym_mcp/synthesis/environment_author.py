"""Makes an environment of a problem: asks a model for it part by part, tries what it writes, and gives back
what does not do."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from codegym_mcp.errors import ContextOverflowError, SourceError, TaskError
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.synthesis import prompt_rendering
from codegym_mcp.synthesis.cached_model import CachedModel, Talk
from codegym_mcp.synthesis.draft_rejection import DraftRejectedError, Part
from codegym_mcp.synthesis.environment_draft import Draft, environment_name
from codegym_mcp.synthesis.funnel import AcceptedEnvironment, Candidate, Costs, GenerationAttempt, Stage
from codegym_mcp.synthesis.oracle_trials import OracleTrial, agree_against_reference, fixed_tasks, try_oracle
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError, json_block, python_block
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions
from codegym_mcp.synthesis.synthesis_store import StoredResponse
from codegym_mcp.synthesis.task_configurations import read_configurations, try_generated, try_written
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.gates.solved import check_solved
from codegym_mcp.verification.gates.verify import verify
from codegym_mcp.verification.recorded_play import shown
from codegym_mcp.verification.verification_context import VerificationContext

OnStage = Callable[[str, Stage], object]
"""Called with a problem's id and the stage that it enters."""

_ENOUGH = 0.8
"""The part of the model's configurations that must run (arXiv 2509.17325)."""
_TOLD = 4


@dataclass
class Author:
    """Makes one candidate of a problem. All of it can be done again at no cost: answers are kept.

    Attributes:
        problem: what it is made of.
        sample: which candidate of the problem.
    """

    problem: CodingProblem
    sample: int
    asker: CachedModel
    bench: VerificationContext
    options: SynthesisOptions
    on_stage: OnStage
    _environment_talk: Talk = ()
    _tasks_talk: Talk = ()
    _oracle_talks: list[Talk] = field(default_factory=list)
    _spent: dict[str, Costs] = field(default_factory=dict)
    _trials: dict[tuple[str, bytes], OracleTrial] = field(default_factory=dict)

    async def write(self) -> Candidate:
        """Makes the environment, or finds out why it cannot be made.

        Raises:
            ModelError, RunHaltedError: the model gave no answer, through no fault of the problem's.
            SandboxError: nothing can be tried here.
        """
        attempts: list[GenerationAttempt] = []
        self._environment_talk = (prompt_rendering.environment(self.problem),)
        while True:
            try:
                made = await self._make()
            except DraftRejectedError as complaint:
                attempts.append(
                    GenerationAttempt(
                        stage=complaint.stage, reason=complaint.reason, written=complaint.written
                    )
                )
                if complaint.part == "none" or len(attempts) > self.options.repairs:
                    lost, reason = complaint.stage, complaint.reason
                    return self._candidate(attempts, lost=lost, reason=reason)
                self._give_back(complaint)
            else:
                return self._candidate(attempts, made=made)

    def _candidate(
        self,
        attempts: list[GenerationAttempt],
        made: AcceptedEnvironment | None = None,
        lost: Stage | None = None,
        reason: str = "",
    ) -> Candidate:
        costs = sum(self._spent.values(), Costs())
        return Candidate(
            sample=self.sample, made=made, lost=lost, reason=reason, attempts=attempts, costs=costs
        )

    async def _make(self) -> AcceptedEnvironment:
        draft = await self._draft()
        tasks = await self._tasks(draft)
        trial = await self._solve(draft, tasks)
        return await self._examine(draft, trial)

    async def _draft(self) -> Draft:
        self._enter(Stage.ENVIRONMENT)
        answer = await self._ask(self._environment_talk, self.sample)
        try:
            code = python_block(_whole(answer))
            return Draft.read(code, license=self.problem.license, origin=_origin(self.problem))
        except (UnusableReplyError, SourceError) as error:
            raise self._complain(Stage.ENVIRONMENT, "environment", str(error), answer.text) from None

    async def _tasks(self, draft: Draft) -> list[Task]:
        self._enter(Stage.TASKS)
        environment = draft.unsolved("draft")
        generated = await try_generated(self.bench, environment)
        if generated.problems:
            raise self._complain(Stage.TASKS, "environment", generated.told(), draft.source)
        if not self._tasks_talk:
            self._tasks_talk = (prompt_rendering.tasks(draft, self.options.configurations),)
        answer = await self._ask(self._tasks_talk, 0)
        try:
            configs = read_configurations(json_block(_whole(answer)))
        except UnusableReplyError as error:
            raise self._complain(Stage.TASKS, "tasks", str(error), answer.text) from None
        written = await try_written(self.bench, environment, configs)
        tried = len(written.tasks) + len(written.problems)
        tasks = written.tasks + generated.tasks
        if len(written.tasks) < _ENOUGH * tried or len(tasks) < self.options.tasks:
            told = f"{len(written.tasks)} of {tried} configurations run.\n{written.told()}".strip()
            raise self._complain(Stage.TASKS, "tasks", told, answer.text)
        return tasks

    async def _solve(self, draft: Draft, tasks: Sequence[Task]) -> OracleTrial:
        """An oracle that solves every task, or the complaint about the best one."""
        self._enter(Stage.ORACLE)
        environment = draft.unsolved("draft")
        if not self._oracle_talks:
            self._oracle_talks = [(prompt_rendering.oracle(draft, environment),)] * self.options.oracles
        name = environment_name(draft.title)
        answers: dict[int, StoredResponse] = {}
        trials: dict[int, OracleTrial] = {}
        unusable: dict[int, str] = {}

        async def ask(sample: int) -> None:
            answers[sample] = await self._ask(self._oracle_talks[sample], sample)

        await self.bench.side_by_side(ask, range(self.options.oracles))
        for sample, answer in sorted(answers.items()):
            try:
                solve = draft.read_oracle(python_block(_whole(answer)))
            except (UnusableReplyError, SourceError) as error:
                unusable[sample] = str(error)
                continue
            try:
                trials[sample] = await self._try(draft.solved(solve, name), tasks)
            except SourceError as error:
                unusable[sample] = _of_oracle(str(error), draft)
        if not trials:
            sample = min(unusable)
            written, talk = answers[sample].text, self._oracle_talks[sample]
            raise DraftRejectedError(
                Stage.ORACLE, "oracle", unusable[sample], written=written, talk=talk, sample=sample
            )
        sample = max(trials, key=lambda each: (*trials[each].rank, -each))
        best = trials[sample]
        if best.wrong and not best.hindered:
            await self._complain_of_oracle(draft, list(trials.values()), best, answers[sample].text, sample)
        return best

    async def _try(self, environment: Environment, tasks: Sequence[Task]) -> OracleTrial:
        key = (environment.program.source, b"".join(task.model_dump_json().encode() for task in tasks))
        if key not in self._trials:
            self._trials[key] = await try_oracle(self.bench, environment, tasks)
        return self._trials[key]

    async def _complain_of_oracle(
        self, draft: Draft, trials: Sequence[OracleTrial], best: OracleTrial, written: str, sample: int
    ) -> NoReturn:
        problems = await check_solved(self.bench, best.environment, best.wrong[:_TOLD])
        told = "\n".join(map(str, problems))
        agreed = agree_against_reference(trials)
        if agreed is not None:
            play, count = agreed
            (problem, *_) = await check_solved(self.bench, best.environment, [play])
            reason = (
                f"{count} oracles that were written apart agree against the reference. {problem}\n"
                f"Its configuration is {shown(play.task.config)}."
            )
            raise self._complain(Stage.ORACLE, "environment", reason, draft.source)
        solved = sum(play.correct for play in best.plays)
        reason = _of_oracle(f"The best oracle solves {solved} of {len(best.plays)} tasks.\n{told}", draft)
        talk = self._oracle_talks[sample]
        raise DraftRejectedError(Stage.ORACLE, "oracle", reason, written=written, talk=talk, sample=sample)

    async def _examine(self, draft: Draft, trial: OracleTrial) -> AcceptedEnvironment:
        """Length, gates and audit of an environment whose oracle solves its tasks."""
        self._enter(Stage.LENGTH)
        source = trial.environment.program.source
        if len(trial.fit) < self.options.tasks and not trial.hindered:
            range_told = f"{prompt_rendering.LEAST_CALLS} to {prompt_rendering.MOST_CALLS}"
            reason = (
                f"{len(trial.fit)} of {len(trial.plays)} tasks take {range_told} calls. "
                "Those named written-N are from the list of configurations, those named dN-s… are generated "
                f"with difficulty N.\n{trial.calls_told()}"
            )
            part: Part = "environment" if _generated_at_fault(trial) else "tasks"
            raise self._complain(Stage.LENGTH, part, reason, source)
        self._enter(Stage.VERIFICATION)
        kept = [play.task for play in trial.hindered] or fixed_tasks(trial.fit)
        environment = trial.environment.with_tasks(tuple(kept))
        verification = await verify(self.bench, environment)
        if trial.hindered or not verification.verified:
            told = "\n".join(str(problem) for problem in verification.problems[:_TOLD])
            reason = told or f"The environment let its oracle down on {len(kept)} tasks."
            raise self._complain(Stage.VERIFICATION, "environment", reason, source)
        self._enter(Stage.AUDIT)
        try:
            audited = await audit(self.bench, environment)
        except TaskError as error:
            raise self._complain(Stage.AUDIT, "none", str(error), source) from None
        if audited.grade > self.options.grade:
            found = " ".join(finding.message for finding in audited.findings)
            raise self._complain(Stage.AUDIT, "none", f"Grade {audited.grade}. {found}", source)
        return AcceptedEnvironment(title=draft.title, source=source, tasks=kept, audit=audited)

    def _complain(self, stage: Stage, part: Part, reason: str, written: str) -> DraftRejectedError:
        talks = {"environment": self._environment_talk, "tasks": self._tasks_talk}
        sample = self.sample if part == "environment" else 0
        talk = talks.get(part, ())
        return DraftRejectedError(stage, part, reason, written=written, talk=talk, sample=sample)

    def _give_back(self, complaint: DraftRejectedError) -> None:
        """Goes on with the talk in which it was written; what rested on it is asked for again."""
        repair = {
            "environment": prompt_rendering.repair_environment,
            "tasks": prompt_rendering.repair_tasks,
            "oracle": prompt_rendering.repair_oracle,
        }[complaint.part]
        said = self.asker.known(complaint.talk, complaint.sample)
        talk = (*complaint.talk, said, repair(complaint.reason))
        if complaint.part == "environment":
            self._environment_talk, self._tasks_talk, self._oracle_talks = talk, (), []
        elif complaint.part == "tasks":
            self._tasks_talk = talk
        else:
            self._oracle_talks[complaint.sample] = talk

    async def _ask(self, talk: Talk, sample: int) -> StoredResponse:
        try:
            answer = await self.asker.ask(talk, sample)
        except ContextOverflowError as error:
            raise DraftRejectedError(Stage.MODEL, "none", error.message, written="") from None
        self._spent[self.asker.key(talk, sample)] = answer.costs
        if answer.refusal is not None:
            reason = f"The model declines: {answer.refusal}"
            raise DraftRejectedError(Stage.MODEL, "none", reason, written=answer.text)
        return answer

    def _enter(self, stage: Stage) -> None:
        self.on_stage(self.problem.id, stage)


def _whole(answer: StoredResponse) -> str:
    if answer.finish == "length":
        raise UnusableReplyError("The answer breaks off: it is longer than a reply may be. Write less.")
    return answer.text


def _of_oracle(reason: str, draft: Draft) -> str:
    """A reason for whoever wrote an oracle, and does not know the file in which its lines are counted."""
    if not re.search(r"\bline \d|the file:\d", reason):
        return reason
    return f"{reason}\nLine {draft.oracle_line} is the first one of what you wrote."


def _origin(problem: CodingProblem) -> str:
    return f"{problem.source} {problem.id}".strip()


def _generated_at_fault(trial: OracleTrial) -> bool:
    """Whether most of what the generator makes has no fit length."""
    generated = [play for play in trial.plays if not play.task.id.startswith("written-")]
    return sum(play in trial.fit for play in generated) * 2 < len(generated)
