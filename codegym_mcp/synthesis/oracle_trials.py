"""Tries generated oracles on every task and compares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import DIFFICULTIES, Environment, Task
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.synthesis.prompt_rendering import LEAST_CALLS, MOST_CALLS
from codegym_mcp.synthesis.task_configurations import is_written
from codegym_mcp.verification.gates.solved_gate import is_hindered
from codegym_mcp.verification.recorded_play import RecordedPlay, play_episode
from codegym_mcp.verification.verification_context import VerificationContext


@dataclass(frozen=True)
class OracleTrial:
    """An oracle and its plays.

    Attributes:
        environment: the environment with this oracle.
        plays: the play of each task.
    """

    environment: Environment
    plays: Sequence[RecordedPlay]

    @property
    def too_long(self) -> list[RecordedPlay]:
        """The plays that ended because the limit of calls was reached."""
        return [play for play in self.plays if play.state is EpisodeState.OUT_OF_CALLS]

    @property
    def hindered(self) -> list[RecordedPlay]:
        """The plays in which the environment failed."""
        return [play for play in self.plays if is_hindered(play)]

    @property
    def wrong(self) -> list[RecordedPlay]:
        """The plays in which the oracle failed although the environment worked."""
        return [play for play in self.plays if _is_wrong(play)]

    @property
    def fit(self) -> list[RecordedPlay]:
        """The solved plays with a suitable number of calls."""
        return [play for play in self.plays if play.correct and LEAST_CALLS <= len(play.steps) <= MOST_CALLS]

    @property
    def rank(self) -> tuple[int, int, int]:
        """The greater, the better: solved tasks, then tools used, then few calls."""
        used = {step.name for play in self.plays for step in play.steps if step.status == "ok"}
        calls = sum(len(play.steps) for play in self.plays)
        return sum(play.correct for play in self.plays), len(used), -calls

    def without(self, tasks: Sequence[Task]) -> "OracleTrial":
        """Returns the trial without the plays of some tasks."""
        ids = {task.id for task in tasks}
        return OracleTrial(self.environment, [play for play in self.plays if play.task.id not in ids])

    def describe_calls(self) -> str:
        """Returns the number of calls of each task, one task a line."""
        lines = []
        for play in self.plays:
            calls = f"more than {MOST_CALLS}" if play in self.too_long else str(len(play.steps))
            lines.append(f"{play.task.id}: {calls} calls")
        return "\n".join(lines)


async def try_oracle(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> OracleTrial:
    """Lets the oracle of an environment play tasks.

    Raises:
        SandboxError, JournalError: the sandbox or the journal does not work on this system.
    """
    limits = context.limits.model_copy(update={"calls": MOST_CALLS})
    oracle = OraclePolicy(context.pool, environment, limits)

    async def play(task: Task) -> RecordedPlay:
        return await play_episode(context.pool, environment, task, oracle, limits)

    return OracleTrial(environment, await context.run_all(play, tasks))


def agree_against_reference(trials: Sequence[OracleTrial]) -> tuple[RecordedPlay, int] | None:
    """Finds a task to which several independent oracles give the same answer and the reference another one.

    The oracles have to agree on most other tasks too, because wrong oracles agree on some tasks by chance.

    Returns:
        A play of the task and the number of oracles that agree, or None.
    """
    different = list({trial.environment.program.source: trial for trial in trials}.values())
    answers = [[_answer(play) for play in trial.plays] for trial in different]
    for place, plays in enumerate(zip(*(trial.plays for trial in different), strict=True)):
        if any(play.correct for play in plays):
            continue
        for first, mine in enumerate(answers):
            same = [each for each in answers if mine[place] is not None and _agree(mine, each)]
            same = [each for each in same if each[place] == mine[place]]
            if len(same) > 1:
                return plays[first], len(same)
    return None


def _answer(play: RecordedPlay) -> bytes | None:
    """Returns the submitted answer as JSON, or None if there is none or the environment failed."""
    return to_json(play.answer) if play.submitted and not is_hindered(play) else None


def _agree(one: Sequence[bytes | None], other: Sequence[bytes | None]) -> bool:
    same = sum(mine is not None and mine == theirs for mine, theirs in zip(one, other, strict=True))
    return same * 2 > len(one)


def find_unsolvable(trials: Sequence[OracleTrial]) -> list[Task]:
    """Finds configurations that the model wrote wrongly: no oracle solves them, though all generated tasks
    are solved.

    The oracles that solve all generated tasks have understood the task. A written configuration on which all
    of them fail, without agreeing on an answer, does not fit the task.
    """
    capable = [trial for trial in trials if _solves_generated(trial)]
    if not capable:
        return []
    return [
        plays[0].task
        for plays in zip(*(trial.plays for trial in capable), strict=True)
        if is_written(plays[0].task) and all(_is_wrong(play) for play in plays)
    ]


def _is_wrong(play: RecordedPlay) -> bool:
    """Returns whether the oracle failed although the environment worked and calls were left."""
    return not play.correct and not is_hindered(play) and play.state is not EpisodeState.OUT_OF_CALLS


def _solves_generated(trial: OracleTrial) -> bool:
    generated = [play for play in trial.plays if not is_written(play.task)]
    return bool(generated) and all(play.correct for play in generated)


def fixed_tasks(plays: Sequence[RecordedPlay]) -> list[Task]:
    """Returns the fixed tasks of a finished environment, from the shortest to the longest.

    The difficulty of a task follows from the oracle's calls: the allowed range of calls is divided into five
    equal parts on a logarithmic scale.
    """
    ordered = sorted(plays, key=lambda play: (len(play.steps), play.task.id))
    width = len(str(len(ordered)))
    return [
        Task(
            id=f"t{place:0{width}}",
            config=play.task.config,
            difficulty=difficulty(len(play.steps)),
            oracle_calls=len(play.steps),
        )
        for place, play in enumerate(ordered, start=1)
    ]


def difficulty(calls: int) -> int:
    """Returns the difficulty, 1 to 5, for a number of calls of the oracle."""
    part = log(calls / LEAST_CALLS) / log(MOST_CALLS / LEAST_CALLS)
    return min(max(DIFFICULTIES), 1 + int(max(0.0, part) * len(DIFFICULTIES)))
