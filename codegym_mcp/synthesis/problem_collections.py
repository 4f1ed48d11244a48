"""Known collections of coding problems and the names of their fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Collection:
    """The field names of a collection.

    Attributes:
        source: name of the collection.
        license: licence of its problems, or the empty string.
        marks: a record with all fields of one of these sets belongs to the collection.
        names: the collection's names of our fields; the first one that is present counts.
    """

    source: str
    license: str
    marks: tuple[frozenset[str], ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    continues: bool = False
    """Whether the solution continues the statement, which ends with a function's signature."""


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
MBPP_PLUS = Collection(
    "MBPP+",
    "CC BY 4.0",
    (frozenset({"task_id", "prompt", "canonical_solution", "assertion"}),),
    {
        "id": ("task_id",),
        "statement": ("prompt",),
        "solution": ("canonical_solution",),
        "tests": ("assertion",),
    },
)
KNOWN = (CODEGYM, MBPP_PLUS, HUMAN_EVAL, MBPP)
"""The known collections; those with more specific marks come first."""
