"""What a model is told at each stage: files beside this module, with values filled in."""

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template

from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.spec.environment import Environment
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.task_configurations import ANSWER_BYTES

LEAST_CALLS = 10
MOST_CALLS = 256
"""The calls that the oracle may need for a task that is kept (arXiv 2509.17325)."""

_NOT_NEEDED = {"ast", "collections.abc", "gymnasium"}
FILES = files("codegym_mcp.synthesis") / "prompts"
"""Where the prompts stand."""


def version() -> str:
    """A short digest of all prompts: what was asked by others is another experiment."""
    digest = sha256()
    for file in sorted(FILES.iterdir(), key=lambda file: file.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def system() -> str:
    """What a model is told of its part."""
    return _fill("system")


def environment(problem: CodingProblem) -> str:
    """Asks for an environment made of a problem."""
    tests = "\n".join(problem.tests)
    return _fill(
        "environment",
        statement=_material(problem.statement),
        solution=_material(problem.solution),
        tests=f"\nExamples:\n<material>\n{_material(tests)}\n</material>\n" if tests else "",
        least=LEAST_CALLS,
        most=MOST_CALLS,
        bytes=ANSWER_BYTES,
        modules=_modules(),
    )


def tasks(draft: Draft, count: int) -> str:
    """Asks for configurations of an environment."""
    return _fill(
        "tasks",
        source=_material(draft.source),
        count=count,
        least=LEAST_CALLS,
        most=MOST_CALLS,
        bytes=ANSWER_BYTES,
    )


def oracle(draft: Draft, environment: Environment) -> str:
    """Asks for an oracle, from the task and the documentation of the tools alone."""
    first = environment.tools[0]
    arguments = ", ".join(f"{each.name}=…" for each in first.parameters)
    return _fill(
        "oracle",
        task=_material(environment.template),
        tools=_material(draft.tool_stubs()),
        answer=draft.answer_annotation(),
        parameters=", ".join(["tools", *environment.public]),
        example=f"{first.name}({arguments})",
        most=MOST_CALLS,
        modules=_modules(),
    )


def repair_environment(problem: str) -> str:
    """Gives an environment back."""
    return _fill("repair_environment", problem=_material(problem))


def repair_tasks(problem: str) -> str:
    """Gives configurations back."""
    return _fill("repair_tasks", problem=_material(problem))


def repair_oracle(problem: str) -> str:
    """Gives an oracle back."""
    return _fill("repair_oracle", problem=_material(problem))


def _material(text: str) -> str:
    """A text that cannot end, or begin, what counts as material."""
    return re.sub(r"<(?=\s*/?\s*material\b)", r"<\\", text.strip(), flags=re.IGNORECASE)


def _modules() -> str:
    return ", ".join(sorted(ALLOWED_MODULES.keys() - _NOT_NEEDED))


def _fill(name: str, **values: object) -> str:
    return _template(name).substitute(values).strip() + "\n"


@cache
def _template(name: str) -> Template:
    return Template((FILES / f"{name}.md").read_text(encoding="utf-8"))
