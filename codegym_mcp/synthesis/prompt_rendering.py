"""Renders the requests to a model from the templates in `prompts`."""

import re
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.task_configurations import ANSWER_BYTES

LEAST_CALLS = 10
MOST_CALLS = 256
"""Range of the oracle's calls for a task that is kept (arXiv 2509.17325)."""

_NOT_NEEDED = {"ast", "collections.abc", "gymnasium"}
FILES = files("codegym_mcp.synthesis") / "prompts"
"""The folder of the templates."""
EXAMPLES = ("example_weather_log", "example_telegraph", "example_cave")
"""Example environments of different kinds; the problem decides which one its request shows."""
_SETTINGS = (
    "a library with a card index",
    "a harbour and its ships",
    "a botanical garden",
    "a power plant's control room",
    "a railway yard",
    "a museum's depot",
    "a theatre before the show",
    "a bakery at night",
    "a weather station",
    "an observatory",
    "a post office",
    "a vineyard",
    "a hospital pharmacy",
    "a beehive",
    "a printing house",
    "a ski area",
    "an underground car park",
    "a sheep farm",
    "a recording studio",
    "a submarine",
    "a textile mill",
    "a lighthouse",
    "an airport's baggage hall",
    "a chess club",
    "a glacier expedition",
    "a water works",
    "a school's timetable",
    "a toy factory",
    "a family archive",
    "a flea market",
    "an irrigation system",
    "a satellite",
)
"""Ideas for the setting, so that many problems do not lead to one story."""
_APPROACHES = (
    "",
    "Read what the tools show step by step, and decide after each result what to ask next.",
    "First write down, in comments, what the task asks for in special cases; then write the code for them.",
    "Prefer a simple method that is certainly right to a short one.",
)
"""Ways to work, one for each oracle of an environment, so that their requests differ."""


def version() -> str:
    """Returns a short digest of all templates; environments made with other templates are another
    experiment."""
    digest = sha256()
    for file in sorted(FILES.iterdir(), key=lambda file: file.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def render_system() -> str:
    """Renders the system prompt."""
    return _fill("system")


def render_environment(problem: CodingProblem, sample: int = 0) -> str:
    """Renders the request for an environment of a problem.

    Args:
        sample: number of the candidate; each candidate gets another example and another idea for a setting.
    """
    tests = "\n".join(problem.tests)
    return _fill(
        "environment",
        statement=_material(problem.statement),
        solution=_material(problem.solution),
        tests=f"\nExamples:\n<material>\n{_material(tests)}\n</material>\n" if tests else "",
        setting=_choose(_SETTINGS, problem, sample),
        example=_fill(_choose(EXAMPLES, problem, sample)),
        least=LEAST_CALLS,
        most=MOST_CALLS,
        bytes=ANSWER_BYTES,
        modules=_modules(),
    )


def render_tasks(draft: Draft, count: int) -> str:
    """Renders the request for configurations of an environment."""
    return _fill(
        "tasks",
        source=_material(draft.source),
        count=count,
        least=LEAST_CALLS,
        most=MOST_CALLS,
        bytes=ANSWER_BYTES,
    )


def render_oracle(draft: Draft, environment: Environment, sample: int = 0) -> str:
    """Renders the request for an oracle, from the task and the documentation of the tools only.

    Args:
        sample: number of the oracle; the requests of different oracles differ.
    """
    first = environment.tools[0]
    arguments = ", ".join(f"{each.name}=…" for each in first.parameters)
    approach = _APPROACHES[sample % len(_APPROACHES)]
    if sample >= len(_APPROACHES):
        approach = f"{approach} This is solution {sample + 1}.".strip()
    return _fill(
        "oracle",
        task=_material(environment.template),
        tools=_material(draft.tool_stubs()),
        answer=draft.answer_annotation(),
        parameters=", ".join(["tools", *environment.public]),
        example=f"{first.name}({arguments})",
        most=MOST_CALLS,
        approach=approach,
        modules=_modules(),
    )


def render_repair_environment(problem: str) -> str:
    """Renders the request to repair an environment."""
    return _fill("repair_environment", problem=_material(problem))


def render_decision(problem: str) -> str:
    """Renders the request to decide whether the reference or the oracles are right."""
    return _fill("decide_reference", problem=_material(problem))


def render_repair_tasks(problem: str) -> str:
    """Renders the request to repair configurations."""
    return _fill("repair_tasks", problem=_material(problem))


def render_repair_oracle(problem: str) -> str:
    """Renders the request to repair an oracle."""
    return _fill("repair_oracle", problem=_material(problem))


def _choose(choices: Sequence[str], problem: CodingProblem, sample: int) -> str:
    number = int.from_bytes(sha256(problem.id.encode("utf-8", "surrogatepass")).digest()[:4])
    return choices[(number + sample) % len(choices)]


def _material(text: str) -> str:
    """Returns a text in which lines that begin or end material are made harmless."""
    return re.sub(r"<(?=\s*/?\s*material\b)", r"<\\", text.strip(), flags=re.IGNORECASE)


def _modules() -> str:
    return ", ".join(sorted(ALLOWED_MODULES.keys() - _NOT_NEEDED))


def _fill(name: str, **values: object) -> str:
    return _template(name).substitute(values).strip() + "\n"


@cache
def _template(name: str) -> Template:
    return Template((FILES / f"{name}.md").read_text(encoding="utf-8"))
