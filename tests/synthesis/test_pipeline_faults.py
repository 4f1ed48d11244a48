"""A fault in the synthesis of one problem does not end the run."""

from pathlib import Path

import pytest

from codegym_mcp.errors import SandboxError
from codegym_mcp.synthesis.candidate_making import OnStage
from codegym_mcp.synthesis.output_folder import OutputFolder, Recipe
from codegym_mcp.synthesis.pipeline import Synthesis
from codegym_mcp.synthesis.problem_outcomes import Candidate, Funnel, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions
from codegym_mcp.synthesis.synthesis_store import SynthesisStore

PROBLEMS = [
    CodingProblem(id=name, statement=f"Find {name}.", solution=f"def {name}(xs):\n    return len(xs) + {k}")
    for k, name in enumerate(("one", "two", "three"))
]


async def synthesize(folder_path: Path, error: Exception) -> Funnel:
    """Synthesizes three problems, of which the second fails with an error."""

    async def author(problem: CodingProblem, sample: int, on_stage: OnStage) -> Candidate:
        on_stage(problem.id, Stage.TASKS)
        if problem.id == "two":
            raise error
        return Candidate(sample=sample, rejected_at=Stage.LENGTH, reason="Too short.")

    recipe = Recipe(model={"name": "none"}, prompts="1", options=SynthesisOptions())
    with OutputFolder.open(folder_path, recipe) as folder, SynthesisStore.open(folder.store) as store:
        return await Synthesis(author=author, store=store, folder=folder).run(PROBLEMS)


async def test_an_unexpected_error_is_the_reason_of_its_problem_and_the_run_goes_on(tmp_path: Path) -> None:
    funnel = await synthesize(tmp_path / "made", KeyError("lost"))
    assert [each.problem for each in funnel.rejected[Stage.LENGTH]] == ["one", "three"]
    (rejected,) = funnel.rejected[Stage.TASKS]
    assert rejected.problem == "two"
    assert "KeyError" in rejected.reason
    assert "'lost'" in rejected.reason
    assert not funnel.unfinished


async def test_an_error_of_the_system_leaves_its_problem_unfinished(tmp_path: Path) -> None:
    funnel = await synthesize(tmp_path / "made", OSError(24, "Too many open files"))
    (unfinished,) = funnel.unfinished
    assert (unfinished.problem, "Too many open files" in unfinished.reason) == ("two", True)
    assert len(funnel.rejected[Stage.LENGTH]) == 2


async def test_a_sandbox_that_does_not_work_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await synthesize(tmp_path / "made", SandboxError("no namespaces"))
    assert raised.group_contains(SandboxError)
