"""Collections of coding problems, and how they call what a problem has."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Collection:
    """How a collection calls what a problem has.

    Attributes:
        marks: fields by any of whose sets it is known.
        names: the collection's names for ours, the first that is there counts.
    """

    source: str
    license: str
    marks: tuple[frozenset[str], ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    continues: bool = False
    """Whether a solution continues the statement, which is a signature."""


CODEGYM = Collection(
    "CodeGym raw problems",
    "CC BY-NC 4.0",
    (frozenset({"question_id", "question"}),),
    {"id": ("question_id",), "statement": ("question",)},
)
HUMAN_EVAL = Collection(
    "HumanEval",
    "MIT",
    (frozenset({"task_id", "prompt", "canonical_solution"}), frozenset({"task_id", "prompt", "entry_point"})),
    {"id": ("task_id",), "statement": ("prompt",), "solution": ("canonical_solution",), "tests": ("test",)},
    continues=True,
)
MBPP = Collection(
    "MBPP",
    "CC BY 4.0",
    tuple(frozenset({"task_id", text, by}) for text in ("text", "prompt") for by in ("code", "test_list")),
    {"id": ("task_id",), "statement": ("text", "prompt"), "solution": ("code",), "tests": ("test_list",)},
)
KNOWN = (CODEGYM, HUMAN_EVAL, MBPP)
