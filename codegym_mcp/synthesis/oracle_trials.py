"""Candidate oracles, tried on every task."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from pydantic_core import to_json

from codegym_mcp.episodes.episode import EpisodeState
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.spec.environment import DIFFICULTIES, Environment, Task
from codegym_mcp.synthesis.prompt_rendering import LEAST_CALLS, MOST_CALLS
from codegym_mcp.verification.gates.solved import is_hindered
from codegym_mcp.verification.recorded_play import RecordedPlay, play_episode
from codegym_mcp.verification.verification_context import VerificationContext


@dataclass(frozen=True)
class OracleTrial:
    """An oracle, and its play of every task.

    Attributes:
        environment: with this oracle.
        plays: one of each task.
    """

    environment: Environment
    plays: Sequence[RecordedPlay]

    @property
    def too_long(self) -> list[RecordedPlay]:
        """Those in which the calls ran out."""
        return [play for play in self.plays if play.state is EpisodeState.OUT_OF_CALLS]

    @property
    def hindered(self) -> list[RecordedPlay]:
        """Those in which the environment failed."""
        return [play for play in self.plays if is_hindered(play)]

    @property
    def wrong(self) -> list[RecordedPlay]:
        """Those in which the oracle failed."""
        return [
            play
            for play in self.plays
            if not play.correct and not is_hindered(play) and play.state is not EpisodeState.OUT_OF_CALLS
        ]

    @property
    def fit(self) -> list[RecordedPlay]:
        """Those that were solved in as many calls as a task should take."""
        return [play for play in self.plays if play.correct and LEAST_CALLS <= len(play.steps) <= MOST_CALLS]

    @property
    def rank(self) -> tuple[int, int]:
        """The better the oracle, the more: it solves more tasks, or with fewer calls."""
        return sum(play.correct for play in self.plays), -sum(len(play.steps) for play in self.plays)

    def calls_told(self) -> str:
        """How many calls each task took, for a model."""
        lines = []
        for play in self.plays:
            calls = f"more than {MOST_CALLS}" if play in self.too_long else str(len(play.steps))
            lines.append(f"{play.task.id}: {calls} calls")
        return "\n".join(lines)


async def try_oracle(
    bench: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> OracleTrial:
    """Lets an environment's oracle play tasks.

    Raises:
        SandboxError, JournalError: nothing can be played here.
    """
    limits = bench.limits.model_copy(update={"calls": MOST_CALLS})
    oracle = OraclePolicy(bench.pool, environment, limits)

    async def play(task: Task) -> RecordedPlay:
        return await play_episode(bench.pool, environment, task, oracle, limits)

    return OracleTrial(environment, await bench.each(play, tasks))


def agree_against_reference(trials: Sequence[OracleTrial]) -> tuple[RecordedPlay, int] | None:
    """A task to which several oracles, written apart, give the same answer, and the reference another.

    They must say the same on most of the other tasks too: wrong oracles agree on some by chance.

    Returns:
        A play of it, and how many oracles agree; None where there is no such task.
    """
    different = list({trial.environment.program.source: trial for trial in trials}.values())
    answers = [[_answer(play) for play in trial.plays] for trial in different]
    for place, plays in enumerate(zip(*(trial.plays for trial in different), strict=True)):
        if any(play.correct for play in plays):
            continue
        for first, mine in enumerate(answers):
            same = [each for each in answers if mine[place] is not None and _alike(mine, each)]
            same = [each for each in same if each[place] == mine[place]]
            if len(same) > 1:
                return plays[first], len(same)
    return None


def _answer(play: RecordedPlay) -> bytes | None:
    """What an oracle said, or None where it was kept from that or came to nothing."""
    return to_json(play.answer) if play.submitted and not is_hindered(play) else None


def _alike(one: Sequence[bytes | None], other: Sequence[bytes | None]) -> bool:
    same = sum(mine is not None and mine == theirs for mine, theirs in zip(one, other, strict=True))
    return same * 2 > len(one)


def fixed_tasks(plays: Sequence[RecordedPlay]) -> list[Task]:
    """The tasks that an environment is kept with, from the shortest to the longest.

    The difficulty of each follows from the oracle's calls: the range that they may have, cut into five equal
    parts on a logarithmic scale.
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
    """From 1 to 5, by the calls of an oracle."""
    part = log(calls / LEAST_CALLS) / log(MOST_CALLS / LEAST_CALLS)
    return min(max(DIFFICULTIES), 1 + int(max(0.0, part) * len(DIFFICULTIES)))
