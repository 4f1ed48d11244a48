"""Tests of environments made from a class and functions in memory."""

import ast
import math
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypedDict

import pytest

from codegym_mcp.environment_definition.environment import Environment, Judge, Task
from codegym_mcp.errors import SourceError
from tests.conftest import OpenEpisode

START = 2
UNPRINTABLE = object()


class Heard(TypedDict):
    """What is heard."""

    floor: int
    loud: bool


def _distance(one: int, other: int) -> int:
    return abs(one - other)


def distance(one: int, other: int) -> int:
    return abs(one - other)


class Lift:
    """A lift in a building."""

    def __init__(self, floors: int, bell: int) -> None:
        self.floor = START
        self.bell = bell

    def listen(self) -> Heard:
        """Listen for the bell."""
        # Lift is only mentioned in this comment.
        return {"floor": self.floor, "loud": distance(self.floor, self.bell) < math.ceil(0.5)}

    def move(self, floor: int) -> int:
        """Move the lift.

        Args:
            floor: the floor to move to.
        """
        self.floor = floor
        return Counter([floor])[floor]


def answer(floors: int, bell: int) -> int:
    return bell


def search(tools: Any, floors: int) -> int:
    for floor in range(floors):
        tools.move(floor=floor)
        if tools.listen()["loud"]:
            return floor
    raise ValueError("there is no bell")


def generate(random: Random, difficulty: int) -> dict[str, int]:
    floors = 5 * difficulty
    return {"floors": floors, "bell": random.randrange(floors)}


def make(name: str = "lift", tools: type = Lift, **changes: Any) -> Environment:
    parts: dict[str, Any] = {
        "reference": answer,
        "solve": search,
        "generate": generate,
        "text": "Find the bell in one of {floors} floors.",
        "helpers": [Heard, distance],
        "meta": {"public": ["floors"], "license": "MIT"},
    }
    return Environment.from_objects(name, tools, **{**parts, **changes})


def test_objects_become_an_environment_with_the_names_of_the_contract() -> None:
    lift = make()

    assert (lift.name, lift.title, lift.license, lift.judge) == ("lift", "Lift", "MIT", Judge.REFERENCE)
    assert lift.generates
    assert [tool.name for tool in lift.tools] == ["listen", "move"]
    assert lift.template == "Find the bell in one of {floors} floors."
    definitions = ast.parse(lift.source).body
    names = [node.name for node in definitions if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert names == ["Heard", "distance", "Environment", "reference", "solve", "generate"]
    assert "# Lift is only mentioned in this comment." in lift.source


def test_imports_and_constants_that_the_objects_use_are_added() -> None:
    source = make().source

    assert "import math\n" in source
    assert "from collections import Counter\n" in source
    assert "from typing import TypedDict\n" in source
    assert "START = 2\n" in source


def test_the_source_can_be_read_again() -> None:
    lift = make()

    assert Environment.from_source(lift.source, name="lift").digest == lift.digest


async def test_the_environment_is_played_in_the_sandbox(open_episode: OpenEpisode) -> None:
    episode = await open_episode(make(), {"floors": 5, "bell": 3})
    await episode.call("move", {"floor": 3})
    result = await episode.call("listen", {})

    assert result.structured == {"floor": 3, "loud": True}


def test_an_instance_method_and_the_class_are_renamed_where_they_are_used() -> None:
    class Pair:
        def __init__(self, floors: int, bell: int) -> None:
            self.other = None if floors == 0 else Pair(0, bell)

        def look(self) -> int:
            """Look."""
            return answer(1, 2)

    source = make(tools=Pair, helpers=[]).source

    assert "class Environment:" in source
    assert "else Environment(0, bell)" in source
    assert "return reference(1, 2)" in source


@pytest.mark.parametrize(
    "text",
    [
        'Say "hello" to {floors}.',
        'It ends with a quote: "',
        'Three: """',
        "A \\ backslash",
        "T\tab",
        "\u00e9\U0001f600",
    ],
)
def test_any_task_text_is_kept(text: str) -> None:
    expected = ast.get_docstring(ast.parse(repr(text)))

    assert make(text=text).template == expected


def uses_private_helper(floors: int, bell: int) -> int:
    return _distance(floors, bell)


def uses_unknown_name(floors: int, bell: int) -> int:
    return nowhere  # type: ignore[name-defined]  # noqa: F821


def uses_object(floors: int, bell: int) -> int:
    return UNPRINTABLE  # type: ignore[return-value]


def uses_file(floors: int, bell: int) -> int:
    return len(Path("file").read_text())


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (uses_private_helper, "_distance"),
        (uses_unknown_name, "nowhere"),
        (uses_object, "UNPRINTABLE"),
        (uses_file, "Path"),
    ],
)
def test_a_name_that_the_environment_cannot_have_is_refused(reference: Any, name: str) -> None:
    with pytest.raises(SourceError, match=f"the name {name} is not available in the environment: return"):
        make(reference=reference)


def test_a_variable_of_an_enclosing_function_is_refused() -> None:
    secret = [object()]

    def closure(floors: int, bell: int) -> int:
        return len(secret)

    with pytest.raises(SourceError, match="the name secret is not available"):
        make(reference=closure)


def test_objects_without_source_text_are_refused() -> None:
    names: dict[str, Any] = {}
    exec("def answer(floors: int, bell: int) -> int:\n    return bell\n", names)

    with pytest.raises(SourceError, match="the source text of answer is not available"):
        make(reference=names["answer"])
    with pytest.raises(SourceError, match="the source text of len is not available"):
        make(reference=len)


def test_a_lambda_is_refused() -> None:
    with pytest.raises(SourceError, match=r"<lambda> is not defined by def or class|not valid Python"):
        make(reference=lambda floors, bell: bell)


def test_two_objects_with_one_name_are_refused() -> None:
    with pytest.raises(SourceError, match="cannot have the name 'solve'"):
        make(helpers=[Heard, distance, _named("solve")])
    with pytest.raises(SourceError, match="two of the objects have the same name"):
        make(solve=answer)


def _named(name: str) -> Callable[[], None]:
    def function() -> None:
        pass

    function.__name__ = name
    return function


def test_meta_that_is_not_a_literal_is_refused() -> None:
    with pytest.raises(SourceError, match="a value in meta is not a literal"):
        make(meta={"public": [object()]})


def test_errors_of_the_contract_name_the_environment() -> None:
    with pytest.raises(SourceError, match=r"<lift>:\d+: META lists 'roof' as public"):
        make(meta={"public": ["roof"]})


def test_an_environment_of_objects_can_be_pickled_and_saved(tmp_path: Path) -> None:
    lift = make().with_tasks((Task(id="one", config={"floors": 5, "bell": 3}, difficulty=1),))
    copy = pickle.loads(pickle.dumps(lift))

    assert copy.digest == lift.digest
    assert copy.tool("move").input_schema == lift.tool("move").input_schema
    assert lift.save(tmp_path) == tmp_path / "lift.py"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lift.jsonl", "lift.py"]


class Config(TypedDict):
    jars: int


class Larder:
    def __init__(self, config: Config) -> None:
        self.jars = config["jars"]

    def eat(self) -> int:
        """Eat a jar; return how many are left."""
        self.jars -= 1
        return self.jars

    def final_state(self) -> int:
        return self.jars


class Dial:
    def __init__(self, word: str) -> None:
        self.word = word

    def turn(self) -> str:
        """Turn the dial; return what is written there."""
        return self.word


def is_empty(state: int, config: Config) -> bool:
    return state == 0


def eat_one(config: Config) -> dict[str, Any]:
    return {"eats one jar": {"state": config["jars"] - 1}}


def eat_all(tools: Any) -> None:
    while tools.eat():
        pass


async def test_objects_can_score_the_final_state_alone(open_episode: OpenEpisode) -> None:
    larder = Environment.from_objects(
        "larder", Larder, solve=eat_all, text="Eat all.", accepts=is_empty, mistakes=eat_one, helpers=[Config]
    )
    assert larder.final_state is not None
    assert larder.names_mistakes
    episode = await open_episode(larder, {"jars": 1})
    await episode.call("eat", {})
    await episode.submit()
    assert episode.reward == 1.0


def test_without_a_state_a_reference_is_required() -> None:
    with pytest.raises(SourceError, match="reference"):
        Environment.from_objects("dial", Dial, solve=eat_all, text="Turn it.")
