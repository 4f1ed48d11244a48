"""How a loop over hidden values becomes a loop over positions."""

import ast
import copy
from dataclasses import dataclass

_MAX_SOURCES = 4


@dataclass(frozen=True, eq=False)
class LoopPlan:
    """A loop over positions.

    Attributes:
        sources: the sequences that are walked in parallel.
        elements: what each step binds: targets, and the expression of the value; hidden or not.
        counters: targets that count the steps, with the number of the first one.
        backwards: whether the positions descend.
    """

    sources: list[ast.expr]
    elements: list[tuple[ast.expr, ast.expr]]
    counters: list[tuple[ast.expr, ast.expr]]
    backwards: bool = False


def plan_loop(target: ast.expr, source: ast.expr, position: str) -> LoopPlan | None:
    """Plans a loop.

    Args:
        position: the variable that will hold the position.

    Returns:
        The plan, or None if positions cannot stand for what the loop walks.
    """
    match source:
        case ast.Call(func=ast.Name(id="range")):
            return None
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *rest]):
            if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
                return None
            plan = plan_loop(target.elts[1], inner, position)
            start = rest[0] if rest else ast.Constant(0)
            for keyword in source.keywords:
                start = keyword.value
            if plan is None or plan.backwards:
                return None
            return LoopPlan(plan.sources, plan.elements, [*plan.counters, (target.elts[0], start)])
        case ast.Call(func=ast.Name(id="zip"), args=sources, keywords=[]):
            if (
                not isinstance(target, ast.Tuple)
                or len(target.elts) != len(sources)
                or len(sources) > _MAX_SOURCES
            ):
                return None
            plans = [
                plan_loop(each, inner, position) for each, inner in zip(target.elts, sources, strict=True)
            ]
            if any(plan is None or plan.backwards or plan.counters for plan in plans):
                return None
            found = [plan for plan in plans if plan is not None]
            return LoopPlan(
                [each for plan in found for each in plan.sources],
                [each for plan in found for each in plan.elements],
                [],
            )
        case ast.Call(func=ast.Name(id="reversed"), args=[inner]):
            plan = plan_loop(target, inner, position)
            if plan is None or plan.backwards or plan.counters:
                return None
            return LoopPlan(plan.sources, plan.elements, [], backwards=True)
        case ast.Call(func=ast.Name(id="iter" | "map" | "filter" | "groupby")):
            return None
    element = ast.Subscript(copy.deepcopy(source), ast.Name(position, ast.Load()), ast.Load())
    element.is_element = True  # type: ignore[attr-defined]
    return LoopPlan([source], list(unpack(target, element)), [])


def unpack(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Returns the single targets of an assignment with the expression of each value."""
    match target:
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            found: list[tuple[ast.expr, ast.expr]] = []
            match value:
                case ast.Tuple(elts=values) | ast.List(elts=values) if len(values) == len(targets):
                    for one, part in zip(targets, values, strict=True):
                        found += unpack(one, part)
                    return found
            for place, one in enumerate(targets):
                part = ast.Subscript(copy.deepcopy(value), ast.Constant(place), ast.Load())
                found += unpack(one, part)
            return found
    return [(target, value)]
