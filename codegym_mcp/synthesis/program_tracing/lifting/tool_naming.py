"""Names of tools and parameters, from what their expressions compute."""

import ast
import builtins
import keyword
import re
from collections.abc import Mapping, Sequence, Set

from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import HOLE, HiddenValue
from codegym_mcp.synthesis.program_tracing.source_reading.helper_calls import helper_arguments, helper_call
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.syntax_nodes import free_name

_MAX_NAME = 40
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "below",
    ast.Gt: "above",
    ast.LtE: "at_most",
    ast.GtE: "at_least",
    ast.Eq: "equals",
    ast.NotEq: "differs_from",
    ast.In: "is_in",
    ast.NotIn: "is_not_in",
    ast.Is: "is",
    ast.IsNot: "is_not",
}
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "divided_by",
    ast.FloorDiv: "divided_by",
    ast.Mod: "modulo",
    ast.Pow: "to_the_power",
    ast.BitXor: "xor",
    ast.BitAnd: "bits_and",
    ast.BitOr: "bits_or",
    ast.LShift: "shifted_left",
    ast.RShift: "shifted_right",
}
_UNTELLING = frozenset(
    {"idx", "index", "item", "num", "place", "pos", "position", "val", "value", "tmp", "temp"}
)
_RESERVED = {"tools", "self", "submit", "reset", "step", "close", "solve", "reference", "generate"}


class ToolNames:
    """Chooses names that no other tool or variable has."""

    def __init__(self, program: Program) -> None:
        self._variables = {each.id for each in ast.walk(program.tree) if isinstance(each, ast.Name)}
        self._variables |= {each.arg for each in ast.walk(program.tree) if isinstance(each, ast.arg)}
        self._program = program
        self._functions = set(program.functions)
        self._variables -= self._functions
        taken = self._functions | program.imported | set(dir(builtins))
        self._telling = {name for name in self._variables - taken if _is_telling(name)}
        self._tools: set[str] = set(_RESERVED)

    def variable(self, wanted: str) -> str:
        """Returns a name for a variable of the oracle."""
        name = free_name(wanted, {*self._variables, *self._functions, *keyword.kwlist})
        self._variables.add(name)
        return name

    def reserve(self, function: ast.FunctionDef) -> None:
        """Keeps tools from having the names of a function's variables, which may be attributes."""
        names = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
        self._variables |= names - self._functions

    def name_value(self, hidden: HiddenValue, original: ast.expr) -> tuple[str, list[str]]:
        """Returns the name of a tool that computes a value, and the names of its parameters.

        A tool that is the call of a helper has the helper's name and parameters.
        """
        call = helper_call(hidden.expression, self._program)
        parameters = self._helper_parameters(call, len(hidden.holes))
        if call is not None and parameters is not None:
            return self._tool(ast.unparse(call.func)), parameters
        wanted = _words(hidden.expression)
        if isinstance(hidden.expression, ast.Subscript) or hidden.raw:
            wanted = f"read_{wanted}"
        return self._tool(wanted), name_holes(hidden.expression, hidden.holes, self._telling)

    def name_change(self, statement: ast.stmt, holes: Sequence[ast.expr]) -> tuple[str, list[str]]:
        """Returns the name of a tool that changes the environment, and the names of its parameters."""
        parameters: list[str] | None = None
        match statement:
            case ast.Assign(targets=[target], value=value):
                wanted = f"set_{_words(target)}_to_{_words(value)}"
                parameters = self._helper_parameters(helper_call(value, self._program), len(holes))
            case ast.AugAssign(target=target, op=operator, value=value):
                wanted = f"change_{_words(target)}_{_OPERATORS.get(type(operator), 'by')}_{_words(value)}"
            case ast.Delete(targets=[target]):
                wanted = f"delete_{_words(target)}"
            case ast.Expr(value=value):
                wanted = _words(value)
            case _:
                wanted = "change"
        return self._tool(wanted), parameters or name_holes(statement, holes, self._telling)

    def _helper_parameters(self, call: ast.Call | None, count: int) -> list[str] | None:
        """Returns the parameters of a helper that fill the holes of its call, or None if one is computed."""
        holes = _holes_by_name(helper_arguments(call, self._program)) if call is not None else None
        return [holes[place] for place in range(count)] if holes is not None else None

    def _tool(self, wanted: str) -> str:
        clean = re.sub(r"_+", "_", re.sub(r"\W+", "_", wanted.lower())).strip("_")
        if len(clean) > _MAX_NAME:
            clean = clean[:_MAX_NAME].rpartition("_")[0] or clean[:_MAX_NAME]
        if not clean or not clean[0].isalpha() or keyword.iskeyword(clean):
            clean = f"compute_{clean}".strip("_")
        # Variables may be attributes of the environment, which would hide a method of the same name.
        name = free_name(clean, self._tools | self._variables)
        self._tools.add(name)
        return name


def name_holes(node: ast.AST, holes: Sequence[ast.expr], telling: Set[str] = frozenset()) -> list[str]:
    """Returns the names of parameters: known variables keep their names, other positions are called so.

    Args:
        telling: variables whose names tell what they number.
    """
    places = {
        each.slice.id: each
        for each in ast.walk(node)
        if isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Name)
    }
    bounds = _names_of_bounds(node)
    found: list[str] = []
    for number, hole in enumerate(holes):
        place = places.get(f"{HOLE}{number}")
        if place is not None and not (isinstance(hole, ast.Name) and hole.id in telling):
            name = _position_name(place, is_first="position" not in found)
        elif isinstance(hole, ast.Name) and not hole.id.startswith(HOLE):
            name = hole.id
        else:
            name = bounds.get(f"{HOLE}{number}", "value")
        wanted, count = name, 2
        while wanted in found:
            wanted, count = f"{name}_{count}", count + 1
        found.append(wanted)
    return found


def _names_of_bounds(node: ast.AST) -> dict[str, str]:
    """Returns names for the holes that are bounds of slices."""
    found: dict[str, str] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.Slice):
            for name, bound in (("start", each.lower), ("end", each.upper)):
                if isinstance(bound, ast.Name):
                    found[bound.id] = name
    return found


def _is_telling(name: str) -> bool:
    """Returns whether the name of a variable says more than that it numbers something."""
    return len(name) > 2 and name.strip("_0123456789") not in _UNTELLING


def _holes_by_name(arguments: Mapping[str, ast.expr]) -> dict[int, str] | None:
    """Returns the first parameter that each hole fills, or None if an argument is computed."""
    found: dict[int, str] = {}
    for name, argument in arguments.items():
        match argument:
            case ast.Name(id=hole) if hole.startswith(HOLE):
                found.setdefault(int(hole.removeprefix(HOLE)), name)
            case ast.Attribute(value=ast.Name(id="self")):
                continue
            case _:
                return None
    return found


def _position_name(place: ast.Subscript, *, is_first: bool) -> str:
    """Names a position by whether it selects a member of a member, or a member of another part."""
    if is_first:
        return "position"
    inner = any(isinstance(each, ast.Name) and each.id.startswith(HOLE) for each in ast.walk(place.value))
    return "inner_position" if inner else "other_position"


def _words(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return "" if name.startswith(HOLE) else name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_words(value)}_{name}"
        case ast.Constant(value=value):
            return str(value)[:10]
        case ast.Subscript(value=value, slice=ast.Slice()):
            return f"part_of_{_words(value)}"
        case ast.Subscript(value=value, slice=index):
            return f"{_words(value)}_{_words(index)}"
        case ast.Compare(left=left, ops=[operator, *_], comparators=[right, *_]):
            return f"{_words(left)}_{_COMPARISONS[type(operator)]}_{_words(right)}"
        case ast.BinOp(left=left, op=operator, right=right):
            return f"{_words(left)}_{_OPERATORS.get(type(operator), 'with')}_{_words(right)}"
        case ast.BoolOp(op=operator, values=values):
            return ("_and_" if isinstance(operator, ast.And) else "_or_").join(map(_words, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"not_{_words(operand)}"
        case ast.UnaryOp(operand=operand):
            return f"negative_{_words(operand)}"
        case ast.Call(func=ast.Name(id="len"), args=[ast.Subscript(value=value, slice=ast.Name())]):
            return f"count_in_{_words(value)}"
        case ast.Call(func=ast.Name(id="len"), args=[argument]):
            return f"count_{_words(argument)}"
        case ast.Call(
            func=ast.Name(id="bool"), args=[ast.Attribute() | ast.Subscript(slice=ast.Slice()) as argument]
        ):
            return f"has_{_words(argument)}"
        case ast.Call(func=ast.Name(id="list" | "sorted" | "bool"), args=[argument]):
            return _words(argument)
        case ast.Call(func=ast.Name(id="max" | "min" | "sum" | "str" | "int" as name), args=[argument]):
            return f"{name}_{_words(argument)}"
        case ast.Call(func=ast.Name(id=name), args=args):
            first = next((each for each in args if not isinstance(each, ast.Attribute)), None)
            return f"{name}_{_words(first)}" if first is not None else name
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args):
            return f"{_words(value)}_{name}_{'_'.join(map(_words, args[:1]))}"
        case ast.IfExp(test=test):
            return f"choose_by_{_words(test)}"
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return "_and_".join(map(_words, parts[:3]))
    return type(node).__name__.lower()
