"""`META`: what an environment's file says of itself, as a literal dict."""

import ast
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from codegym_mcp.errors import SourceError

_PARTS = "META takes title, tags, public, license, source and answer (order, tolerance)."
_EXAMPLE = 'Begin with META = {"title": "…", "public": […]}.'


class AnswerMeta(BaseModel):
    """`META["answer"]`: when two answers are the same."""

    model_config = ConfigDict(extra="forbid")

    order: Literal["fixed", "any"] = "fixed"
    tolerance: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def _once(names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"names {name!r} twice; once will do")
    return names


class Meta(BaseModel):
    """`META`: what an environment says of itself."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1)
    tags: list[str] = []
    public: Annotated[list[str], AfterValidator(_once)] = []
    license: str = ""
    source: str = ""
    answer: AnswerMeta = AnswerMeta()


def read_meta(tree: ast.Module, path: str) -> Meta:
    """Reads `META` from a module.

    Raises:
        SourceError: there is none, there are two, or it is no literal that `Meta` takes.
    """
    found = [node for node in tree.body if "META" in _assigned(node)]
    if not found:
        raise SourceError(path, None, "there is no META", hint=_EXAMPLE)
    if len(found) > 1:
        raise SourceError(path, found[1].lineno, "META stands here again", hint="Keep one.")
    (node,) = found
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    try:
        value = ast.literal_eval(node.value) if node.value is not None else None
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise SourceError(
            path, node.lineno, "META is not a literal", hint="Write it out as a plain dict."
        ) from None
    if not isinstance(value, dict):
        raise SourceError(path, node.lineno, "META is wrong: it should be a dict", hint=_PARTS)
    try:
        return Meta.model_validate(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        line = _line_of(detail["loc"], node.value) or node.lineno
        raise SourceError(path, line, f"META is wrong: {_explain(detail)}", hint=_PARTS) from None


def _assigned(node: ast.stmt) -> set[str]:
    """The names that a statement assigns to."""
    match node:
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _line_of(place: tuple[int | str, ...], node: ast.expr | None) -> int | None:
    """The line where the value at a place within a literal stands."""
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


def _explain(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    match detail["type"]:
        case "missing":
            return f"{where} is required"
        case "extra_forbidden":
            return f"{where} is not a part of META"
    return f"{where} {detail['msg'].removeprefix('Input ').removeprefix('Value error, ')}"
