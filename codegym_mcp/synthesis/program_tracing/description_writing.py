"""Descriptions of tools and parameters, in words, from the expressions that the tools compute."""

import ast

from codegym_mcp.synthesis.program_tracing.helper_calls import helper_body, helper_call, helper_summary
from codegym_mcp.synthesis.program_tracing.lifted_program import LiftedTool
from codegym_mcp.synthesis.program_tracing.position_checks import numbered_by
from codegym_mcp.synthesis.program_tracing.syntax_nodes import is_condition
from codegym_mcp.synthesis.program_tracing.traced_program import Program

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "is less than",
    ast.Gt: "is greater than",
    ast.LtE: "is at most",
    ast.GtE: "is at least",
    ast.Eq: "equals",
    ast.NotEq: "differs from",
    ast.In: "is in",
    ast.NotIn: "is not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "divided by",
    ast.FloorDiv: "divided (rounded down) by",
    ast.Mod: "modulo",
    ast.Pow: "to the power of",
    ast.BitXor: "XOR",
    ast.BitAnd: "AND (bit by bit)",
    ast.BitOr: "OR (bit by bit)",
    ast.LShift: "shifted left by",
    ast.RShift: "shifted right by",
}
_FUNCTIONS = {
    "len": "the number of items of",
    "sum": "the sum of",
    "int": "the whole number of",
    "abs": "the absolute value of",
    "ord": "the character code of",
    "chr": "the character with the code",
    "str": "the text of",
    "max": "the greatest of",
    "min": "the least of",
    "sorted": "the sorted",
    "set": "the different items of",
    "list": "",
    "tuple": "",
    "reversed": "the reversed",
    "bin": "the binary digits of",
}
_METHODS = {
    "isdigit": "is made of digits",
    "isalpha": "is made of letters",
    "isalnum": "is made of letters and digits",
    "isupper": "is in upper case",
    "islower": "is in lower case",
    "isspace": "is white space",
}
_FORMS = {
    "split": "the parts of",
    "lower": "the lower-case form of",
    "upper": "the upper-case form of",
    "strip": "the trimmed form of",
    "items": "the entries of",
    "keys": "the keys of",
    "values": "the values of",
}


def describe_tool(tool: LiftedTool, program: Program) -> str:
    """Returns what a tool does, in a sentence. The docstring of a helper describes its tool."""
    if tool.change is not None:
        return _sentence(_describe_change(tool.change))
    expression = tool.expression
    if expression is None:
        return "Does nothing."
    call = helper_call(expression, program)
    if call is not None:
        return _describe_helper(call, program, as_truth=call is not expression)
    if is_condition(expression):
        return _sentence(f"tells whether {_phrase(expression)}")
    return _sentence(f"returns {_phrase(expression)}")


def describe_parameter(tool: LiftedTool, parameter: str, program: Program) -> str:
    """Returns what a parameter means, in a phrase."""
    container = numbered_by(tool, parameter, program)
    if container is not None:
        return f"position in {_phrase(container)}, counted from 0."
    return "the value." if parameter == "value" else f"the value of {parameter.replace('_', ' ')}."


def _describe_helper(call: ast.Call, program: Program, *, as_truth: bool) -> str:
    """Describes a helper by its docstring, else by its expression, else by its name.

    Args:
        as_truth: whether the tool returns only whether the helper's result is true.
    """
    summary = helper_summary(call, program)
    if summary:
        is_complete = not as_truth or "whether" in summary
        return summary if is_complete else f"{summary} The result is true unless this is zero or empty."
    phrase = f"`{ast.unparse(call.func)}` of {', '.join(map(_phrase, call.args))}"
    match helper_body(call, program):
        case [ast.Return(value=ast.expr() as value)]:
            if is_condition(value):
                return _sentence(f"tells whether {_phrase(value)}")
            phrase = _phrase(value)
    return _sentence(f"tells whether {phrase} is not zero or empty" if as_truth else f"returns {phrase}")


def _sentence(text: str) -> str:
    clean = " ".join(text.split())
    return f"{clean[:1].upper()}{clean[1:]}."


def _describe_change(node: ast.stmt) -> str:
    match node:
        case ast.Assign(targets=[target], value=value):
            return f"sets {_phrase(target)} to {_phrase(value)}"
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            return f"adds {_phrase(value)} to {_phrase(target)}"
        case ast.AugAssign(target=target, op=ast.Sub(), value=value):
            return f"subtracts {_phrase(value)} from {_phrase(target)}"
        case ast.AugAssign(target=target, op=operator, value=value):
            word = _OPERATORS.get(type(operator), "and")
            return f"replaces {_phrase(target)} by itself {word} {_phrase(value)}"
        case ast.Delete(targets=[target]):
            return f"removes {_phrase(target)}"
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr=name), args=args)):
            words = {"append": "appends", "add": "adds", "pop": "removes an item", "remove": "removes"}
            what = " and ".join(map(_phrase, args))
            return f"{words.get(name, f'applies {name} with')} {what} to {_phrase(value)}"
    return "changes the state"


def _phrase(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name.replace("_", " ") if name != "self" else "it"
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name.replace("_", " ")
        case ast.Constant(value=value):
            return repr(value)
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
            first = _phrase(lower) if lower is not None else "the beginning"
            last = f"before {_phrase(upper)}" if upper is not None else "the end"
            return f"the part of {_phrase(value)} from {first} to {last}"
        case ast.Subscript(value=value, slice=ast.UnaryOp(operand=ast.Constant(value=1))):
            return f"the last item of {_phrase(value)}"
        case ast.Subscript(value=value, slice=ast.Constant(value=int(number))):
            return f"item {number} of {_phrase(value)}"
        case ast.Subscript(value=value, slice=index):
            return f"the item of {_phrase(value)} at {_phrase(index)}"
        case ast.Compare(left=left, ops=operators, comparators=others):
            text = _phrase(left)
            for operator, other in zip(operators, others, strict=True):
                text += f" {_COMPARISONS[type(operator)]} {_phrase(other)}"
            return text
        case ast.BinOp(left=left, op=operator, right=right):
            return f"{_phrase(left)} {_OPERATORS.get(type(operator), 'combined with')} {_phrase(right)}"
        case ast.BoolOp(op=operator, values=values):
            return (" and " if isinstance(operator, ast.And) else " or ").join(map(_phrase, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"it is not true that {_phrase(operand)}"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"minus {_phrase(operand)}"
        case ast.Call(func=ast.Name(id="bool"), args=[argument]):
            return f"{_phrase(argument)} is not zero or empty"
        case ast.Call(func=ast.Name(id="isinstance"), args=[argument, kind]):
            return f"{_phrase(argument)} is of the type {ast.unparse(kind)}"
        case ast.Call(func=ast.Name(id=name), args=args) if name in _FUNCTIONS:
            return f"{_FUNCTIONS[name]} {' and '.join(map(_phrase, args))}"
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args) if name in _METHODS:
            return f"{_phrase(value)} {_METHODS[name]}"
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args) if name in _FORMS:
            return f"{_FORMS[name]} {_phrase(value)}"
        case ast.Call(func=ast.Attribute(value=value, attr="count"), args=[argument]):
            return f"how often {_phrase(argument)} occurs in {_phrase(value)}"
        case ast.Call(func=ast.Name(id=name), args=args):
            return f"{name.replace('_', ' ')} of {', '.join(map(_phrase, args))}"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return f"{_phrase(body)} if {_phrase(test)}, otherwise {_phrase(orelse)}"
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return ", ".join(map(_phrase, parts))
    return f"`{ast.unparse(node).replace('self.', '')}`"
