"""Tests of what each role gets of an environment's source."""

import marshal
import pickle
from pathlib import Path
from types import CodeType

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.process.message_frames import MAX_FRAME
from codegym_mcp.sandbox.process.process_messages import Role
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.source_parsing import MAX_SOURCE

SOURCE = '''"""A task."""
TOP = 5

class Environment:
    def __init__(self, goal): self.goal = goal
    def guess(self, n): return n < self.goal

def reference(goal): return goal
def accepts(answer, goal): return answer == goal
def mistakes(goal): return {"off by one": goal + 1}
def solve(tools): return 1
def generate(random, difficulty): return {"goal": helper()}
def helper(): return TOP

if __name__ == "__main__":
    print(open("anything"))
'''

CODEGYM = """
import gymnasium
class Thing(gymnasium.Env):
    def reset(self, options=None): self._done = False
    def step(self, action): return True, self.Look() if action else self.Done(1)
    def Look(self): return self.shared()
    def shared(self): return 1
    def get_ref_answer(self): return self.shared()
    def Done(self, answer): return answer == self.get_ref_answer()
    def solve(self): return self.step("")
"""


def named(code: bytes) -> set[str]:
    """The names of all functions and classes in marshalled code."""
    waiting: list[CodeType] = [marshal.loads(code)]
    names = set()
    while waiting:
        part = waiting.pop()
        names.add(part.co_name)
        waiting += [constant for constant in part.co_consts if isinstance(constant, CodeType)]
    return names


@pytest.mark.parametrize(
    ("role", "kept"),
    [
        (Role.TOOLS, {"Environment", "__init__", "guess"}),
        (Role.REFERENCE, {"reference"}),
        (Role.JUDGE, {"reference", "accepts"}),
        (Role.SOLVE, {"solve"}),
        (Role.GENERATE, {"reference", "accepts", "mistakes", "generate"}),
        (Role.MISTAKES, {"reference", "accepts", "mistakes", "generate"}),
    ],
)
def test_a_role_gets_its_own_part_and_the_helpers(role: Role, kept: set[str]) -> None:
    assert named(EnvironmentProgram("path", SOURCE).code(role)) == kept | {"<module>", "helper"}


@pytest.mark.parametrize(
    ("role", "withheld"),
    [
        (Role.TOOLS, {"Done", "solve", "get_ref_answer"}),
        (Role.SOLVE, {"Done", "get_ref_answer"}),
        (Role.REFERENCE, set()),
        (Role.JUDGE, set()),
    ],
)
def test_a_role_gets_its_own_part_of_a_codegym_class(role: Role, withheld: set[str]) -> None:
    whole = {"reset", "step", "Look", "shared", "get_ref_answer", "Done", "solve"}

    assert named(EnvironmentProgram("path", CODEGYM, dialect=Dialect.CODEGYM, entry="Thing").code(role)) == (
        whole - withheld | {"<module>", "Thing"}
    )


def test_methods_that_the_tools_call_stay_with_them() -> None:
    source = CODEGYM.replace(
        "def Look(self): return self.shared()", "def Look(self): return self.get_ref_answer()"
    )
    program = EnvironmentProgram("path", source, dialect=Dialect.CODEGYM, entry="Thing")

    assert "get_ref_answer" in named(program.code(Role.TOOLS))
    assert "Done" not in named(program.code(Role.TOOLS))


def test_an_offence_anywhere_in_the_source_is_refused_for_every_role() -> None:
    program = EnvironmentProgram("file.py", SOURCE.replace("return 1\n", "return open('x')\n"))

    for role in Role:
        with pytest.raises(SourceError, match=r"file\.py:11: open is not available"):
            program.code(role)


@pytest.mark.parametrize("source", ["", "\f", "\n\f", 'if __name__ == "__main__":\n    pass\n\f'])
@pytest.mark.parametrize("dialect", Dialect)
def test_a_source_without_statements_compiles(source: str, dialect: Dialect) -> None:
    assert EnvironmentProgram("path", source, dialect=dialect).code(Role.TOOLS)


def test_a_program_pickles_without_its_code_and_compiles_again() -> None:
    program = EnvironmentProgram("path", SOURCE)
    code = program.code(Role.TOOLS)
    copy = pickle.loads(pickle.dumps(program))

    assert len(pickle.dumps(program)) < len(SOURCE) + 500
    assert copy == program
    assert copy.code(Role.TOOLS) == code


def test_code_is_compiled_once() -> None:
    program = EnvironmentProgram("path", SOURCE)

    assert program.code(Role.TOOLS) is program.code(Role.TOOLS)


def test_code_is_the_same_every_time() -> None:
    assert EnvironmentProgram("one", SOURCE).code(Role.TOOLS) == EnvironmentProgram("another", SOURCE).code(
        Role.TOOLS
    )


def test_the_digest_is_that_of_the_source() -> None:
    assert EnvironmentProgram("one", SOURCE).digest == EnvironmentProgram("another", SOURCE).digest
    assert EnvironmentProgram("one", SOURCE).digest != EnvironmentProgram("one", SOURCE + " ").digest


def test_code_too_large_for_a_frame_is_an_error_of_the_source() -> None:
    chain = "x = 1" + "<1" * (MAX_SOURCE // 2 - 100)

    program = EnvironmentProgram("path", chain)
    for role in Role:
        with pytest.raises(SourceError, match=f"compiles to more than {MAX_FRAME:,} bytes"):
            program.code(role)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem) for path in Path("environments").glob("[a-z]*.py")]
)
def test_the_bundled_environments_keep_to_the_policy(path: Path) -> None:
    program = EnvironmentProgram(str(path), path.read_text(encoding="utf-8"))

    assert all(program.code(role) for role in Role)
