"""Classes in the CodeGym format are played: their own code runs, and only that decides."""

import json
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.codegym_format.class_reader import read_codegym_source
from codegym_mcp.environment_definition.codegym_format.task_options import options_task
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.scoring import judge, reference_answer
from codegym_mcp.errors import EnvironmentFaultError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.environment_definition.codegym_format.reading import read_codegym_file

FIXTURES = Path(__file__).parents[2] / "fixtures" / "codegym"
ORCHARD = FIXTURES / "Orchard_7__LightestBasketEnv.py"
KILN = FIXTURES / "Kiln_12__MeanHeatEnv.py"


@pytest.fixture
def orchard() -> Environment:
    return read_codegym_file(ORCHARD)


@pytest.fixture
def kiln() -> Environment:
    return read_codegym_file(KILN)


def changed(path: Path, *changes: tuple[str, str]) -> Environment:
    source = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return read_codegym_source(source, name=path.stem, path="changed.py")


class Table:
    """Opens episodes at one pool and one journal."""

    def __init__(self, pool: SandboxPool, journal: Journal) -> None:
        self.pool = pool
        self.journal = journal

    async def open(self, environment: Environment, task: Task, *, reveal: bool = False) -> Episode:
        episode = Episode(
            pool=self.pool,
            journal=self.journal,
            environment=environment,
            task=task,
            settings=EpisodeSettings(reveal=reveal),
        )
        await episode.open()
        return episode

    async def reward(self, environment: Environment, task: Task) -> float:
        """What the class's own `solve` earns."""
        episode = await self.open(environment, task)
        await OraclePolicy(self.pool, environment).play(episode)
        assert episode.verdict is not None, episode.reason
        return episode.verdict.reward

    def replies(self, episode: Episode) -> list[str]:
        return [event.result.text for event in self.journal.events(episode.id) if event.kind == "call"]


@pytest.fixture
def table(pool: SandboxPool, journal: Journal) -> Table:
    return Table(pool, journal)


@pytest.mark.parametrize("path", [ORCHARD, KILN], ids=lambda path: path.stem)
async def test_the_oracle_is_rewarded_on_every_task(table: Table, path: Path) -> None:
    environment = read_codegym_file(path)
    assert len(environment.tasks) == 2
    assert [await table.reward(environment, task) for task in environment.tasks] == [1.0, 1.0]


async def test_the_oracle_is_rewarded_on_the_tasks_of_training_records(table: Table) -> None:
    catalog = Catalog.load([FIXTURES, FIXTURES / "records.jsonl"])
    for name in catalog.names:
        environment = catalog.get(name)
        assert len(environment.tasks) == 3
        task = environment.tasks[-1]
        episode = await table.open(environment, task)
        await OraclePolicy(table.pool, environment).play(episode)
        assert episode.verdict is not None
        assert episode.verdict.correct
        assert episode.calls == task.oracle_calls


async def test_classes_of_a_set_in_json_lines_can_be_played(table: Table, tmp_path: Path) -> None:
    rows = [
        {
            "env_code": path.read_text(encoding="utf-8"),
            "env_name": path.stem.partition("__")[2],
            "source": source,
        }
        for path in (ORCHARD, KILN)
        for source in ("first", "second")
    ]
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    catalog = Catalog.load([tmp_path / "set.jsonl"])
    assert "second__MeanHeatEnv" in catalog.names
    assert len(catalog.names) == 4
    environment = catalog.get("second__MeanHeatEnv")
    assert await table.reward(environment, environment.tasks[0]) == 1.0


@pytest.mark.parametrize(
    ("answer", "reward"), [("bo@ford", 1.0), ("ada@hill", 0.0), ("", 0.0), (" bo@ford", 0.0)]
)
async def test_the_classs_own_done_decides(
    table: Table, orchard: Environment, answer: str, reward: float
) -> None:
    episode = await table.open(orchard, orchard.tasks[0])
    await episode.call("Done", {"answer": answer})
    assert episode.verdict is not None
    assert episode.verdict.reward == reward


@pytest.mark.parametrize(
    ("answer", "correct"), [(837.92, True), (837.9, True), (838, False), (-1e300, False)]
)
async def test_a_tolerance_in_done_is_applied(
    table: Table, kiln: Environment, answer: float, correct: bool
) -> None:
    verdict = await judge(table.pool, kiln, kiln.tasks[0], answer, Limits())
    assert verdict.correct is correct


async def test_only_the_first_submission_counts(table: Table, orchard: Environment) -> None:
    episode = await table.open(orchard, orchard.tasks[0])
    first = await episode.submit("ada@hill")
    assert first.over
    for result in (await episode.submit("bo@ford"), await episode.call("Observe", {})):
        assert result.is_error
        assert result.over
    assert episode.verdict is not None
    assert episode.verdict.reward == 0.0


@pytest.mark.parametrize("reveal", [False, True])
async def test_no_reply_contains_the_reference(table: Table, kiln: Environment, reveal: bool) -> None:
    task = kiln.tasks[0]
    reference = str(await reference_answer(table.pool, kiln, task, Limits()))[:6]
    episode = await table.open(kiln, task, reveal=reveal)
    submitted = await episode.call("Done", {"answer": "837.9"})
    assert submitted.is_error
    calls: list[tuple[str, dict[str, Any]]] = [
        ("CountReadings", {}),
        ("HeatAt", {"index": 7}),
        ("AddUp", {"heats": [1.5], "start": 0}),
        ("CountDistinct", {"heats": [1, 1]}),
    ]
    for tool, arguments in calls:
        await episode.call(tool, arguments)
    said = [
        submitted.text,
        *table.replies(episode),
        (await episode.submit(1)).text,
        (await episode.submit(1)).text,
    ]
    assert len(said) > 6
    assert not any(reference in text for text in said)


async def test_every_episode_has_its_own_state(table: Table, orchard: Environment) -> None:
    one = await table.open(orchard, orchard.tasks[0])
    other = await table.open(orchard, orchard.tasks[0])
    await one.call("MarkBasket", {"position": 2})
    assert (await one.call("Observe", {})).text == "[2]"
    assert (await other.call("Observe", {})).text == "[]"


async def test_an_episode_continues_after_its_process_is_lost(table: Table, orchard: Environment) -> None:
    episode = await table.open(orchard, orchard.tasks[0])
    await episode.call("MarkBasket", {"position": 1})
    await episode.call("ReadBasket", {"position": 99})
    episode.suspend()
    assert (await episode.call("MarkBasket", {"position": 0})).text == "[1, 0]"


async def test_replies_are_declared_as_text(table: Table, kiln: Environment, orchard: Environment) -> None:
    episode = await table.open(kiln, kiln.tasks[0])
    result = await episode.call("CountDistinct", {"heats": [1, 2, 2]})
    assert result.structured == {"result": "2"}
    baskets = await table.open(orchard, orchard.tasks[0])
    assert (await baskets.call("ReadBasket", {"position": 1})).text == "('bo@ford', 4)"


@pytest.mark.parametrize(
    ("position", "said"), [(3, "no basket stands at 3"), (-9, "list index out of range")]
)
async def test_a_refusal_of_the_class_is_an_error(
    table: Table, orchard: Environment, position: int, said: str
) -> None:
    episode = await table.open(orchard, orchard.tasks[0])
    result = await episode.call("ReadBasket", {"position": position})
    assert result.is_error
    assert result.text == f"Error: {said}"
    assert not result.over


async def test_infinity_arrives_as_a_number(table: Table, orchard: Environment) -> None:
    episode = await table.open(orchard, orchard.tasks[0])
    assert (await episode.call("LighterOf", {"best": "Infinity", "weight": 5})).text == "5"
    assert (await episode.call("LighterOf", {"best": "-Infinity", "weight": 5})).text == "-inf"
    # A string stays one.
    marked = await episode.call("MarkBasket", {"position": 0, "colour": "Infinity"})
    assert marked.text == "[(0, 'Infinity')]"


async def test_an_infinite_answer_can_be_submitted(table: Table) -> None:
    environment = changed(
        ORCHARD,
        ("return min(self.baskets, key=lambda basket: basket[1])[0]", "return float('inf')"),
        ("answer (str)", "answer (float)"),
    )
    task = environment.tasks[0]
    assert await reference_answer(table.pool, environment, task, Limits()) == "Infinity"
    assert (await judge(table.pool, environment, task, "Infinity", Limits())).correct
    assert not (await judge(table.pool, environment, task, "-Infinity", Limits())).correct


async def test_an_answer_on_which_done_raises_is_incorrect(table: Table) -> None:
    environment = changed(KILN, ("answer (float)", "answer (heat)"))
    task = environment.tasks[0]
    for answer in ("warm", None, [1]):
        assert not (await judge(table.pool, environment, task, answer, Limits())).correct
    assert (await judge(table.pool, environment, task, 837.9, Limits())).correct


async def test_a_task_whose_reference_fails_is_not_scored(table: Table, kiln: Environment) -> None:
    task = options_task({"readings": []})
    with pytest.raises(EnvironmentFaultError, match="ZeroDivisionError"):
        await judge(table.pool, kiln, task, 1.0, Limits())
    episode = await table.open(kiln, task)
    await episode.submit(1.0)
    assert episode.state is EpisodeState.FAILED
    assert episode.verdict is None


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"baskets": [("a@b@c", 2), ("d", 3)]}, "a@b@c"),
        ({"baskets": ((10**30, 2), ("{'}\n\u2603", 1))}, "{'}\n\u2603"),
        ({"baskets": [("deep", float("-inf")), ("high", float("inf"))], 5: {6}, (7,): None}, "deep"),
    ],
)
async def test_options_arrive_unchanged(
    table: Table, orchard: Environment, options: dict[Any, Any], answer: str
) -> None:
    task = options_task(options)
    orchard.check_task(task)
    assert await reference_answer(table.pool, orchard, task, Limits()) == answer
    episode = await table.open(orchard, task)
    assert (await episode.call("ReadBasket", {"position": 0})).text == repr(options["baskets"][0])


@pytest.mark.parametrize(
    "cheat",
    [
        "self.baskets[0][0]",
        "self.get_ref_answer()",
        "self.Done('x').split(', ')[1].split()[0]",
        "LightestBasketEnv().get_ref_answer()",
    ],
)
async def test_a_solve_that_does_not_use_tools_finds_nothing(table: Table, cheat: str) -> None:
    environment = changed(ORCHARD, ('best, owner = float("inf"), ""', f"return self.step({cheat})"))
    episode = await table.open(environment, environment.tasks[0])
    with pytest.raises(EnvironmentFaultError):
        await OraclePolicy(table.pool, environment).play(episode)
    assert episode.verdict is None


async def test_the_process_that_serves_tools_has_no_reference(table: Table) -> None:
    environment = changed(
        ORCHARD,
        (
            "return str(self.marked)",
            "return str([hasattr(self, n) for n in ('Done', 'get_ref_answer', 'solve')])",
        ),
    )
    episode = await table.open(environment, environment.tasks[0])
    assert (await episode.call("Observe", {})).text == "[False, False, False]"


async def test_a_tool_that_needs_the_reference_still_works(table: Table) -> None:
    # Faithful to the class; whether such a tool gives the answer away is for the audit to say.
    environment = changed(ORCHARD, ("return str(self.marked)", "return str(len(self.get_ref_answer()))"))
    episode = await table.open(environment, environment.tasks[0])
    assert (await episode.call("Observe", {})).text == "7"


async def test_a_class_that_never_resets_itself_gets_its_options(table: Table) -> None:
    environment = changed(ORCHARD, ("            self.reset()\n", "            self.step_count = 0\n"))
    assert await table.reward(environment, environment.tasks[0]) == 1.0
