"""Reads `META`, the literal dict in which an environment describes itself."""

import ast
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.validation_messages import ValidationFault, first_fault

_PARTS = "META accepts title, tags, public, license, source, answer (order, tolerance) and judge_errors."
_EXAMPLE = 'Begin with META = {"title": "…", "public": […]}.'


class JudgeErrors(StrEnum):
    """What an exception of the environment's function `accepts` means."""

    FAULT = "fault"
    """A fault of the environment: the episode fails and is not scored."""
    INCORRECT = "incorrect"
    """The answer is incorrect."""


class AnswerMeta(BaseModel):
    """`META["answer"]`: when two answers are equal."""

    model_config = ConfigDict(extra="forbid")

    order: Literal["fixed", "any"] = "fixed"
    tolerance: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def _check_distinct(names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"contains {name!r} twice")
    return names


class Meta(BaseModel):
    """The content of `META`."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1)
    tags: list[str] = []
    public: Annotated[list[str], AfterValidator(_check_distinct)] = []
    license: str = ""
    source: str = ""
    answer: AnswerMeta = AnswerMeta()
    judge_errors: JudgeErrors = JudgeErrors.FAULT


def read_meta(tree: ast.Module, path: str) -> Meta:
    """Reads `META` from a module.

    Raises:
        SourceError: `META` is missing, is defined twice, or is not a literal with the fields of `Meta`.
    """
    found = [node for node in tree.body if "META" in _assigned(node)]
    if not found:
        raise SourceError(path, None, "META is missing", hint=_EXAMPLE)
    if len(found) > 1:
        raise SourceError(
            path, found[1].lineno, "META is defined twice", hint="Remove one of the definitions."
        )
    (node,) = found
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    try:
        value = ast.literal_eval(node.value) if node.value is not None else None
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise SourceError(
            path, node.lineno, "META is not a literal", hint="Write it as a plain dict of constants."
        ) from None
    if not isinstance(value, dict):
        raise SourceError(path, node.lineno, "META is not a dict", hint=_PARTS)
    try:
        return Meta.model_validate(value)
    except ValidationError as error:
        fault = first_fault(error)
        line = _line_of(fault.place, node.value) or node.lineno
        raise SourceError(path, line, f"META is not valid: {_explain(fault)}", hint=_PARTS) from None


def _assigned(node: ast.stmt) -> set[str]:
    """Returns the names that a statement assigns to."""
    match node:
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _line_of(place: tuple[int | str, ...], node: ast.expr | None) -> int | None:
    """Returns the line of the value at a place in a dict literal, or None if it is not in the literal."""
    line = None
    for part in place:
        if not isinstance(node, ast.Dict):
            break
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == part:
                line, node = key.lineno, value
                break
        else:
            break
    return line


def _explain(fault: ValidationFault) -> str:
    match fault.kind:
        case "missing":
            return f"{fault.path} is required"
        case "extra_forbidden":
            return f"{fault.path} is not a field of META"
    return f"{fault.path} {fault.message.removeprefix('Input ')}"
