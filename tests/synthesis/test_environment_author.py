"""How one environment is written, tried and repaired, with a scripted model server."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.models import Model, ModelOptions
from codegym_mcp.synthesis.cached_model import CachedModel
from codegym_mcp.synthesis.candidate_examination import LocalExaminer
from codegym_mcp.synthesis.environment_author import EnvironmentAuthor
from codegym_mcp.synthesis.problem_outcomes import Candidate, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions
from codegym_mcp.synthesis.synthesis_store import SynthesisStore
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.verification_context import VerificationContext
from tests.synthesis.author_process import author_process
from tests.synthesis.drafted import CODE, SOLVE

PROBLEM = CodingProblem(
    id="jars",
    statement="Add up the weights of all jars on a shelf.",
    solution="def total(grams):\n    return sum(grams)\n",
    license="MIT",
    source="tests",
)
CONFIGS = [{"jars": count, "grams": [count * 7 + place for place in range(count)]} for count in range(11, 19)]
WITHOUT_THE_FIRST = SOLVE.replace("range(jars)", "range(1, jars)")

Write = Callable[..., Awaitable[tuple[Candidate, list[str]]]]


def python(code: str) -> str:
    return f"```python\n{code}\n```"


def tasks(configs: list[dict[str, object]]) -> str:
    return f"```json\n{json.dumps([{'difficulty': 1, 'config': config} for config in configs])}\n```"


def differently(solve: str) -> str:
    """Returns an oracle that does the same in other words."""
    return solve.replace("jar=jar", "jar=number").replace("for jar in", "for number in")


@pytest.fixture
def write(context: VerificationContext, tmp_path: Path) -> Write:
    """Has a candidate written by the replies in files; returns it and the files that the server used."""

    async def written(files: dict[str, str], **options: Any) -> tuple[Candidate, list[str]]:
        folder = tmp_path / "scripts" / "jars"
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "script.json").write_text(json.dumps({"problem": "jars", "mark": "jars, counted from 0"}))
        problems = tmp_path / "problems.jsonl"
        problems.write_text(PROBLEM.model_dump_json() + "\n")
        with (
            author_process(tmp_path / "scripts", problems) as server,
            SynthesisStore.open(tmp_path / "answers.sqlite") as store,
        ):
            model_options = ModelOptions(
                name="openai:author", base_url=f"{server.url}/v1", seed=0, attempts=1
            )
            async with Model.open(model_options) as model:
                author = EnvironmentAuthor(
                    problem=PROBLEM,
                    sample=0,
                    model=CachedModel(model, store),
                    context=context,
                    examiner=LocalExaminer(context),
                    options=SynthesisOptions(**{"grade": Grade.D, "tasks": 4, "oracles": 2, **options}),
                    on_stage=lambda problem, stage: None,
                )
                candidate = await author.write()
            return candidate, server.files()

    return written


def parts(used: list[str]) -> list[str]:
    return [name.split(".")[0] for name in used]


async def test_a_sound_draft_takes_four_requests(write: Write) -> None:
    candidate, used = await write(
        {"environment.0.md": python(CODE), "tasks.0.md": tasks(CONFIGS), "oracle.0.md": python(SOLVE)},
        oracles=4,
    )
    assert candidate.accepted is not None
    assert parts(used) == ["environment", "tasks", "oracle", "oracle"]
    assert not candidate.attempts
    assert not candidate.dropped_configurations


async def test_a_configuration_that_contradicts_itself_is_dropped_with_a_reason(write: Write) -> None:
    wrong = {"jars": 20, "grams": [3] * 25}
    candidate, used = await write(
        {
            "environment.0.md": python(CODE),
            "tasks.0.md": tasks([*CONFIGS, wrong]),
            "oracle.0.md": python(SOLVE),
        }
    )
    assert candidate.accepted is not None
    assert len(used) == 4
    (reason,) = candidate.dropped_configurations
    assert "contradicts itself: jars is 20, but grams has 25 items" in reason


async def test_a_configuration_that_no_oracle_solves_is_blamed_and_not_the_environment(write: Write) -> None:
    # Only this configuration has a jar that the tool refuses to weigh; each oracle answers differently.
    refusing = CODE.replace(
        '        return {"jar": jar, "grams": self.grams[jar]}',
        "        if self.grams[jar] < 0:\n"
        '            raise ValueError("the jar is broken")\n'
        '        return {"jar": jar, "grams": self.grams[jar]}',
    )
    solves = [
        f"def solve(tools, jars):\n    total = 0\n    for jar in range(jars):\n        try:\n"
        f"            total += tools.weigh(jar=jar)['grams']\n        except ValueError:\n"
        f"            total += {guess}\n    return total\n"
        for guess in (1000, 2000)
    ]
    wrong = {"jars": 12, "grams": [*[5] * 11, -1]}
    candidate, used = await write(
        {
            "environment.0.md": python(refusing),
            "tasks.0.md": tasks([*CONFIGS, wrong]),
            "oracle.0.0.md": python(solves[0]),
            "oracle.1.0.md": python(solves[1]),
        }
    )
    assert candidate.accepted is not None
    assert parts(used) == ["environment", "tasks", "oracle", "oracle"]
    (reason,) = candidate.dropped_configurations
    assert "no oracle solves it" in reason
    assert wrong not in [task.config for task in candidate.accepted.tasks]


async def test_too_many_wrong_configurations_go_back_to_their_author(write: Write) -> None:
    # A length that contradicts a number, a text for a number, and more jars than weights.
    worse = [{"jars": 20, "grams": [3] * 26}, {"jars": "many", "grams": [3] * 12}, {"jars": 3, "grams": [1]}]
    candidate, used = await write(
        {
            "environment.0.md": python(CODE),
            "tasks.0.md": tasks([*CONFIGS, *worse]),
            "tasks.1.md": tasks(CONFIGS),
            "oracle.0.md": python(SOLVE),
        }
    )
    assert candidate.accepted is not None
    assert parts(used) == ["environment", "tasks", "tasks", "oracle", "oracle"]
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.TASKS]
    assert "8 of 11 configurations can be used" in candidate.attempts[0].reason
    assert not candidate.dropped_configurations


async def test_generated_tasks_that_take_too_many_calls_are_repaired_before_they_are_graded(
    write: Write,
) -> None:
    # Only difficulty 5 has more jars than an agent may weigh; all other tasks are as they should be.
    endless = CODE.replace("jars = 12 * difficulty", "jars = 300 if difficulty == 5 else 12 * difficulty")
    candidate, used = await write(
        {
            "environment.0.md": python(endless),
            "environment.1.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.md": python(SOLVE),
        }
    )
    assert candidate.accepted is not None
    assert (
        candidate.accepted.audit.figures.on_generated.agreed
        == candidate.accepted.audit.figures.on_generated.tried
    )
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.LENGTH]
    assert "d5-s1: more than 256 calls" in candidate.attempts[0].reason
    assert parts(used) == ["environment", "tasks", "oracle", "oracle", "environment"]


HEAVY_FIRST = "difficulty == 5 and grams[0] > 90"
"""Holds for generated tasks of the audit and of more seeds, and not for those that are tried at first."""
AUDITED_FIRST = "difficulty == 5 and grams[0] in (69, 94, 60)"
"""Holds for the generated tasks of the audit only."""


async def test_what_the_audit_finds_on_fresh_tasks_is_repaired(write: Write) -> None:
    endless = CODE.replace(
        '    return {"jars": jars, "grams": [random.randint(1, 99) for jar in range(jars)]}',
        "    grams = [random.randint(1, 99) for jar in range(jars)]\n"
        f"    if {HEAVY_FIRST}:\n        grams = grams * 5\n"
        '    return {"jars": len(grams), "grams": grams}',
    )
    candidate, used = await write(
        {
            "environment.0.md": python(endless),
            "environment.1.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.md": python(SOLVE),
        }
    )
    assert candidate.accepted is not None
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.LENGTH]
    assert "d5-s4: more than 256 calls" in candidate.attempts[0].reason
    assert parts(used) == ["environment", "tasks", "oracle", "oracle", "environment"]


async def test_what_only_tasks_of_the_audit_show_is_repaired_too(write: Write) -> None:
    endless = CODE.replace(
        '    return {"jars": jars, "grams": [random.randint(1, 99) for jar in range(jars)]}',
        "    grams = [random.randint(1, 99) for jar in range(jars)]\n"
        f"    if {AUDITED_FIRST}:\n        grams = grams * 5\n"
        '    return {"jars": len(grams), "grams": grams}',
    )
    candidate, used = await write(
        {
            "environment.0.md": python(endless),
            "environment.1.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.md": python(SOLVE),
        },
        grade=Grade.B,
    )
    assert candidate.accepted is not None
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.AUDIT]
    assert "oracle out_of_calls" in candidate.attempts[0].reason
    assert parts(used) == ["environment", "tasks", "oracle", "oracle", "environment"]


async def test_an_oracle_that_solves_fresh_tasks_too_is_preferred(write: Write) -> None:
    careless = (
        "def solve(tools, jars):\n    grams = [tools.weigh(jar=jar)['grams'] for jar in range(jars)]\n"
        "    return sum(grams[1:] if jars == 60 and grams[0] > 90 else grams)\n"
    )
    candidate, used = await write(
        {
            "environment.0.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.0.md": python(careless),
            "oracle.1.0.md": python(SOLVE),
        }
    )
    assert candidate.accepted is not None
    assert "grams[1:]" not in candidate.accepted.source
    generated = candidate.accepted.audit.figures.on_generated
    assert generated.agreed == generated.tried
    assert not candidate.attempts
    assert parts(used) == ["environment", "tasks", "oracle", "oracle"]


async def test_many_configurations_that_no_oracle_solves_go_back_to_their_author(write: Write) -> None:
    # What is asked for is not said for broken jars, and each oracle guesses otherwise.
    solves = [
        f"def solve(tools, jars):\n    weights = [tools.weigh(jar=jar)['grams'] for jar in range(jars)]\n"
        f"    return sum({guess} if each < 0 else each for each in weights)\n"
        for guess in (1000, 2000)
    ]
    broken = [{"jars": 12, "grams": [*[5] * 11, -number]} for number in (1, 2, 3)]
    candidate, used = await write(
        {
            "environment.0.md": python(CODE),
            "tasks.0.md": tasks([*CONFIGS, *broken]),
            "tasks.1.md": tasks(CONFIGS),
            "oracle.0.0.md": python(solves[0]),
            "oracle.1.0.md": python(solves[1]),
        }
    )
    assert candidate.accepted is not None
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.ORACLE]
    assert "no oracle solves it, although all generated tasks are solved" in candidate.attempts[0].reason
    # The oracles have not been asked again: nothing changed for them.
    assert parts(used) == ["environment", "tasks", "oracle", "oracle", "tasks"]


async def test_a_wrong_reference_is_mended_and_the_oracles_are_not_asked_again(write: Write) -> None:
    candidate, used = await write(
        {
            "environment.0.md": python(CODE.replace("return sum(grams)", "return sum(grams[1:])")),
            "environment.1.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.0.md": python(SOLVE),
            "oracle.1.0.md": python(differently(SOLVE)),
        }
    )
    assert candidate.accepted is not None
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.ORACLE]
    assert "agree against the reference" in candidate.attempts[0].reason
    assert parts(used) == ["environment", "tasks", "oracle", "oracle", "environment"]


async def test_an_unchanged_file_means_that_the_oracles_are_wrong(write: Write) -> None:
    candidate, used = await write(
        {
            "environment.0.md": python(CODE),
            "environment.1.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.0.md": python(WITHOUT_THE_FIRST),
            "oracle.1.0.md": python(differently(WITHOUT_THE_FIRST)),
            "oracle.0.1.md": python(SOLVE),
        }
    )
    assert candidate.accepted is not None
    assert "confirmed the reference" in candidate.attempts[1].reason
    assert used[-2:] == ["environment.1.md", "oracle.0.1.md"]


async def test_form_and_meaning_have_budgets_of_their_own(write: Write) -> None:
    candidate, used = await write(
        {
            "environment.0.md": "I will think about it.",
            "environment.1.md": python(CODE.replace("        check_jar(jar, self.jars)\n", "")),
            "environment.2.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.md": python(SOLVE),
        },
        repairs=1,
    )
    assert candidate.accepted is not None
    # The tool that fails on extreme arguments is found before anything else is requested.
    assert parts(used) == ["environment", "environment", "environment", "tasks", "oracle", "oracle"]
    assert [attempt.stage for attempt in candidate.attempts] == [Stage.ENVIRONMENT, Stage.VERIFICATION]


async def test_more_oracles_are_requested_only_if_the_first_two_do_not_solve_everything(write: Write) -> None:
    candidate, used = await write(
        {
            "environment.0.md": python(CODE),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.md": python(SOLVE),
            "oracle.1.0.md": python("def solve(tools, jars):\n    return tools.weigh(jar=0)['grams']\n"),
        },
        oracles=4,
    )
    assert candidate.accepted is not None
    assert parts(used).count("oracle") == 4


async def test_among_oracles_that_solve_everything_one_that_uses_every_tool_is_chosen(write: Write) -> None:
    second = (
        "    def count_jars(self) -> int:\n"
        '        """Count the jars on the shelf."""\n'
        "        return self.jars\n\n    def weigh("
    )
    thorough = SOLVE.replace("range(jars)", "range(tools.count_jars())")
    candidate, _ = await write(
        {
            "environment.0.md": python(CODE.replace("    def weigh(", second)),
            "tasks.0.md": tasks(CONFIGS),
            "oracle.0.0.md": python(SOLVE),
            "oracle.1.0.md": python(thorough),
        }
    )
    assert candidate.accepted is not None
    assert "tools.count_jars()" in candidate.accepted.source
