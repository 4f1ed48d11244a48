import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.environment_file import read_environment, read_environment_source
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


def test_the_good_file_is_read() -> None:
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


# By name: what is changed, what it becomes, words of the problem, words of the way to mend it. Where there is
# a « the error must name its line.
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "no META": (
        'META = {\n    "title": "Lift",\n    "tags": ["search"],\n    "public": ["start"],\n}\n',
        "",
        "there is no META",
        "Begin with META =",
    ),
    "META computed": ('"title": "Lift"', '"title": "Li" + str(1)', "META is not a literal", "Write it out"),
    "META with an unhashable key": (
        '"title": "Lift"',
        '"title": {[1]: 2}',
        "META is not a literal",
        "Write it out",
    ),
    "META no dict": (
        'META = {\n    "title": "Lift",\n    "tags": ["search"],\n    "public": ["start"],\n}',
        "«META = 5",
        "META is wrong: it should be a dict",
        "META takes title",
    ),
    "META without title": ('    "title": "Lift",\n', "", "title is required", "META takes title"),
    "META with an empty title": ('"title": "Lift"', '«"title": ""', "title", "META takes title"),
    "META with a word too many": (
        '"tags": ["search"]',
        '«"colour": "red"',
        "colour is not a part of META",
        "META takes title",
    ),
    "META with a wrong type": ('"tags": ["search"]', '«"tags": "search"', "tags", "META takes title"),
    "META with a wrong order": (
        '"tags": ["search"]',
        '«"answer": {"order": "some"}',
        "answer.order should be 'fixed' or 'any'",
        "META takes title",
    ),
    "META with an endless tolerance": (
        '"tags": ["search"]',
        '«"answer": {"tolerance": 1e999}',
        "answer.tolerance",
        "META takes title",
    ),
    "META with no tolerance at all": (
        '"tags": ["search"]',
        '«"answer": {"tolerance": 0}',
        "answer.tolerance should be greater than 0",
        "META takes title",
    ),
    "META twice": ("class Heard", "«META = {}\nclass Heard", "META stands here again", "Keep one"),
    "public value that is none": (
        '"public": ["start"]',
        '"public": ["start", "roof"]',
        "META calls 'roof' public, but __init__ does not take it",
        "parameters of __init__",
    ),
    "public value twice": (
        '"public": ["start"]',
        '"public": ["start", "start"]',
        "names 'start' twice; once will do",
        "",
    ),
    "no task text": (
        '"""A lift stands at floor {start}. Find the bell."""\n',
        "",
        "there is no task text",
        "docstring",
    ),
    "blank task text": (
        '"""A lift stands at floor {start}. Find the bell."""',
        '«"""  """',
        "there is no task text",
        "docstring",
    ),
    "private value in the task text": (
        "Find the bell.",
        "«Not at {bell}.",
        "the task text tells {bell}, which is not public",
        "Add it to META's public",
    ),
    "unknown value in the task text": (
        "Find the bell.",
        "«Up to {roof}.",
        "the task text tells {roof}, which is not public",
        "Add it",
    ),
    "open brace in the task text": (
        "Find the bell.",
        "«Find {it.",
        "the task text is wrong",
        "Double the braces",
    ),
    "closed brace in the task text": (
        "Find the bell.",
        "«Find it}.",
        "the task text is wrong",
        "Double the braces",
    ),
    "empty braces in the task text": (
        "Find the bell.",
        "«Find {}.",
        "the task text is wrong",
        "Double the braces",
    ),
    "expression in the task text": (
        "{start}",
        "«{start.real}",
        "the task text is wrong",
        "Double the braces",
    ),
    "conversion in the task text": ("{start}", "«{start!r}", "the task text is wrong", "Double the braces"),
    "format in the task text": ("{start}", "«{start:>3}", "the task text is wrong", "Double the braces"),
    "no class": (
        "class Environment:",
        "class Surroundings:",
        "there is no class Environment",
        "public methods are the tools",
    ),
    "class twice": (
        "def reference(",
        "«class Environment:\n    pass\ndef reference(",
        "Environment stands here again",
        "Keep one",
    ),
    "class with a parent": (
        "class Environment:",
        "«class Environment(Heard):",
        "Environment has a base class",
        "Write all tools",
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
        "__init__ takes * or / parameters",
        "Name every parameter",
    ),
    "__init__ without a type": (
        "start: int, bell: int):",
        "«start: int, bell):",
        "bell of __init__ has no type",
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
        "plain method",
    ),
    "tool without docstring": (
        '"""Listen for the bell."""',
        "pass",
        "the tool listen has no docstring",
        "Tell the agent",
    ),
    "tool with only arguments in its docstring": (
        '"""Move the lift.\n',
        '"""\n',
        "the tool move has no docstring",
        "Tell the agent",
    ),
    "tool without result type": (
        "def listen(self) -> Heard:",
        "«def listen(self):",
        "the tool listen says no type of result",
        "Annotate what it returns",
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
        "gently of move is not described",
        "Args:",
    ),
    "tool with an empty description": (
        "gently: without a jolt.",
        "gently:",
        "gently of move is not described",
        "Args:",
    ),
    "tool with stars": (
        "floors: int, gently: bool = True",
        "«floors: int, *gently: bool",
        "move takes * or / parameters",
        "Name every parameter",
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
        "Write the value",
    ),
    "tool with an unhashable default": (
        "gently: bool = True",
        "«gently: bool = {[]}",
        "the default of gently is not a literal",
        "Write the value",
    ),
    "tool with a default of another type": (
        "gently: bool = True",
        "«gently: bool = None",
        "the default of gently does not fit its type",
        "bool",
    ),
    "tool with a default that JSON lacks": (
        "gently: bool = True",
        "«gently: str = b'yes'",
        "the default of gently",
        "",
    ),
    "tool with an endless default": (
        "gently: bool = True",
        "«gently: float = 1e999",
        "the default of gently",
        "",
    ),
    "tool called submit_answer": (
        "def listen(",
        "«def submit_answer(",
        "submit_answer is the name of the submission",
        "Call the tool something else",
    ),
    "tool twice": (
        "    def listen(",
        '    def move(self) -> int:\n        """Again."""\n        return 1\n    def listen(',
        "move stands here again",
        "Keep one",
    ),
    "tool of a strange name": ("def listen(", "«def lausche_höre(", "is no name for a tool", "letters"),
    "tool of an endless name": ("def listen(", f"«def {'l' * 65}(", "is no name for a tool", "64"),
    "tool hidden by a value": (
        "self.bell = bell",
        "«self.listen = bell",
        "self.listen hides the tool listen",
        "another name",
    ),
    "tool hidden by a value in a tuple": (
        "self.bell = bell",
        "«self.bell, self.move = bell, 1",
        "self.move hides the tool move",
        "another name",
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
        "keys of a dict are strings",
        "Supported",
    ),
    "unsupported field": (
        "    sound: str",
        "«    sound: bytes",
        "the annotation 'bytes' is not supported",
        "Supported",
    ),
    "annotation that is no expression": (
        "-> Heard:",
        "«-> 'int =':",
        "'int =' is not an expression",
        "Supported",
    ),
    "bottomless annotation": (
        "-> Heard:",
        "-> " + " | ".join(["int"] * 990) + ":",
        "nested too deeply",
        "simpler",
    ),
    "no reference": (
        "def reference(",
        "def referee(",
        "there is no function reference(start, bell)",
        "right answer",
    ),
    "reference twice": (
        "def solve(",
        "«def reference(start, bell) -> int:\n    return 1\ndef solve(",
        "reference stands here again",
        "Keep one",
    ),
    "reference without a type of answer": (
        "bell: int) -> int:\n    return bell",
        "«bell: int):\n    return bell",
        "reference says no type of answer",
        "Annotate what it returns",
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
        "reference takes * or / parameters",
        "Name every parameter",
    ),
    "reference by position only": (
        "def reference(start: int, bell: int)",
        "«def reference(start, bell, /)",
        "reference takes * or / parameters",
        "Name every parameter",
    ),
    "asynchronous reference": ("def reference(", "«async def reference(", "", ""),
    "order any of what is no list": (
        '"tags": ["search"]',
        '"answer": {"order": "any"}',
        "META's answer order is 'any', but the answer is no list",
        "list",
    ),
    "no solve": ("def solve(", "def unravel(", "there is no function solve(tools, start)", "oracle"),
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
    "null byte": ("    return bell\n", "    return bell\0\n", "null bytes", ""),
    "half a surrogate pair in the title": (
        '"title": "Lift"',
        '«"title": "\\ud800"',
        "half of a surrogate pair",
        "JSON",
    ),
    "half a surrogate pair in a docstring": (
        "Listen for the bell.",
        "«Listen \\ud800.",
        "half of a surrogate pair",
        "JSON",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_gives_one_error_with_its_line_and_the_way_to_mend_it(
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
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    error = refused(GOOD, name)
    assert "is no name for an environment" in error.problem
    assert "lower_case_words" in error.hint


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lift.py"
    path.write_bytes(changed("Listen for the bell.", "Höre.").encode("latin-1"))
    with pytest.raises(SourceError) as caught:
        read_environment(path)
    assert caught.value.path == str(path)
    assert caught.value.line == GOOD[: GOOD.index("Listen for")].count("\n") + 1
    assert "not UTF-8" in caught.value.problem
    assert "UTF-8" in caught.value.hint


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_environment(tmp_path / "lift.py")
    with pytest.raises(SourceError, match="cannot be read"):
        read_environment(tmp_path)


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_marks_and_line_ends_of_other_systems_are_read(tmp_path: Path, before: bytes, end: bytes) -> None:
    path = tmp_path / "lift.py"
    path.write_bytes(before + GOOD.encode().replace(b"\n", end))
    assert (
        read_environment(path).program.digest
        == read_environment_source(GOOD, name="lift", path="lift.py").program.digest
    )


def test_meta_may_be_annotated() -> None:
    lift = read_environment_source(changed("META =", "META: dict ="), name="lift", path="lift.py")
    assert lift.title == "Lift"


def test_parameters_that_are_passed_by_name_may_stand_in_any_order() -> None:
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
def test_a_default_is_told_as_json(parameter: str, default: Any) -> None:
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
def test_only_what_plainly_changes_nothing_is_read_only(declare: Declare, body: str, read_only: bool) -> None:
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
def test_the_submission_says_where_order_does_not_matter(returns: str, meta: str, ordered: bool) -> None:
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
def test_no_text_does_worse_than_a_source_error(text: str) -> None:
    try:
        read_environment_source(text, name="lift", path="lift.py")
    except SourceError as error:
        assert error.problem  # noqa: PT017


@given(st.integers(0, len(GOOD)), st.integers(1, 40), st.text(max_size=5))
def test_no_damage_to_a_good_file_does_worse_than_a_source_error(start: int, length: int, text: str) -> None:
    try:
        lift = read_environment_source(
            GOOD[:start] + text + GOOD[start + length :], name="lift", path="lift.py"
        )
    except SourceError as error:
        assert error.problem  # noqa: PT017
    else:
        for tool in (*lift.tools, lift.submission):
            json.dumps([tool.input_schema, tool.output_schema]).encode()
