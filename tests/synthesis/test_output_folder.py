"""The folder that a synthesis fills."""

import json

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.errors import SynthesisError
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.oracle_trials import fixed_tasks, try_oracle
from codegym_mcp.synthesis.output_folder import OutputFolder, Recipe
from codegym_mcp.synthesis.problem_outcomes import (
    AcceptedEnvironment,
    Candidate,
    Costs,
    GenerationAttempt,
    ProblemOutcome,
    Stage,
)
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.audit.audit_files import current_audit
from tests.synthesis.drafted import CODE, SOLVE

RECIPE = Recipe(model={"name": "openai:author"}, prompts="1", options=SynthesisOptions())
PROBLEM = CodingProblem(id="p/1", statement="s", solution="x = 1", source="nowhere", license="MIT")


@pytest.fixture(scope="session")
async def candidate(context):
    draft = Draft.read(CODE, license="MIT", origin="nowhere p/1")
    environment = draft.with_oracle(SOLVE, "jars")
    tasks = [Task(id=str(size), config={"jars": size, "grams": list(range(size))}) for size in (10, 11)]
    kept = fixed_tasks((await try_oracle(context, environment, tasks)).fit)
    audited = await audit(context, environment.with_tasks(tuple(kept)))
    made = AcceptedEnvironment(
        title=draft.title, source=environment.program.source, tasks=kept, audit=audited
    )
    return Candidate(sample=0, accepted=made, costs=Costs(requests=3, tokens=70))


async def test_stored_environments_are_read_with_audit_and_provenance(tmp_path, candidate) -> None:
    with OutputFolder.open(tmp_path, RECIPE) as folder:
        folder.put(PROBLEM, [("shelf", candidate)])
    (entry,) = Catalog.load([tmp_path]).entries
    assert [task.oracle_calls for task in entry.read().tasks] == [10, 11]
    audit = current_audit(entry)
    assert audit is not None
    assert audit.environment == "shelf"
    assert json.loads((tmp_path / "shelf.provenance.json").read_text()) == {
        "problem": "p/1",
        "source": "nowhere",
        "license": "MIT",
        "model": "openai:author",
        "prompts": "1",
        "sample": 0,
        "attempts": 0,
        "costs": {"requests": 3, "tokens": 70, "cost": 0.0},
    }


async def test_earlier_environments_of_a_problem_are_replaced(tmp_path, candidate) -> None:
    with OutputFolder.open(tmp_path, RECIPE) as folder:
        folder.put(PROBLEM, [("shelf", candidate)])
        folder.put(PROBLEM.model_copy(update={"id": "p/2"}), [("other", candidate)])
    with OutputFolder.open(tmp_path, RECIPE) as folder:
        assert folder.names("p/1") == ["shelf"]
        assert folder.names_of_others("p/1") == {"other"}
        folder.put(PROBLEM, [("cupboard", candidate)])
        assert folder.names("p/1") == ["cupboard"]
    assert sorted(file.name for file in tmp_path.glob("*.*")) == sorted(
        f"{name}{suffix}"
        for name in ("cupboard", "other")
        for suffix in (".py", ".jsonl", ".audit.json", ".provenance.json")
    )


def test_what_was_rejected_is_kept_with_the_reasons(tmp_path) -> None:
    attempt = GenerationAttempt(stage=Stage.ENVIRONMENT, reason="prose", written="I would rather not.")
    outcome = ProblemOutcome(
        problem="p/1",
        candidates=[Candidate(sample=0, rejected_at=Stage.ENVIRONMENT, reason="prose", attempts=[attempt])],
    )
    with OutputFolder.open(tmp_path, RECIPE) as folder:
        folder.put_rejected(outcome)
        folder.put_rejected(outcome.model_copy(update={"problem": "../../p 1"}))
    files = list((tmp_path / "synthesis" / "rejected").iterdir())
    assert len(files) == 2
    assert {ProblemOutcome.model_validate_json(file.read_bytes()).problem for file in files} == {
        "p/1",
        "../../p 1",
    }


def test_a_folder_is_for_one_recipe(tmp_path) -> None:
    with OutputFolder.open(tmp_path, RECIPE):
        pass
    other = RECIPE.model_copy(update={"prompts": "2", "options": SynthesisOptions(oracles=9)})
    with (
        pytest.raises(SynthesisError, match="another recipe: prompts and options differ"),
        OutputFolder.open(tmp_path, other),
    ):
        pass
    with OutputFolder.open(tmp_path, RECIPE):
        pass


def test_a_folder_is_for_one_run_at_a_time(tmp_path) -> None:
    with (
        OutputFolder.open(tmp_path, RECIPE),
        pytest.raises(SynthesisError, match="locked by another run"),
        OutputFolder.open(tmp_path, RECIPE),
    ):
        pass


def test_what_a_killed_run_was_writing_is_deleted(tmp_path) -> None:
    unfinished = ["shelf.jsonl.4711", "shelf.audit.json.4711", "synthesis/rejected/p.json.4711"]
    kept = ["notes.4711", "shelf.py", "shelf.json"]
    for name in (*unfinished, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("part")
    with OutputFolder.open(tmp_path, RECIPE):
        assert not any((tmp_path / name).exists() for name in unfinished)
        assert all((tmp_path / name).exists() for name in kept)
