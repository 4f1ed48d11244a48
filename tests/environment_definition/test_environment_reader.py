import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_reader import read_environment, read_environment_source
from codegym_mcp.errors import SourceError
from tests.conftest import Declare

GOOD = '''"""A lift stands at floor {start}. Find the bell."""
from typing import TypedDict
META = {
    "title": "Lift",
    "tags": ["search"],
    "public": ["start"],
}
class Heard(TypedDict):
    floor: int
    sound: str
class Environment:
    def __init__(self, start: int, bell: int):
        self.floor = start
        self.bell = bell
    def move(self, floors: int, gently: bool = True) -> int:
        """Move the lift.

        Args:
            floors: how many floors up.
            gently: without a jolt.
        """
        self.floor += floors
        return self.floor
    def listen(self) -> Heard:
        """Listen for the bell."""
        return {"floor": self.floor, "sound": "here" if self.floor == self.bell else "away"}
def reference(start: int, bell: int) -> int:
    return bell
def solve(tools, start):
    while tools.listen()["sound"] == "away":
        tools.move(floors=1)
    return tools.listen()["floor"]
def generate(random, difficulty):
    return {"start": 0, "bell": random.randint(1, difficulty)}
'''


def refused(source: str, name: str = "lift") -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_environment_source(source, name=name, path="lift.py")
    return caught.value


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_valid_file_is_read() -> None:
    lift = read_environment_source(GOOD, name="lift", path="lift.py")
    assert (lift.name, lift.title, lift.tags, lift.public) == ("lift", "Lift", ("search",), ("start",))
    assert [tool.name for tool in lift.tools] == ["move", "listen"]
    assert (lift.judge, lift.generates, lift.tasks) == ("reference", True, ())
    move, listen = lift.tools
    assert move.description == "Move the lift."
    assert move.input_schema["properties"] == {
        "floors": {"type": "integer", "description": "how many floors up."},
        "gently": {"type": "boolean", "description": "without a jolt.", "default": True},
    }
    assert move.input_schema["required"] == ["floors"]
    assert listen.output_schema["required"] == ["floor", "sound"]
    assert lift.submission.input_schema["properties"]["answer"]["type"] == "integer"


# By name: the replaced text, its replacement, a part of the problem, a part of the hint. If the replacement
# contains a «, the error must name that line.
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "no META": (
        'META = {\n    "title": "Lift",\n    "tags": ["search"],\n    "public": ["start"],\n}\n',
        "",
        "META is missing",
        "Begin with META =",
    ),
    "META computed": ('"title": "Lift"', '"title": "Li" + str(1)', "META is not a literal", "constants"),
    "META with an unhashable key": (
        '"title": "Lift"',
        '"title": {[1]: 2}',
        "META is not a literal",
        "constants",
    ),
    "META that is not a dict": (
        'META = {\n    "title": "Lift",\n    "tags": ["search"],\n    "public": ["start"],\n}',
        "«META = 5",
        "META is not a dict",
        "META accepts title",
    ),
    "META without title": ('    "title": "Lift",\n', "", "title is required", "META accepts title"),
    "META with an empty title": ('"title": "Lift"', '«"title": ""', "title", "META accepts title"),
    "META with an unknown field": (
        '"tags": ["search"]',
        '«"colour": "red"',
        "colour is not a field of META",
        "META accepts title",
    ),
    "META with a wrong type": ('"tags": ["search"]', '«"tags": "search"', "tags", "META accepts title"),
    "META with a wrong order": (
        '"tags": ["search"]',
        '«"answer": {"order": "some"}',
        "answer.order should be 'fixed' or 'any'",
        "META accepts title",
    ),
    "META with an infinite tolerance": (
        '"tags": ["search"]',
        '«"answer": {"tolerance": 1e999}',
        "answer.tolerance",
        "META accepts title",
    ),
    "META with a tolerance of zero": (
        '"tags": ["search"]',
        '«"answer": {"tolerance": 0}',
        "answer.tolerance should be greater than 0",
        "META accepts title",
    ),
    "META twice": (
        "class Heard",
        "«META = {}\nclass Heard",
        "META is defined twice",
        "Remove one of the definitions",
    ),
    "public value that is not a parameter": (
        '"public": ["start"]',
        '"public": ["start", "roof"]',
        "META lists 'roof' as public, but __init__ has no such parameter",
        "parameters of __init__",
    ),
    "public value twice": (
        '"public": ["start"]',
        '"public": ["start", "start"]',
        "public contains 'start' twice",
        "",
    ),
    "no task text": (
        '"""A lift stands at floor {start}. Find the bell."""\n',
        "",
        "the task text is missing",
        "docstring",
    ),
    "blank task text": (
        '"""A lift stands at floor {start}. Find the bell."""',
        '«"""  """',
        "the task text is missing",
        "docstring",
    ),
    "private value in the task text": (
        "Find the bell.",
        "«Not at {bell}.",
        "the task text uses {bell}, which is not public",
        "Add the name to public",
    ),
    "unknown value in the task text": (
        "Find the bell.",
        "«Up to {roof}.",
        "the task text uses {roof}, which is not public",
        "Add the name",
    ),
    "open brace in the task text": (
        "Find the bell.",
        "«Find {it.",
        "the task text is not valid",
        "Double every brace",
    ),
    "closed brace in the task text": (
        "Find the bell.",
        "«Find it}.",
        "the task text is not valid",
        "Double every brace",
    ),
    "empty braces in the task text": (
        "Find the bell.",
        "«Find {}.",
        "the task text is not valid",
        "Double every brace",
    ),
    "expression in the task text": (
        "{start}",
        "«{start.real}",
        "the task text is not valid",
        "Double every brace",
    ),
    "conversion in the task text": (
        "{start}",
        "«{start!r}",
        "the task text is not valid",
        "Double every brace",
    ),
    "format in the task text": ("{start}", "«{start:>3}", "the task text is not valid", "Double every brace"),
    "no class": (
        "class Environment:",
        "class Surroundings:",
        "the class Environment is missing",
        "public methods are the tools",
    ),
    "class twice": (
        "def reference(",
        "«class Environment:\n    pass\ndef reference(",
        "Environment is defined twice",
        "Remove one of the definitions",
    ),
    "class with a parent": (
        "class Environment:",
        "«class Environment(Heard):",
        "Environment has a base class",
        "Define all tools",
    ),
    "no __init__": (
        "def __init__(self, start: int, bell: int):",
        "def begin(self, start: int, bell: int) -> int:",
        "Environment has no __init__",
        "configuration",
    ),
    "__init__ with stars": (
        "start: int, bell: int):",
        "«start: int, **more):",
        "__init__ has * or / parameters",
        "Give every parameter a name",
    ),
    "__init__ without a type": (
        "start: int, bell: int):",
        "«start: int, bell):",
        "the parameter bell of __init__ has no type",
        "Annotate it",
    ),
    "__init__ without self": (
        "(self, start: int, bell: int):",
        "«(start: int, bell: int):",
        "the first parameter of __init__ is not self",
        "self",
    ),
    "decorated __init__": (
        "    def __init__",
        "    @staticmethod\n«    def __init__",
        "__init__ has a decorator",
        "Remove it",
    ),
    "tool without docstring": (
        '"""Listen for the bell."""',
        "pass",
        "the tool listen has no docstring",
        "Describe for the agent",
    ),
    "tool with only arguments in its docstring": (
        '"""Move the lift.\n',
        '"""\n',
        "the tool move has no docstring",
        "Describe for the agent",
    ),
    "tool without result type": (
        "def listen(self) -> Heard:",
        "«def listen(self):",
        "the tool listen has no return annotation",
        "Annotate the type of",
    ),
    "tool without argument type": (
        "floors: int, gently",
        "«floors, gently",
        "floors of move has no type",
        "Annotate it",
    ),
    "tool with an undescribed argument": (
        "            gently: without a jolt.\n",
        "",
        "the parameter gently of move has no description",
        "Args:",
    ),
    "tool with an empty description": (
        "gently: without a jolt.",
        "gently:",
        "the parameter gently of move has no description",
        "Args:",
    ),
    "tool with stars": (
        "floors: int, gently: bool = True",
        "«floors: int, *gently: bool",
        "move has * or / parameters",
        "Give every parameter a name",
    ),
    "tool without self": (
        "def listen(self)",
        "«def listen()",
        "the first parameter of listen is not self",
        "self",
    ),
    "tool with another self": (
        "def listen(self)",
        "«def listen(floor: int)",
        "the first parameter of listen is not self",
        "self",
    ),
    "tool with a default self": (
        "def listen(self)",
        "«def listen(self=1)",
        "the first parameter of listen is not self",
        "self",
    ),
    "tool with a computed default": (
        "gently: bool = True",
        "«gently: bool = bool(1)",
        "the default of gently is not a literal",
        "Write a constant",
    ),
    "tool with an unhashable default": (
        "gently: bool = True",
        "«gently: bool = {[]}",
        "the default of gently is not a literal",
        "Write a constant",
    ),
    "tool with a default of another type": (
        "gently: bool = True",
        "«gently: bool = None",
        "the default of gently does not have the declared type",
        "bool",
    ),
    "tool with a default that JSON lacks": (
        "gently: bool = True",
        "«gently: str = b'yes'",
        "the default of gently",
        "",
    ),
    "tool with an infinite default": (
        "gently: bool = True",
        "«gently: float = 1e999",
        "the default of gently",
        "",
    ),
    "tool named submit_answer": (
        "def listen(",
        "«def submit_answer(",
        "a tool cannot be named submit_answer",
        "Rename the tool",
    ),
    "tool twice": (
        "    def listen(",
        '    def move(self) -> int:\n        """Again."""\n        return 1\n    def listen(',
        "move is defined twice",
        "Remove one of the definitions",
    ),
    "tool with a name that is not ASCII": (
        "def listen(",
        "«def lausche_höre(",
        "is not a valid name for a tool",
        "letters",
    ),
    "tool with a name that is too long": (
        "def listen(",
        f"«def {'l' * 65}(",
        "is not a valid name for a tool",
        "64",
    ),
    "tool hidden by a value": (
        "self.bell = bell",
        "«self.listen = bell",
        "self.listen hides the tool listen",
        "Rename one",
    ),
    "tool hidden by a value in a tuple": (
        "self.bell = bell",
        "«self.bell, self.move = bell, 1",
        "self.move hides the tool move",
        "Rename one",
    ),
    "decorated tool": (
        "    def listen(",
        "    @property\n«    def listen(",
        "the tool listen has a decorator",
        "plain methods",
    ),
    "asynchronous tool": ("    def listen(", "«    async def listen(", "", ""),
    "unsupported argument annotation": (
        "floors: int,",
        "«floors: bytes,",
        "the annotation 'bytes' is not supported",
        "Supported: int, float",
    ),
    "unsupported result annotation": (
        "-> Heard:",
        "«-> Iterator[int]:",
        "the annotation 'Iterator[int]' is not supported",
        "Supported: int, float",
    ),
    "dict with keys of another type": (
        "-> Heard:",
        "«-> dict[int, str]:",
        "the keys of a dict must be strings",
        "Supported",
    ),
    "unsupported field": (
        "    sound: str",
        "«    sound: bytes",
        "the annotation 'bytes' is not supported",
        "Supported",
    ),
    "annotation that is not an expression": (
        "-> Heard:",
        "«-> 'int =':",
        "'int =' is not an expression",
        "Supported",
    ),
    "annotation with a null character": (
        "-> Heard:",
        "«-> 'int\\0':",
        "is not an expression",
        "Supported",
    ),
    "deeply nested annotation": (
        "-> Heard:",
        "-> " + " | ".join(["int"] * 990) + ":",
        "nested too deeply",
        "Split the expression",
    ),
    "no reference": (
        "def reference(",
        "def referee(",
        "the function reference(start, bell) is missing",
        "correct answer",
    ),
    "reference twice": (
        "def solve(",
        "«def reference(start, bell) -> int:\n    return 1\ndef solve(",
        "reference is defined twice",
        "Remove one of the definitions",
    ),
    "reference without a type of answer": (
        "bell: int) -> int:\n    return bell",
        "«bell: int):\n    return bell",
        "reference has no return annotation",
        "Annotate the type of",
    ),
    "reference with too few parameters": (
        "def reference(start: int, bell: int)",
        "«def reference(bell: int)",
        "reference takes (bell), not (start, bell)",
        "Environment.__init__",
    ),
    "reference with too many parameters": (
        "def reference(start: int, bell: int)",
        "«def reference(start, bell, roof)",
        "reference takes (start, bell, roof), not (start, bell)",
        "Environment.__init__",
    ),
    "reference with stars": (
        "def reference(start: int, bell: int)",
        "«def reference(start, bell, **more)",
        "reference has * or / parameters",
        "Give every parameter a name",
    ),
    "reference by position only": (
        "def reference(start: int, bell: int)",
        "«def reference(start, bell, /)",
        "reference has * or / parameters",
        "Give every parameter a name",
    ),
    "asynchronous reference": ("def reference(", "«async def reference(", "", ""),
    "order any of an answer that is not a list": (
        '"tags": ["search"]',
        '"answer": {"order": "any"}',
        "META sets the answer's order to 'any', but the answer is not a list",
        "list",
    ),
    "no solve": ("def solve(", "def unravel(", "the function solve(tools, start) is missing", "oracle"),
    "solve that wants the secret": (
        "def solve(tools, start)",
        "«def solve(tools, start, bell)",
        "solve takes (tools, start, bell), not (tools, start)",
        "public values",
    ),
    "solve with the tools last": (
        "def solve(tools, start)",
        "«def solve(start, tools)",
        "solve takes (start, tools), not (tools, start)",
        "public values",
    ),
    "solve with the tools by name only": (
        "def solve(tools, start)",
        "«def solve(*, tools, start)",
        "solve takes (*, tools, start), not (tools, start)",
        "public values",
    ),
    "generate with other parameters": (
        "def generate(random, difficulty)",
        "«def generate(difficulty, random)",
        "generate takes (difficulty, random), not (random, difficulty)",
        "difficulty",
    ),
    "generate by name only": (
        "def generate(random, difficulty)",
        "«def generate(random, *, difficulty)",
        "generate takes (random, *, difficulty), not (random, difficulty)",
        "difficulty",
    ),
    "accepts without the configuration": (
        "def generate(",
        "«def accepts(answer):\n    return True\ndef generate(",
        "accepts takes (answer), not (answer, start, bell)",
        "configuration",
    ),
    "syntax error": ("def solve(tools, start):", "«def solve(tools, start)", "not valid Python", ""),
    "argument twice": ("floors: int, gently: bool = True", "«floors: int, floors: bool = True", "", ""),
    "forbidden import": (
        "from typing import TypedDict",
        "«import os",
        "import of os is not allowed",
        "Environments may import",
    ),
    "forbidden statement": ("    return bell\n", "«    exec('1')\n    return bell\n", "", ""),
    "underscore": ("    def listen(", "«    def _listen(", "_", "underscore"),
    "deep nesting": ("    return bell\n", "    return " + "-" * 20_000 + "bell\n", "nested too deeply", ""),
    "many parentheses": (
        "    return bell\n",
        "«    return " + "(" * 500 + "bell" + ")" * 500 + "\n",
        "too many nested parentheses",
        "",
    ),
    "null byte": ("    return bell\n", "    return bell\0\n", "null character", ""),
    "half a surrogate pair in the title": (
        '"title": "Lift"',
        '«"title": "\\ud800"',
        "half of a surrogate pair",
        "whole character",
    ),
    "half a surrogate pair in a docstring": (
        "Listen for the bell.",
        "«Listen \\ud800.",
        "half of a surrogate pair",
        "whole character",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_raises_one_error_with_its_line_and_a_hint(
    case: tuple[str, str, str, str],
) -> None:
    old, new, problem, hint = case
    marked = changed(old, new)
    error = refused(marked.replace("«", ""))
    assert error.path == "lift.py"
    assert problem in error.problem
    assert hint in error.hint
    if "«" in marked:
        assert error.line == marked[: marked.index("«")].count("\n") + 1
    elif error.line is not None:
        assert str(error).startswith(f"lift.py:{error.line}: ")
    text = str(error)
    text.encode()
    assert len(text) < 600


@pytest.mark.parametrize("kept", [["self.floor = start", "self.bell = bell"]])
def test_a_class_without_public_methods_has_no_tool(kept: list[str]) -> None:
    start, end = GOOD.index("    def move("), GOOD.index("def reference(")
    error = refused(GOOD[:start] + GOOD[end:])
    assert "no public method" in error.problem
    assert error.line == GOOD[: GOOD.index("class Environment:")].count("\n") + 1
    assert "tool" in error.hint


@pytest.mark.parametrize(
    "name", ["Lift", "2lift", "the lift", "", "lift\n", "../lift", "_lift", "lift-2", "lüft"]
)
def test_an_invalid_name_is_refused(name: str) -> None:
    error = refused(GOOD, name)
    assert "is not a valid name for an environment" in error.problem
    assert "lower-case letters" in error.hint


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "lift.py"
    path.write_bytes(changed("Listen for the bell.", "Höre.").encode("latin-1"))
    with pytest.raises(SourceError) as caught:
        read_environment(path)
    assert caught.value.path == str(path)
    assert caught.value.line == GOOD[: GOOD.index("Listen for")].count("\n") + 1
    assert "not UTF-8" in caught.value.problem
    assert "UTF-8" in caught.value.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read_environment(tmp_path / "lift.py")


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_byte_order_marks_and_other_line_ends_are_read(tmp_path: Path, before: bytes, end: bytes) -> None:
    path = tmp_path / "lift.py"
    path.write_bytes(before + GOOD.encode().replace(b"\n", end))
    assert (
        read_environment(path).program.digest
        == read_environment_source(GOOD, name="lift", path="lift.py").program.digest
    )


def test_meta_can_be_annotated() -> None:
    lift = read_environment_source(changed("META =", "META: dict ="), name="lift", path="lift.py")
    assert lift.title == "Lift"


def test_parameters_passed_by_name_can_have_any_order() -> None:
    source = changed("def reference(start: int, bell: int)", "def reference(bell: int, start: int)")
    assert read_environment_source(source, name="lift", path="lift.py")


@pytest.mark.parametrize(
    ("parameter", "default"),
    [
        ("x: int = -1", -1),
        ("x: int | None = None", None),
        ("x: float = 2", 2),
        ("x: tuple[int, int] = (1, 2)", [1, 2]),
        ("x: tuple[int, ...] = ()", []),
        ("x: set[int] = {3, 1, 2}", [1, 2, 3]),
        ("x: list[str] = ['a']", ["a"]),
        ("x: dict[str, list] = {'a': (1,)}", {"a": [1]}),
        ("x: Literal['a', 'b'] = 'a'", "a"),
        ("*, x: str = 'ä'", "ä"),
    ],
)
def test_a_default_is_json_in_the_schema(parameter: str, default: Any) -> None:
    source = changed("floors: int, gently: bool = True", f"floors: int, {parameter}").replace("gently:", "x:")
    move = read_environment_source(source, name="lift", path="lift.py").tool("move")
    assert move.input_schema["properties"]["x"]["default"] == default
    json.dumps(move.input_schema)
    move.validate_arguments({"floors": 1, "x": default})


@pytest.mark.parametrize(
    ("body", "read_only"),
    [
        ("return self.floor", True),
        ("return max(self.floor, sum(x for x in range(3)))", True),
        ("return len(self.names.get('a', []))", True),
        ("if self.floor > 3:\n            raise ValueError(f'at {self.floor}')\n        return 1", True),
        ("self.floor = 1\n        return 1", False),
        ("self.floor += 1\n        return 1", False),
        ("del self.floor\n        return 1", False),
        ("self.names['a'] = 1\n        return 1", False),
        ("self.names.append(1)\n        return 1", False),
        ("return self.names.rotate(1)", False),
        ("return self.random.randint(1, 2)", False),
        ("names = self.names\n        names += [1]\n        return 1", False),
        ("return self.move(1)", False),
        ("return help_out(self)", False),
        ("return len(sorted(self.names, key=self.names.remove))", False),
        ("global calls\n        calls = 1\n        return 1", False),
    ],
)
def test_only_a_tool_that_certainly_changes_nothing_is_read_only(
    declare: Declare, body: str, read_only: bool
) -> None:
    made = declare(
        f'''
"""Find it."""
META = {{"title": "Made"}}
class Environment:
    def __init__(self, floor: int):
        self.floor = floor
    def look(self) -> int:
        """Look."""
        {body}
def help_out(it):
    return 1
def reference(floor: int) -> int:
    return floor
def solve(tools):
    return 1
'''
    )
    assert made.tool("look").read_only is read_only


@pytest.mark.parametrize(
    ("returns", "meta", "ordered"),
    [("list[int]", "", True), ("list[int]", ', "answer": {"order": "any"}', False), ("set[int]", "", False)],
)
def test_the_submission_says_if_order_does_not_matter(returns: str, meta: str, ordered: bool) -> None:
    source = changed("bell: int) -> int:\n", f"bell: int) -> {returns}:\n").replace(
        '"start"],', f'"start"]{meta},'
    )
    lift = read_environment_source(source, name="lift", path="lift.py")
    said = lift.submission.input_schema["properties"]["answer"]["description"]
    assert ("order does not matter" in said) is not ordered


def test_nothing_of_the_source_runs_when_it_is_read(counter: Environment) -> None:
    source = changed("def reference(", "spent = 10 ** 10 ** 10\nwhile True:\n    pass\ndef reference(")
    assert read_environment_source(source, name="lift", path="lift.py").name == "lift"


lines = st.lists(st.sampled_from(GOOD.splitlines()), max_size=30).map("\n".join)


@given(st.text() | lines | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_an_environment_or_a_source_error(text: str) -> None:
    try:
        read_environment_source(text, name="lift", path="lift.py")
    except SourceError as error:
        assert error.problem  # noqa: PT017


@given(st.integers(0, len(GOOD)), st.integers(1, 40), st.text(max_size=5))
def test_any_damage_to_a_valid_file_gives_at_most_a_source_error(start: int, length: int, text: str) -> None:
    try:
        lift = read_environment_source(
            GOOD[:start] + text + GOOD[start + length :], name="lift", path="lift.py"
        )
    except SourceError as error:
        assert error.problem  # noqa: PT017
    else:
        for tool in (*lift.tools, lift.submission):
            json.dumps([tool.input_schema, tool.output_schema]).encode()


def test_types_that_are_too_large_without_references_are_refused_with_the_line_of_the_tool() -> None:
    names = [f"T{number}" for number in range(20)]
    records = "class T0(TypedDict):\n    x: int\n" + "".join(
        f"class {name}(TypedDict):\n    a: {below}\n    b: {below}\n"
        for below, name in itertools.pairwise(names)
    )
    source = changed("class Heard", records + "class Heard").replace(
        "def listen(self) -> Heard", "def listen(self) -> T19"
    )
    error = refused(source)
    assert error.problem.startswith("the types of listen are too large")
    assert error.line == source[: source.index("def listen")].count("\n") + 1


def test_a_record_cannot_contain_itself() -> None:
    error = refused(changed("    sound: str", "    sound: str\n    next: 'Heard | None'"))
    assert "the annotation 'Heard' is not supported" in error.problem
    assert "classes defined earlier" in error.hint


@pytest.mark.parametrize("keyword", ["async def listen(", "async def reference("])
def test_asynchronous_functions_are_refused(keyword: str) -> None:
    error = refused(changed(keyword.removeprefix("async "), keyword))
    assert "is asynchronous" in error.problem
    assert error.hint == "Remove async."


def test_a_byte_order_mark_is_not_a_part_of_the_source() -> None:
    marked = read_environment_source("\ufeff" + GOOD, name="lift", path="lift.py")
    assert marked.source == GOOD
    assert Environment.from_source("\ufeff" + GOOD, name="lift").source == GOOD
