"""Makes one candidate of a problem; an unexpected error of its author is the reason why it is rejected."""

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from codegym_mcp.errors import CodegymError
from codegym_mcp.synthesis.problem_outcomes import Candidate, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem

OnStage = Callable[[str, Stage], object]
"""Called with the id of a problem and the stage that one of its candidates enters."""
Author = Callable[[CodingProblem, int, OnStage], Awaitable[Candidate]]
"""Makes one candidate of a problem: receives the problem, the number of the candidate, and who is told of its
stages. Raises ModelError, RunHaltedError, SandboxError, UndecidedProblemError or OSError if the problem is
not the cause of a failure."""


class UndecidedProblemError(CodegymError):
    """The system failed, not the problem; the problem is tried again by the next run."""


async def make_candidate(author: Author, problem: CodingProblem, sample: int, on_stage: OnStage) -> Candidate:
    """Makes a candidate. After an unexpected error it is rejected at the stage that it had entered.

    Args:
        sample: the number of the candidate, starting at 0.
        on_stage: called with each stage.

    Raises:
        UndecidedProblemError: the system is the cause of the failure.
        ModelError, RunHaltedError, SandboxError: as the author.
    """
    entered = [Stage.PROBLEM]

    def enter(id: str, stage: Stage) -> None:
        entered.append(stage)
        on_stage(id, stage)

    try:
        return await author(problem, sample, enter)
    except CodegymError:
        raise
    except (OSError, MemoryError) as error:
        raise UndecidedProblemError(f"{type(error).__name__}: {error}") from error
    except Exception as error:
        # A fault in the analysis of one problem does not end a run over thousands; the report tells it.
        return Candidate(sample=sample, rejected_at=entered[-1], reason=_describe_fault(error))


def _describe_fault(error: Exception) -> str:
    """Returns what went wrong and in which line of this package, for a report."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"An unexpected {type(error).__name__} ended its synthesis{place}: {str(error)[:200]}"
